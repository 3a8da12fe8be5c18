"""How the course's pages become HTML: math, checked outputs, the boxes of a chapter, and the book's public address.

The only package that imports Sphinx, docutils and MyST-NB. The parts:

- ``katex``: math, rendered while the book is built; ``marks``: the comma after it, on the same line;
- ``records``, ``checked``: outputs of notebooks, validated, then drawn by ``derivations``, ``refusals``, ``outcomes``;
- ``directives``: the boxes of a chapter, from ``boxes``, ``card`` and ``quiz``; ``exercises``: those, and solutions;
- ``theme``: what the theme loads in vain, dropped;
- ``ledger``: the ledger, as a page and as ``ledger.json``; ``rows``: links to its rows;
- ``claims``: the claims of the notes, to be read; ``overview``: results and exercises gathered from all pages;
  ``hours``: what of the exercises fits into an hour;
- ``uses``: who refers to a result, and its entry in the index; ``symbols``: the notation page, at hand everywhere;
- ``run``: the page's code, run in the reader's browser;
- ``address``: one setting behind every link to the public repository;
- ``markup`` and ``drawing``: what they are all made of, ``evidence``: the words that they all use.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from sphinx.application import Sphinx

from backprop.sphinxext import (
    address,
    claims,
    directives,
    docstrings,
    exercises,
    hours,
    katex,
    ledger,
    marks,
    markup,
    mentions,
    overview,
    rows,
    run,
    symbols,
    theme,
    uses,
)
from backprop.sphinxext.checked import CheckedOutputRenderer

__all__ = ["CheckedOutputRenderer", "setup"]


def fingerprint() -> int:
    """A number that changes with this package, so that pages drawn by an older one are drawn again."""
    return zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))


def forget_a_build_with_warnings(app: Sphinx, exception: Exception | None) -> None:
    """Sphinx skips unchanged pages, and their warnings with them: a second ``-W`` build would pass, unmended."""
    if app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, object]:
    for part in (
        markup,
        katex,
        directives,
        docstrings,
        exercises,
        ledger,
        claims,
        rows,
        uses,
        symbols,
        address,
        theme,
        run,
        overview,
        hours,
        mentions,
        marks,
    ):
        part.setup(app)
    app.connect("build-finished", forget_a_build_with_warnings)
    # A copy of the process that writes pages would wait for KaTeX for ever: V8's threads do not outlive a fork.
    return {"version": "1", "env_version": fingerprint(), "parallel_read_safe": True, "parallel_write_safe": False}
