"""Say in a few lines what a run of the tests has shown: what is proved, what was checked, what was planted and caught.

    python tools/closing.py _build/tests.xml

The counts of the book are read from its notebooks' outputs, which the run has just compared; those of the long checks
from evidence/, which the run holds to be current; those of the run from the report that pytest wrote.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from backprop.course.book import Book, read_book
from backprop.course.evidence import evidence_rows
from backprop.course.ledger import gather
from backprop.sphinxext.evidence import HOLDS_FOR_ALL_SIZES

ROOT = Path(__file__).resolve().parents[1]


def proved(book: Book) -> str:
    derivations = [record.data for record in book.records("derivation")]
    steps = Counter(step["evidence"] for each in derivations for step in each["steps"])
    general = sum(steps[kind] for kind in HOLDS_FOR_ALL_SIZES)
    rest = [f"{steps[kind]:,} {kind}" for kind in ("expanded", "evaluated") if steps[kind]]
    lines = f"{sum(steps.values()):,} steps, {general:,} of them for all sizes"
    return f"Proved   {len(derivations)} derivations: {lines}" + (f" ({', '.join(rest)})" if rest else "")


def checked(book: Book, ledger: dict, report: Path) -> str:
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    tests, skipped = (sum(int(each.get(name, 0)) for each in suites) for name in ("tests", "skipped"))
    settled = Counter(claim["check"] for claim in ledger["claims"])
    said = f"{settled['executed']} claims of the notes by a cell, {settled['text']} in words"
    numbers = len(book.records("check"))
    run = f"{tests - skipped:,} tests" + (f" ({skipped} skipped)" if skipped else "")
    return f"Checked  {run}; {numbers} comparisons of a result with numbers; {said}"


def caught(book: Book) -> str:
    rows = [row for table in book.records("table") if table.data["kind"] == "break-it" for row in table.data["rows"]]
    seen = sum("caught" in row or "stops" in row for row in rows)
    refused = len(book.records("refusal"))
    return f"Caught   {seen} of {len(rows)} bugs that the chapters plant; {refused} wrong steps refused on their pages"


def long_checks(evidence: Path) -> list[str]:
    return [long_check(row) for row in evidence_rows(evidence)]


def long_check(row: dict) -> str:
    said = f"         {row['caught']:,} of {row['tried']:,}: {row['check']}"
    return said + (f"; of {row['argued']:,} more it is said why not" if row["argued"] else "")


def closing(book: Book, evidence: Path, report: Path) -> list[str]:
    """The lines that end a run."""
    ledger = gather(book, evidence)
    return [proved(book), checked(book, ledger, report), caught(book), *long_checks(evidence)]


def main() -> int:
    print("\n".join(closing(read_book(ROOT / "book"), ROOT / "evidence", Path(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
