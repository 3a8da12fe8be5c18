"""The parts of the normal form one by one: products, deltas, functions of polynomials, integrals and limits."""

import math
from fractions import Fraction
from itertools import product

import pytest
import sympy

from backprop.symbolic import (
    INFINITY,
    Derivation,
    Evidence,
    ExpressionError,
    Integral,
    Limit,
    Partial,
    Sum,
    absolute,
    analysis,
    column,
    cosh,
    delta,
    dimensions,
    elementwise,
    exp,
    functional,
    identity,
    indices,
    log,
    matrix,
    relu,
    scalars,
    sign,
    sin,
    sqrt,
    step,
    total,
)
from backprop.symbolic.algebra import Algebra
from backprop.symbolic.atoms import Polynomial, constant
from backprop.symbolic.differentiation import replace_entries
from backprop.symbolic.errors import ZeroDenominator
from backprop.symbolic.expressions import Number, sympify
from backprop.symbolic.hypotheses import read_hypotheses
from backprop.symbolic.proof import Prover
from backprop.symbolic.ranges import index_ranges
from backprop.symbolic.simplifier import to_sympy

N, K = dimensions("N K")
m, n, k, l, p, q = indices("m n k l p q")
A, C = matrix("A", N, K), matrix("C", K, K)
u, v = column("u", N), column("v", K)
x, y, z, h = scalars("x y z h")
s, t = scalars("s t", positive=True)
f, f_prime = elementwise("f")
HALF, THIRD, THREE_HALVES = Fraction(1, 2), Fraction(1, 3), Fraction(3, 2)


def normal(e, given=()):
    """A prover's algebra and the normal form of an expression in it."""
    known = read_hypotheses(given)
    prover = Prover({}, known.equations, known.inequalities)
    prover.let_range(index_ranges(e, e))
    return prover.algebra, prover.normal(e)


def equal(left, right):
    prover, (left, right) = Prover({}), map(sympify, (left, right))
    prover.let_range(index_ranges(left, right))
    return prover.by_normal_form(left, right)


def of_one_form(left, right):
    """Whether two expressions have the same normal form even before denominators are cleared."""
    prover = Prover({})
    prover.let_range(index_ranges(left, sympify(right)))
    return not prover.difference(left, sympify(right)).terms


def number(e, given=()):
    """The number that an expression comes to; None if its normal form holds more than a number."""
    return normal(sympify(e), given)[1].number


# -- arithmetic ---------------------------------------------------------------------------------------------

algebra = Algebra()
X, Y = algebra.symbol("x"), algebra.symbol("y")
ONE, ZERO = constant(1), constant(0)
MEANINGS = {"x": sympy.Symbol("x"), "y": sympy.Symbol("y")}
FACTORS = {
    "0": ({}, 0),
    "1": ({(0, 0): 1}, 1),
    "-2": ({(0, 0): -2}, -2),
    "1/2": ({(0, 0): HALF}, HALF),
    "x": ({(1, 0): 1}, None),
    "-x/3": ({(1, 0): -THIRD}, None),
    "x + 1": ({(1, 0): 1, (0, 0): 1}, None),
    "x - 1": ({(1, 0): 1, (0, 0): -1}, None),
    "y - x": ({(1, 0): -1, (0, 1): 1}, None),
    "x² - y/2 + 3": ({(2, 0): 1, (0, 1): -HALF, (0, 0): 3}, None),
    "x²y³": ({(2, 3): 1}, None),
    "1/x + y": ({(-1, 0): 1, (0, 1): 1}, None),
}


def polynomial(name):
    """A polynomial of the table, with the algebra's atoms."""
    terms = FACTORS[name][0]
    (((a, _),),), (((b, _),),) = X.terms, Y.terms
    return Polynomial({tuple((c, e) for c, e in ((a, i), (b, j)) if e): c for (i, j), c in terms.items()})


def as_sympy(poly):
    return to_sympy(poly, {}, MEANINGS)


def is_exact(poly):
    """Whether no coefficient is zero, and those that are whole are ints."""
    return all(c and (isinstance(c, int) or c.denominator > 1) for c in poly.terms.values())


@pytest.mark.parametrize(("one", "other"), list(product(FACTORS, FACTORS)))
def test_sums_and_products_are_those_of_sympy(one, other):
    a, b = polynomial(one), polynomial(other)
    left, right = as_sympy(a), as_sympy(b)
    for poly, expected in (
        (algebra.add(a, b), left + right),
        (algebra.subtract(a, b), left - right),
        (algebra.multiply(a, b), left * right),
        (algebra.multiply(a, b, a), left * right * left),
    ):
        assert sympy.expand(as_sympy(poly) - expected) == 0
        assert is_exact(poly)
        assert len(poly.terms) == len(sympy.Add.make_args(sympy.expand(expected))) or expected.equals(0)


