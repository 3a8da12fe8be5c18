"""The chapter card: the question, what the reader will be able to do, what it takes, and the table of shapes."""

from __future__ import annotations

from docutils import nodes

from backprop.sphinxext.boxes import Box
from backprop.sphinxext.markup import element

CARD = ("You will be able to", "You need", "Time", "Convention")


class ChapterCard(Box):
    """The question of a chapter as its title; a list with the four entries of CARD in bold; the table of shapes."""

    kind = "chapter-card"

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
        card = self.titled(*self.inline(self.arguments[0]))
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
