"""Every normal form has the value of the expression that it came from.

Random expressions in the matrix language, with definitions, derivatives and functionals, are lowered to normal form.
The normal form is then evaluated atom by atom, here, and the expression by the refuter. The two must agree.
``BACKPROP_FUZZ_PAIRS`` sets the number of expressions (300 unless told otherwise).
"""

import os
import random
from itertools import product

import mpmath
import pytest

from backprop.symbolic import (
    Grad,
    Jacobian,
    Partial,
    column,
    cos,
    delta,
    diag,
    dimensions,
    divide,
    elementwise,
    exp,
    functional,
    hadamard,
    identity,
    indices,
    inner,
    matrix,
    norm,
    ones,
    outer,
    relu,
    scalars,
    sigmoid,
    sin,
    softplus,
    step,
    tanh,
    total,
    trace,
    zeros,
)
from backprop.symbolic.algebra import Algebra
from backprop.symbolic.atoms import constant
from backprop.symbolic.definitions import read_definitions
from backprop.symbolic.errors import ZeroDenominator
from backprop.symbolic.evaluation import OutsideDomain
from backprop.symbolic.expressions import Number
from backprop.symbolic.functions import KNOWN, Function
from backprop.symbolic.high_precision import near
from backprop.symbolic.proof import Prover
from backprop.symbolic.refutation import Refuter

COUNT = int(os.environ.get("BACKPROP_FUZZ_PAIRS", "300"))
N, D, K = dimensions("N D K")
X, W, V, G = matrix("X", N, D), matrix("W", D, K), matrix("V", K, K), matrix("G", N, K)
Z, A, b, z = matrix("Z", N, K), matrix("A", N, K), column("b", K), column("z", K)
t, s = scalars("t s")
n, d, k, i, j = indices("n d k i j")
f, f_prime = elementwise("f")
L = functional("L", A)
LET = {Z: X * W + ones(N) * b.T, A: f(Z), z: V * b, s: trace(V) * t}


# -- the value of a normal form ------------------------------------------------------------------------------


class Reader:
    """Evaluates polynomials atom by atom; it knows what the kinds of atoms mean, and nothing else of the prover."""

    def __init__(self, values):
        self.values, self.names = values, {x.name: v for x, v in values.leaves.items()}

    def poly(self, p, at):
        return sum((self.number(c) * self.monomial(m, at) for m, c in p.terms.items()), self.number(0))

    def number(self, c):
        return self.values.numbers.rational(c)

    def monomial(self, m, at):
        out = self.number(1)
        for a, e in m:
            base = self.atom(a, at)
            if base == 0 and e < 0:
                raise OutsideDomain("a normal form")
            out = out * base ** (int(e) if e == int(e) else self.number(e))
        return out

    def index(self, name, at):
        return int(name) if name.isdigit() else at[name]

    def atom(self, a, at):
        return getattr(self, f"of_{a.kind}")(a.data, at)

    def of_symbol(self, name, at):
        return self.number(at[name]) if name in at else mpmath.mpf(1) * self.names[name]

    def of_entry(self, data, at):
        name, row, col = data
        return self.names[name][self.index(row, at), self.index(col, at)]

    def of_delta(self, data, at):
        return self.number(int(self.index(data[0], at) == self.index(data[1], at)))

    def of_sum(self, data, at):
        ranges, body = data
        ends = [range(int(self.poly(low, at)), int(self.poly(high, at)) + 1) for _, low, high in ranges]
        names = [name for name, _, _ in ranges]
        return sum(
            (self.poly(body, {**at, **dict(zip(names, v, strict=True))}) for v in product(*ends)), self.number(0)
        )

    def of_undefined(self, data, at):
        (name, order), inside = data
        return self.values.numbers.function(Function(name, "", known=False, order=order), self.poly(inside, at), None)

    def of_exp(self, data, at):
        return mpmath.exp(self.poly(data[1], at))

    def of_log(self, data, at):
        return mpmath.log(self.poly(data[1], at))

    def of_base(self, data, at):
        return self.poly(data[1], at)

    def of_step(self, data, at):
        return self.number(int(self.poly(data[1], at) > 0))

    def of_named(self, data, at):
        return self.values.numbers.function(KNOWN[data[0]], self.poly(data[1], at), None)

    def of_functional(self, data, at):
        name, slots, level, arguments = data
        entries, places = [], {}
        for number, (highest, inside) in enumerate(arguments):
            shape = [1 if high is None else int(self.poly(high, at)) + 1 for high in highest]
            for row, col in product(*map(range, shape)):
                places[number, row, col] = len(entries)
                entries.append(self.poly(inside, {**at, f"$r{number}.{level}": row, f"$c{number}.{level}": col}))
        at_slots = [places[number, self.index(row, at), self.index(col, at)] for number, row, col in slots]
        return self.differences(name, entries, at_slots)

    def differences(self, name, entries, slots):
        if not slots:
            return self.values.numbers.functional(name, entries)
        h, (first, *rest) = self.values.numbers.h, slots
        moved = [entries[:first] + [entries[first] + sign * h] + entries[first + 1 :] for sign in (1, -1)]
        ahead, behind = (self.differences(name, m, rest) for m in moved)
        return (ahead - behind) / (2 * h)


# -- random expressions -----------------------------------------------------------------------------------------


