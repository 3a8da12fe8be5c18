"""Errors planted by hand in every chapter: each is refused, with unequal dimensions and with all of them equal."""

import json
from pathlib import Path

import pytest
from corpus.planted import planted

from backprop.symbolic import Derivation, Refused, ShapeError

RECTANGULAR, SQUARE = planted(), planted(square=True)
FORMULAS = json.loads((Path(__file__).parents[1] / "book/_data/formulas.json").read_text(encoding="utf-8"))["formulas"]
# Ids of formulas with no planted error, and why.
NOTHING_TO_PLANT = {}


def judged(error):
    """What the engine says of a planted error: "accepted", the rung that refuses it, or "writing" if none is needed."""
    derivation = Derivation(error.start, let=error.let, given=error.given)
    try:
        wrong = error.wrong()
    except ShapeError:
        return "writing"
    try:
        derivation.then(wrong, because="planted", relation=error.relation)
    except Refused as refused:
        return refused.rung
    return "accepted"


@pytest.mark.parametrize("error", RECTANGULAR, ids=lambda e: e.name)
def test_refused_where_all_dimensions_differ(error):
    assert judged(error) in ("writing", "shapes", "refutation")


@pytest.mark.parametrize("error", SQUARE, ids=lambda e: e.name)
def test_refused_where_all_dimensions_are_equal(error):
    assert judged(error) == ("accepted" if error.true_when_equal else "refutation")


def test_there_are_enough_of_them_over_all_formulas():
    assert len({e.name for e in RECTANGULAR}) == len(RECTANGULAR) >= 180
    assert sum(not e.true_when_equal for e in SQUARE) >= 180
    covered = {id for e in RECTANGULAR for id in e.proves.split()}
    assert {f["id"] for f in FORMULAS} - covered == set(NOTHING_TO_PLANT)
