"""How the course's pages become HTML: math, checked outputs, the boxes of a chapter, and the book's public address.

The only package that imports Sphinx, docutils and MyST-NB. The parts:

- ``katex``: math, rendered while the book is built;
- ``records``, ``checked``: outputs of notebooks, validated, then drawn by ``derivations``, ``refusals``, ``outcomes``;
- ``directives`` and ``gates``: cards, predictions, exercises, solutions;
- ``address``: one setting behind every link to the public repository;
- ``markup`` and ``drawing``: what they are all made of, ``evidence``: the words that they all use.
"""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from backprop.sphinxext import address, directives, gates, katex, markup
from backprop.sphinxext.checked import CheckedOutputRenderer

__all__ = ["CheckedOutputRenderer", "setup"]


def plain_title(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """The browser's tab shows text only: a formula in a title would appear there twice, as HTML and as MathML."""
    if doctree is not None and pagename in app.env.titles and any(app.env.titles[pagename].findall(nodes.math)):
        context["title"] = app.env.titles[pagename].astext()


def forget_a_build_with_warnings(app: Sphinx, exception: Exception | None) -> None:
    """Sphinx skips unchanged pages, and their warnings with them: a second ``-W`` build would pass, unmended."""
    if app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, object]:
    for part in (markup, katex, gates, directives, address):
        part.setup(app)
    app.connect("html-page-context", plain_title)
    app.connect("build-finished", forget_a_build_with_warnings)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
