"""Symbols that explain themselves: the rows of the notation page, as a script that a page loads when it is asked.

Each row of the page also gets an id and an entry in the index, so that the search finds a symbol by its name.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from backprop.course.notation import rows
from backprop.sphinxext.katex import engine, package_of
from backprop.sphinxext.markup import text_with_math

PAGE = "book/notation"
SCRIPT = "notation.js"
COLUMNS = ("Symbol", "Shape", "Code", "Meaning")


def formulas(cell: str) -> list[str]:
    """The formulas of a cell.

    Examples
    --------
    >>> formulas("$X$, $Y$")
    ['X', 'Y']
    """
    return re.findall(r"\$([^$]+)\$", cell)


def html_of(text: str, app: Sphinx) -> str:
    """Text with ``$…$`` and code in backticks, as HTML."""
    katex, made = engine(package_of(app)), []
    for number, piece in enumerate(text.split("`")):
        if number % 2:
            made.append(f"<code>{escape(piece)}</code>")
            continue
        for node in text_with_math(piece):
            if isinstance(node, nodes.math):
                made.append(katex.html(node.astext(), display=False, macros=app.config.backprop_macros))
            else:
                made.append(escape(node.astext()))
    return "".join(made)


def explanation(cells: list[str], app: Sphinx) -> str:
    """The entry of a list: the symbols, then what they mean, their shape and their name in the code."""
    symbol, shape, code, meaning = (html_of(cell, app) for cell in cells[:4])
    facts = [f"shape {shape}" if shape and cells[1][0] in "$" else shape, f"in the code {code}" if code else ""]
    told = f'<span class="facts">{", ".join(filter(None, facts))}</span>' if any(facts) else ""
    return f"<dt>{symbol}</dt><dd>{meaning}{told}</dd>"


def name_of(latex: str) -> str:
    r"""A symbol as one would type it into a search.

    Examples
    --------
    >>> name_of(r"n_{\mathrm{in}}"), name_of(r"\delta^l"), name_of(r"\hat Y"), name_of(r"\mathcal{L}")
    ('n_in', 'delta^l', 'Y hat', 'L')
    """
    plain = re.sub(r"\\(hat|bar|tilde)\s*\{?(\\?\w+)\}?", r"\2 \1", latex)
    plain = re.sub(r"\\(?:mathrm|mathbf|mathcal|mathbb|operatorname|text)\s*\{?(\w+)\}?", r"\1", plain)
    return re.sub(r"\s+", " ", plain.replace("\\", "").translate(str.maketrans("", "", "{}"))).strip()


class MarkRows(SphinxTransform):
    """An id and entries in the index for each row of the notation page's tables of symbols."""

    default_priority = 840  # before the domains read the page, at 850

    def apply(self) -> None:
        if self.env.docname != PAGE:
            return
        for table in list(self.document.findall(nodes.table)):
            head = next(iter(table.findall(nodes.thead)), None)
            if head is None or not head.astext().startswith(COLUMNS[0]):
                continue
            entries = [entry for row in next(iter(table.findall(nodes.tbody))).children for entry in self.marked(row)]
            table.parent.insert(table.parent.index(table), addnodes.index(entries=entries))

    def marked(self, row: nodes.row) -> list[tuple]:
        symbols = [math.astext() for math in row[0].findall(nodes.math)]
        if not symbols:
            return []
        name = f"symbol-{self.env.new_serialno('backprop-symbol') + 1}"
        row["ids"].append(name)
        return [("single", f"{name_of(latex)}; notation", name, "main", None) for latex in symbols]


def write_script(app: Sphinx, exception: Exception | None) -> None:
    page = Path(app.srcdir, f"{PAGE}.md")
    if exception or app.builder.format != "html" or not page.is_file():
        return
    listed = [cells for cells in rows(page.read_text(encoding="utf-8")) if len(cells) >= len(COLUMNS)]
    told = [
        {"symbols": formulas(cells[0]), "index": "index" in cells[1], "html": explanation(cells, app)}
        for cells in listed
    ]
    text = f"backpropNotation({json.dumps(told, ensure_ascii=False)});\n"
    Path(app.outdir, "_static", SCRIPT).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.add_transform(MarkRows)
    app.connect("build-finished", write_script)
