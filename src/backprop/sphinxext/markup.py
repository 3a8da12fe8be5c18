"""One document node for HTML elements that docutils has no word for, and text with ``$…$`` in it.

Everything the course draws itself (derivations, cards, exercises) is built from :class:`Markup`, so that the tree
stays a docutils tree: references inside it resolve, titles are indexed, another builder sees the text without the tags.
"""

from __future__ import annotations

import re
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxSmartQuotes, SphinxTransform

VOID = frozenset({"input", "br", "hr"})


class Markup(nodes.General, nodes.Inline, nodes.TextElement):
    """An HTML element: ``Markup(tag="figure", attributes={"aria-label": …}, classes=[…])``."""


def element(tag: str, *children: nodes.Node | str, classes: str = "", **attributes: str) -> Markup:
    """An HTML element with its children; in a name a trailing underscore is dropped, others become hyphens.

    Examples
    --------
    >>> node = element("button", "proved", classes="mark", type="button", aria_describedby="tip-1")
    >>> node["attributes"]
    {'type': 'button', 'aria-describedby': 'tip-1'}
    >>> node.astext()
    'proved'
    """
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    content = [nodes.Text(child) if isinstance(child, str) else child for child in children]
    return Markup("", "", *content, tag=tag, attributes=named, classes=classes.split())


def opening_tag(node: Markup) -> str:
    """The start tag, with the node's ids (Sphinx puts link targets there) and classes."""
    attributes = dict(node["attributes"])
    if node["ids"]:
        attributes["id"] = node["ids"][0]
    if node["classes"]:
        attributes["class"] = " ".join(node["classes"])
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{node['tag']}{written}>"


def visit_html(self, node: Markup) -> None:
    # docutils would drop all ids but the first; further ones become empty anchors.
    anchors = "".join(f'<span id="{escape(other)}"></span>' for other in node["ids"][1:])
    if node["tag"] in VOID:
        self.body.append(anchors + opening_tag(node))
    else:
        self.body.append(opening_tag(node) + anchors)


def depart_html(self, node: Markup) -> None:
    if node["tag"] not in VOID:
        self.body.append(f"</{node['tag']}>")


def pass_through(self, node: Markup) -> None:
    """Other builders keep the children and drop the tag."""


class UnbalancedMath(ValueError):
    """A text with an odd number of unescaped dollar signs."""


def text_with_math(text: str) -> list[nodes.Node]:
    r"""Plain text with ``$…$`` as text and math nodes; ``\$`` is a dollar sign.

    Raises
    ------
    UnbalancedMath
        When a dollar sign has no partner.

    Examples
    --------
    >>> [type(node).__name__ for node in text_with_math("row $p$ of $X^T$")]
    ['Text', 'math', 'Text', 'math']
    >>> text_with_math("costs $5")
    Traceback (most recent call last):
    ...
    backprop.sphinxext.markup.UnbalancedMath: a dollar sign without its partner in 'costs $5'
    """
    pieces = re.split(r"(?<!\\)\$", text)
    if len(pieces) % 2 == 0:
        raise UnbalancedMath(f"a dollar sign without its partner in {text!r}")
    made: list[nodes.Node] = []
    for position, piece in enumerate(pieces):
        if position % 2:
            made.append(nodes.math(piece, piece))
        elif piece:
            made.append(nodes.Text(piece.replace(r"\$", "$")))
    return made


class OpeningQuotes(SphinxTransform):
    """A quotation mark that begins a paragraph of a box opens.

    docutils reads a text element as one text, and a box is one: the mark would follow the last letter of the paragraph
    above, and close.
    """

    default_priority = SphinxSmartQuotes.default_priority - 1

    def apply(self, **kwargs: object) -> None:
        paragraphs = {paragraph for box in self.document.findall(Markup) for paragraph in box.findall(nodes.paragraph)}
        for paragraph in paragraphs:
            first = next(iter(paragraph), None)
            if isinstance(first, nodes.Text) and first.startswith('"'):
                paragraph.replace(first, nodes.Text("\N{LEFT DOUBLE QUOTATION MARK}" + first[1:]))


def setup(app: Sphinx) -> None:
    app.add_transform(OpeningQuotes)
    other = (pass_through, pass_through)
    app.add_node(Markup, html=(visit_html, depart_html), latex=other, text=other, man=other, texinfo=other)