@pytest.mark.parametrize("name", FACTORS)
def test_zero_and_one_do_nothing_or_all(name):
    a = polynomial(name)
    assert a.number == FACTORS[name][1]
    assert algebra.add(a) == algebra.multiply(a) == algebra.scale(a, 1) == a
    assert algebra.add(a, ZERO) == algebra.multiply(a, ONE) == algebra.multiply(ONE, a) == a
    for nothing in (algebra.scale(a, 0), algebra.multiply(a, ZERO), algebra.multiply(ZERO, a), algebra.subtract(a, a)):
        assert nothing.terms == {}
    assert algebra.scale(algebra.scale(a, HALF), 2) == a
    assert is_exact(algebra.scale(algebra.scale(a, Fraction(2, 3)), 3))


def test_a_sum_of_nothing_is_zero_and_a_product_of_nothing_is_one():
    assert algebra.add() == ZERO
    assert algebra.multiply() == algebra.monomial({}) == ONE


@pytest.mark.parametrize("exponent", [HALF, 1, THREE_HALVES, 2, 3])
def test_a_power_of_a_step_or_of_a_delta_is_the_step_or_the_delta(exponent):
    for poly in (algebra.step(X), algebra.delta("p", "q")):
        (((a, _),),) = poly.terms
        assert algebra.monomial({a: exponent}) == poly


def test_a_step_is_not_dropped_and_not_divided_away():
    assert not equal(step(x) ** 2 * y, y)
    assert not equal(step(x) * step(y), step(x))
    assert not equal(y * step(x) / step(x), y * step(x))


ROOTS = {  # a power of a number or of a sum, and its form with exponents from 0 to 1
    "√2·√2": (sqrt(Number(2)) * sqrt(Number(2)), 2),
    "√2³": (sqrt(Number(2)) ** 3, 2 * sqrt(Number(2))),
    "√2⁴": (sqrt(Number(2)) ** 4, 4),
    "1/√2": (1 / sqrt(Number(2)), sqrt(Number(2)) / 2),
    "1/√2³": (1 / sqrt(Number(2)) ** 3, sqrt(Number(2)) / 4),
    "√6": (sqrt(Number(6)), sqrt(Number(2)) * sqrt(Number(3))),
    "√6·√3": (sqrt(Number(6)) * sqrt(Number(3)), 3 * sqrt(Number(2))),
    "√(2/3)": (sqrt(Number(Fraction(2, 3))), sqrt(Number(6)) / 3),
    "√(x + 3)³": (sqrt(x + 3) ** 3, (x + 3) * sqrt(x + 3)),
    "√(x + 3)⁵": (sqrt(x + 3) ** 5, (x + 3) ** 2 * sqrt(x + 3)),
    "√2 √(x + 3)³ y": (sqrt(Number(2)) * y * sqrt(x + 3) ** 3 * sqrt(Number(2)), 2 * y * (x + 3) * sqrt(x + 3)),
}


@pytest.mark.parametrize(("left", "right"), ROOTS.values(), ids=ROOTS)
def test_roots_leave_whole_powers(left, right):
    assert equal(left, right)
    assert not equal(left, 2 * sympify(right))
    assert not equal(left, -sympify(right))


BELOW = 1 / (1 + x)
FRACTIONS = {
    "one": (x / (x + y) + y / (x + y), 1),
    "with coefficients": (2 * x / (2 * x - 3 * y) - 3 * y / (2 * x - 3 * y), 1),
    "square below": (x**2 / (x + y) ** 2 + 2 * x * y / (x + y) ** 2 + y**2 / (x + y) ** 2, 1),
    "cube above": (x**3 / (x + y), x**2 - x * y + y**2 - y**3 / (x + y)),
    "square above, cube below": (x**2 * BELOW**3, BELOW - 2 * BELOW**2 + BELOW**3),
    "square below, one above": (x * BELOW**2, BELOW - BELOW**2),
    "product in front": (x * y / (x * y + 1), 1 - 1 / (1 + x * y)),
    "square in front": (y**3 / (1 + 5 * y**2), y / 5 - y / (5 + 25 * y**2)),
    "negative power in front": (1 / (x * (1 + 1 / x)), 1 / (1 + x)),
    "two denominators": (x * y * BELOW / (1 + y), 1 - BELOW - 1 / (1 + y) + BELOW / (1 + y)),
    "under a root": (x / sqrt(1 - x) ** 3, 1 / sqrt(1 - x) ** 3 - 1 / sqrt(1 - x)),
    "under a root, squared": (x**2 / sqrt(2 - x) ** 3, 4 / sqrt(2 - x) ** 3 - (x + 2) / sqrt(2 - x)),
    "under a root at once": (x * (1 - x) ** -THREE_HALVES, (1 - x) ** -THREE_HALVES - (1 - x) ** -HALF),
    "a number between": (x / (2 * x + 3), HALF - 3 / (4 * x + 6)),
    "exponentials": (exp(2 * x) / (1 + exp(x)), exp(x) - 1 + 1 / (1 + exp(x))),
}


@pytest.mark.parametrize(("left", "right"), FRACTIONS.values(), ids=FRACTIONS)
def test_fractions_have_one_form(left, right):
    assert of_one_form(left, right)
    assert not equal(left, right + 1 / (x + y))
    assert not equal(left * x, right)


