"""The wrong gradients of the book's break-it tables, taken from the notebooks as they stand.

Only the section "Break it" is run. Its proofs are not: whatever belongs to the engine is replaced by a stand-in that
accepts everything, so that all tables together take a few seconds.
"""

import ast
import builtins
import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

import backprop.course

BOOK = Path(__file__).resolve().parents[2] / "book"


class Anything:
    """Stands for whatever is not needed: every operation on it gives another one."""

    def __call__(self, *arguments, **options):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, index):
        return self

    def __iter__(self):
        return iter([self] * 9)

    def __hash__(self):
        return id(Anything())

    def __eq__(self, other):
        return False


for operation in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    setattr(Anything, f"__{operation}__", lambda self, other: self)
    setattr(Anything, f"__r{operation}__", lambda self, other: self)
Anything.__neg__ = lambda self: self


class Namespace(dict):
    """What the section uses and did not define is anything."""

    def __missing__(self, name):
        if hasattr(builtins, name):
            raise KeyError(name)
        return Anything()


def table_of(chapter):
    """The right gradient, the bugs and the problem of a chapter's table."""
    (path,) = BOOK.glob(f"{chapter:02d}_*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found, names = [], Namespace(rng=np.random.default_rng(0))

    def capture(correct, wrong, checks, expect=None):
        found.append((correct, wrong))

    course, inside = backprop.course, False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "break_it", capture)
        for check in ("shapes", "loss_goes_down", "duplicated_batch", "finite_differences", "autodiff", "proof"):
            patch.setattr(course, check, lambda *arguments, **options: None)
        for cell in cells:
            text = "".join(cell["source"])
            inside |= cell["cell_type"] == "markdown" and "## Break it" in text
            for statement in ast.parse(text).body if cell["cell_type"] == "code" and not found else ():
                if inside or _is_definition(statement):
                    _run(statement, names)
    (correct, wrong) = found[0]
    return correct, wrong, names["problem"]


def _is_definition(statement):
    """An import, a function, or a short name for something of the package."""
    if isinstance(statement, ast.Assign):
        values = statement.value.elts if isinstance(statement.value, ast.Tuple) else [statement.value]
        return all(isinstance(value, ast.Attribute) for value in values)
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef)


def _run(statement, names):
    # A statement that asks too much of the stand-in is one of the proofs, or an assertion about numbers.
    with contextlib.suppress(TypeError, ValueError, AttributeError, AssertionError, KeyError):
        exec(compile(ast.Module([statement], []), "a notebook", "exec"), names)
    if isinstance(statement, ast.ImportFrom) and statement.module.startswith("backprop"):
        for name in [alias.asname or alias.name for alias in statement.names]:
            if statement.module.startswith("backprop.symbolic") or name == "symbolic":
                names[name] = Anything()
