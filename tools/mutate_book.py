"""Plant errors in the book's notebooks, one at a time, and see that each turns its notebook red.

    python tools/mutate_book.py book/01_linear_layer.ipynb --count 30

An error is one change in the code of one cell: a sign, a transpose, the order of a matrix product, a factor, an index,
an axis. It counts as caught when a cell raises, or when an output differs from the stored one, which is what nbval
compares. Cells that draw, exercises and summaries are left alone, since they hold no formula of the course, and so are
planted bugs: a wrong formula that is changed is still wrong.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from execute import merged_streams
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

LEFT_ALONE = ("plotting.", "plt.", "exercises.", "Bug(", "raise NotImplementedError", "return ...", "course.summary(")


class _Mutator(ast.NodeTransformer):
    """Apply the n-th possible change and remember what it was."""

    def __init__(self, wanted: int):
        self.wanted, self.seen, self.what = wanted, -1, None

    def _now(self, what: str) -> bool:
        self.seen += 1
        if self.seen == self.wanted:
            self.what = what
            return True
        return False

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Add) and not _is_text(node) and self._now("+ becomes -"):
            node.op = ast.Sub()
        elif isinstance(node.op, ast.Sub) and self._now("- becomes +"):
            node.op = ast.Add()
        elif isinstance(node.op, ast.MatMult) and self._now("factors swapped"):
            node.left, node.right = node.right, node.left
        elif isinstance(node.op, ast.Mult | ast.Div) and not _is_text(node) and self._now("right factor dropped"):
            return node.left
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr == "T" and isinstance(node.ctx, ast.Load) and self._now("transpose dropped"):
            return node.value
        return node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self._now("minus dropped") else node

    def visit_Subscript(self, node):
        self.generic_visit(node)
        pair = node.slice.elts if isinstance(node.slice, ast.Tuple) else ()
        names = [type(e) for e in pair] == [ast.Name, ast.Name]
        if names and pair[0].id != pair[1].id and self._now("indices swapped"):
            node.slice.elts = pair[::-1]
        return node

    def visit_keyword(self, node):
        self.generic_visit(node)
        axis = node.arg == "axis" and isinstance(node.value, ast.Constant) and node.value.value in (0, 1)
        if axis and self._now("axis changed"):
            node.value = ast.Constant(1 - node.value.value)
        return node


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str)) for s in sides
    )


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every change of one cell: what it is, and the changed source.

    >>> for what, changed in mutants("dW = X.T @ dZ"):
    ...     print(f"{what}: {changed}")
    transpose dropped: dW = X @ dZ
    factors swapped: dW = dZ @ X.T
    """
    for wanted in range(10_000):
        mutator = _Mutator(wanted)
        tree = mutator.visit(ast.parse(source))
        if mutator.what is None:
            return
        yield mutator.what, ast.unparse(ast.fix_missing_locations(tree))


def candidates(notebook: nbformat.NotebookNode) -> list[tuple[int, str, str]]:
    """All changes of all cells that hold formulas: (cell, what, changed source)."""
    return [
        (number, what, changed)
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and not any(word in cell.source for word in LEFT_ALONE)
        for what, changed in mutants(cell.source)
    ]


def outputs(notebook: nbformat.NotebookNode) -> list:
    """What nbval compares: the data of every output, and no picture."""
    kept = []
    for cell in notebook.cells:
        for output in merged_streams(cell.get("outputs", [])):
            data = {mime: value for mime, value in output.get("data", {}).items() if not mime.startswith("image/")}
            kept.append((cell.get("id"), output.get("text"), json.dumps(data, sort_keys=True)))
    return kept


def caught(notebook: nbformat.NotebookNode, number: int, changed: str, folder: Path) -> bool:
    """Whether the notebook turns red with this cell changed."""
    broken = copy.deepcopy(notebook)
    broken.cells[number].source = changed
    client = NotebookClient(broken, timeout=120, record_timing=False, resources={"metadata": {"path": str(folder)}})
    client.extra_arguments = ["--log-level=ERROR"]
    try:
        client.execute()
    except (CellExecutionError, TimeoutError):
        return True
    return outputs(broken) != outputs(notebook)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--count", type=int, default=30, help="how many of the possible errors to plant")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    notebook = nbformat.read(arguments.notebook, as_version=4)
    possible = candidates(notebook)
    chosen = random.Random(arguments.seed).sample(possible, min(arguments.count, len(possible)))
    survivors = 0
    for number, what, changed in sorted(chosen):
        red = caught(notebook, number, changed, arguments.notebook.parent)
        survivors += not red
        print(f"{'red  ' if red else 'GREEN'} cell {number}: {what}", flush=True)
        if not red:
            print("      " + changed.replace("\n", "\n      "))
    print(f"{len(chosen) - survivors} of {len(chosen)} planted errors were caught ({len(possible)} are possible)")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