# -- atoms and deltas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("i", "j", "value"),
    [("0", "0", 1), ("0", "1", 0), ("1", "0", 0), ("2", "2", 1), ("12", "2", 0), ("p", "p", 1), ("~3", "~3", 1)],
)
def test_a_delta_of_indices_that_are_told_apart_is_a_number(i, j, value):
    assert Algebra().delta(i, j) == constant(value)


@pytest.mark.parametrize(("i", "j"), [("p", "q"), ("p", "0"), ("~1", "p"), ("#1", "#2")])
def test_a_delta_of_other_indices_is_symmetric_and_no_number(i, j):
    here = Algebra()
    assert here.delta(i, j) == here.delta(j, i)
    assert here.delta(i, j).number is None
    assert here.delta(i, j).indices == {i, j} - {"0"}
    assert here.delta(i, j) != here.delta(i, "1")


def test_entries_of_the_identity_are_zeros_and_ones():
    three = identity(3)
    assert [[number(three[i, j]) for j in range(3)] for i in range(3)] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert number(total(delta(k, 0) * delta(k, 1) * v[k], k)) == 0


def test_a_delta_renames_what_stands_beside_it():
    assert equal(delta(p, q) * v[q], delta(p, q) * v[p])
    assert equal(delta(p, q) * C[q, p] / v[q], delta(p, q) * C[p, p] / v[p])
    assert equal(2 * delta(p, q) * sqrt(Number(2)) * v[q], delta(p, q) * sqrt(Number(8)) * v[p])
    assert equal(delta(p, q) * sqrt(1 + v[q]) ** 3, delta(p, q) * (1 + v[p]) * sqrt(1 + v[p]))
    assert equal(v[q] / v[p] * delta(p, q), delta(p, q))
    assert not equal(delta(p, q) * v[q], v[p])
    assert not equal(delta(p, q) * v[q], 2 * delta(p, q) * v[p])


@pytest.mark.parametrize("where", [delta(p, q), functional("L", v), Integral(f(x), (x, 0, 1)), f(x), v[p], sin(x)])
def test_what_may_be_zero_or_negative_is_not_taken_to_be_positive(where):
    assert number(step(where)) is None
    assert not equal(log(where**2), 2 * log(where))
    assert not equal(sqrt(where**2), where)
    assert not equal(sign(where), 1)
    here, poly = normal(where)
    assert not here.is_positive(poly)


@pytest.mark.parametrize("where", [s, exp(x), 1 + exp(x), s * exp(-x) + 2, sqrt(s), total(exp(v[k]), k), cosh(x)])
def test_what_is_positive_has_a_sign_and_a_logarithm(where):
    assert number(step(where)) == number(sign(where)) == 1
    assert number(step(-where)) == 0
    assert number(sign(-where)) == -1
    assert equal(absolute(-where), where)
    assert equal(log(s * where), log(s) + log(where))


def test_an_atom_is_one_and_says_of_itself_only_what_it_is_told():
    here = Algebra()
    bare = here.atom("symbol", "x", frozenset(), 0)
    assert here.atom("symbol", "x", frozenset(), 0) is bare
    assert here.atom("symbol", "y", frozenset(), 0) is not bare
    assert (bare.indices, bare.depth, bare.positive) == (frozenset(), 0, False)
    told = here.atom("entry", ("v", "#2", "p"), ("#2", "p"), 2, "v", True)
    assert (told.indices, told.depth, told.positive) == ({"#2", "p"}, 2, True)


def test_the_depth_is_the_greatest_canonical_name_inside():
    here = Algebra()
    entries = [here.entry("C", i, j) for i, j in (("p", "0"), ("#1", "p"), ("#2", "#12"))]
    assert [here.depth(e) for e in (ZERO, constant(3), here.symbol("x"), *entries)] == [0, 0, 0, 0, 1, 12]
    assert here.depth(here.add(*entries)) == here.depth(here.exp(entries[2])) == 12
    assert here.depth(here.delta("#3", "p")) == 3
    assert here.depth(here.log(constant(2))) == 0


def test_bound_indices_are_numbered_from_one_and_know_their_ranges():
    here = Algebra()
    ends = [(ZERO, here.symbol("N")), (ONE, constant(4)), (ZERO, ZERO)]
    names = [here.fresh(*each) for each in ends]
    assert names == ["~1", "~2", "~3"]
    assert [here.ranges[name] for name in names] == ends


def test_symbols_are_literals_or_names():
    here = Algebra(positive=["w"])
    assert [here.symbol(name).number for name in ("0", "1", "12", "x")] == [0, 1, 12, None]
    assert here.symbol("x").indices == {"x"}
    assert here.entry("A", "0", "p").indices == {"p"}
    assert [here.is_positive(here.symbol(name)) for name in ("w", "x")] == [True, False]
    assert [here.is_positive(here.entry(name, "p", "q")) for name in ("w", "x")] == [True, False]


# -- exponentials and logarithms ----------------------------------------------------------------------------

