"""The boxes of a chapter: prediction, erratum, summary, and what all boxes share.

A box is written as an admonition with a class, ``:::{admonition} Title`` and ``:class: prediction``, because JupyterLab
knows that directive and would show one of our own as an error. Inside stands plain Markdown; ``---`` on a line of its
own parts what a note says from what is true.
"""

from __future__ import annotations

import re
from itertools import pairwise

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from backprop.sphinxext.markup import Markup, element
from backprop.sphinxext.rows import with_claims_linked

PARTING = re.compile(r"^-{3,}\s*$")


class Box(SphinxDirective):
    """What the boxes share: a titled section, its parts parsed as Markdown, errors that name the box."""

    kind = ""
    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def titled(self, *title: nodes.Node | str) -> Markup:
        """A section named by its title, so that a screen reader announces which box this is."""
        kind = self.kind
        name = f"{kind}-{self.env.new_serialno(f'backprop-{kind}') + 1}"
        heading = element("p", *title, classes="box-title")
        heading["ids"].append(name)
        return element("section", heading, classes=f"box {kind}", aria_labelledby=name)

    def inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.parse_inline(text, lineno=self.lineno)
        return [*parsed, *messages]

    def filled(self, box: Markup, children: list[nodes.Node]) -> list[nodes.Node]:
        box += children
        return [box]

    def blocks(self, lines: StringList) -> list[nodes.Node]:
        holder = nodes.Element()
        self.state.nested_parse(lines, self.content_offset, holder)
        return holder.children

    def parts(self) -> list[StringList]:
        """The content, parted at lines of three or more hyphens."""
        bounds = [-1, *(number for number, line in enumerate(self.content) if PARTING.match(line)), len(self.content)]
        return [self.content[start + 1 : end] for start, end in pairwise(bounds)]

    def two_parts(self, first: str, second: str) -> tuple[list[nodes.Node], list[nodes.Node]]:
        parts = self.parts()
        if len(parts) != 2 or not all("".join(part).strip() for part in parts):
            raise self.error(f"{self.kind}: expected {first}, a line '---' and {second}, got {len(parts)} part(s)")
        return self.blocks(parts[0]), self.blocks(parts[1])


def folded(label: list[nodes.Node | str], children: list[nodes.Node], classes: str) -> Markup:
    """Closed until asked for, without a script."""
    content = element("div", *children, classes="reveal-content")
    return element("details", element("summary", *label), content, classes=f"reveal {classes}".strip())


class SummaryBox(Box):
    """What a chapter established, in words and references; its formulas come from executed cells."""

    kind = "summary-box"

    def run(self) -> list[nodes.Node]:
        return self.filled(self.titled(*self.inline(self.arguments[0])), self.blocks(self.content))


class Prediction(Box):
    """A question to commit to before its answer, which follows folded: an admonition of the class ``dropdown``.

    Without an answer inside, cells answer: those after it, or those between ``solution-start`` and ``solution-end``.
    """

    kind = "prediction"

    def run(self) -> list[nodes.Node]:
        if len(self.parts()) > 1:
            # JupyterLab would show the answer right below such a line.
            raise self.error("prediction: expected the answer in an admonition of the class dropdown, got a line '---'")
        question = self.blocks(self.content)
        answers = [node for node in question if isinstance(node, Markup) and node["tag"] == "details"]
        write = element("input", type="text", autocomplete="off")
        commit = element("label", element("span", "Your answer"), write, classes="commit")
        stated = [node for node in question if node not in answers]
        return self.filled(self.titled(*self.inline(self.arguments[0])), [*stated, commit, *answers])


class NoteErratum(Box):
    """An error of a source note, in place: what it says, ``---``, what is true."""

    kind = "note-erratum"

    def run(self) -> list[nodes.Node]:
        said, true = self.two_parts("what the note says", "what is true")
        facts = element("dl", element("dt", "The note says"), element("dd", *said, classes="said"))
        facts += [element("dt", "What is true"), element("dd", *true)]
        title = with_claims_linked(self.inline(self.arguments[0]))
        return self.filled(self.titled(*title), [facts])


class Fold(Box):
    """Anything that is closed until asked for: an admonition of the class ``dropdown``."""

    def run(self) -> list[nodes.Node]:
        return [folded(self.inline(self.arguments[0]), self.blocks(self.content), self.kind)]
