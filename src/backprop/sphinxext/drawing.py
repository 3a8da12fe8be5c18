"""What every drawn record is made of: formulas, numbered results, references and evidence marks."""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from docutils.nodes import make_id
from sphinx import addnodes
from sphinx.environment import BuildEnvironment

from backprop.sphinxext.evidence import EXPLAINED, HOLDS_FOR_ALL_SIZES, SIGNS
from backprop.sphinxext.markup import Markup, element, text_with_math


@dataclass(frozen=True)
class Place:
    """Where a record is drawn: the page being read and the line of its cell."""

    env: BuildEnvironment
    line: int | None

    @property
    def location(self) -> tuple[str, int | None]:
        return self.env.docname, self.line

    def new_id(self, kind: str) -> str:
        return f"{kind}-{self.env.new_serialno(f'backprop-{kind}') + 1}"

    def numbered(self, latex: str, label: str) -> nodes.math_block:
        """A result known to the math domain: ``{eq}`` finds it from every page, a second of its label is a warning."""
        block = formula(latex, "", label=label, docname=self.env.docname, classes=["result"])
        domain = self.env.get_domain("math")
        domain.note_equation(self.env.docname, label, location=self.location)
        block["number"] = domain.get_equation_number_for(label)
        block["ids"].append(make_id(f"equation-{label}"))
        return block

    def reference(self, label: str) -> addnodes.pending_xref:
        """The number of a labelled equation, as a link; a label that no page has is a warning."""
        target = {"refdomain": "math", "reftype": "eq", "reftarget": label, "refdoc": self.env.docname}
        return addnodes.pending_xref("", nodes.literal(label, label), refexplicit=False, refwarn=True, **target)

    def link_to_page(self, page: str, words: str = "") -> addnodes.pending_xref | None:
        """A link to a page, if the book has it; without words it shows the page's title."""
        if page not in self.env.found_docs:
            return None
        target = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{page}", "refdoc": self.env.docname}
        shown = nodes.inline(words, words or page)
        return addnodes.pending_xref("", shown, refexplicit=bool(words), refwarn=True, **target)

    def mark(self, evidence: str, detail: str | None = None) -> Markup:
        """A small sign with its meaning in words, shown on hover and on keyboard focus, read by a screen reader."""
        name = self.new_id("evidence")
        explained = EXPLAINED[evidence] + (f" Established by: {detail}." if detail else "")
        tip = element("span", *text_with_math(explained), classes="tip", role="tooltip")
        tip["ids"].append(name)
        # Where there is little room only evidence that falls short of a proof shows its word.
        word = element("span", evidence, classes="word implied" if evidence in HOLDS_FOR_ALL_SIZES else "word")
        sign = element("span", SIGNS[evidence], aria_hidden="true")
        button = element("button", sign, word, classes="sign", type="button", aria_describedby=name)
        return element("span", button, tip, classes=f"evidence evidence-{evidence}")


def formula(latex: str, spoken: str, **attributes: object) -> nodes.math_block:
    """A display formula without a number; `spoken` names its box for a screen reader."""
    given = {"nowrap": False, "number": None, "label": None, **attributes}
    block = nodes.math_block(latex, latex, **given)
    block["aria-label"] = spoken
    return block


def inline(latex: str) -> nodes.math:
    return nodes.math(latex, latex)


def sign(glyph: str) -> Markup:
    """A glyph that decorates words which say the same."""
    return element("span", glyph, classes="sign", aria_hidden="true")