SMOOTH = {
    "exp of a sum": (exp(x + 2 * s - 1), lambda x, s: math.exp(x + 2 * s - 1)),
    "exp of a number": (exp(Number(2)) * exp(Number(-1)), lambda x, s: math.e),
    "exp of zero": (exp(0 * x), lambda x, s: 1),
    "exp of a logarithm": (exp(-2 * log(s) + x), lambda x, s: math.exp(x) / s**2),
    "exp of half a logarithm": (exp(log(s) / 2), lambda x, s: math.sqrt(s)),
    "exp of a squared logarithm": (exp(log(s) ** 2), lambda x, s: math.exp(math.log(s) ** 2)),
    "exp of x logarithms": (exp(x * log(s)), lambda x, s: s**x),
    "exp of one over a logarithm": (exp(1 / log(1 + s)), lambda x, s: math.exp(1 / math.log(1 + s))),
    "log of a product": (log(3 * s**2 * exp(x)), lambda x, s: math.log(3) + 2 * math.log(s) + x),
    "log of a root": (log(sqrt(1 + s) * s), lambda x, s: math.log(1 + s) / 2 + math.log(s)),
    "log of a number": (log(Number(Fraction(2, 3))), lambda x, s: math.log(2 / 3)),
    "log of one": (log(x / x), lambda x, s: 0),
    "log of a square": (log(x**2), lambda x, s: math.log(x * x)),
    "log of a sum": (log(2 * s + 4), lambda x, s: math.log(2 * s + 4)),
    "log of a sum of squares": (log(3 * x**2 + 3), lambda x, s: math.log(3 * x * x + 3)),
    "log of a fraction": (log(s / (1 + s) + 1), lambda x, s: math.log(s / (1 + s) + 1)),
    "log of one over a sum": (log(1 / (1 + s) ** 2), lambda x, s: -2 * math.log(1 + s)),
    "log of a common factor": (log(s * x**2 + s), lambda x, s: math.log(s * x * x + s)),
    "log of a product of minus signs": (log(-5 * s * x + 10 * s), lambda x, s: math.log(10 * s - 5 * s * x)),
}
POINTS = list(product((-2.5, -1.0, 0.75, 1.0), (0.5, 1.5, 3.0)))


@pytest.mark.parametrize(("e", "value"), SMOOTH.values(), ids=SMOOTH)
def test_exponentials_and_logarithms_keep_their_values(e, value):
    here, poly = normal(e)
    assert all(a.kind in ("symbol", "exp", "log", "base") for a in here.atoms_of(poly))
    for at in POINTS:
        found = to_sympy(poly, {}, {"x": sympy.Float(at[0], 30), "s": sympy.Float(at[1], 30)})
        assert complex(found) == pytest.approx(value(*at), rel=1e-12)


LOGARITHMS = {
    "a number comes out": (log(2 * x + 2 * y), log(Number(2)) + log(x + y)),
    "another number": (log(6 * x - 3 * y), log(Number(3)) + log(2 * x - y)),
    "a fraction": (log(x / 2 + y / 2), log(x + y) + log(Number(HALF))),
    "a positive factor": (log(s * x + s * y), log(s) + log(x + y)),
    "both": (log(2 * s * x + 2 * s), log(Number(2)) + log(s) + log(1 + x)),
    "a denominator": (log(x**2 / (1 + s) + s / (1 + s)), log(x**2 / (1 + s) + s / (1 + s)) + 0 * x),
    "a positive fraction": (log(s / (1 + t) + 1), log(1 + s + t) - log(1 + t)),
    "a root": (log(sqrt(1 + s)), log(1 + s) / 2),
    "an inverse": (log(1 / s), -log(s)),
    "a product": (log(s * t / 2), log(s) + log(t) + log(Number(HALF))),
    "an exponential": (log(exp(x) * s), x + log(s)),
    "which is undone": (exp(2 * log(s)), s**2),
    "which is undone in part": (exp(x - log(x + y) + log(s) / 2), exp(x) * sqrt(s) / (x + y)),
}
NOT_LOGARITHMS = {
    "of a number": (log(2 * x + 2 * y), log(x + y)),
    "of twice": (log(2 * x + 2 * y), 2 * log(x + y)),
    "of a sum": (log(s + t), log(s) + log(t)),
    "of a factor without a sign": (log(x * s), log(x) + log(s)),
    "of a square": (log(x**2), 2 * log(x)),
    "of a common factor without a sign": (log(x * y + x), log(x) + log(1 + y)),
    "of the negative": (log(-s), log(s)),
    "of the negative of a sum": (log(-2 * x - 2 * y), log(Number(2)) + log(x + y)),
    "exp of a product of logarithms": (exp(log(s) * log(t)), s * t),
    "exp of a squared logarithm": (exp(log(s) ** 2), s**2),
}


@pytest.mark.parametrize(("left", "right"), LOGARITHMS.values(), ids=LOGARITHMS)
def test_positive_factors_leave_a_logarithm(left, right):
    assert equal(left, right)
    assert not equal(left, right + log(Number(2)))


@pytest.mark.parametrize(("left", "right"), NOT_LOGARITHMS.values(), ids=NOT_LOGARITHMS)
def test_nothing_else_leaves_a_logarithm(left, right):
    assert not equal(left, right)


