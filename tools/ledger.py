"""Gather the ledger from the executed notebooks, and say what in the book does not fit together.

python tools/ledger.py [folder]      write ledger.json into the folder (the built book by default)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backprop.course.book import read_book
from backprop.course.ledger import gather, write
from backprop.course.lint import complaints

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "_build" / "html", help="where index.html is")
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(f"no such folder: {folder}. Build the book first, or name a folder.", file=sys.stderr)
        return 1
    book = read_book(ROOT / "book")
    ledger = gather(book, ROOT / "evidence")
    path = write(ledger, folder)
    print(f"{path}: {len(ledger['equations'])} equations, {len(ledger['claims'])} claims")
    found = complaints(book)
    print("".join(f"{complaint}\n" for complaint in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
