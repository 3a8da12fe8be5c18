"""Where a result is used: every labelled equation has an entry in the index, and lists the parts that refer to it."""

from __future__ import annotations

import re
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

from backprop.sphinxext.markup import Markup, element


class Use(NamedTuple):
    """A part of a page that refers to an equation."""

    page: str
    anchor: str
    title: str


class UsesOf(nodes.General, nodes.Element):
    """The place below a derivation where the uses of its result are listed."""


def topic_and_name(label: str) -> tuple[str, str]:
    """The words of a label.

    Examples
    --------
    >>> topic_and_name("eq:softmax-jacobian-rows"), topic_and_name("def:loss")
    (('softmax', 'jacobian rows'), ('loss', 'loss'))
    """
    topic, _, name = label.partition(":")[2].partition("-")
    return topic, name.replace("-", " ") or topic


def all_uses(env: BuildEnvironment) -> dict[str, list[Use]]:
    """The uses of each label, page by page, in the order of the book."""
    if not hasattr(env, "backprop_uses"):
        env.backprop_uses = {}
    return env.backprop_uses


def section_of(node: nodes.Node) -> nodes.section | None:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


class EnterEquations(SphinxTransform):
    """An entry in the index for every labelled equation."""

    default_priority = 840  # before the domains read the page, at 850

    def apply(self) -> None:
        for block in list(self.document.findall(nodes.math_block)):
            if block.get("label") and block["ids"]:
                topic, name = topic_and_name(block["label"])
                entries = [("single", f"{name}; equation, {topic}", block["ids"][0], "main", None)]
                block.parent.insert(block.parent.index(block), addnodes.index(entries=entries))


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Note which parts of a page refer to which equations."""
    page, found = app.env.docname, {}
    # The ledger lists every result, and a summary box stands below what it sums up: neither tells a reader anything.
    links = [] if page.endswith("/ledger") else doctree.findall(addnodes.pending_xref)
    for link in links:
        section = section_of(link)
        if link.get("reftype") != "eq" or section is None or not section["ids"] or within(link, "summary-box"):
            continue
        title = next(iter(section.findall(nodes.title)))
        use = Use(page, section["ids"][0], re.sub(r"\s+", " ", title.astext()))
        listed = found.setdefault(link["reftarget"], [])
        if use not in listed:
            listed.append(use)
    all_uses(app.env)[page] = found


def within(node: nodes.Node, name: str) -> bool:
    while node is not None:
        if isinstance(node, nodes.Element) and name in node.get("classes", ()):
            return True
        node = node.parent
    return False


def uses_of(env: BuildEnvironment, label: str) -> list[Use]:
    return [use for page in sorted(all_uses(env)) for use in all_uses(env)[page].get(label, [])]


def purge(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    all_uses(env).pop(page, None)


def merge(app: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    all_uses(env).update({page: found for page, found in all_uses(other).items() if page in pages})


def pages_to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The pages of the equations whose uses have changed."""
    domain = env.get_domain("math")
    now = {label: uses_of(env, label) for page in all_uses(env).values() for label in page}
    before = getattr(env, "backprop_uses_drawn", {})
    env.backprop_uses_drawn = now
    changed = {label for label in {*now, *before} if now.get(label) != before.get(label)}
    return sorted({domain.equations[label][0] for label in changed if label in domain.equations})


def draw(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """The list, folded: the parts of other pages first named by their page."""
    for place in list(doctree.findall(UsesOf)):
        # The part in which a result stands refers to it anyway.
        own = section_of(place)
        here = own["ids"][0] if own is not None and own["ids"] else ""
        uses = [use for use in uses_of(app.env, place["label"]) if (use.page, use.anchor) != (page, here)]
        place.replace_self([drawn(app, page, uses)] if uses else [])


def drawn(app: Sphinx, page: str, uses: list[Use]) -> Markup:
    items = []
    for use in uses:
        where = "" if use.page == page else app.builder.get_relative_uri(page, use.page)
        link = nodes.reference("", use.title, refuri=f"{where}#{use.anchor}", internal=True)
        items.append(element("li", link, *chapter(app, use) if use.page != page else []))
    count = "in 1 other place" if len(uses) == 1 else f"in {len(uses)} other places"
    return element("details", element("summary", f"Used {count}"), element("ul", *items), classes="uses")


def chapter(app: Sphinx, use: Use) -> list[nodes.Node]:
    """The page of a use, with its number where it has one."""
    number = app.env.toc_secnumbers.get(use.page, {}).get("", ())
    title = app.env.titles[use.page].astext()
    if title == use.title:
        return []
    return [nodes.Text(f" (chapter {number[0]})" if number else f" ({title})")]


def setup(app: Sphinx) -> None:
    app.add_node(UsesOf)
    app.add_transform(EnterEquations)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", pages_to_write)
    app.connect("doctree-resolved", draw)
