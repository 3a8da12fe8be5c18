"""The cell that installs the course's package on Colab, in every notebook, once the repository has an address.

    python tools/bootstrap.py

Colab opens a notebook without the repository around it. The cell names the repository, so there is none while
`backprop_address` in _config.yml is empty, and it follows when that changes; `make execute` sees to it. Elsewhere the
cell does nothing, and no page shows it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
# What notebooks import and Colab may not have; the package brings the rest.
BESIDES = "autograd"
SOURCE = """\
# On Colab: install the course's package. Elsewhere this cell does nothing.
if "google.colab" in str(get_ipython()):
    wanted = "'backprop-course @ git+{address}' {besides}"
    get_ipython().run_line_magic("pip", "install --quiet " + wanted)
"""
MARK = SOURCE.splitlines()[0]
TAGS = ["remove-cell"]


def address(config: str) -> str:
    """The repository's address as _config.yml has it, or nothing.

    >>> address('    backprop_address: "https://github.com/owner/name"')
    'https://github.com/owner/name'
    >>> address('    backprop_address: ""')
    ''
    """
    (found,) = re.findall(r'^ *backprop_address: *"([^"]*)"', config, re.MULTILINE)
    return found.rstrip("/")


def source(at: str) -> str:
    return SOURCE.format(address=at, besides=BESIDES).rstrip("\n")


def is_bootstrap(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code" and "".join(cell["source"]).startswith(MARK)


def fitted(notebook: nbformat.NotebookNode, at: str) -> nbformat.NotebookNode:
    """The notebook with the cell after its title where there is an address, and without it otherwise."""
    cells = [cell for cell in notebook.cells if not is_bootstrap(cell)]
    if at:
        cell = nbformat.v4.new_code_cell(source(at), metadata={"tags": TAGS})
        cells.insert(1, cell)
    notebook.cells = cells
    return notebook


def main() -> int:
    at = address((ROOT / "_config.yml").read_text(encoding="utf-8"))
    changed = 0
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(before, as_version=4)
        held = [cell.source for cell in notebook.cells if is_bootstrap(cell)]
        if held == ([source(at)] if at else []):
            continue
        text = nbformat.writes(fitted(notebook, at), indent=1, ensure_ascii=False)
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        changed += 1
    if changed:
        print(f"bootstrap: the cell for Colab follows the repository's address in {changed} notebooks")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
