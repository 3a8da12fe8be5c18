"""The engine is complete on the course: every formula that is an equation or a stated inequality is proved."""

import json
from pathlib import Path

import pytest
from corpus import CORPUS, NOT_EQUATIONS, SAID_OTHERWISE
from corpus.identity import in_a_square_world
from corpus.numbers import is_equal

from backprop.symbolic import Evidence

FORMULAS = json.loads((Path(__file__).parents[1] / "book/_data/formulas.json").read_text(encoding="utf-8"))["formulas"]
SQUARE = [square for identity in CORPUS if (square := in_a_square_world(identity)) is not None]


@pytest.mark.parametrize("identity", CORPUS, ids=lambda i: i.name)
def test_every_identity_is_proved(identity):
    derivation = identity.derive()
    assert derivation.evidence >= Evidence.PROVED
    assert len(derivation.steps) == len(identity.lines)


@pytest.mark.parametrize("identity", CORPUS, ids=lambda i: i.name)
def test_every_identity_holds_in_numbers_that_share_nothing_with_the_engine(identity):
    above = identity.start
    for line in identity.lines:
        assert is_equal(identity, above, line.expression, line.relation, number=2)
        above = line.expression


def test_every_formula_of_the_course_is_in_the_corpus():
    ids = {formula["id"] for formula in FORMULAS}
    proved = {id for identity in CORPUS for id in identity.proves}
    assert ids - proved == set(NOT_EQUATIONS)
    assert proved <= ids
    assert set(SAID_OTHERWISE) <= proved
    assert not {formula["id"] for formula in FORMULAS if formula["equation"]} & set(NOT_EQUATIONS)


def test_names_are_unique_and_the_corpus_is_as_large_as_it_is_said_to_be():
    assert len({identity.name for identity in CORPUS}) == len(CORPUS) >= 200
    assert len(SQUARE) >= 120
