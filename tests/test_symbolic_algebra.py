"""The normal form alone: its rules one by one, and a fuzz against evaluation.

The fuzz makes pairs of expressions that are sometimes equal. Two that the normal form calls equal must have equal
values. It runs
``BACKPROP_FUZZ_PAIRS`` pairs (300 unless told otherwise; ``make test-deep`` runs 10,000).
"""

import os
import random

import pytest

from backprop.symbolic import (
    Grad,
    Partial,
    Sum,
    column,
    cosh,
    delta,
    dimensions,
    elementwise,
    exp,
    functional,
    identity,
    indices,
    inner,
    log,
    matrix,
    norm,
    ones,
    relu,
    scalars,
    sigmoid,
    sinh,
    sqrt,
    step,
    tanh,
    total,
    trace,
)
from backprop.symbolic.algebra import Algebra
from backprop.symbolic.atoms import constant
from backprop.symbolic.definitions import read_definitions
from backprop.symbolic.errors import ExpressionError
from backprop.symbolic.evaluation import OutsideDomain
from backprop.symbolic.expressions import Apply, Delta, Entry, Number, Plus, Power, Quotient, Symbol, Times, rebuild
from backprop.symbolic.high_precision import near
from backprop.symbolic.proof import Prover
from backprop.symbolic.ranges import index_ranges
from backprop.symbolic.refutation import Refuter

N, K = dimensions("N K")
n, m, i, j, k, l, p, q = indices("n m i j k l p q")
A, B, C = matrix("A", N, K), matrix("B", N, K), matrix("C", K, K)
u, v = column("u", N), column("v", K)
x, y = scalars("x y")
s, t = scalars("s t", positive=True)
f, f_prime = elementwise("f")
PAIRS = int(os.environ.get("BACKPROP_FUZZ_PAIRS", "300"))


def equal(left, right, ranges=()):
    prover = Prover({})
    prover.let_range(dict(ranges) or index_ranges(left, right))
    return prover.by_normal_form(left, right)


SAME = {
    "renamed": (total(A[n, k] * B[n, k], n, k), total(A[m, l] * B[m, l], l, m)),
    "sum of sums": (total(A[n, k] + B[n, k], n), total(A[n, k], n) + total(B[n, k], n)),
    "nested sums": (total(u[n] * total(A[n, k] * v[k], k), n), total(u[n] * A[n, k] * v[k], n, k)),
    "falls apart": (total(u[n] * v[k], n, k), total(u[n], n) * total(v[k], k)),
    "counts": (Sum(x, (n, 0, N - 1), (k, 0, K - 1)), N * K * x),
    "square of a sum": (total(u[n], n) ** 2, total(u[n] * u[m], n, m)),
    "delta": (total(A[n, k] * delta(k, q), k), A[n, q]),
    "delta of a delta": (total(delta(p, k) * delta(k, q) * v[k], k), delta(p, q) * v[q]),
    "delta squared": (delta(p, q) ** 2 * v[p], delta(p, q) * v[q]),
    "delta at a literal": (total(delta(k, 0) * v[k], k), v[0]),
    "double delta": (total(delta(k, l) * C[k, l], k, l), trace(C)),
    "trace of a delta": (total(delta(k, l) * delta(k, l), (k, K), (l, K)), K),
    "trace": (trace(A.T * B), inner(A, B)),
    "trace is cyclic": (trace(A.T * B * C), trace(C * A.T * B)),
    "ones": ((ones(N).T * A * ones(K))[0, 0], total(A[n, k], n, k)),
    "identity": ((A * identity(K))[n, k], A[n, k]),
    "from one": (total(u[n], (n, 1, N - 1)), total(u[n], n) - u[0]),
    "explicit": (Sum(x**k, (k, 0, 2)), 1 + x + x**2),
    "fraction": (x / (x + y) + y / (x + y), 1),
    "fraction of sums": (total(exp(v[k]), k) / total(exp(v[l]), l), 1),
    "inside a sum": (total(u[n] * exp(A[n, k]) / total(exp(A[n, l]), l), n, k), total(u[n], n)),
    "sign of a denominator": (1 / (x - y), -1 / (y - x)),
    "exponents add": (exp(x + y) * exp(-y), exp(x)),
    "exp of log": (exp(2 * log(s)), s**2),
    "log of product": (log(s**2 * t * exp(x)), 2 * log(s) + log(t) + x),
    "log of fraction": (log(sigmoid(x)), -log(1 + exp(-x))),
    "root": (sqrt(s**2 * t), s * sqrt(t)),
    "root squared": (sqrt(x + 3) ** 2, x + 3),
    "root of a number": (sqrt(8 * s), 2 * sqrt(2) * sqrt(s)),
    "norm squared": (norm(A) ** 2, total(A[n, k] ** 2, n, k)),
    "sigmoid": (sigmoid(x) * (1 - sigmoid(x)), exp(-x) / (1 + exp(-x)) ** 2),
    "sigmoid in a sum": (
        total(u[n] * sigmoid(u[n]) * sigmoid(-u[n]), n),
        total(u[n] * (sigmoid(u[n]) - sigmoid(u[n]) ** 2), n),
    ),
    "tanh": (tanh(x), 2 * sigmoid(2 * x) - 1),
    "hyperbolic": (cosh(x) ** 2 - sinh(x) ** 2, 1),
    "step of a step": (step(relu(x)), step(x)),
    "step is scale free": (step(2 * s * x), step(x)),
    "step is its square": (step(x) ** 2, step(x)),
    "inside a function": (f(total(v[k] * C[k, p], k)), f(total(C[l, p] * v[l], l))),
    "power of a power": ((s**2) ** x * s**-x, s**x),
    "symmetric": (total(C[k, l] * v[k] * v[l], k, l), total(C[k, l] * v[l] * v[k], l, k)),
    "eight cycle": (trace(C * C * C * C * C * C * C * C), trace(C * C * (C * C * (C * C * (C * C))))),
    "four cycle": (trace(C * C * C * C), total(C[i, j] * C[j, k] * C[k, l] * C[l, i], i, j, k, l)),
}

