"""The numbers in the tabs of chapter 7 are those of the package: a tab cannot hold a cell, so a test computes them."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from backprop.conventions import Pass, to_note
from backprop.datasets import running_example
from backprop.network import MLP

PAGE = Path(__file__).resolve().parents[1] / "book" / "07_conventions.ipynb"
MATRIX = re.compile(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", re.DOTALL)


def tab_sets():
    """For each tab-set, the matrices of each tab by the tab's title."""
    cells = nbformat.read(PAGE, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    sets = re.findall(r"^::::\{tab-set\}(.*?)^::::$", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for text in sets:
        tabs = re.split(r"^:::\{tab-item\} (.+)$", text, flags=re.MULTILINE)[1:]
        found.append({title: matrices(body) for title, body in zip(tabs[::2], tabs[1::2], strict=True)})
    return found


def matrices(text):
    rows = [[row.split("&") for row in matrix.split(r"\\")] for matrix in MATRIX.findall(text)]
    return [np.array(matrix, dtype=float) for matrix in rows]


def passes():
    """What each tab must show, in the order of the page."""
    X, classes, weights, biases = running_example()
    T = [[1, 4], [3, 2], [5, 6], [0, -1]]
    ce = Pass.of(MLP(weights, biases), X, classes)
    mse = Pass.of(MLP(weights, biases, loss="mean_squared_error"), X, T)
    return [
        {
            "This course, 000": to_note("000", ce),
            "001": to_note("001", ce)[0],
            "002": to_note("002-ce", ce),
            "003": to_note("003", ce),
            "PyTorch": to_note("pytorch", ce),
        },
        {
            "This course, 000": to_note("000", mse),
            "002": to_note("002-mse", mse),
            "004": to_note("004", mse)[0],
            "PyTorch": to_note("pytorch", mse),
        },
    ]


def differing(shown, expected, places):
    """The arrays of a tab that are not dZ, dW, db and dA of the pass, rounded."""
    arrays = [expected.dZ[1], expected.dW[1], np.atleast_2d(expected.db[1]), expected.dA[0]]
    assert len(shown) == len(arrays)
    return [
        name
        for name, one, other in zip(("dZ", "dW", "db", "dA"), shown, arrays, strict=True)
        if one.shape != other.shape or not np.allclose(one, other, rtol=0, atol=places)
    ]


@pytest.mark.parametrize(("which", "places"), [(0, 0.00501), (1, 1e-12)], ids=["cross-entropy", "squared error"])
def test_every_matrix_in_every_tab(which, places):
    shown, expected = tab_sets()[which], passes()[which]
    assert list(shown) == list(expected)
    for title, pass_ in expected.items():
        assert differing(shown[title], pass_, places) == [], title


@pytest.mark.parametrize("number", range(4))
def test_a_wrong_number_in_a_tab_is_seen(number):
    shown, expected = tab_sets()[1]["002"], passes()[1]["002"]
    shown[number][-1, -1] += 0.125
    assert len(differing(shown, expected, 1e-12)) == 1


def test_another_convention_s_numbers_are_seen():
    assert differing(tab_sets()[0]["003"], passes()[0]["PyTorch"], 0.00501) == ["dZ", "db", "dA"]
