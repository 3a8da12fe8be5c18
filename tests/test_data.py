"""The lists that the book answers to: 131 claims, 17 clashes and 42 formulas, complete and well formed.

The counts are those of the audit that the lists were taken from. A claim that is dropped, or a verdict that is changed,
turns a count red.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[1] / "book" / "_data"
CLAIMS = json.loads((DATA / "claims.json").read_text(encoding="utf-8"))
FORMULAS = json.loads((DATA / "formulas.json").read_text(encoding="utf-8"))["formulas"]

# Gaps are lines of the notes that were merged into a neighbour.
MISSING = {"L": {7, 24, 28}, "M": {6, 9}, "F": {18}, "S": {8, 23, 24, 25, 30}, "D": set(), "X": set()}
LAST = {"L": 32, "M": 24, "F": 28, "S": 32, "D": 26, "X": 17}
NOTES = {"L": "000", "M": "001", "F": "002", "S": "003", "D": "004", "X": "clash"}

# For each note: true, true-under, false, inconsistent, overclaim, typo, and the rest together.
COUNTS = {
    "000": (21, 2, 2, 1, 0, 2, 1),
    "001": (13, 3, 0, 0, 5, 1, 0),
    "002": (14, 6, 5, 0, 1, 0, 1),
    "003": (9, 7, 6, 1, 1, 1, 2),
    "004": (14, 6, 3, 1, 0, 1, 1),
}
VERDICTS = ("true", "true-under", "false", "inconsistent", "overclaim", "typo")
PROVED_BY_CHAPTER = {"P0": 6, "P1": 8, "P2": 10, "P3": 9, "P4": 9}
FIELDS = {
    "id", "note", "line", "claim", "convention", "verdict", "verdict_in_full", "correction", "chapter", "check",
}  # fmt: skip


def test_every_claim_of_the_audit_is_there_and_no_other():
    expected = [f"{n}{k}" for n in LAST for k in range(1, LAST[n] + 1) if k not in MISSING[n]]
    assert sorted(claim["id"] for claim in CLAIMS["claims"]) == sorted(expected)
    assert sum(claim["note"] != "clash" for claim in CLAIMS["claims"]) == 131


@pytest.mark.parametrize("note", COUNTS)
def test_the_verdicts_of_a_note_are_those_of_the_audit(note):
    counts = Counter(claim["verdict"] for claim in CLAIMS["claims"] if claim["note"] == note)
    named = tuple(counts[verdict] for verdict in VERDICTS)
    assert (*named, sum(counts.values()) - sum(named)) == COUNTS[note]


@pytest.mark.parametrize("claim", CLAIMS["claims"], ids=lambda claim: claim["id"])
def test_a_claim_says_what_it_must(claim):
    clash = claim["note"] == "clash"
    assert set(claim) == FIELDS | ({"between"} if clash else set())
    assert claim["note"] == NOTES[claim["id"][0]]
    assert claim["claim"].endswith(".")
    assert claim["verdict"] in CLAIMS["verdicts"]
    assert (claim["verdict"] in ("convention", "error", "notation")) >= clash
    assert claim["verdict_in_full"].endswith(".")
    assert claim["check"] in ("executed", "text")
    assert bool(claim["line"]) != clash
    if claim["verdict"] not in ("true", "true-under"):
        assert claim["correction"], "what is wrong is put right"
    if not clash:
        first = re.match(r"\w+", claim["verdict_in_full"]).group().lower()
        assert first == claim["verdict"].split("-")[0]
    if convention := re.match(r"C\d", claim["convention"]):
        assert convention.group() in CLAIMS["conventions"]


def test_only_what_cannot_be_computed_is_settled_by_words():
    assert {claim["id"] for claim in CLAIMS["claims"] if claim["check"] == "text"} == {
        "L4", "L32", "S1", "S31", "S32", "D5", "D13", "X16",
    }  # fmt: skip


def test_every_formula_of_the_audit_is_there_and_no_other():
    expected = [f"{part}.{k}" for part, last in PROVED_BY_CHAPTER.items() for k in range(1, last + 1)]
    assert [formula["id"] for formula in FORMULAS] == expected


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula["id"])
def test_a_formula_says_what_it_must(formula):
    assert set(formula) == {"id", "chapter", "words", "latex", "equation"}
    assert formula["words"].endswith(".")
    assert not re.search(r"[0-9$\\]", formula["words"]), "the words are words; numbers and signs stand in the formula"
    assert isinstance(formula["equation"], bool)


CHAPTERS = {
    "01_linear_layer", "02_matrix_form", "03_activations_and_losses", "04_softmax_cross_entropy", "05_hidden_layers",
    "06_delta_recursion", "07_conventions", "08_gradient_checking", "09_initialization",
}  # fmt: skip


def test_every_chapter_of_the_first_nine_has_something_to_settle():
    assert {claim["chapter"] for claim in CLAIMS["claims"]} == CHAPTERS
    assert {formula["chapter"] for formula in FORMULAS} == CHAPTERS - {"07_conventions"}


def badly_written(text):
    bare = re.sub(r"\\[{}]", "", text)
    return text.count("$") % 2 or bare.count("{") != bare.count("}") or re.search(r"[^\x00-\x7f–—]", text)


def test_formulas_are_balanced_and_written_in_latex_not_in_characters_that_a_font_may_lack():
    texts = [value for claim in CLAIMS["claims"] for value in claim.values()] + [f["latex"] for f in FORMULAS]
    assert [text for text in texts if badly_written(text)] == []
    assert all(map(badly_written, ["costs $5", r"\frac{1}{m", "Xᵀ dZ"]))
