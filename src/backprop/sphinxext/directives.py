"""The boxes of a chapter: card, prediction, exercise with hints and solution, erratum, quiz, summary.

All are written with colon fences around plain Markdown, so that a notebook reads well in JupyterLab, where nothing is
installed to draw them; ``---`` on a line of its own parts a question from its answer there as here.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from backprop.sphinxext.gates import GATES, Gate, GateEnd
from backprop.sphinxext.markup import Markup, element

CARD = ("You will be able to", "You need", "Time", "Convention")
PARTING = re.compile(r"^-{3,}\s*$")
CHOICE = re.compile(r"^[-*] \[(?P<mark>[ xX])\] (?P<text>.*)$")


class Box(SphinxDirective):
    """What the boxes share: a titled section, its parts parsed as Markdown, errors that name the directive."""

    has_content = True
    final_argument_whitespace = True

    def titled(self, kind: str, *title: nodes.Node | str) -> Markup:
        """A section named by its title, so that a screen reader announces which box this is."""
        name = f"{kind}-{self.env.new_serialno(f'backprop-{kind}') + 1}"
        heading = element("p", *title, classes="box-title")
        heading["ids"].append(name)
        return element("section", heading, classes=f"box {kind}", aria_labelledby=name)

    def inline(self, text: str) -> list[nodes.Node]:
        parsed, messages = self.parse_inline(text, lineno=self.lineno)
        return [*parsed, *messages]

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
            raise self.error(f"{self.name}: expected {first}, a line '---' and {second}, got {len(parts)} part(s)")
        return self.blocks(parts[0]), self.blocks(parts[1])

    def revealed(self, label: str, children: list[nodes.Node], classes: str) -> Markup:
        content = element("div", *children, classes="reveal-content")
        return element("details", element("summary", label), content, classes=classes)


class ChapterCard(Box):
    """The question of a chapter as its title; a list with the four entries of CARD in bold; the table of shapes."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        content = self.blocks(self.content)
        lists = [node for node in content if isinstance(node, nodes.bullet_list)]
        tables = [table for node in content for table in node.findall(nodes.table)]
        entries = dict(self.entry(item) for item in lists[0]) if lists else {}
        if tuple(entries) != CARD:
            raise self.error(
                f"chapter-card: expected a list of {', '.join(CARD)} in bold, got {', '.join(entries) or 'none'}"
            )
        if len(tables) != 1:
            raise self.error(f"chapter-card: expected one table of shapes, got {len(tables)}")
        card = self.titled("chapter-card", *self.inline(self.arguments[0]))
        facts = element("dl")
        for term, description in entries.items():
            facts += [element("dt", term), element("dd", *description)]
        card += [facts if node is lists[0] else node for node in content]
        return [card]

    def entry(self, item: nodes.Element) -> tuple[str, list[nodes.Node]]:
        """The name in bold that an entry starts with, and what follows it."""
        for first in item.findall(nodes.paragraph):
            parts = [part for part in first if part.astext()]  # the parser leaves empty texts before bold words
            if parts and isinstance(parts[0], nodes.strong):
                first.children = []
                first += parts[1:]
                return parts[0].astext().rstrip(".:"), list(item.children)
            break
        raise self.error(f"chapter-card: each entry starts with its name in bold, got {item.astext()[:60]!r}")


class SummaryBox(Box):
    """What a chapter established, in words and references; its formulas come from executed cells."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        box = self.titled(
            "summary-box", *self.inline(self.arguments[0] if self.arguments else "What this chapter established")
        )
        box += self.blocks(self.content)
        return [box]


class Prediction(Box):
    """A question to commit to before its answer: question, ``---``, answer. Without ``---`` a gate below answers."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        box = self.titled("prediction", *self.inline(self.arguments[0] if self.arguments else "Before you read on"))
        if len(self.parts()) > 1:
            question, answer = self.two_parts("a question", "its answer")
        else:
            question, answer = self.blocks(self.content), []
        box += question
        box += element(
            "label", element("span", "Your answer"), element("input", type="text", autocomplete="off"), classes="commit"
        )
        if answer:
            box += self.revealed("Compare with the answer", answer, "reveal answer")
        return [box]


