"""Links from a claim ("L10") or a formula ("P0.3") to its row in the ledger, wherever the ledger's page is.

The page's table notes its rows while it is read; links are drawn when all pages are known. A name without a row, or a
book without a ledger, leaves plain text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CLAIMS = re.compile(r"(?<=[( ])([A-Z]\d+)(?=[,)])")


class Row(NamedTuple):
    """Where a row stands, and what its link says on hover."""

    page: str
    anchor: str
    title: str


class RowLink(nodes.Inline, nodes.TextElement):
    """The name of a claim or formula, to be linked."""


def row_link(name: str) -> RowLink:
    return RowLink("", nodes.Text(name), row=name)


def row_links(names: list[str]) -> list[nodes.Node]:
    """Names with commas between them, each a link."""
    parted = [part for name in names for part in (nodes.Text(", "), row_link(name))]
    return parted[1:]


def with_claims_linked(parsed: list[nodes.Node]) -> list[nodes.Node]:
    """The names of claims in parentheses, as "(L2, X4)", made links; nodes other than text stay as they are.

    Examples
    --------
    >>> [node["row"] for node in with_claims_linked([nodes.Text("the bias (L2, X4)")]) if isinstance(node, RowLink)]
    ['L2', 'X4']
    >>> [node.astext() for node in with_claims_linked([nodes.Text("layer L2 and (2)")])]
    ['layer L2 and (2)']
    """
    return [made for node in parsed for made in (linked(node) if isinstance(node, nodes.Text) else [node])]


def linked(text: nodes.Text) -> list[nodes.Node]:
    made: list[nodes.Node] = []
    for part in re.split(r"(\([A-Z]\d+(?:, [A-Z]\d+)*\))", text.astext()):
        pieces = CLAIMS.split(part) if part.startswith("(") else [part]
        made += [row_link(piece) if number % 2 else nodes.Text(piece) for number, piece in enumerate(pieces) if piece]
    return made


def noted(env: BuildEnvironment) -> dict[str, Row]:
    if not hasattr(env, "backprop_rows"):
        env.backprop_rows = {}
    return env.backprop_rows


def note_row(env: BuildEnvironment, name: str, title: str) -> str:
    """The id for the first row of a name; empty for another one of the same name."""
    rows = noted(env)
    if name in rows:
        return ""
    rows[name] = Row(env.docname, f"row-{name}", title)
    return rows[name].anchor


def purge(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    env.backprop_rows = {name: row for name, row in noted(env).items() if row.page != page}


def merge(app: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    noted(env).update({name: row for name, row in noted(other).items() if row.page in pages})


def pages_to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages when rows have come, gone or moved: their links are drawn anew even where their text is as before."""
    changed = getattr(env, "backprop_rows_drawn", None) != noted(env)
    env.backprop_rows_drawn = dict(noted(env))
    return sorted(env.found_docs) if changed else []


def draw(app: Sphinx, doctree: nodes.document, page: str) -> None:
    rows = noted(app.env)
    for node in list(doctree.findall(RowLink)):
        row = rows.get(node["row"])
        if row is None:
            node.replace_self(node.children)
            continue
        address = f"{app.builder.get_relative_uri(page, row.page)}#{row.anchor}"
        link = nodes.reference("", "", *node.children, refuri=address, internal=True, classes=["row-link"])
        if row.title:
            link["reftitle"] = row.title
        node.replace_self(link)


def setup(app: Sphinx) -> None:
    app.add_node(RowLink)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", pages_to_write)
    app.connect("doctree-resolved", draw)
