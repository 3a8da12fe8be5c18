"""The notebooks for a class hold every exercise and no solution."""

import re
from pathlib import Path

import handout
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "book").glob("*.ipynb"))


def notebook(*cells):
    made = [
        nbformat.v4.new_code_cell(text) if kind == "code" else nbformat.v4.new_markdown_cell(text)
        for kind, text in cells
    ]
    return nbformat.v4.new_notebook(cells=made)


def test_solutions_and_their_folds_go_and_all_else_stays():
    page = notebook(
        ("markdown", "::::{exercise} Count\n::::"),
        ("code", "def count():\n    return ...\n\n\nexercises.COUNT.check(count)"),
        ("markdown", ":::{solution-start}\n:::"),
        ("code", "exercises.COUNT.solution()"),
        ("markdown", ":::{solution-end}\n:::"),
        ("markdown", "What comes next."),
    )
    left, dropped = handout.without_solutions(page)
    assert dropped == 1
    assert [cell.source.split("\n")[0] for cell in left.cells] == [
        "::::{exercise} Count",
        "def count():",
        "What comes next.",
    ]
    assert len(page.cells) == 6


def test_a_cell_that_does_more_than_show_a_solution_is_not_lost_in_silence():
    with pytest.raises(ValueError, match="does more than show a solution"):
        handout.without_solutions(notebook(("code", "exercises.COUNT.solution()\nx = 1")))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_solution_of_the_book_is_left_and_every_check_is(path):
    page = nbformat.read(path, as_version=4)
    left, dropped = handout.without_solutions(page)
    text = nbformat.writes(left)
    assert ".solution()" not in text
    assert 'class=\\"reveal solution' not in text
    checks = [cell.source for cell in page.cells if ".check(" in cell.source]
    assert checks == [cell.source for cell in left.cells if ".check(" in cell.source]
    assert len(page.cells) - len(left.cells) >= dropped


def test_the_command_writes_every_notebook(tmp_path):
    assert handout.write(PATHS, tmp_path) >= 70
    assert [path.name for path in sorted(tmp_path.glob("*.ipynb"))] == [path.name for path in PATHS]


def test_what_teachers_are_told_to_ask_for_is_there():
    page = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names = {"paths": lambda n_in, n_1, n_2: n_1 * n_2}
    exec(code, names)
    assert (names["feedback"].passed, names["feedback"].message) == (True, "")