def test_the_logarithm_of_zero_is_an_error():
    with pytest.raises(ZeroDenominator, match="the logarithm of zero"):
        Algebra().log(ZERO)
    assert Algebra().log(ONE) == ZERO


# -- steps, signs and sizes ---------------------------------------------------------------------------------


def positive_part(value):
    return max(value, 0)


def sign_of(value):
    return (value > 0) - (value < 0)


def step_of(value):
    return int(value > 0)


WITH_SIGNS = [  # of x and y of either sign or zero, and of s, which is positive
    (0 * x, lambda x, y, s: 0),
    (x, lambda x, y, s: x),
    (-x, lambda x, y, s: -x),
    (x / 2, lambda x, y, s: x / 2),
    (-x / 2, lambda x, y, s: -x / 2),
    (2 * x, lambda x, y, s: 2 * x),
    (-3 * x, lambda x, y, s: -3 * x),
    (-2 * s, lambda x, y, s: -2 * s),
    (s / 3, lambda x, y, s: s / 3),
    (x * y, lambda x, y, s: x * y),
    (-x * y * s, lambda x, y, s: -x * y * s),
    (x**2, lambda x, y, s: x**2),
    (-(x**2), lambda x, y, s: -(x**2)),
    (x**3, lambda x, y, s: x**3),
    (x**2 * y, lambda x, y, s: x**2 * y),
    (x**3 * y**2, lambda x, y, s: x**3 * y**2),
    (x + 1, lambda x, y, s: x + 1),
    (2 * x - y, lambda x, y, s: 2 * x - y),
    (s * x - 2 * s, lambda x, y, s: s * x - 2 * s),
    (x**2 + s, lambda x, y, s: x**2 + s),
    (-(x**2) - s, lambda x, y, s: -(x**2) - s),
    (x**2 + y**2, lambda x, y, s: x**2 + y**2),
    (-(x**2) - y**2, lambda x, y, s: -(x**2) - y**2),
    (relu(x), lambda x, y, s: positive_part(x)),
    (-relu(x), lambda x, y, s: -positive_part(x)),
    (relu(x) - s * step(x), lambda x, y, s: (x - s) * step_of(x)),
    (step(x) * step(y) * (x - y), lambda x, y, s: step_of(x) * step_of(y) * (x - y)),
    (step(x) - step(y), lambda x, y, s: step_of(x) - step_of(y)),
    (x * step(y), lambda x, y, s: x * step_of(y)),
]
SIGNED = [(Fraction(a), Fraction(b), Fraction(c)) for a, b, c in product((-2, 0, HALF, 3), (-1, 0, 2), (HALF, 2))]


def value_at(e, place):
    """The value of a normal form where its names are given numbers."""
    here, poly = normal(e)
    for name, value in zip("xys", place, strict=True):
        poly = replace_entries(here, poly, name, lambda value=value: constant(value))
    return poly.number


@pytest.mark.parametrize(
    ("function", "meaning"), [(step, step_of), (sign, sign_of), (absolute, abs), (relu, positive_part)]
)
@pytest.mark.parametrize(("e", "value"), WITH_SIGNS, ids=[str(e) for e, _ in WITH_SIGNS])
def test_functions_with_a_kink_have_their_values_on_both_sides_and_at_it(function, meaning, e, value):
    for place in SIGNED:
        assert value_at(function(e), place) == meaning(value(*place))


@pytest.mark.parametrize("e", [1 / x, -2 / x, x / y, 1 / x**2, -y / x**2, y**2 / x**3])
def test_signs_and_sizes_of_quotients(e):
    for place in SIGNED:
        if place[0] and place[1]:
            value = value_at(e, place)
            assert value_at(sign(e), place) == sign_of(value)
            assert value_at(absolute(e), place) == abs(value)
            assert value_at(step(e), place) == step_of(value)


ONE_FORM = {
    "a product of signs": (sign(x * y), sign(x) * sign(y)),
    "a scaled sign": (sign(-3 * x / 2), -sign(x)),
    "a sign with a positive factor": (sign(s * x), sign(x)),
    "a square has no sign but zero": (sign(x**2 * y), sign(x) ** 2 * sign(y)),
    "a sign is two steps": (sign(x + y), step(x + y) - step(-x - y)),
    "a size is the sum of two parts": (absolute(x), relu(x) + relu(-x)),
    "a product of sizes": (absolute(-2 * x * y), 2 * absolute(x) * absolute(y)),
    "the size of a square": (absolute(-(x**2) * y), x**2 * absolute(y)),
    "a scaled step": (step(x / 3), step(x)),
    "a step with a positive factor": (step(s * x - s * exp(x)), step(x - exp(x))),
    "a step comes out of a step": (step(step(y) * (x - s)), step(y) * step(x - s)),
    "a root's size": (sqrt(x**2), absolute(x)),
}
NOT_ONE_FORM = {
    "a sign and its square": (sign(x) ** 2, sign(x)),
    "a sign and its negative": (sign(-x), sign(x)),
    "a step and that of the negative": (step(-x), step(x)),
    "a step and a shifted step": (step(x + 1), step(x)),
    "a product of steps": (step(x * y), step(x) * step(y)),
    "a size and its argument": (absolute(x), x),
    "a size of a sum": (absolute(x + y), absolute(x) + absolute(y)),
    "a step that stands in one term": (step(step(y) * x + z), step(y) * step(x + z)),
}


