"""Checked outputs as a notebook holds them, and a page as a reader finds it: for the tests that build pages."""

import json
import re
from html.parser import HTMLParser

import nbformat


def formula(latex):
    return {"latex": latex, "text": latex}


STEP = {
    "relation": "=",
    "latex": "X^T G",
    "text": "X.T G",
    "because": "row $p$",
    "evidence": "proved",
    "detail": "rules",
}
RECORDS = {
    "derivation": {
        "label": "eq:demo-dW",
        "proves": ["P0.4"],
        "let": [formula("Z = XW")],
        "given": [formula("m > 0")],
        "start": formula(r"\partial L"),
        "steps": [STEP, {**STEP, "evidence": "identical", "detail": None, "relation": "<="}],
        "result": formula(r"\partial L = X^T G"),
        "evidence": "proved",
    },
    "refusal": {
        "step": 2,
        "because": "a hunch about $X$",
        "rung": "refutation",
        "relation": "=",
        "left": formula("X^T G"),
        "right": formula("G^T X"),
        "counterexample": {"sizes": {"N": 2, "D_in": 3}, "index": {"p": 0}, "left": "1.25", "right": "-0.5"},
        "hint": "transpose it",
        "message": "step 2 is refused",
    },
    "check": {"label": "eq:demo-dW", "kind": "finite difference", "bound": "1e-8"},
    "claim": {"ids": ["L17", "X4"]},
    "summary": {
        "title": "What was established",
        "results": [
            {"text": "One result.", "label": "eq:demo-dW", "latex": "X^T G", "plain": "X.T G", "evidence": "proved"},
            {"text": "A sentence with $m$.", "label": None, "latex": None, "plain": None, "evidence": None},
        ],
        "limits": ["Real entries."],
    },
    "table": {"kind": "break-it", "header": ["bug", "shapes", "proof"], "rows": [["$dW$ halved", "passes", "caught"]]},
    "feedback": {"passed": False, "message": "Your dW is halved."},
}
UNLABELLED = {**RECORDS["derivation"], "label": None}


def notebook(*records, markdown="# A page"):
    """A notebook whose cells output these (kind, record) pairs, each beside LaTeX and plain text."""
    new = nbformat.v4
    cells = [new.new_markdown_cell(markdown)]
    for kind, record in records:
        data = {
            f"application/vnd.backprop.{kind}+json": record,
            "text/latex": "$$fallback$$",
            "text/plain": "fallback in plain text",
        }
        cells.append(
            new.new_code_cell(
                "cell", outputs=[new.new_output("execute_result", data, execution_count=1)], execution_count=1
            )
        )
    return new.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


def page_with_code(needs=(), code="1 + 1"):
    """A notebook as it is stored, which may say what it needs."""
    cells = [nbformat.v4.new_markdown_cell("# A title")]
    cells += [nbformat.v4.new_code_cell(code)] if code else []
    metadata = {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    metadata["language_info"] = {"name": "python"}
    if needs:
        metadata["needs"] = list(needs)
    return json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata)))


class Outline(HTMLParser):
    """The tags and classes of a page, and its text by tag."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def having(self, name):
        return [(tag, given) for tag, given in self.tags if name in (given.get("class") or "").split()]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


class _Shown(HTMLParser):
    """A piece of a page as it is read, with its formulas in LaTeX."""

    def __init__(self, html):
        super().__init__()
        self.text, self.inside = "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in ("input", "br", "hr", "img", "link", "meta"):
            self.inside.append("katex-html" if dict(attributes).get("class") == "katex-html" else tag)

    def handle_endtag(self, tag):
        self.inside.pop()

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_data(self, data):
        if "annotation" in self.inside:
            self.text += f"${data}$"
        elif not {"math", "katex-html"} & set(self.inside):
            self.text += data


def shown(html):
    """The text of a piece of a page, with each formula once and in LaTeX."""
    return " ".join(_Shown(html).text.split())


def rows_of(html, name):
    """The rows of the table of this name, below its head, as texts."""
    table = html[html.index(f'aria-label="{name}"') :].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    return [[shown(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]
