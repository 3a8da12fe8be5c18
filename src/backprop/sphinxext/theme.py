"""What the theme's pages load in vain is dropped, loudly: when the theme changes under it, the build stops.

The theme loads its icons twice, as a font and as a script of 1.5 MB that draws them once more; the font is enough. It
preloads two further icon fonts that few pages use. And it starts in no colour mode at all, which it reports as an error
in every reader's console, unless a mode is named; naming it in the page's source would leave readers without JavaScript
with no colours, so it is named in the script. It describes no page to search engines: the page's first words do. And
it names every fold of code "Toggle hidden content" for a screen reader, where the words that all others see say more.
The sidebar is no landmark, and its search button is called by fewer words than it shows. Docutils gives each reference
a role that is deprecated, inside a list whose items have another.
"""

from __future__ import annotations

import re
from html import escape, unescape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

DROPPED = (
    r'<script src="[^"]*vendor/fontawesome/[^"]*/js/all\.min\.js[^"]*"></script>',
    r'<link rel="preload" as="font"[^>]*fa-brands-400\.woff2" />',
    r'<link rel="preload" as="font"[^>]*fa-regular-400\.woff2" />',
)
SYSTEM = 'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"'
# Before the first paint: the reader's choice if there is one, otherwise the system's.
MODES = (
    ('localStorage.getItem("mode") || ""', 'localStorage.getItem("mode") || "auto"'),
    ('localStorage.getItem("theme") || ""', f'localStorage.getItem("theme") || ({SYSTEM})'),
)


def once(pattern: str, replacement: str, page: str) -> str:
    """Replace the one match of a pattern.

    Raises
    ------
    ExtensionError
        When there is not exactly one.

    Examples
    --------
    >>> once("b", "x", "abc")
    'axc'
    """
    changed, count = re.subn(pattern, replacement, page)
    if count != 1:
        raise ExtensionError(f"the theme has changed: expected one {pattern!r} in its layout, found {count}")
    return changed


def lighter_head(head: str) -> str:
    for pattern in DROPPED:
        head = once(pattern, "", head)
    for unnamed, named in MODES:
        head = once(re.escape(unnamed), named, head)
    return head


# The sidebar's place and name, for those who go from landmark to landmark; and the button's own words as its name.
NAMED = (
    (
        '<div class="bd-sidebar-primary bd-sidebar',
        '<div role="complementary" aria-label="Book" class="bd-sidebar-primary bd-sidebar',
    ),
    (
        '-button-field search-button__button" title="Search" aria-label="Search"',
        '-button-field search-button__button" title="Search"',
    ),
)


def named_parts(content: str) -> str:
    for unnamed, named in NAMED:
        content = once(re.escape(unnamed), named, content)
    return content


SPOKEN = ((' aria-label="Toggle hidden content"', ""), (' role="doc-biblioentry"', ' role="listitem"'))
LONGEST = 160


def description(title: str, doctree: nodes.document | None) -> str:
    """What a page is about, in its own first words that hold no formula; at most LONGEST characters.

    Examples
    --------
    >>> description("Search", None)
    'Search: Backpropagation with executable derivations.'
    """
    said: list[str] = []
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        if not any(paragraph.findall(nodes.math)) and isinstance(paragraph.parent, nodes.section):
            said.append(" ".join(paragraph.astext().split()))
        if sum(map(len, said)) > LONGEST:
            break
    text = " ".join(said) or f"{title}: Backpropagation with executable derivations."
    return text if len(text) <= LONGEST else text[: text.rindex(" ", 0, LONGEST - 1)].rstrip(",;:") + " …"


def prepare_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    context["lighter_head"] = lighter_head
    context["named_parts"] = named_parts
    named = unescape(re.sub(r"<[^>]*>", "", context.get("title", ""))) or pagename.title().replace("Genindex", "Index")
    about = description(named, doctree)
    context["metatags"] = context.get("metatags", "") + f'\n<meta name="description" content="{escape(about)}" />'
    for said, better in SPOKEN if "body" in context else ():
        context["body"] = context["body"].replace(said, better)
    # A formula in a page's title would appear in the browser's tab twice, as HTML and as MathML, without its tags.
    title = app.env.titles.get(pagename)
    if title is not None and any(title.findall(nodes.math)):
        context["title"] = title.astext()


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", prepare_page)