@pytest.mark.parametrize(("left", "right"), ONE_FORM.values(), ids=ONE_FORM)
def test_signs_and_steps_of_products_have_one_form(left, right):
    assert equal(left, right)


@pytest.mark.parametrize(("left", "right"), NOT_ONE_FORM.values(), ids=NOT_ONE_FORM)
def test_signs_and_steps_that_differ_have_different_forms(left, right):
    assert not equal(left, right)


def test_a_sign_that_a_hypothesis_gives_is_used():
    assert number(step(x - y), given=[x > y]) == number(sign(x - y) ** 2 - 1 + step(x - y), given=[x > y]) == 1
    assert number(step(y - x), given=[x >= y]) == 0
    assert number(step(x - y), given=[x >= y]) is None
    assert number(absolute(x - y) - x + y, given=[x >= y]) == 0
    assert number(absolute(y - x) - x + y, given=[x >= y]) == 0


# -- undefined functions and functionals --------------------------------------------------------------------


def test_an_undefined_function_is_known_by_its_name_its_order_and_its_argument():
    g, _ = elementwise("g")
    assert equal(f(x + y), f(y + x))
    for other in (g(x), f_prime(x), f(y), f(-x), -f(x), f(x) ** 2):
        assert not equal(f(x), other)
    assert equal(Partial(f(2 * x), x), 2 * f_prime(2 * x))


def only_atom(poly):
    (((a, e),),) = poly.terms
    assert e == 1
    return a


def test_the_parameters_of_functionals_are_numbered_by_depth():
    inner = functional("L", v)
    for e, level in ((inner, 1), (functional("L", C), 1), (functional("M", inner * v), 2)):
        assert only_atom(normal(e)[1]).data[2] == level
    twice = functional("L", functional("M", inner * v) * v + inner * v)
    assert only_atom(normal(twice)[1]).data[2] == 3


FUNCTIONALS = {
    "a column": functional("L", v),
    "a matrix": functional("L", C * C),
    "a number": functional("L", x),
    "two arguments": functional("L", A.T * A, v * x),
    "a functional inside": functional("L", functional("L", v) * f(v)),
    "at an entry": functional("L", A[m, p] * v),
}


@pytest.mark.parametrize("e", FUNCTIONALS.values(), ids=FUNCTIONALS)
def test_a_functional_that_is_opened_and_closed_again_is_the_same(e):
    here, poly = normal(e)
    a = only_atom(poly)
    opened = here.open_functional(a)
    assert here.functional(a.data[0], a.data[1], opened) == poly
    assert len({i for *names, _ in opened for i in names if i != "0"}) == sum(
        size is not None for sizes, _ in a.data[3] for size in sizes
    )
    for n, (i, j, inside) in enumerate(opened):
        assert {i, j} - {"0"} <= inside.indices
        assert [None if name == "0" else here.ranges[name] for name in (i, j)] == [
            None if last is None else (ZERO, last) for last in a.data[3][n][0]
        ]


def test_the_free_indices_of_a_functional_are_those_outside_its_parameters():
    here, poly = normal(functional("L", A[m, p] * v))
    assert poly.indices == {"m", "p"}
    here, poly = normal(Partial(Partial(functional("L", A[m, p] * v), v[q]), v[p]))
    assert poly.indices == {"m", "p", "q"}
    assert normal(functional("L", v))[1].indices == frozenset()
    assert here.depth(poly) == 0


def test_the_order_of_a_functionals_derivatives_does_not_matter_but_their_places_do():
    loss = functional("L", C)
    assert equal(Partial(Partial(loss, C[p, q]), C[q, q]), Partial(Partial(loss, C[q, q]), C[p, q]))
    assert not equal(Partial(loss, C[p, q]), Partial(loss, C[q, p]))
    assert not equal(Partial(loss, C[p, q]), Partial(functional("M", C), C[p, q]))
    assert not equal(Partial(functional("L", v, C * v), v[p]), Partial(functional("L", C * v, v), v[p]))


# -- integrals ----------------------------------------------------------------------------------------------

KINKED = {  # a function with a kink at 0 and its antiderivative
    "|x|": (absolute(x), lambda x: x * abs(x) / 2),
    "relu(x)": (relu(x), lambda x: max(x, 0) ** 2 / 2),
    "relu(-x)": (relu(-x), lambda x: -(min(x, 0) ** 2) / 2),
    "1[x > 0]": (step(x), lambda x: max(x, 0)),
    "3 - 1[-x > 0] x²": (3 - step(-x) * x**2, lambda x: 3 * x - Fraction(min(x, 0)) ** 3 / 3),
    "x² + 1": (x**2 + 1, lambda x: x**3 / 3 + x),
}
ENDS = [(a, b) for a, b in product((-2, -1, 0, 3), repeat=2) if a <= b] + [(3, 1), (-1, -2)]


