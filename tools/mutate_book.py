"""Plant errors in the book's notebooks, one at a time, and see that each turns its notebook red.

    python tools/mutate_book.py book/01_linear_layer.ipynb --count 30
    python tools/mutate_book.py --count 20 --write       every notebook that has changed; keeps the counts in evidence/

An error is one change in the code of one cell: a sign, a transpose, the order of a matrix product, a factor, an index,
an axis. It counts as caught when a cell raises, or when an output differs from the stored one, as nbval would say.
Cells that draw, exercises and summaries are left alone, since they hold no formula of the course, and so are planted
bugs: a wrong formula that is changed is still wrong.

A notebook runs once, in this process. Before each cell that is changed the process forks: the copy runs the changed
cell and the rest, and stops at the first difference. So no error pays for a kernel, nor for the cells before it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from replay import Replay

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "evidence" / "notebooks.json"
# What the rest of a notebook may take after a change, which may make it hang: of the processor, and by the clock.
SECONDS, LATEST = 120, 1200

PLANTED = ("Bug(", "bug(")
LEFT_ALONE = (*PLANTED, "plotting.", "plt.", "exercises.", "raise NotImplementedError", "return ...", "course.summary(")


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

    def visit_List(self, node):
        # A list of numbers is data, and its signs are no formula.
        return node if _is_data(node) else self.generic_visit(node)

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


def _is_data(node: ast.AST) -> bool:
    if isinstance(node, ast.List):
        return all(map(_is_data, node.elts))
    if isinstance(node, ast.UnaryOp):
        return _is_data(node.operand)
    return isinstance(node, ast.Constant)


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


def plain(source: str) -> str:
    """The source as the changed ones are written: without comments, in one layout."""
    return ast.unparse(ast.parse(source))


def changed_lines(source: str, changed: str) -> str:
    """What a change made of its line, or of its lines.

    >>> changed_lines("a = 1\\nb = a + 2", "a = 1\\nb = a - 2")
    'b = a - 2'
    """
    lines = list(difflib.unified_diff(plain(source).splitlines(), plain(changed).splitlines(), lineterm="", n=0))
    return "; ".join(line[1:].strip() for line in lines[2:] if line.startswith("+"))


def candidates(notebook: nbformat.NotebookNode) -> list[tuple[int, str, str]]:
    """All changes of all cells that hold formulas: (cell, what, changed source)."""
    return [
        (number, what, changed)
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and not any(word in cell.source for word in LEFT_ALONE)
        for what, changed in mutants(cell.source)
    ]


@dataclass(frozen=True)
class Planted:
    """An error, and whether its notebook turned red."""

    cell: int
    what: str
    changed: str
    red: bool
    late: bool = False  # it was red because it would not end


class Stale(Exception):
    """The notebook as it stands does not give its stored outputs, so nothing can be said of a changed one."""


def plant(notebook: nbformat.NotebookNode, chosen: list[tuple[int, str, str]], folder: Path, jobs: int = 1):
    """Run a notebook, each of the chosen errors in a copy of the process; an iterator of `Planted`, as they end."""
    changes = defaultdict(list)
    for number, what, changed in chosen:
        changes[number].append((what, changed))
    cells, shell, running = notebook.cells, Replay(folder), {}
    for number, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        for what, changed in changes[number]:
            if len(running) >= jobs:
                yield _ended(running)
            sys.stdout.flush()
            child = os.fork()
            if not child:
                _run_changed(shell, cells[number:], changed)
            running[child] = (number, what, changed, time.monotonic() + LATEST)
        if not shell.gives(cell):
            raise Stale(f"cell {number} does not give its stored outputs: {shell.why}")
        if number >= max(changes, default=-1):
            break
    while running:
        yield _ended(running)


def _run_changed(shell: Replay, cells: list, changed: str):
    """In the copy: leave with 0 when no difference is seen, 1 when one is. What takes too long the system ends."""
    import resource  # which Windows has not; nor can it fork

    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + SECONDS, resource.RLIM_INFINITY))
    red = 1
    with contextlib.suppress(BaseException):
        red = 0 if shell.gives(cells[0], changed) and all(map(shell.gives, _code(cells[1:]))) else 1
    os._exit(red)


def _ended(running: dict[int, tuple]) -> Planted:
    """Wait for one copy; one that takes too long is ended, and counts as red."""
    while True:
        for child, (number, what, changed, until) in list(running.items()):
            late = time.monotonic() > until
            if late:
                os.kill(child, 9)
            done, status = os.waitpid(child, 0 if late else os.WNOHANG)
            if done:
                del running[child]
                late = late or status == signal.SIGXCPU
                return Planted(number, what, changed, late or status != 0, late)
        time.sleep(0.01)


def _code(cells: list) -> list:
    return [cell for cell in cells if cell.cell_type == "code"]


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """A hash of what a notebook's code says and shows, so that counts of an older notebook are noticed.

    Prose is left out: no error is planted in it, and none is seen by it.
    """
    cells = [(cell.source, cell.outputs) for cell in _code(notebook.cells)]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:16]


def is_current(counts: dict | None, notebook: nbformat.NotebookNode) -> bool:
    """Whether recorded counts speak of this notebook as it stands."""
    return bool(counts) and counts["notebook"] == fingerprint(notebook)


def recorded() -> dict[str, dict]:
    """The counts that are kept, by the notebook's name."""
    return json.loads(EVIDENCE.read_text(encoding="utf-8")) if EVIDENCE.exists() else {}


