"""A full stop or a comma stays on the line of the formula before it: a browser may break after any inline formula."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from backprop.sphinxext.katex import MathError, engine, package_of

OPENING, CLOSING = re.compile(r"[(\[“‘]+$"), re.compile(r"^[.,;:!?)\]’”…]+|^-\w+")
# What is as short as this may as well stay in one piece, also on a phone.
SHORT = 16


class KeepMarks(SphinxPostTransform):
    """Wrap an inline formula and the marks that touch it, where the formula itself would not be broken."""

    default_priority = 900
    formats = ("html",)

    def apply(self, **kwargs: object) -> None:
        katex = engine(package_of(self.app))
        for formula in list(self.document.findall(nodes.math)):
            before, after = marks_around(formula)
            if before + after and in_one_piece(katex, formula.astext(), self.config.backprop_macros):
                keep_together(formula, before, after)


def marks_around(formula: nodes.math) -> tuple[str, str]:
    """The marks that touch a formula, before and after it.

    Examples
    --------
    >>> line = nodes.paragraph("", "", nodes.Text("so ("), nodes.math("x", "x"), nodes.Text("), and"))
    >>> marks_around(line[1])
    ('(', '),')
    """
    place = formula.parent.index(formula)
    before = formula.parent[place - 1] if place else None
    after = formula.parent[place + 1] if place + 1 < len(formula.parent) else None
    opening = OPENING.search(before) if isinstance(before, nodes.Text) else None
    closing = CLOSING.search(after) if isinstance(after, nodes.Text) else None
    return opening.group() if opening else "", closing.group() if closing else ""


def in_one_piece(katex, tex: str, macros: dict[str, str]) -> bool:
    """Whether KaTeX sets a formula in one piece, or it is so short that it may be kept in one."""
    try:
        seen = katex.html(tex, display=False, macros=macros).partition('class="katex-html"')[2]
    except MathError:
        return False
    return seen.count('class="base"') == 1 or len(re.sub(r"<[^>]*>", "", seen.partition(">")[2])) <= SHORT


def keep_together(formula: nodes.math, before: str, after: str) -> None:
    """Move the marks that touch a formula into one unbroken piece with it.

    Examples
    --------
    >>> line = nodes.paragraph("", "", nodes.Text("so ("), nodes.math("x", "x"), nodes.Text("), and"))
    >>> keep_together(line[1], "(", "),")
    >>> [part.astext() for part in line]
    ['so ', '(x),', ' and']
    """
    parent, place = formula.parent, formula.parent.index(formula)
    if after:
        parent[place + 1] = nodes.Text(parent[place + 1][len(after) :])
    piece = nodes.inline("", "", classes=["unbroken"])
    parent[place] = piece
    piece += [*map(nodes.Text, filter(None, [before])), formula, *map(nodes.Text, filter(None, [after]))]
    if before:
        parent[place - 1] = nodes.Text(parent[place - 1][: -len(before)])


def setup(app: Sphinx) -> None:
    app.add_post_transform(KeepMarks)
