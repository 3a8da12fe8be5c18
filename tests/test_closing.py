"""What a run of the tests says at its end is counted, not typed."""

import json
from pathlib import Path

import closing
import pytest

from backprop.course.book import Book, read_book
from backprop.course.evidence import evidence_rows

ROOT = Path(__file__).resolve().parents[1]
REPORT = '<testsuites><testsuite name="pytest" tests="12" skipped="2" errors="0" failures="0" /></testsuites>'


def shown(**records):
    """A cell whose outputs are these records."""
    outputs = [
        {"data": {f"application/vnd.backprop.{kind}+json": data}} for kind, each in records.items() for data in each
    ]
    return {"cell_type": "code", "source": "", "outputs": outputs, "metadata": {}}


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "tests.xml"
    path.write_text(REPORT)
    return path


def test_everything_is_counted(tmp_path, report):
    steps = [{"evidence": kind} for kind in ("proved", "identical", "expanded", "proved")]
    cell = shown(
        derivation=[{"steps": steps, "label": None}],
        check=[{"label": "eq:a", "kind": "numpy", "bound": "1e-9"}],
        refusal=[{}, {}, {}],
        table=[{"kind": "break-it", "rows": [["a", "passes", "caught"], ["b", "stops"], ["c", "passes"]]}],
    )
    (tmp_path / "fuzz.json").write_text(
        json.dumps({"pairs": 9, "called equal": 3, "equal in numbers": 4, "wrongly called equal": 1})
    )
    assert closing.closing(Book({"01_a": [cell]}), tmp_path, report) == [
        "Proved   1 derivations: 4 steps, 3 of them for all sizes (1 expanded)",
        "Checked  10 tests (2 skipped); 1 comparisons of a result with numbers; "
        "0 claims of the notes by a cell, 0 in words",
        "Caught   2 of 3 bugs that the chapters plant; 3 wrong steps refused on their pages",
        "         8 of 9: Pairs of random expressions, none wrongly called equal",
    ]


def test_every_bug_of_the_book_is_caught():
    caught, _, planted = closing.caught(read_book(ROOT / "book")).split(" bugs")[0].split()[-3:]
    assert caught == planted


def test_every_long_check_caught_what_it_tried_or_says_why_not():
    rows = evidence_rows(ROOT / "evidence")
    assert len(rows) >= 4
    for row in rows:
        assert row["caught"] + row["argued"] == row["tried"], row


CALLS = {"calls": 9, "wrong": 2, "outcomes": {"answered exactly": 1234, "refused": 4}, "seed": 7}
RESULTS = {"eq:a-b": {"tried": 5, "refused": 5}, "eq:a-c": {"tried": 4, "refused": 2}}


@pytest.mark.parametrize(
    ("name", "found", "tried", "caught", "remark"),
    [
        ("mutants", {"total": 12, "equal": 3, "refused": 7}, 9, 7, "3 more changes gave a formula that is true"),
        ("book_mutants", {"mutants": RESULTS}, 9, 7, "of 2 results with a number"),
        ("bad_input", CALLS, 9, 7, "1,234 answered exactly, 4 refused, seed 7"),
    ],
)
def test_what_was_missed_does_not_count_as_caught(tmp_path, name, found, tried, caught, remark):
    (tmp_path / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    (row,) = evidence_rows(tmp_path)
    assert (row["tried"], row["caught"], row["argued"]) == (tried, caught, 0)
    assert row["remark"].startswith(remark)


def test_errors_that_nothing_saw_are_counted_apart(tmp_path):
    counts = {"planted": 9, "possible": 9, "caught": 7, "survivors": [{"code": "a"}, {"code": "b"}]}
    (tmp_path / "notebooks.json").write_text(json.dumps({"01_a": counts}), encoding="utf-8")
    (line,) = closing.long_checks(tmp_path)
    assert line == "         7 of 9: Errors planted in the notebooks, seen by their tests; of 2 more it is said why not"


@pytest.mark.parametrize(
    ("possible", "remark"), [(9, "in 2 notebooks"), (20, "in 2 notebooks, drawn from 29 that are possible")]
)
def test_it_is_said_when_only_some_of_the_possible_errors_were_planted(tmp_path, possible, remark):
    whole = {"planted": 9, "possible": 9, "caught": 9, "survivors": []}
    (tmp_path / "notebooks.json").write_text(json.dumps({"01_a": whole, "02_b": whole | {"possible": possible}}))
    (row,) = evidence_rows(tmp_path)
    assert row["remark"] == remark
