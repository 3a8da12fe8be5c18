"""The engine is sound on the course: one small error anywhere in a true identity, and the line is refused.

A mutant may be true all the same (factors of numbers commute). The engine may accept it only then, and whether it is
true is decided by `corpus.numbers`, which shares nothing with the engine but the expression classes.
"""

import json
import random
from collections import Counter

import pytest
from corpus import CORPUS
from corpus.evidence import ENGINE, digest, is_current, read, write
from corpus.identity import Line, identity, in_a_square_world
from corpus.mutants import examine, mutants, without_hints

from backprop.symbolic import dimensions, indices, matrix, relu, scalars, step, total

SQUARE = [square for one in CORPUS if (square := in_a_square_world(one)) is not None]
SAMPLE = 240
FOUND_SOUND = ("refused", "equal")


def judged(one):
    """Every mutant of every line of an identity: (formula ids, kind, what examination finds, what the engine says)."""
    for derivation, line in one.prefixes():
        for kind, wrong in mutants(line.expression, one):
            with without_hints():
                verdict, said = examine(one, derivation, line, wrong)
            yield kind, (derivation, line, wrong), verdict, said


def test_a_sample_of_mutants_is_refused_or_equal():
    rng = random.Random(0)
    quick = [one for one in [*CORPUS, *SQUARE] if not one.name.startswith(("network-4", "network-5", "init-"))]
    found, tried = Counter(), 0
    for one in rng.sample(quick, 80):
        derivation, line = rng.choice(list(one.prefixes()))
        candidates = list(mutants(line.expression, one))
        for kind, wrong in rng.sample(candidates, min(4, len(candidates))):
            with without_hints():
                verdict, said = examine(one, derivation, line, wrong)
            assert verdict in FOUND_SOUND, f"{one.name} ({kind}): {derivation.result} {line.relation} {wrong}: {said}"
            found[verdict] += 1
            tried += 1
    assert tried >= SAMPLE
    assert found["refused"] >= 0.8 * tried


def test_the_examiner_sees_what_it_should():
    """Each verdict can occur: a wrong line accepted is unsound, a true one refuted is contradicted."""
    N, K = dimensions("N K")
    X, Y = matrix("X", N, K), matrix("Y", N, K)
    one = identity("example", "P0.1", X + Y, Y + X)

    class Accepting:
        result = X + Y

        def then(self, *_, **__):
            return self

    line = Line(Y + X)
    assert examine(one, Accepting(), line, X - Y) == ("unsound", "accepted")
    assert examine(one, Accepting(), line, Y + X) == ("equal", "accepted")
    assert examine(one, one.begin(), line, X - Y) == ("refused", "refutation")


def test_every_kind_of_error_is_made():
    D, N, K = dimensions("D N K")
    i, k = indices("i k")
    t, s = scalars("t s")
    A, B, x, y = matrix("A", D, D), matrix("B", D, D), matrix("x", N, K), matrix("y", N, K)
    for line, kind, wrong in [
        (A * B, "sign", -(A * B)),
        (A * B, "transpose", A.T * B),
        (A.T * B, "transpose", A * B),
        (A * B, "swapped", B * A),
        (t / s, "swapped", s / t),
        (A * B, "dropped", A),
        (A + B, "dropped", B),
        (A * B, "1/m", A * B / D),
        (A * B, "name", A * A),
        (relu(t), "slope", step(t)),
        (2 * t, "number", 3 * t),
        (total(x[i, k], i), "range", total(x[i, k], (i, 1, N - 1))),
        (x[i, k] * y[i, k], "index", x[i, i] * y[i, k]),
    ]:
        assert (kind, wrong) in list(mutants(line, identity("example", "P0.1", line, line)))


# The gradients below a dead layer are 0, and a product with a factor 0 stays 0 whatever is done to its other factors.
NOTHING_TO_REFUSE = {"P3.9"}


def test_the_full_examination_was_run_on_this_engine_and_found_it_sound():
    found = read("mutants")
    assert is_current(found), f"{ENGINE} has changed: run `make test-deep`, or pytest -m deep tests/test_mutants.py"
    assert found["unsound"] == found["contradicted"] == 0
    assert found["total"] == found["refused"] + found["equal"] >= 9000
    assert set(found["formulas"]) >= {id for one in CORPUS for id in one.proves}
    for id, counts in found["formulas"].items():
        assert counts["refused"] + counts["equal"] == counts["total"]
        assert counts["refused"] > 0 or id in NOTHING_TO_REFUSE, id


@pytest.mark.deep
def test_every_mutant_of_every_identity(capsys):
    before, found, said, kinds, formulas, wrongly = digest(ENGINE), Counter(), Counter(), Counter(), {}, []
    for one in [*CORPUS, *SQUARE]:
        for kind, where, verdict, by in judged(one):
            found[verdict] += 1
            said[by] += 1
            kinds[kind] += 1
            for id in one.proves:
                formulas.setdefault(id, Counter())[verdict] += 1
            if verdict not in FOUND_SOUND:
                derivation, line, wrong = where
                wrongly.append(f"{verdict}: {one.name} ({kind}): {derivation.result} {line.relation} {wrong}")
    with capsys.disabled():
        print("\n", json.dumps({**found, **said, **kinds}), *wrongly, sep="\n")
    assert not wrongly
    counts = {
        id: {"refused": c["refused"], "equal": c["equal"], "total": c.total()} for id, c in sorted(formulas.items())
    }
    write(
        "mutants",
        {
            "total": found.total(),
            **{verdict: found[verdict] for verdict in (*FOUND_SOUND, "unsound", "contradicted")},
            "refused_by": {rung: said[rung] for rung in sorted(said) if rung != "accepted"},
            "kinds": dict(sorted(kinds.items())),
            "formulas": counts,
        },
        before,
    )
