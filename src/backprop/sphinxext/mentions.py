"""Where a text says "chapter 8", it leads there: readers follow a mention, and writers need not repeat a path."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from backprop.sphinxext.markup import Markup

MENTION = re.compile(r"\b[Cc]hapter (?P<number>\d{1,2})\b")
# Inside these a text is a link already, is no prose, or is repeated where a link would not do.
CLOSED = (nodes.reference, nodes.title, nodes.literal, nodes.math, nodes.math_block, nodes.literal_block, nodes.raw)
CLOSED_TAGS = ("a", "button", "summary", "legend", "label", "code", "pre")


class LinkMentions(SphinxTransform):
    """Turn every mention of another chapter into a link."""

    default_priority = 830

    def apply(self, **kwargs: object) -> None:
        chapters = chapter_pages(self.env.found_docs)
        for text in list(self.document.findall(nodes.Text)):
            if is_open(text) and MENTION.search(text.astext()):
                text.parent.replace(text, list(linked(text.astext(), chapters, self.env.docname)))


def chapter_pages(pages: set[str]) -> dict[str, str]:
    """The page of each chapter, by its number as a text says it.

    Examples
    --------
    >>> chapter_pages({"book/08_gradient_checking", "book/intro"})
    {'8': 'book/08_gradient_checking'}
    """
    found = {page: re.match(r"(?:.*/)?(\d\d)_", page) for page in sorted(pages)}
    return {str(int(match.group(1))): page for page, match in found.items() if match}


def is_open(text: nodes.Text) -> bool:
    node = text.parent
    while node is not None:
        if isinstance(node, (*CLOSED, addnodes.pending_xref)):
            return False
        if isinstance(node, Markup) and node["tag"] in CLOSED_TAGS:
            return False
        node = node.parent
    return True


def linked(text: str, chapters: dict[str, str], here: str) -> list[nodes.Node]:
    """A text with its mentions of other pages as links."""
    made, end = [], 0
    for match in MENTION.finditer(text):
        page = chapters.get(match["number"])
        if page is None or page == here:
            continue
        made.append(nodes.Text(text[end : match.start()]))
        target = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{page}", "refdoc": here}
        words = nodes.inline(match.group(), match.group())
        made.append(addnodes.pending_xref("", words, refexplicit=True, refwarn=True, **target))
        end = match.end()
    return [*made, nodes.Text(text[end:])]


def setup(app: Sphinx) -> None:
    app.add_transform(LinkMentions)
