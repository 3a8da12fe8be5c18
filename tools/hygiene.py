"""What a notebook of this book may and may not hold: each rule is a function from a notebook to a list of complaints.

Readers gain from each rule: short cells with one claim each, outputs that belong to the code beside them, tags that are
spelt right, nothing that differs from machine to machine.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

Notebook = dict[str, Any]
TAGS = {
    "hide-input",
    "hide-output",
    "hide-cell",
    "remove-cell",
    "remove-input",
    "raises-exception",
    "nbval-ignore-output",
}
LONGEST_CELL = 20
LONGEST_IMPORTS = 8  # lines of 88 characters, the width of a page; the names of the engine fill two or three
FORBIDDEN = {
    r"\binit_printing\b": "sympy.init_printing stores PNG pictures of formulas",
    r"\bimport \*": "import * hides where a name comes from",
    r"\bsys\.path\b": "the package is installed; sys.path must not be changed",
    r"\bnp\.random\.(?!default_rng\b|Generator\b)": "global randomness: use np.random.default_rng(0) and pass it on",
    r"^\s*[!%]": "shell commands and magics do not run everywhere",
}
MACHINE = {
    r"(?<![\w.])/(?:home|work|root|tmp|Users)/": "a path of this machine",
    r"\b0x[0-9a-f]{6,}\b": "a memory address",
    r"(?<![\w.])\d+\.\d{10,}": "a float with more than nine decimals, whose last digit differs between machines",
    r"\b\d+(?:\.\d+)? ?(?:ms|µs|us)\b": "a time, which differs from run to run",
}


def source(cell: dict) -> str:
    return "".join(cell["source"])


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def code_cells(notebook: Notebook) -> list[tuple[int, dict]]:
    return [(n, cell) for n, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]


def output_texts(cell: dict) -> Iterator[str]:
    """Every text that an output shows; pictures are compared by numbers elsewhere."""
    for output in cell["outputs"]:
        yield "".join(output.get("text", ""))
        for mime, data in output.get("data", {}).items():
            if mime.startswith("text/"):
                yield "".join(data)


def executed(notebook: Notebook) -> list[str]:
    counts = [cell["execution_count"] for _, cell in code_cells(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"not executed from top to bottom: {counts}"]


def calm_outputs(notebook: Notebook) -> list[str]:
    complaints = []
    for number, cell in code_cells(notebook):
        for output in cell["outputs"]:
            if output.get("name") == "stderr":
                complaints.append(f"cell {number} wrote to stderr")
            if output["output_type"] == "error" and "raises-exception" not in tags(cell):
                complaints.append(f"cell {number} raised {output['ename']}")
    return complaints


def short_cells(notebook: Notebook) -> list[str]:
    lengths = [(number, source(cell).rstrip().count("\n") + 1) for number, cell in code_cells(notebook)]
    return [f"cell {n} has {length} lines, more than {LONGEST_CELL}" for n, length in lengths if length > LONGEST_CELL]


def no_empty_code(notebook: Notebook) -> list[str]:
    return [f"cell {number} is empty" for number, cell in code_cells(notebook) if not source(cell).strip()]


def known_tags(notebook: Notebook) -> list[str]:
    return [
        f"cell {n} has the unknown tag {tag!r}"
        for n, c in enumerate(notebook["cells"])
        for tag in tags(c)
        if tag not in TAGS
    ]


def imports_first(notebook: Notebook) -> list[str]:
    """One cell imports; a reader sees at once what the notebook rests on."""
    importing = []
    for number, cell in code_cells(notebook):
        nodes = [node for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Import | ast.ImportFrom)]
        if nodes:
            importing.append((number, sum(node.end_lineno - node.lineno + 1 for node in nodes)))
    complaints = [f"cell {number} imports; only the first importing cell may" for number, _ in importing[1:]]
    complaints += [
        f"cell {n} has {lines} lines of imports, more than {LONGEST_IMPORTS}"
        for n, lines in importing
        if lines > LONGEST_IMPORTS
    ]
    return complaints


def prose_between(notebook: Notebook) -> list[str]:
    """A sentence stands between two code cells that are both shown."""
    cells = notebook["cells"]
    shown = [cell["cell_type"] == "code" and "remove-cell" not in tags(cell) for cell in cells]
    return [
        f"cells {n} and {n + 1} are code without a sentence between"
        for n in range(len(cells) - 1)
        if shown[n] and shown[n + 1]
    ]


def opens_with_title(notebook: Notebook) -> list[str]:
    first = notebook["cells"][0]
    return [] if first["cell_type"] == "markdown" and source(first).startswith("# ") else ["does not open with a title"]


def no_forbidden_code(notebook: Notebook) -> list[str]:
    return [
        f"cell {number}: {why}"
        for number, cell in code_cells(notebook)
        for pattern, why in FORBIDDEN.items()
        if re.search(pattern, source(cell), re.MULTILINE)
    ]


def portable_outputs(notebook: Notebook) -> list[str]:
    return [
        f"cell {number} shows {why}: {found.group()!r}"
        for number, cell in code_cells(notebook)
        if "nbval-ignore-output" not in tags(cell)
        for text in output_texts(cell)
        for pattern, why in MACHINE.items()
        if (found := re.search(pattern, text))
    ]


def asserts_something(notebook: Notebook) -> list[str]:
    words = r"\bassert\b|\bDerivation\(|\bcheck\(|\bsettle\(|\brefusal\("
    return (
        [] if any(re.search(words, source(cell)) for _, cell in code_cells(notebook)) else ["no cell checks anything"]
    )


RULES: tuple[Callable[[Notebook], list[str]], ...] = (
    executed, calm_outputs, short_cells, no_empty_code, known_tags, imports_first, prose_between, opens_with_title,
    no_forbidden_code, portable_outputs, asserts_something,
)  # fmt: skip


def complaints(notebook: Notebook) -> list[str]:
    return [f"{rule.__name__}: {complaint}" for rule in RULES for complaint in rule(notebook)]