DIFFERENT = {
    "transposed": (total(C[k, l] * v[l], l), total(C[l, k] * v[l], l)),
    "transposed in a form": (total(C[k, l] * v[l] * f(v[k]), k, l), total(C[l, k] * v[l] * f(v[k]), k, l)),
    "transposed product": (trace(C * C), trace(C * C.T)),
    "four cycle reversed once": (trace(C * C * C * C), total(C[i, j] * C[j, k] * C[k, l] * C[i, l], i, j, k, l)),
    "other size": (Sum(x, (n, 0, N - 1)), K * x),
    "other row": (total(A[n, k] * B[n, k], n), total(A[n, k], n) * B[m, k]),
    "diagonal": (total(C[k, l], k, l), trace(C)),
    "function": (f(x), f_prime(x)),
    "root of a square": (sqrt(x**2), x),
    "log of a square": (log(x**2), 2 * log(x)),
    "sum of squares": (total(u[n], n) ** 2, total(u[n] ** 2, n)),
    "delta": (delta(p, q) * v[p], v[p]),
    "shifted": (total(u[n], (n, 1, N - 1)), total(u[n], n)),
    "step flipped": (step(x), step(-x)),
    "literal": (v[0], v[p]),
    "sum that may be empty": (step(Sum(exp(x) + 0 * k, (k, 0, K - 2))), Number(1)),
    "step of a parameter": (functional("L", relu(v)), functional("L", v)),
    "kinks inside a functional": (functional("L", relu(v) - relu(-v)), functional("L", v)),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_equal_expressions_have_one_normal_form(left, right):
    assert equal(left + 0, right + Number(0))


@pytest.mark.parametrize(("left", "right"), DIFFERENT.values(), ids=DIFFERENT)
def test_different_expressions_have_different_normal_forms(left, right):
    assert not equal(left + 0, right + Number(0))


def test_a_bound_index_never_captures_a_free_one():
    inner_sum = total(A[n, k] * A[n, l], n)
    left = total(inner_sum * A[m, k], k)
    right = total(A[n, l] * total(A[n, k] * A[m, k], k), n)
    assert equal(left, right, {l: K, m: N})
    assert not equal(left, total(A[m, l] * total(A[n, k] * A[m, k], k), n), {l: K, m: N})


def test_names_of_bound_indices_inside_functions_do_not_matter():
    left = total(f(total(C[k, l] * v[l], l)) * v[k], k)
    right = total(f(total(C[l, k] * v[k], k)) * v[l], l)
    assert equal(left, right)
    assert not equal(left, total(f(total(C[k, l] * v[k], k)) * v[l], l))


def test_a_zero_denominator_is_an_error():
    with pytest.raises(ExpressionError, match="a denominator is zero"):
        equal(1 / (x - x), y)
    with pytest.raises(ExpressionError, match="the logarithm of zero"):
        equal(log(x - x), y)


def test_second_derivatives_of_a_functional_are_symmetric():
    loss = functional("L", v)
    ranges = {p: K, q: K}
    assert equal(Partial(Partial(loss, v[p]), v[q]), Partial(Partial(loss, v[q]), v[p]), ranges)
    assert not equal(Partial(Partial(loss, v[p]), v[q]), Partial(Partial(loss, v[p]), v[p]), ranges)


def test_a_functional_inside_itself_keeps_its_parameters_apart():
    inner_gradient = Grad(functional("L", C), C)
    nested = Partial(functional("L", inner_gradient), C[p, q])
    ranges = {p: K, q: K}
    outer = functional("L", D_ := matrix("D", K, K))
    chain = total(Partial(outer, D_[k, l]) * Partial(Partial(functional("L", C), C[k, l]), C[p, q]), k, l)
    prover = Prover(read_definitions({D_: inner_gradient}))
    prover.let_range(ranges)
    assert prover.by_normal_form(nested, chain)
    assert not prover.by_normal_form(nested, total(Partial(outer, D_[k, l]), k, l))


# -- fuzz ---------------------------------------------------------------------------------------------------


class Maker:
    """Random scalar expressions over the matrices above, with the free indices p (columns) and m (rows)."""

    def __init__(self, rng):
        self.rng, self.fresh = rng, 0

    def scalar(self, depth, rows, cols):
        if depth == 0 or self.rng.random() < 0.15:
            return self.leaf(rows, cols)
        kind = self.rng.choice(["plus", "times", "times", "sum", "sum", "function", "power", "quotient"])
        if kind == "plus":
            return Plus(*(self.scalar(depth - 1, rows, cols) for _ in range(2)))
        if kind == "times":
            return Times(*(self.scalar(depth - 1, rows, cols) for _ in range(self.rng.choice((2, 2, 3)))))
        if kind == "sum":
            self.fresh += 1
            index = Symbol(f"b{self.fresh}", integer=True)
            if self.rng.random() < 0.5:
                return Sum(self.scalar(depth - 1, [*rows, index], cols), (index, 0, N - 1))
            return Sum(self.scalar(depth - 1, rows, [*cols, index]), (index, 0, K - 1))
        if kind == "power":
            return Power(self.scalar(depth - 1, rows, cols), Number(self.rng.choice((2, 2, 3, -1))))
        if kind == "quotient":
            return Quotient(self.scalar(depth - 1, rows, cols), 1 + exp(self.scalar(depth - 1, rows, cols)))
        return self.rng.choice([f, f_prime, exp, sigmoid, tanh, step, relu])(self.scalar(depth - 1, rows, cols))

    def leaf(self, rows, cols):
        pick = self.rng.choice
        return pick(
            [
                lambda: A[pick(rows), pick(cols)],
                lambda: B[pick(rows), pick(cols)],
                lambda: C[pick(cols), pick(cols)],
                lambda: u[pick(rows)],
                lambda: v[pick(cols)],
                lambda: delta(pick(cols), pick(cols)),
                lambda: x,
                lambda: Number(pick((1, 2, -1))),
            ]
        )()

    def changed(self, e):
        """`e` with one change somewhere: half of the kinds keep its value, half need not."""
        if e.children() and self.rng.random() < 0.6:
            at = self.rng.randrange(len(e.children()))
            count = iter(range(len(e.children())))
            swap = lambda c: self.changed(c) if next(count) == at and not isinstance(e, Entry | Delta) else c  # noqa: E731
            return rebuild(e, swap) if not isinstance(e, Sum) else Sum(self.changed(e.body), *e.limits)
        kinds = [self.reordered, self.multiplied_out, self.doubled, self.swapped]
        kinds += [self.dropped, self.other_exponent]
        if isinstance(e, Apply | Delta):
            kinds = [self.other_function, self.doubled]
        return self.rng.choice(kinds)(e)

    def reordered(self, e):
        if isinstance(e, Plus | Times):
            parts = list(e.args)
            self.rng.shuffle(parts)
            return type(e)(*parts)
        return e

    def multiplied_out(self, e):
        if isinstance(e, Times):
            at = [n for n, a in enumerate(e.args) if isinstance(a, Plus)]
            if at:
                before, after = e.args[: at[0]], e.args[at[0] + 1 :]
                return Plus(*(Times(*before, t, *after) for t in e.args[at[0]].args))
        if isinstance(e, Sum) and isinstance(e.body, Plus):
            return Plus(*(Sum(t, *e.limits) for t in e.body.args))
        return e

    def doubled(self, e):
        return (e + e) / 2 if self.rng.random() < 0.5 else 2 * e - e

    def swapped(self, e):
        if isinstance(e, Entry) and e.matrix == C:
            return C[e.args[2], e.args[1]]
        return Entry(B, *e.args[1:]) if isinstance(e, Entry) and e.matrix == A else e

    def dropped(self, e):
        if not isinstance(e, Plus | Times):
            return e + 0
        return e.args[1] if len(e.args) == 2 else type(e)(*e.args[1:])

    def other_function(self, e):
        return self.rng.choice([f, f_prime, step, relu])(e.argument) if isinstance(e, Apply) else Number(1)

    def other_exponent(self, e):
        if isinstance(e, Power):
            return Power(e.args[0], Number(self.rng.choice((2, 3, -1))))
        return e**2 / e if isinstance(e, Entry) else e


def fuzz(pairs, seed=0):
    """Make pairs, and assert that those judged equal have equal values; how many there were."""
    rng, judged_equal = random.Random(seed), 0
    refuter = Refuter({})
    ranges = {m: N, p: K}
    for number in range(pairs):
        maker = Maker(rng)
        left = maker.scalar(rng.choice((2, 3, 4)), [m], [p])
        right, prover = left, Prover({})
        prover.let_range(ranges)
        try:
            for _ in range(rng.choice((1, 1, 2, 3))):
                right = maker.changed(right)
            same = prover.by_normal_form(left, right)
        except ExpressionError:  # a denominator that is zero
            continue
        if same:
            judged_equal += 1
            names = refuter._names(left, right, A[m, p])
            for world in range(2):
                values = refuter._world(names, world, 0)
                for at in ({m: 0, p: 1}, {m: 1, p: 0}, {m: 1, p: 1}):
                    try:
                        a, b = values.of(left, at), values.of(right, at)
                    except OutsideDomain:
                        continue
                    assert near(a, b), f"pair {number}: {left} and {right} at {at}"
    return judged_equal


def test_the_normal_form_never_calls_different_values_equal():
    assert fuzz(PAIRS) > PAIRS / 4, "too few pairs were equal for the test to mean anything"


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("power", lambda true: lambda self, poly, e: true(self, poly, 2 if e == 3 else e)),
        ("entry", lambda true: lambda self, name, a, b: true(self, name, *sorted((a, b)) if name == "C" else (a, b))),
        ("step", lambda true: lambda self, poly: constant(1)),
        ("undefined", lambda true: lambda self, name, order, argument: true(self, name, 0, argument)),
        ("delta", lambda true: lambda self, a, b: constant(1)),
    ],
)
def test_the_fuzz_notices_a_broken_rule(monkeypatch, rule, broken):
    monkeypatch.setattr(Algebra, rule, broken(getattr(Algebra, rule)))
    with pytest.raises(AssertionError, match="pair"):
        fuzz(1000)