@pytest.mark.parametrize(("body", "whole"), KINKED.values(), ids=KINKED)
def test_an_integral_over_a_kink_is_taken_on_each_side_of_it(body, whole):
    for low, high in ENDS:
        expected = whole(Fraction(high)) - whole(Fraction(low))
        assert number(Integral(body, (x, low, high))) == expected, (low, high)


SYMBOLIC_ENDS = {
    "around": (-s, s, s**2),
    "lopsided": (-s, 2 * s, 5 * s**2 / 2),
    "from 0": (0, s, s**2 / 2),
    "to 0": (-s, 0, s**2 / 2),
    "above": (s, 3 * s, 4 * s**2),
    "below": (-3 * s, -s, 4 * s**2),
}


@pytest.mark.parametrize(("low", "high", "value"), SYMBOLIC_ENDS.values(), ids=SYMBOLIC_ENDS)
def test_an_integral_over_a_kink_between_ends_of_known_sign(low, high, value):
    assert equal(Integral(absolute(x), (x, low, high)), value)
    assert not equal(Integral(absolute(x), (x, low, high)), value + s)


@pytest.mark.parametrize(
    ("low", "high", "value"),
    [(-INFINITY, INFINITY, 2), (-INFINITY, 0, 1), (0, INFINITY, 1)],
)
def test_an_integral_over_a_kink_to_infinity(low, high, value):
    assert equal(Integral(exp(-absolute(x)), (x, low, high)), value)


@pytest.mark.parametrize(("low", "high"), [(y, 1), (-1, y), (y - 1, s), (-s, s - t)])
def test_an_integral_over_a_kink_needs_ends_of_known_sign(low, high):
    with pytest.raises(ExpressionError, match="needs ends whose signs are known"):
        normal(Integral(absolute(x), (x, low, high)))


@pytest.mark.parametrize("body", [relu(x - 1), absolute(x + y), step(x**2 - s)])
def test_a_kink_elsewhere_than_at_zero_is_refused(body):
    with pytest.raises(ExpressionError, match="takes kinks at 0 only"):
        normal(Integral(body, (x, -1, 1)))


def test_nothing_is_added_on_the_side_of_a_kink_where_the_integral_does_not_go():
    assert number(Integral(relu(x) * f(x), (x, -1, 0))) == 0
    assert number(Integral(relu(-x) * f(x), (x, 0, 1))) == 0
    assert equal(Integral(absolute(x) * f(x), (x, -1, 0)), Integral(-x * f(x), (x, -1, 0)))
    assert equal(Integral(absolute(x) * f(x), (x, 0, 1)), Integral(x * f(x), (x, 0, 1)))
    assert equal(Integral(absolute(x) * f(x), (x, 1, 2)), Integral(x * f(x), (x, 1, 2)))


def test_a_kink_of_another_variable_is_left_as_it_is():
    assert equal(Integral(x * relu(y), (x, 0, 2)), 2 * relu(y))


def test_integrals_without_a_closed_form_do_not_capture_one_another():
    inner = Integral(f(x + 2 * y), (y, 0, 1))
    both = Integral(f(x) * inner, (x, 0, 1))
    assert equal(both, Integral(f(z) * Integral(f(z + 2 * h), (h, 0, 1)), (z, 0, 1)))
    assert not equal(both, Integral(f(x) * Integral(f(y + 2 * y), (y, 0, 1)), (x, 0, 1)))
    assert not equal(both, Integral(f(x) * Integral(f(y + 2 * x), (y, 0, 1)), (x, 0, 1)))
    assert not equal(Integral(f(x), (x, 0, 1)), Integral(f(x), (x, 0, s)))
    assert normal(Integral(f(x * v[p]), (x, 0, u[m])))[1].indices == {"p", "m"}


# -- limits -------------------------------------------------------------------------------------------------

ONE_SIDED = {  # a function of h, its limits at 0 from above and from below
    "|h|/h": (absolute(h) / h, 1, -1),
    "relu(h)/h": (relu(h) / h, 1, 0),
    "relu(-h)/h": (relu(-h) / h, 0, -1),
    "1[h > 0]": (step(h), 1, 0),
    "1[-h > 0]": (step(-h), 0, 1),
    "sign": (3 * sign(h) + h, 3, -3),
    "1/(1 + e^(1/h))": (1 / (1 + exp(1 / h)), 0, 1),
    "e^(-|h|)": ((1 - exp(-absolute(h))) / h, 1, -1),
}


@pytest.mark.parametrize(("body", "above", "below"), ONE_SIDED.values(), ids=ONE_SIDED)
def test_limits_from_one_side(body, above, below):
    assert number(Limit(body, h, 0, "+")) == above
    assert number(Limit(body, h, 0, "-")) == below
    with pytest.raises(ExpressionError, match="the limit from above differs from the limit from below"):
        normal(Limit(body, h, 0))


