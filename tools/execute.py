"""Execute notebooks from top to bottom, in place, so that a second run changes no byte.

    python tools/execute.py                      every notebook of the book
    python tools/execute.py book/01_x.ipynb …    these

Metadata that differs between machines (the kernel's display name, the Python version, execution times) is dropped,
and cells get ids by position within their notebook, so that a diff shows what a person changed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Keep the metadata that readers and tests use, drop what describes the machine."""
    kept = {key: notebook.metadata[key] for key in ("needs",) if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}, **kept})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        for key in ("execution", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell["outputs"] = merged_streams(cell.get("outputs", []))
    return notebook


def merged_streams(outputs: list) -> list:
    """One stream output for consecutive pieces of one stream: how often a kernel flushes is a matter of luck."""
    merged: list = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last["text"] += output.text
        else:
            merged.append(output)
    return merged


def execute(path: Path, timeout: int) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=timeout, record_timing=False, resources={"metadata": {"path": str(path.parent)}}
    )
    # Newer kernels warn on every start that their local connection is not encrypted; errors still show.
    client.extra_arguments = ["--log-level=ERROR"]
    client.execute()
    nbformat.validate(normalise(notebook))
    text = nbformat.writes(notebook, indent=1, ensure_ascii=False)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every notebook in book/")
    parser.add_argument("--timeout", type=int, default=600, help="seconds that one cell may take")
    arguments = parser.parse_args()
    paths = arguments.notebooks or sorted((ROOT / "book").glob("*.ipynb"))
    if missing := [path for path in paths if not path.is_file()]:
        parser.error(f"no such notebook: {', '.join(map(str, missing))}")
    failed = 0
    for path in paths:
        started = time.perf_counter()
        try:
            execute(path, arguments.timeout)
        except CellExecutionError as error:
            failed += 1
            print(f"{path.name}: a cell raised; the notebook was left as it was\n{error}", file=sys.stderr)
        else:
            print(f"{path.name}: executed in {time.perf_counter() - started:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
