"""The notebooks without the solutions of their exercises, for a class.

    python tools/handout.py            writes _build/handout/*.ipynb

The cells that show a solution go, together with the lines that fold them on the page. All else stays: the texts, the
hints, the checks and every output. The package still holds each solution, as a function whose name ends in _solution:
its source is what the checks compare with, and who looks for it finds it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "_build" / "handout"
SHOWN = re.compile(r"^exercises\.\w+\.solution\(\)\s*$|^\w+\.\w+\.solution\(\)\s*$", re.MULTILINE)
GATE = re.compile(r"^(:{3,}|`{3,})\{solution-(?:start|end)\}.*\n(?:.*\n)*?\1\s*$", re.MULTILINE)


def without_solutions(notebook: nbformat.NotebookNode) -> tuple[nbformat.NotebookNode, int]:
    """A copy of a notebook without the cells that show solutions, and how many those were."""
    kept, dropped = [], 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and SHOWN.search(cell.source):
            if SHOWN.sub("", cell.source).strip():
                raise ValueError(f"a cell does more than show a solution: {cell.source[:80]!r}")
            dropped += 1
            continue
        kept.append(cell)
    return nbformat.from_dict({**notebook, "cells": [c for c in kept if not _is_only_a_gate(c)]}), dropped


def _is_only_a_gate(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "markdown" and "{solution-" in cell.source and not GATE.sub("", cell.source + "\n").strip()


def write(sources: list[Path], folder: Path) -> int:
    """Write the notebooks without solutions into a folder; return how many solutions were left out."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for path in sources:
        notebook, dropped = without_solutions(nbformat.read(path, as_version=4))
        (folder / path.name).write_text(
            nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        total += dropped
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    sources = sorted((ROOT / "book").glob("*.ipynb"))
    total = write(sources, OUT)
    print(f"{len(sources)} notebooks without their {total} solutions: {OUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
