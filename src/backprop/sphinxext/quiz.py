"""A short quiz: radio buttons and their feedback in plain HTML, so that it works from a file and without a script."""

from __future__ import annotations

import re
from itertools import pairwise

from docutils import nodes
from docutils.statemachine import StringList

from backprop.sphinxext.boxes import Box
from backprop.sphinxext.markup import Markup, element

CHOICE = re.compile(r"^[-*] \[(?P<mark>[ xX])\] (?P<text>.*)$")


class Quiz(Box):
    """One question, choices as a task list, and after each (indented) what to say to who takes it. Needs no server."""

    kind = "quiz"

    def run(self) -> list[nodes.Node]:
        choices = self.choices()
        if len(choices) < 2 or sum(right for right, _, _ in choices) != 1:
            raise self.error("quiz: expected at least two choices '- [ ] …', exactly one of them '- [x] …'")
        group = f"quiz-{self.env.new_serialno('backprop-quiz') + 1}"
        legend = element("legend", *self.inline(self.arguments[0]), classes="box-title")
        drawn = [self.choice(f"{group}-{number}", group, *each) for number, each in enumerate(choices, start=1)]
        return [element("fieldset", legend, *drawn, classes="box quiz")]

    def choices(self) -> list[tuple[bool, str, StringList]]:
        starts = [number for number, line in enumerate(self.content) if CHOICE.match(line)]
        found = []
        for start, end in pairwise([*starts, len(self.content)]):
            head = CHOICE.match(self.content[start])
            feedback = self.content[start + 1 : end]
            if not "".join(feedback).strip():
                raise self.error(f"quiz: the choice {head['text']!r} has no indented paragraph that says why")
            feedback.trim_left(min(len(line) - len(line.lstrip()) for line in feedback if line.strip()))
            found.append((head["mark"] in "xX", head["text"], feedback))
        return found

    def choice(self, name: str, group: str, right: bool, text: str, feedback: StringList) -> Markup:
        radio = element("input", type="radio", name=group, id=name)
        verdict = element("strong", "Yes. " if right else "No. ")
        said = element("div", element("p", verdict), *self.blocks(feedback), classes="feedback")
        # A choice that is only a formula would leave its button without a name in words.
        spoken = element("span", f"Choice {name.rpartition('-')[2]}: ", classes="visually-hidden")
        label = element("label", spoken, *self.inline(text), for_=name)
        return element("div", radio, label, said, classes=f"choice {'right' if right else 'wrong'}")