def examined(path: Path, count: int, seed: int, jobs: int) -> dict:
    """Plant errors in one notebook, print each, and return the counts."""
    notebook = nbformat.read(path, as_version=4)
    possible = candidates(notebook)
    chosen = random.Random(seed).sample(possible, min(count, len(possible)))
    survivors, late = [], 0
    for one in plant(notebook, sorted(chosen), path.parent, jobs):
        print(f"{'red  ' if one.red else 'GREEN'} {path.stem} cell {one.cell}: {one.what}", flush=True)
        late += one.late
        if not one.red:
            code = changed_lines(notebook.cells[one.cell].source, one.changed)
            survivors.append({"cell": one.cell, "what": one.what, "code": code})
            print("      " + one.changed.replace("\n", "\n      "))
    print(f"{path.stem}: {len(chosen) - len(survivors)} of {len(chosen)} planted errors were caught", flush=True)
    counts = {"caught": len(chosen) - len(survivors), "planted": len(chosen), "possible": len(possible)}
    return {**counts, "caught by never ending": late, "notebook": fingerprint(notebook), "survivors": survivors}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every notebook in book/")
    parser.add_argument("--count", type=int, default=30, help="how many of the possible errors to plant in each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="copies that run at one time")
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {EVIDENCE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    if not hasattr(os, "fork"):
        parser.error("this command forks, which needs Linux or macOS")
    # A copy of a process has one thread, so no thread may hold a lock when it is made.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    found = {}
    known = recorded() if arguments.write else {}
    for path in map(Path.resolve, arguments.notebooks or sorted((ROOT / "book").glob("*.ipynb"))):
        if is_current(known.get(path.stem), nbformat.read(path, as_version=4)):
            continue
        # In a process of its own: one notebook's imports and settings are not the next one's.
        reader, writer = os.pipe()
        if not (child := os.fork()):
            counts = examined(path, arguments.count, arguments.seed, arguments.jobs)
            os.write(writer, json.dumps(counts).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        if os.waitpid(child, 0)[1] or not text:
            return 2
        found[path.stem] = json.loads(text)
    caught, planted = (sum(counts[name] for counts in found.values()) for name in ("caught", "planted"))
    print(f"{caught} of {planted} planted errors were caught, in {len(found)} notebooks")
    if arguments.write:
        text = json.dumps(dict(sorted({**known, **found}.items())), indent=1, ensure_ascii=False)
        EVIDENCE.write_text(text + "\n", encoding="utf-8")
    return 1 if caught < planted else 0


if __name__ == "__main__":
    sys.exit(main())