class Maker:
    """Random expressions of a given shape."""

    def __init__(self, rng):
        self.rng = rng

    def matrix(self, rows, cols, depth):
        leaves = [m for m in (X, W, V, G, Z, A, b, z) if m.shape == (rows, cols)]
        leaves += [m.T for m in (X, W, V, G, Z, A, b, z) if m.shape == (cols, rows)]
        leaves += (
            [ones(rows, cols)]
            + ([identity(rows)] if rows == cols else [])
            + ([zeros(rows, cols)] if depth == 0 else [])
        )
        if depth == 0:
            return self.rng.choice(leaves)
        kinds = ["plus", "times", "times", "hadamard", "apply", "scaled", "transpose", "leaf", "grad"]
        kinds += ["diagonal", "jacobian"] if rows == cols == K else []
        kinds += ["outer"] if rows != Number(1) and cols != Number(1) else []
        return getattr(self, self.rng.choice(kinds))(rows, cols, depth - 1, leaves)

    def leaf(self, rows, cols, depth, leaves):
        return self.rng.choice(leaves)

    def plus(self, rows, cols, depth, leaves):
        return self.matrix(rows, cols, depth) - self.matrix(rows, cols, depth)

    def times(self, rows, cols, depth, leaves):
        inner_size = self.rng.choice((N, D, K))
        return self.matrix(rows, inner_size, depth) * self.matrix(inner_size, cols, depth)

    def hadamard(self, rows, cols, depth, leaves):
        both = self.matrix(rows, cols, depth), self.matrix(rows, cols, depth)
        return hadamard(*both) if self.rng.random() < 0.8 else divide(both[0], exp(both[1]))

    def apply(self, rows, cols, depth, leaves):
        return self.rng.choice([f, f_prime, tanh, sigmoid, relu, step, sin])(self.matrix(rows, cols, depth))

    def scaled(self, rows, cols, depth, leaves):
        return self.rng.choice([2, -1, t, s]) * self.matrix(rows, cols, depth) / self.rng.choice([N, 3, 1 + t**2])

    def transpose(self, rows, cols, depth, leaves):
        return self.matrix(cols, rows, depth).T

    def diagonal(self, rows, cols, depth, leaves):
        return diag(self.matrix(K, Number(1), depth))

    def outer(self, rows, cols, depth, leaves):
        return outer(self.matrix(rows, Number(1), depth), self.matrix(cols, Number(1), depth))

    def jacobian(self, rows, cols, depth, leaves):
        return Jacobian(self.matrix(K, Number(1), depth), self.rng.choice((b, z)))

    def grad(self, rows, cols, depth, leaves):
        named = [m for m in (X, W, V, G, Z, A, b, z) if m.shape == (rows, cols)]
        return Grad(self.scalar(depth), self.rng.choice(named)) if named else self.rng.choice(leaves)

    def scalar(self, depth):
        rows, cols = self.rng.choice((N, D, K)), self.rng.choice((N, D, K))
        one = lambda: self.matrix(rows, cols, max(depth, 0))  # noqa: E731
        return self.rng.choice(
            [
                lambda: inner(one(), one()),
                lambda: trace(self.matrix(K, K, max(depth, 0))),
                lambda: norm(one()) ** 2,
                lambda: L,
                lambda: functional("M", one(), s),
                lambda: softplus(one()[0, 0]) * t,
                lambda: total(self.matrix(N, K, max(depth, 0))[n, k] ** 2, (n, N), (k, K)),
                lambda: Partial(t**3 * s, t) + s,
                lambda: total(delta(i, j) * V[i, k] * cos(V[j, k]), i, j) * b[k],
            ]
        )()


def compare(number, rng):
    """One random expression, lowered and evaluated both ways; whether there was anything to compare."""
    e = Maker(rng).matrix(*rng.choice([(N, K), (D, K), (K, K), (K, Number(1))]), rng.choice((1, 2, 2)))
    definitions = read_definitions(LET)
    prover = Prover(definitions)
    try:
        normal = prover.normal(e)
    except ZeroDenominator:
        return False
    refuter = Refuter(definitions, seed=number)
    values = refuter._world(refuter._names(e, V[k, k]), 0, 0)
    at_names = prover.any_entry(e)
    size = {name: values.size(x) for name, x in zip(at_names, e.shape, strict=True)}
    try:
        for row, col in product(range(size[at_names[0]]), range(size[at_names[1]])):
            at = {x: v for x, v in zip(at_names, (row, col), strict=True) if not x.isdigit()}
            for free in range(values.size(K)):
                left = Reader(values).poly(normal, {**at, "k": free})
                right = values.of(e, {k: free})[row, col]
                assert near(left, right), f"expression {number}: {e} at {row}, {col}: {left} is not {right}"
    except OutsideDomain:
        return False
    return True


def fuzz(count):
    """How many of so many random expressions had a value to compare."""
    with mpmath.workdps(80):
        rng = random.Random(0)
        return sum(compare(number, rng) for number in range(count))


def test_every_normal_form_has_the_value_of_its_expression():
    assert fuzz(COUNT) > COUNT / 2


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("entry", lambda true: lambda self, name, a, c: true(self, name, *((c, a) if name == "V" else (a, c)))),
        ("undefined", lambda true: lambda self, name, order, inside: true(self, name, 0, inside)),
        ("delta", lambda true: lambda self, a, c: constant(1)),
        ("sum_over", lambda true: lambda self, poly, bound: true(self, poly, bound[:1])),
        ("step", lambda true: lambda self, poly: constant(1)),
        ("power", lambda true: lambda self, poly, e: true(self, poly, 1 if e == -1 else e)),
    ],
)
def test_a_broken_rule_is_noticed(monkeypatch, rule, broken):
    monkeypatch.setattr(Algebra, rule, broken(getattr(Algebra, rule)))
    with pytest.raises((AssertionError, KeyError)):
        fuzz(400)
