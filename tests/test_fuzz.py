"""The normal form alone against numbers: whatever it calls equal is equal, over random pairs of the whole language."""

import random
import sys
from collections import Counter

import pytest
from corpus.evidence import ENGINE, digest, is_current, read, write
from corpus.fuzz import LET, as_identity, pair
from corpus.numbers import Undefined, is_equal

from backprop.symbolic import ExpressionError
from backprop.symbolic.definitions import read_definitions
from backprop.symbolic.expressions import Transpose
from backprop.symbolic.lowering import Lowering
from backprop.symbolic.proof import Prover
from backprop.symbolic.ranges import index_ranges


def called_equal(left, right):
    """What the normal form says; None where the pair has no meaning (one index over two ranges)."""
    try:
        ranges = index_ranges(left, right)
        prover = Prover(read_definitions(LET))
        prover.let_range(ranges)
        return prover.by_normal_form(left, right)
    except ExpressionError:
        return None


def examined(count, seed):
    """How many of so many pairs are called equal, and those of them that differ in numbers."""
    found, wrong, number = Counter(), [], 0
    while found["pairs"] < count:
        number += 1
        left, right, kind = pair(random.Random(f"{seed} {number}"))
        equal = called_equal(left, right)
        if equal is None or left == right:
            continue
        try:
            agree = is_equal(as_identity(left, right), left, right, seed=number, number=3)
        except Undefined:
            continue  # too large for floats, or a logarithm of nothing
        found["pairs"] += 1
        found[kind] += 1
        found["called equal"] += equal
        found["equal in numbers"] += agree
        if equal and not agree:
            wrong.append(f"pair {number} of seed {seed} ({kind}): {left} = {right}")
    return found, wrong


def test_no_pair_of_a_sample_is_called_equal_that_differs():
    found, wrong = examined(500, "standard")
    assert not wrong
    assert found["called equal"] >= 150
    assert found["equal in numbers"] - found["called equal"] <= 10
    assert found["pairs"] - found["equal in numbers"] >= 150


def test_the_fuzz_notices_a_normal_form_that_is_wrong(monkeypatch):
    """The rule for a transpose is broken: numbers must object."""
    broken = {**Lowering._ENTRIES, Transpose: lambda self, m, i, j, *rest: self.entry(m.args[0], i, j, *rest)}
    monkeypatch.setattr(Lowering, "_ENTRIES", broken)
    assert examined(150, "broken")[1]


def test_the_full_fuzz_was_run_on_this_engine():
    found = read("fuzz")
    assert is_current(found), f"{ENGINE} has changed: run `make test-deep`, or pytest -m deep tests/test_fuzz.py"
    assert found["pairs"] >= 10_000
    assert found["called equal"] >= 3_000
    assert found["wrongly called equal"] == 0


@pytest.mark.deep
def test_ten_thousand_pairs():
    before = digest(ENGINE)
    found, wrong = examined(10_000, "deep")
    print(dict(found), *wrong, sep="\n", file=sys.stderr)
    assert not wrong
    write("fuzz", {**dict(sorted(found.items())), "wrongly called equal": len(wrong)}, before)
