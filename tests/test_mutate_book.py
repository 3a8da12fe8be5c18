"""The errors that are planted in the book are real changes, one at a time, and what is planted is seen."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import mutate_book
import nbformat
import pytest
from mutate_book import EVIDENCE, is_current, recorded

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


# In a process of its own: a notebook's shell stays in the process that ran it.
NEVER_ENDS = """
import nbformat, mutate_book
mutate_book.SECONDS = 1
cell = nbformat.v4.new_code_cell("x = 3\\nwhile x > 0:\\n    x = x - 1", execution_count=1)
page = nbformat.v4.new_notebook(cells=[cell])
for one in mutate_book.plant(page, mutate_book.candidates(page), "."):
    print(one.what, one.red, one.late)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the command forks")
def test_an_error_that_never_ends_is_ended_and_said_to_be_so():
    command = [sys.executable, "-c", NEVER_ENDS]
    done = subprocess.run(command, cwd=ROOT / "tools", capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.stdout == "- becomes + True True\n", done.stderr


# What is recorded ----------------------------------------------------------------------------------------------------

PAGES = sorted((ROOT / "book").glob("*.ipynb"))
ARGUED = json.loads((EVIDENCE.parent / "argued.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_counts_are_of_the_notebooks_as_they_stand(path):
    counts = recorded().get(path.stem)
    how = f"run `make test-deep`, or python tools/mutate_book.py --write, which does only what has changed: {path.name}"
    assert is_current(counts, nbformat.read(path, as_version=4)), how
    assert counts["planted"] == min(30, counts["possible"]), how


def test_at_least_two_hundred_errors_are_planted_over_all_chapters():
    counts = recorded()
    assert counts.keys() == {path.stem for path in PAGES}
    assert sum(each["planted"] for each in counts.values()) >= 200
    assert all(each["planted"] == each["caught"] + len(each["survivors"]) for each in counts.values())


def test_of_every_error_that_was_not_seen_it_is_said_why_and_of_no_other():
    survivors = {page: {each["code"] for each in counts["survivors"]} for page, counts in recorded().items()}
    assert {page: set(reasons) for page, reasons in ARGUED["notebooks"].items()} == {
        page: codes for page, codes in survivors.items() if codes
    }
    assert all(len(reason) > 20 for reasons in ARGUED["notebooks"].values() for reason in reasons.values())


def test_counts_of_an_older_notebook_are_noticed_and_prose_does_not_age_them():
    notebook = nbformat.read(PAGES[0], as_version=4)
    counts = {"notebook": mutate_book.fingerprint(notebook)}
    prose, code = (next(c for c in notebook.cells if c.cell_type == kind) for kind in ("markdown", "code"))
    prose.source += " More words."
    assert is_current(counts, notebook)
    code.source += "\nx = 1"
    assert not is_current(counts, notebook)
    assert not is_current(None, notebook)
