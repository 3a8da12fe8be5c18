"""Docstrings on the page of the package: they are written to be read as they stand, and are no reStructuredText.

``|z|`` is an absolute value and ``*`` a star there, and a name in single backticks is code. Examples stay untouched.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx

EXAMPLES = re.compile(r"^\s*Examples\s*$")


def as_markup(line: str) -> str:
    """One line as reStructuredText that shows it.

    Examples
    --------
    >>> as_markup("|z| is `absolute(z)`, a*b, W_pt_")
    '\\\\|z\\\\| is ``absolute(z)``, a\\\\*b, W_pt\\\\_'
    """
    pieces = re.split(r"(``?[^`]+``?)", line)
    return "".join(f"``{piece.strip('`')}``" if number % 2 else escaped(piece) for number, piece in enumerate(pieces))


def escaped(text: str) -> str:
    return re.sub(r"_(?=\W|$)", r"\\_", re.sub(r"[|*]", r"\\\g<0>", text))


def prepare(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Before numpydoc reads the sections."""
    examples = next((number for number, line in enumerate(lines) if EXAMPLES.match(line)), len(lines))
    lines[:examples] = [as_markup(line) for line in lines[:examples]]


def skip_fields(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """Fields of a named tuple, of which Python itself has nothing to say but their number."""
    return True if (getattr(thing, "__doc__", None) or "").startswith("Alias for field number") else None


def setup(app: Sphinx) -> None:
    app.setup_extension("sphinx.ext.autodoc")  # whose events these are
    app.connect("autodoc-process-docstring", prepare, priority=100)
    app.connect("autodoc-skip-member", skip_fields)