@pytest.mark.parametrize(("body", "value"), [(absolute(h), 0), (relu(h) ** 2 / h, 0), (absolute(h) ** 3 / h**2 + 1, 1)])
def test_a_limit_from_both_sides_is_the_limit_from_each(body, value):
    assert [number(Limit(body, h, 0, *direction)) for direction in ((), ("+",), ("-",))] == [value] * 3


def remainder(order):
    """f(x + h) less its Taylor polynomial of a degree below `order`, and the derivative that comes next."""
    rest, derivative = f(x + h), f
    for degree in range(order):
        rest = rest - derivative(x) * h**degree / math.factorial(degree)
        derivative = derivative.prime
    return rest, derivative(x)


@pytest.mark.parametrize("order", range(7))
def test_a_limit_of_a_remainder_is_the_next_derivative(order):
    rest, derivative = remainder(order)
    assert equal(Limit(rest / h**order, h, 0), derivative / math.factorial(order))
    assert not equal(Limit(rest / h**order, h, 0), derivative * math.factorial(order) + 1)
    assert number(Limit(h * rest / h**order, h, 0)) == 0


@pytest.mark.parametrize("body", [f(h) / h, 1 / h, f(h) / h**2 - f(0 * h) / h**2, remainder(7)[0] / h**7])
def test_a_limit_that_is_infinite_or_takes_more_than_six_derivatives_is_refused(body):
    with pytest.raises(ExpressionError, match="no closed form that the engine can find"):
        normal(Limit(body, h, 0))


ELSEWHERE = {  # limits where Taylor's formula at 0 has nothing to say
    "a quotient at 2": (Limit((h**2 - 4) / (h - 2), h, 2), 4),
    "a square at 3": (Limit(h**2 + 1, h, 3), 10),
    "a square at -1": (Limit(h**2 + h, h, -1, "-"), 0),
    "at infinity": (Limit((2 * h + 1) / (h - 1), h, INFINITY), 2),
    "at minus infinity": (Limit(3 + exp(h), h, -INFINITY), 3),
    "at a symbol": (Limit((h**2 - s**2) / (h - s), h, s), 2 * s),
}


@pytest.mark.parametrize(("limit", "value"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_limits_elsewhere_than_at_zero_are_sympys(limit, value):
    assert equal(limit, value)
    assert normal(limit)[0].asked_sympy


def test_it_is_noted_whether_sympy_was_asked():
    for e, asked in (
        (x**2, False),
        (Limit((f(x + h) - f(x)) / h, h, 0), False),
        (Limit(absolute(h) / h, h, 0, "-"), False),
        (Limit(sin(h) / h, h, 0), True),
        (Integral(absolute(x), (x, -1, 1)), True),
    ):
        assert normal(e)[0].asked_sympy == asked, e


def test_only_powers_of_the_variable_below_count_as_taylors():
    assert equal(Limit(f(h) / x**7, h, 0), f(0 * x) / x**7)


def test_a_limit_with_a_root_below_is_not_taylors():
    here = Algebra()
    variable = here.symbol("h", positive=True)
    body = here.multiply(here.subtract(here.exp(variable), ONE), here.power(variable, -HALF))
    assert analysis.limit(here, body, "h", ZERO, "+") == ZERO


def test_zero_is_put_in_everywhere_and_for_one_name_only():
    here, poly = normal(x * f(y) + exp(x * y) + f(x + y) + 2)
    assert analysis.at_zero(here, poly, "x") == here.add(here.undefined("f", 0, here.symbol("y")), constant(3))
    assert here.subtract(analysis.at_zero(here, poly, "z"), poly) == ZERO


@pytest.mark.parametrize(("low", "high"), [(1, -1), (1, 0), (0, -1), (-1, 0), (0, 1), (0, 0), (2, 1), (-1, -2)])
def test_an_integral_over_a_kink_may_run_backwards(low, high):
    x_abs = Integral(absolute(x), (x, low, high))
    expected = Fraction(high * abs(high) - low * abs(low), 2)
    assert number(x_abs) == expected
    assert Derivation(x_abs).then(expected, because="an area with its sign").evidence is Evidence.PROVED


@pytest.mark.parametrize("function", [relu, step, sign, absolute, log])
def test_what_stands_over_a_positive_denominator_comes_out_of_a_function(function):
    inside, whole = x**2 / (1 + s) + 1, x**2 + 1 + s
    taken_out = {relu: 1 / (1 + s), absolute: 1 / (1 + s)}.get(function, 1)
    expected = log(whole) - log(1 + s) if function is log else function(whole) * taken_out
    assert equal(function(inside), expected)


# -- the same whatever came before --------------------------------------------------------------------------


@pytest.mark.parametrize("before", range(12))
def test_a_form_does_not_depend_on_how_many_indices_were_bound_before(before):
    w = column("w", K)
    whole = lambda *names: [(name, 0, size - 1) for name, size in names]  # noqa: E731
    twice = Sum(delta(k, m) * delta(l, m) * w[m], *whole((k, N), (l, N), (m, K)))
    once = Sum(delta(k, m) * w[m], *whole((k, N), (m, K)))
    prover = Prover({})
    for _ in range(before):
        prover.algebra.fresh(constant(0), constant(1))
    assert prover.by_normal_form(twice, once)
