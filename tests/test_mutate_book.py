"""The errors that are planted in the book are real changes, one at a time, and what is planted is seen."""

from pathlib import Path

import mutate_book
import nbformat
import pytest


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


def test_an_error_that_raises_or_changes_an_output_is_caught_and_one_that_does_neither_is_not(tmp_path):
    book = notebook("assert 1 + 1 == 2")
    assert mutate_book.caught(book, 0, "assert 1 - 1 == 2", tmp_path)
    assert mutate_book.caught(book, 0, "print(1)", tmp_path)
    assert not mutate_book.caught(book, 0, "assert 1 - 1 == 0", tmp_path)


def test_the_first_chapter_holds_enough_formulas_to_break():
    path = Path(__file__).resolve().parents[1] / "book" / "01_linear_layer.ipynb"
    assert len(mutate_book.candidates(nbformat.read(path, as_version=4))) >= 30
