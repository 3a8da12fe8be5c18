"""Bad input, for all public functions of the numerical package: one table of valid calls, and all that may go wrong.

A corrupted call must do what a good one does, exactly, where the value is only kept otherwise; or raise an error that
its docstring names, with a message that names the argument. It never warns, and never changes an argument. The table is
in corpus/calls.py, what may go wrong in corpus/corruptions.py, and what is judged in corpus/bad_calls.py.
"""

import inspect
import sys
import warnings
from collections import Counter

import numpy as np
import pytest
from corpus.bad_calls import called, complaint, same
from corpus.calls import CALLS
from corpus.corruptions import Array
from corpus.evidence import NUMERIC, digest, is_current, read, write
from corpus.public import EXEMPT, Call, names_of, public

from backprop._arrays import takes

DEEP = 100_000


# The table ------------------------------------------------------------------------------------------------------------


def test_every_public_function_has_a_row():
    rows = {call.name.split()[0] for call in CALLS}
    assert public() == rows | set(EXEMPT), "a public function without a row, or a row without a function"
    assert not rows & set(EXEMPT)
    assert len({call.name for call in CALLS}) == len(CALLS)


def test_a_function_that_is_added_is_found():
    module = type(sys)("backprop.new")
    exec("def f(X): ...\nclass C:\n    def step(self, X): ...\ndef _private(X): ...", vars(module))
    for name in ("f", "C", "_private"):
        vars(module)[name].__module__ = module.__name__
    assert names_of("new", module) == {"new.f", "new.C", "new.C.step"}


@pytest.mark.parametrize("call", CALLS, ids=[call.name for call in CALLS])
def test_bad_input(call):
    """Each argument, one at a time, in every way that is known."""
    rng = np.random.default_rng(0)
    good = {name: kind.draw(rng) for name, kind in call.arguments.items()}
    result, error = called(call, good)
    assert error is None
    assert same(result, called(call, good)[0])
    assert complaints(call, good, rng) == []


def complaints(call, good, rng):
    return [
        f"{call.name}({name}: {corruption.name}): {wrong}"
        for name, kind in call.arguments.items()
        for corruption in kind.corruptions(good[name], rng, call.free)
        for _, wrong in [complaint(call, good, {name: corruption})]
        if wrong
    ]


# The check is seen to fail --------------------------------------------------------------------------------------------


@takes(X="m n_in")
def row_sums(X):
    """The sum of each row.

    Raises
    ------
    ValueError
        NaN, ±inf, another number of axes, a sum beyond the range of the dtype.
    TypeError
        A dtype other than float32, float64, integers and bool.
    """
    return X.sum(axis=1)


def lets_nan_pass(X):
    return row_sums(np.nan_to_num(X) if isinstance(X, np.ndarray) and X.dtype == np.float64 else X)


def changes_an_array(X):
    sums = row_sums(X)
    if isinstance(X, np.ndarray) and X.flags.writeable:
        X[:1] = 0
    return sums


def changes_a_list(X):
    sums = row_sums(X)
    if isinstance(X, list):
        X.reverse()
    return sums


def changes_what_it_refuses(X):
    if isinstance(X, np.ndarray) and X.ndim == 3:
        X *= 2
    return row_sums(X)


def warns(X):
    sums = row_sums(X)
    if np.abs(sums).max(initial=0) > 1e100:
        warnings.warn("X is large", RuntimeWarning, stacklevel=1)
    return sums


def overflows_in_silence(X):
    row_sums(np.divide(X, 100) if isinstance(X, np.ndarray) and X.dtype == np.float64 else X)
    with np.errstate(over="ignore"):
        return np.asarray(X, np.float64).sum(axis=1)


def reads_memory_as_it_lies(X):
    return row_sums(row_sums(X)[:, np.newaxis] * 0 + np.asarray(X).ravel("K").reshape(np.shape(X)))


def wants_to_write(X):
    if isinstance(X, np.ndarray) and not X.flags.writeable:
        raise ValueError("X is read-only")
    return row_sums(X)


def names_nothing(X):
    try:
        return row_sums(X)
    except TypeError:
        raise TypeError("expected numbers") from None


def raises_another_error(X):
    try:
        return row_sums(X)
    except TypeError:
        raise KeyError("X") from None