class Exercise(Box):
    """A numbered exercise; hints and a solution go inside, cells go between ``solution-start`` and ``solution-end``."""

    optional_arguments = 1
    option_spec: ClassVar = {"label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        number = f"Exercise {self.env.new_serialno('backprop-exercise-number') + 1}"
        title = self.arguments[0] if self.arguments else ""
        box = self.titled(
            "exercise", element("span", number, classes="box-number"), *([" "] + self.inline(title) if title else [])
        )
        if label := self.options.get("label"):
            self.note_label(label, number, box)
        box += self.blocks(self.content)
        return [box]

    def note_label(self, label: str, number: str, box: Markup) -> None:
        """``{ref}`` finds the exercise and calls it by its number."""
        name, domain = nodes.fully_normalize_name(label), self.env.get_domain("std")
        if name in domain.labels:
            raise self.error(f"exercise: the label {label!r} is already used in {domain.labels[name][0]}")
        anchor = nodes.make_id(label)
        box["ids"].append(anchor)
        domain.labels[name] = domain.anonlabels[name] = (self.env.docname, anchor, number)
        domain.anonlabels[name] = (self.env.docname, anchor)


class Hint(Box):
    """One rung of the ladder of hints of an exercise, closed until asked for."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        label = self.arguments[0] if self.arguments else "Hint"
        return [self.revealed(label, self.blocks(self.content), "reveal hint")]


class Solution(Box):
    """A solution in words, closed until asked for."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [
            self.revealed(
                self.arguments[0] if self.arguments else "Solution", self.blocks(self.content), "reveal solution"
            )
        ]


class NoteErratum(Box):
    """An error of a source note, in place: what it says, ``---``, what is true."""

    required_arguments = 1
    option_spec: ClassVar = {"claims": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        said, true = self.two_parts("what the note says", "what is true")
        box = self.titled("note-erratum", "Erratum: ", *self.inline(self.arguments[0]))
        facts = element("dl", element("dt", "The note says"), element("dd", *said, classes="said"))
        facts += [element("dt", "What is true"), element("dd", *true)]
        box += facts
        if claims := self.options.get("claims"):
            box += element("p", f"Claims {claims}" if "," in claims else f"Claim {claims}", classes="quiet-line")
        return [box]


class Quiz(Box):
    """One question, choices as a task list, and after each (indented) what to say to who takes it. Needs no server."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        choices = self.choices()
        if len(choices) < 2 or sum(right for right, _, _ in choices) != 1:
            raise self.error("quiz: expected at least two choices '- [ ] …', exactly one of them '- [x] …'")
        group = f"quiz-{self.env.new_serialno('backprop-quiz') + 1}"
        box = element(
            "fieldset", element("legend", *self.inline(self.arguments[0]), classes="box-title"), classes="box quiz"
        )
        for number, (right, text, feedback) in enumerate(choices, start=1):
            box += self.choice(f"{group}-{number}", group, right, text, feedback)
        return [box]

    def choices(self) -> list[tuple[bool, str, StringList]]:
        starts = [number for number, line in enumerate(self.content) if CHOICE.match(line)]
        found = []
        for start, end in zip(starts, [*starts[1:], len(self.content)], strict=True):
            head = CHOICE.match(self.content[start])
            feedback = self.content[start + 1 : end]
            feedback.trim_left(min((len(line) - len(line.lstrip()) for line in feedback if line.strip()), default=0))
            if not "".join(feedback).strip():
                raise self.error(f"quiz: the choice {head['text']!r} has no indented paragraph that says why")
            found.append((head["mark"] in "xX", head["text"], feedback))
        return found

    def choice(self, name: str, group: str, right: bool, text: str, feedback: StringList) -> Markup:
        radio = element("input", type="radio", name=group, id=name)
        verdict = element("strong", "Yes. " if right else "No. ")
        said = element("div", element("p", verdict), *self.blocks(feedback), classes="feedback")
        label = element("label", *self.inline(text), for_=name)
        return element("div", radio, label, said, classes=f"choice {'right' if right else 'wrong'}")


class GateStart(Box):
    """Everything up to the matching end, cells included, is closed until asked for."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        kind = self.name.removesuffix("-start")
        label = self.arguments[0] if self.arguments else GATES[kind]
        return [self.mark_place(Gate("", kind=kind, label=label))]

    def mark_place(self, node: nodes.Element) -> nodes.Element:
        self.set_source_info(node)
        return node


class GateStop(GateStart):
    optional_arguments = 0

    def run(self) -> list[nodes.Node]:
        return [self.mark_place(GateEnd("", kind=self.name.removesuffix("-end")))]


def setup(app: Sphinx) -> None:
    boxes = {
        "chapter-card": ChapterCard,
        "summary-box": SummaryBox,
        "prediction": Prediction,
        "exercise": Exercise,
        "solution": Solution,
        "note-erratum": NoteErratum,
        "quiz": Quiz,
    }
    for name, directive in boxes.items():
        app.add_directive(name, directive)
    app.add_directive("hint", Hint, override=True)  # docutils' own admonition of that name is always open
    for kind in GATES:
        app.add_directive(f"{kind}-start", GateStart)
        app.add_directive(f"{kind}-end", GateStop)
