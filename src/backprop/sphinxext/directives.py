"""``admonition`` with a class becomes one of the course's boxes; without, it stays what it is."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst.directives.admonitions import Admonition
from sphinx.application import Sphinx

from backprop.sphinxext.boxes import Fold, NoteErratum, Prediction, SummaryBox
from backprop.sphinxext.card import ChapterCard
from backprop.sphinxext.quiz import Quiz

BOXES = {box.kind: box for box in (ChapterCard, SummaryBox, Prediction, NoteErratum, Quiz)}


class BoxOrAdmonition(Admonition):
    """The admonition directive: one of BOXES when it has that class, folded when it is a ``dropdown``, else as ever."""

    def run(self) -> list[nodes.Node]:
        classes = self.options.get("class", [])
        kinds = [BOXES[name] for name in classes if name in BOXES] or [Fold for name in classes if name == "dropdown"]
        if not kinds:
            return super().run()
        given = (self.content, self.lineno, self.content_offset, self.block_text, self.state, self.state_machine)
        return kinds[0](self.name, self.arguments, {}, *given).run()


def setup(app: Sphinx) -> None:
    app.add_directive("admonition", BoxOrAdmonition, override=True)