def drops_the_imaginary_part(X):
    return row_sums(X.real if isinstance(X, np.ndarray) and X.dtype.kind == "c" else X)


def broadcasts(X):
    return row_sums(np.atleast_2d(X) if isinstance(X, np.ndarray) and X.ndim == 1 else X)


MISTAKES = {
    lets_nan_pass: "NaN): accepted",
    changes_an_array: "an argument was changed",
    changes_a_list: "a list): an argument was changed",
    changes_what_it_refuses: "an axis more): an argument was changed",
    warns: "one entry 1e+300): it warned: RuntimeWarning",
    overflows_in_silence: "huge): no number",
    reads_memory_as_it_lies: "Fortran order): another result",
    wants_to_write: "read-only): ValueError",
    names_nothing: "strings): the message does not name the argument",
    raises_another_error: "strings): undocumented: KeyError",
    drops_the_imaginary_part: "complex): accepted",
    broadcasts: "an axis less): accepted",
}


def fake(function):
    free = frozenset({"m", "n_in", ("m", "empty"), ("n_in", "empty")})
    return Call("fake", {"X": Array("m n_in")}, function, inspect.getdoc(row_sums), free)


def found_in(function):
    rng = np.random.default_rng(0)
    return complaints(fake(function), {"X": rng.normal(size=(5, 3))}, rng)


def test_a_function_that_keeps_the_rules_passes():
    assert found_in(row_sums) == []


@pytest.mark.parametrize("function", MISTAKES, ids=[function.__name__ for function in MISTAKES])
def test_a_mistake_is_seen(function):
    said = found_in(function)
    assert any(MISTAKES[function] in each for each in said), said


# Many at once ---------------------------------------------------------------------------------------------------------


def fuzzed(count, seed, calls=CALLS):
    """So many calls of functions drawn at random, one to three arguments spoiled: the outcomes, and what is wrong."""
    outcomes, wrong = Counter(), []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        call = calls[rng.integers(len(calls))]
        good = {name: kind.draw(rng) for name, kind in call.arguments.items()}
        names = rng.permutation(list(good))[: 1 + rng.choice(3, p=[0.5, 0.3, 0.2])].tolist()
        spoiled = {}
        for name in names:
            known = list(call.arguments[name].corruptions(good[name], rng, call.free))
            spoiled[name] = known[rng.integers(len(known))]
        outcome, words = complaint(call, good, spoiled)
        outcomes[outcome] += 1
        if words:
            what = ", ".join(f"{name}: {each.name}" for name, each in spoiled.items())
            wrong.append(f"call {number} of seed {seed}: {call.name}({what}): {words}")
    return outcomes, wrong


def test_a_sample_of_the_fuzz_finds_nothing():
    outcomes, wrong = fuzzed(2_000, seed=1)
    assert wrong == []
    assert outcomes.total() == 2_000
    assert outcomes["refused"] >= 1_000
    assert outcomes["the same"] >= 100


@pytest.mark.parametrize("function", MISTAKES, ids=[function.__name__ for function in MISTAKES])
def test_the_fuzz_notices_a_function_that_breaks_the_rules(function):
    assert fuzzed(400, seed=2, calls=[fake(function)])[1]


def test_the_fuzz_lets_a_function_pass_that_keeps_them():
    assert fuzzed(400, seed=2, calls=[fake(row_sums)])[1] == []


def test_the_full_fuzz_was_run_on_this_package():
    found = read("bad_input")
    assert is_current(found), f"{NUMERIC} has changed: run `make test-deep`, or pytest -m deep tests/test_bad_input.py"
    assert found["calls"] == sum(found["outcomes"].values()) >= DEEP
    assert found["functions"] == len({call.name.split()[0] for call in CALLS})
    assert found["wrong"] == 0


@pytest.mark.deep
def test_a_hundred_thousand_calls():
    before, seed = digest(NUMERIC), 0
    outcomes, wrong = fuzzed(DEEP, seed)
    print(f"seed {seed}, {DEEP:,} calls:", dict(outcomes), *wrong, sep="\n", file=sys.stderr)
    assert not wrong
    found = {
        "seed": seed,
        "calls": DEEP,
        "functions": len({call.name.split()[0] for call in CALLS}),
        "outcomes": dict(sorted(outcomes.items())),
        "wrong": len(wrong),
    }
    write("bad_input", found, before, NUMERIC)
