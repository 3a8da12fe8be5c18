"""The errors that are planted in the book are real changes, one at a time, and what is planted is seen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import mutate_book
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("a + b", ["a - b"]),
        ("a - b", ["a + b"]),
        ("X.T @ dZ", ["X @ dZ", "dZ @ X.T"]),
        ("dZ / m", ["dZ"]),
        ("2 * dZ", ["2"]),
        ("-dZ", ["dZ"]),
        ("W[p, q]", ["W[q, p]"]),
        ("dZ.sum(axis=0)", ["dZ.sum(axis=1)"]),
        ("'a' + f'{b}'", []),
        ("x = 3", []),
        ("x = [[1, -2], [-3, 4]]", []),
        ("x = [-a]", ["x = [a]"]),
        ("W[p, p]", []),
    ],
)
def test_every_change_of_a_formula_is_made_once(source, changes):
    assert [changed for _, changed in mutate_book.mutants(source)] == changes


def notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source, execution_count=1, id=f"cell-{n}") for n, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def test_cells_that_draw_and_exercises_are_left_alone():
    book = notebook("plt.plot(a + b)", "exercises.E.check(a - b)", "c = a @ b")
    assert [number for number, _, _ in mutate_book.candidates(book)] == [2]


def planted(tmp_path, *cells):
    """What the command prints of a page whose cells show the given texts."""
    page = notebook(*[source for source, _ in cells])
    for cell, (_, shown) in zip(page.cells, cells, strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=shown)] if shown else []
    nbformat.write(page, tmp_path / "page.ipynb")
    command = [sys.executable, str(ROOT / "tools" / "mutate_book.py"), str(tmp_path / "page.ipynb")]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the command forks")
def test_an_error_that_raises_or_changes_an_output_is_caught_and_one_that_does_neither_is_not(tmp_path):
    done = planted(tmp_path, ("a = 3 + 4", ""), ("assert 1 + 1 == 2", ""), ("print(2 - 1)", "1\n"), ("b = -a", ""))
    assert done.stderr == ""
    seen = set(re.findall(r"^(red|GREEN) +page cell (.*)$", done.stdout, flags=re.MULTILINE))
    assert seen == {
        ("GREEN", "0: + becomes -"),
        ("red", "1: + becomes -"),
        ("red", "2: - becomes +"),
        ("GREEN", "3: minus dropped"),
    }
    assert done.stdout.splitlines()[-1] == "2 of 4 planted errors were caught, in 1 notebooks"
    assert done.returncode == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the command forks")
def test_an_error_that_only_a_later_cell_sees_is_caught(tmp_path):
    done = planted(tmp_path, ("a = 3 + 4", ""), ("assert a == 7", ""))
    assert "1 of 1 planted errors were caught" in done.stdout
    assert done.returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the command forks")
def test_a_page_that_is_stale_itself_is_not_judged(tmp_path):
    done = planted(tmp_path, ("print(1 + 1)", "3\n"))
    assert done.returncode == 2
    assert "cell 0 does not give its stored outputs" in done.stderr


def test_the_first_chapter_holds_enough_formulas_to_break():
    path = ROOT / "book" / "01_linear_layer.ipynb"
    assert len(mutate_book.candidates(nbformat.read(path, as_version=4))) >= 30
