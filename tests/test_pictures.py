"""A stored picture that is no longer what its cell draws turns its notebook red; a small shift of a point does not."""

import re
from pathlib import Path

import nbformat
import pytest
from pictures import TOLERANCE, same_picture

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[1]

SVG = (
    '<svg aria-label="{label}"><!-- {tick} --><g transform="translate({at} 5) scale(0.11)"/>'
    '<path d="M 0 0 \nL {x} -1.5 \n{more}" style="stroke: #d55e00; stroke-width: 2"/><use x="3" y="{y}"/></svg>'
)
DRAWN = {"label": "A line.", "tick": "0.5", "at": "7", "x": "100", "y": "8", "more": ""}


def drawn(**changed):
    return SVG.format(**{**DRAWN, **changed})


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"x": "100.03"}, True),
        ({"x": str(100 + TOLERANCE)}, True),
        ({"x": str(100 + TOLERANCE + 0.01)}, False),
        ({"x": "-100"}, False),
        ({"y": "80"}, False),
        ({"at": "70"}, False),
        ({"tick": "0.6"}, False),
        ({"label": "A curve."}, False),
        ({"more": "L 100 100 \n"}, False),
    ],
    ids=str,
)
def test_pictures_are_the_same_when_only_coordinates_move_by_less_than_a_line(changed, same):
    assert same_picture(drawn(), drawn(**changed)) is same


def test_nbval_sees_a_stale_picture(pytester, monkeypatch):
    """As `make test` runs it, with the conftest of the repository: one notebook, for a kernel takes long to start."""
    codes = {
        f"show({drawn()!r})": "passed",
        f"show({drawn(x='100.5')!r})": "passed",
        f"show({drawn(x='105')!r})": "failed",
        f"show({drawn(tick='0.6')!r})": "failed",
        "pass": "failed",
    }
    define = (
        "from IPython.display import display\n"
        "def show(svg): display({'image/svg+xml': svg, 'text/plain': 'Figure'}, raw=True)"
    )
    output = nbformat.v4.new_output("display_data", {"image/svg+xml": drawn(), "text/plain": "Figure"})
    cells = [nbformat.v4.new_code_cell(define, execution_count=1)]
    cells += [nbformat.v4.new_code_cell(code, execution_count=n, outputs=[output]) for n, code in enumerate(codes, 2)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    path = pytester.path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tools"))
    pytester.makeconftest((ROOT / "conftest.py").read_text(encoding="utf-8"))
    result = pytester.runpytest_subprocess("--nbval", "-v", str(path), "-p", "no:cacheprovider")
    seen = re.findall(r"Cell \d+ (PASSED|FAILED)", result.stdout.str())
    assert [word.lower() for word in seen] == ["passed", *codes.values()]
