"""Exercises: numbered, with a ladder of hints inside and a solution that may hold cells.

A directive cannot hold cells, so ``solution-start`` and ``solution-end`` mark where the solution stands, and a
transform folds what is between them; right after a prediction, into its box, as its answer. JupyterLab knows these four
names.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from backprop.sphinxext.boxes import Box, Fold, Prediction, folded
from backprop.sphinxext.markup import Markup, element

logger = logging.getLogger(__name__)


class Exercise(Box):
    """A numbered exercise; hints go inside, a solution with cells between ``solution-start`` and ``solution-end``."""

    kind = "exercise"
    required_arguments = 0
    optional_arguments = 1
    option_spec: ClassVar = {"label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        number = f"Exercise {self.env.new_serialno('backprop-exercise-number') + 1}"
        title = [" ", *self.inline(self.arguments[0])] if self.arguments else []
        box = self.titled(element("span", number, classes="box-number"), *title)
        if label := self.options.get("label"):
            self.note_label(label, number, box)
        return self.filled(box, self.blocks(self.content))

    def note_label(self, label: str, number: str, box: Markup) -> None:
        """``{ref}`` finds the exercise and calls it by its number."""
        name, domain = nodes.fully_normalize_name(label), self.env.get_domain("std")
        if name in domain.labels:
            raise self.error(f"exercise: the label {label!r} is already used in {domain.labels[name][0]}")
        anchor = nodes.make_id(label)
        box["ids"].append(anchor)
        domain.labels[name] = domain.anonlabels[name] = (self.env.docname, anchor, number)
        domain.anonlabels[name] = (self.env.docname, anchor)


class Hint(Fold):
    """One rung of the ladder of hints of an exercise. In JupyterLab ``:class: dropdown`` folds it."""

    kind = "hint"
    option_spec: ClassVar = {"class": directives.class_option}


def is_open_prediction(node: nodes.Node | None) -> bool:
    """A prediction without an answer of its own."""
    is_prediction = isinstance(node, Markup) and Prediction.kind in node["classes"]
    return is_prediction and not any(each["tag"] == "details" for each in node.findall(Markup))


class Gate(nodes.General, nodes.Element):
    """Where a gate opens; removed by :class:`FoldGates`."""


class GateEnd(nodes.General, nodes.Element):
    """Where it ends."""


class FoldGates(SphinxTransform):
    """Put the siblings between a gate and its end into a closed ``<details>``."""

    default_priority = 200

    def apply(self, **kwargs: object) -> None:
        for gate in list(self.document.findall(Gate)):
            self.fold(gate)
        for stray in list(self.document.findall(GateEnd)):
            self.complain(stray, "solution-end without solution-start before it, in the same section")

    def fold(self, gate: Gate) -> None:
        parent, start = gate.parent, gate.parent.index(gate)
        end = next((number for number in range(start, len(parent)) if isinstance(parent[number], GateEnd)), None)
        if end is None:
            self.complain(gate, "solution-start without solution-end after it, in the same section")
            return
        box = parent[start - 1] if start else None
        if is_open_prediction(box):
            # Its answer: one unit with the question, as if the cells stood inside the box.
            answer = folded([gate["label"]], parent[start + 1 : end], "")
            parent[start : end + 1] = []
            box += answer
        else:
            parent[start : end + 1] = [folded([gate["label"]], parent[start + 1 : end], "solution")]

    def complain(self, node: nodes.Element, message: str) -> None:
        logger.warning("%s", message, location=node, type="backprop", subtype="gate")
        node.parent.remove(node)


class GateStart(SphinxDirective):
    """Everything up to ``solution-end``, cells included, is closed until asked for."""

    optional_arguments = 1
    final_argument_whitespace = True
    mark: ClassVar = Gate

    def run(self) -> list[nodes.Node]:
        node = self.mark("", label=self.arguments[0] if self.arguments else "Solution")
        self.set_source_info(node)
        return [node]


class GateStop(GateStart):
    """Where the fold that ``solution-start`` opened ends."""

    optional_arguments = 0
    mark: ClassVar = GateEnd


def setup(app: Sphinx) -> None:
    app.add_directive("exercise", Exercise)
    app.add_directive("hint", Hint, override=True)  # docutils' own is always open
    app.add_directive("solution-start", GateStart)
    app.add_directive("solution-end", GateStop)
    app.add_node(Gate)
    app.add_node(GateEnd)
    app.add_transform(FoldGates)
