"""The refuter part by part: values, numbers, index ranges, worlds and hints are what their names say."""

import random
from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import pytest

from backprop.symbolic import (
    INFINITY,
    PI,
    Derivation,
    Evidence,
    ExpressionError,
    Grad,
    Integral,
    Jacobian,
    Limit,
    Partial,
    ShapeError,
    Sum,
    absolute,
    column,
    cos,
    cosh,
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
    log,
    matrix,
    norm,
    ones,
    refusal,
    relu,
    row,
    scalars,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqrt,
    step,
    tanh,
    text,
    total,
    trace,
    zeros,
)
from backprop.symbolic.definitions import read_definitions
from backprop.symbolic.diagnosis import what_is_wrong
from backprop.symbolic.evaluation import OutsideDomain, Values
from backprop.symbolic.expressions import Divide, Number, Power, sympify
from backprop.symbolic.high_precision import HighPrecision, digits, draw, near, number_of
from backprop.symbolic.hypotheses import Equation, read_hypotheses
from backprop.symbolic.ranges import free_indices, index_ranges, is_natural, linear, natural_limits, plus_one
from backprop.symbolic.refutation import Counterexample, Refuter

N, K, M = dimensions("N K M")
n, k, i, j = indices("n k i j")
x, y, z, c, d = scalars("x y z c d")
s = scalars("s", positive=True)
A, B, C = matrix("A", N, K), matrix("B", N, K), matrix("C", K, K)
D, t = matrix("D", 2, 3), column("t", 3)
u, v, r = column("u", N), column("v", K), row("r", K)
f, f_prime = elementwise("f")
HALF = Fraction(1, 2)

ROWS = {
    A: [[1, -2, 3], [Fraction(1, 4), 5, -1]],
    B: [[2, 1, -1], [4, -5, HALF]],
    C: [[1, 2, 0], [-1, 3, 1], [0, 0, -2]],
    u: [[1], [-1]],
    v: [[2], [-1], [3]],
    r: [[-1, 4, HALF]],
    D: [[1, -2, 3], [Fraction(1, 4), 5, -1]],
    t: [[2], [-1], [3]],
}


def exact(value):
    return HighPrecision.rational(Fraction(value))


def array(rows):
    return HighPrecision.array([[exact(e) for e in each] for each in rows], np.shape(rows))


def values(let=None, **numbers):
    """A world with N = 2 and K = 3, known matrices, and x = 1/2, c = -3 unless told otherwise."""
    leaves = {N: 2, K: 3} | {m: array(rows) for m, rows in ROWS.items()}
    leaves |= {name: exact(numbers.get(name.name, 0)) for name in (y, z, d)}
    leaves |= {x: exact(numbers.get("x", HALF)), c: exact(numbers.get("c", -3)), s: exact(numbers.get("s", 2))}
    return Values(HighPrecision("a world"), leaves, read_definitions(let))


def exactly(value, rows):
    """Whether an array or a number is what exact fractions make."""
    if not isinstance(value, np.ndarray):
        return near(value, exact(rows))
    rows = np.array(rows, dtype=object)
    return value.shape == rows.shape and all(near(a, exact(b)) for a, b in zip(value.flat, rows.flat, strict=True))


def fractions(m):
    return np.array([[Fraction(e) for e in each] for each in ROWS[m]], dtype=object)


a_, b_, c_ = fractions(A), fractions(B), fractions(C)

# -- values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (x + c + 1, Fraction(-3, 2)),
        (x - c - x, 3),
        (x * c * c, Fraction(9, 2)),
        (x / c, Fraction(-1, 6)),
        (A / c, a_ / -3),
        (c * A * x, a_ * Fraction(-3, 2)),
        (A * C * v, a_ @ c_ @ fractions(v)),
        (A.T * u, a_.T @ fractions(u)),
        (x * A * 2 * C * c, -3 * (a_ @ c_)),
        (A - B + A, 2 * a_ - b_),
        (hadamard(A, B, A), a_ * b_ * a_),
        (divide(A, B), a_ / b_),
        (Divide(A, B, B), a_ / b_ / b_),
        (Divide(ones(N, K), A), 1 / a_),
        (ones(N, K), [[1, 1, 1], [1, 1, 1]]),
        (ones(N), [[1], [1]]),
        (zeros(K), [[0], [0], [0]]),
        (zeros(N, 1), [[0], [0]]),
        (identity(K), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        (identity(1), [[1]]),
        (diag(v), [[2, 0, 0], [0, -1, 0], [0, 0, 3]]),
        (diag(r), [[-1, 0, 0], [0, 4, 0], [0, 0, HALF]]),
        (trace(C), 2),
        (trace(C * C), -1 + 7 + 4),
        (inner(A, B), sum((a_ * b_).flat)),
        (norm(u * u.T), 2),
        (norm(v - v), 0),
        (D[1, 0] * t[2], Fraction(3, 4)),
        ((D * D.T)[0, 1], Fraction(1, 4) - 13),
        (N * K + N, 8),
        (N / K, Fraction(2, 3)),
        (delta(0, 0) + delta(1, 0), 1),
        (delta(0, 1), 0),
        (total(k, (k, K)), 3),
        (Sum(k, (k, 2, 5)), 14),
        (Sum(k, (k, -2, 1)), -2),
        (Sum(x, (k, 1, 0)), 0),
        (Sum(x, (k, 0, N * 107 * Fraction(1, 107) - 1)), 1),  # in 80 digits the end is just below 1
        (Sum(n * k, (n, 1, N), (k, 0, K - 1)), 9),
        (total(C[n, k] * delta(n, k), n, k), 2),
        (total(v[k] * r[k], k), Fraction(-9, 2)),
        (total(total(A[n, k], k) ** 2, n), 4 + Fraction(289, 16)),
    ],
    ids=str,
)
def test_a_value_is_what_the_formula_says(e, expected):
    assert exactly(values().of(sympify(e)), expected)


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [
        (0, 0, 1),
        (0, 1, 0),
        (0, HALF, 0),
        (2, -1, HALF),
        (-1, 3, -1),
        (-1, -3, -1),
        (-2, 2, 4),
        (-HALF, -2, 4),
        (-HALF, 3, Fraction(-1, 8)),
        (4, HALF, 2),
        (4, -HALF, HALF),
        (Fraction(9, 4), Fraction(3, 2), Fraction(27, 8)),
    ],
)
def test_powers_have_their_values(base, exponent, expected):
    assert exactly(values(x=base, c=exponent).of(Power(x, c)), expected)


@pytest.mark.parametrize(
    ("base", "exponent"),
    [(0, -1), (0, -HALF), (-HALF, HALF), (-1, HALF), (-2, -HALF), (Fraction(-1, 9), Fraction(4, 3))],
)
def test_a_power_outside_its_domain_says_which_base(base, exponent):
    with pytest.raises(OutsideDomain, match="x is not defined here") as outside:
        values(x=base, c=exponent).of(Power(x, c))
    assert outside.value.where == x


@pytest.mark.parametrize(
    ("e", "where"),
    [
        (x / y, y),
        (A / (y * 2), y * 2),
        (Divide(A, hadamard(A, zeros(N, K))), hadamard(A, zeros(N, K))),
        (Divide(ones(K, K), A.T * A, C), C),
        (Divide(ones(K, K), C, ones(K, K)), C),
        (log(y), y),
        (log(c), c),
        (sqrt(c), c),
        (sqrt(A), A),
        (exp(10**31 * x), 10**31 * x),
        (sinh(10**31 * c), 10**31 * c),
        (cosh(-(10**31) * x), -(10**31) * x),
    ],
    ids=str,
)
def test_what_has_no_value_says_where(e, where):
    with pytest.raises(OutsideDomain) as outside:
        values().of(e)
    assert outside.value.where == where


@pytest.mark.parametrize("entries", [[-1, 1, -1], [1, 2, HALF], [-2, -1, 3]])
def test_only_zeros_forbid_a_division_entry_by_entry(entries):
    world = values()
    world.leaves[r] = array([entries])
    assert exactly(world.of(divide(ones(1, K), r)), [[1 / Fraction(e) for e in entries]])
    for at in range(3):
        world = values()
        world.leaves[r] = array([[0 if place == at else e for place, e in enumerate(entries)]])
        with pytest.raises(OutsideDomain):
            world.of(divide(ones(1, K), r))


@pytest.mark.parametrize(
    "e",
    [Sum(x, (k, 0, Fraction(5, 2))), Sum(x, (k, 0, N / 3)), Sum(x, (k, N / 4, N)), Sum(x, (k, 0, N * Fraction(3, 4)))],
    ids=str,
)
def test_the_end_of_a_range_is_a_whole_number(e):
    with pytest.raises(OutsideDomain, match="as a whole number"):
        values().of(e)


def test_names_without_a_value_are_named():
    with pytest.raises(ExpressionError, match="w has no value"):
        values().of(column("w", K))
    with pytest.raises(ExpressionError, match="∞ is not a number; it may stand only at the end"):
        values().of(x + INFINITY)


def test_free_indices_take_the_given_values():
    world = values()
    for at in np.ndindex(2, 3):
        here = dict(zip((n, k), at, strict=True))
        assert world.of(A[n, k], here) == world.leaves[A][at]
        assert world.of(n * 10 + k, here) == 10 * at[0] + at[1]
        assert world.of(delta(n, k), here) == (at[0] == at[1])
        assert world.of(total(A[n, k], n), here) == sum(world.leaves[A][:, at[1]])


def test_definitions_are_unfolded_and_leaves_come_first():
    P, Q = matrix("P", N, K), matrix("Q", K, N)
    let = {P: A + B, Q[i, j]: i * 10 + j, y: x * 2}
    world = Values(
        HighPrecision("a"), {key: e for key, e in values().leaves.items() if key != y}, read_definitions(let)
    )
    assert exactly(world.of(P), a_ + b_)
    assert exactly(world.of(P[n, k], {n: 1, k: 2}), a_[1, 2] + b_[1, 2])
    assert exactly(world.of(Q), [[0, 1], [10, 11], [20, 21]])
    assert world.of(Q[i, j], {i: 2, j: 1}) == 21
    assert world.of(Q[i, j], {i: 1, j: 0}) == 10
    assert world.of(y) == 1
    world = Values(HighPrecision("a"), {**world.leaves, Q: array([[7, 7], [7, 7], [7, 7]])}, read_definitions(let))
    assert world.of(Q[i, j], {i: 2, j: 1}) == 7


def test_a_functional_is_a_function_of_all_entries_of_its_arguments():
    world, numbers = values(), HighPrecision("a world")
    at_x, at_c, entries = world.of(x), world.of(c), list(world.of(D).flat)
    assert world.of(functional("L", x)) == numbers.functional("L", [at_x])
    assert world.of(functional("L", c, D, x)) == numbers.functional("L", [at_c, *entries, at_x])
    assert world.of(functional("L", D)) == numbers.functional("L", entries)
    assert world.of(functional("L", D)) != world.of(functional("M", D))


# -- derivatives, integrals and limits ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (Partial(x**3 * c, x), Fraction(-9, 4)),
        (Partial(x**3 * c, c), Fraction(1, 8)),
        (Partial(x**3, y), 0),
        (Partial(Partial(x**3 * c, x), c), Fraction(3, 4)),
        (Partial(Partial(Partial(x**4, x), x), x), 12),
        (Partial(inner(D, D), D[1, 2]), -2),
        (Partial(D[0, 1] * D[1, 0] * t[2], D[0, 1]), Fraction(3, 4)),
        (Partial(t[1] ** 2 * t[2], t[1]), -6),
        (Grad(inner(A, B), A), b_),
        (Grad(inner(A, A) * x, A), a_),
        (Grad(total(v[k] ** 3, k), v), [[12], [3], [27]]),
        (Grad(total(r[k] ** 2, k), r), [[-2, 8, 1]]),
        (Jacobian(C * v, v), c_),
        (Jacobian(r * C, r), c_.T),
        (Jacobian(v.T * C, v), c_.T),
        (Jacobian(A * v, v), a_),
        (Jacobian((A * r.T).T, r), a_),
        (Integral(z**2, (z, 0, 1)), Fraction(1, 3)),
        (Integral(z**2, (z, c, x)), Fraction(1, 24) + 9),
        (Integral(z, (z, 1, 0)), -HALF),
        (Integral(relu(z), (z, -1, 2)), 2),
        (Integral(absolute(z), (z, -2, 1)), Fraction(5, 2)),
        (Integral(step(z), (z, -2, 3)), 3),
        (Integral(exp(-z), (z, 0, INFINITY)), 1),
        (Integral(exp(z), (z, -INFINITY, 0)), 1),
        (Integral(exp(-(z**2)) / sqrt(PI), (z, -INFINITY, INFINITY)), 1),
        (Partial(Integral(z * x**2, (z, 0, 2)), x), 2),
        (Limit(sin(z) / z, z, 0), 1),
        (Limit((z**2 - 1) / (z - 1), z, 1), 2),
        (Limit(relu(z) / z, z, 0, "+"), 1),
        (Limit(relu(z) / z, z, 0, "-"), 0),
        (Limit(sign(z), z, 0, "-"), -1),
        (Limit((2 * z + 1) / (z - 3), z, INFINITY), 2),
        (Limit(absolute(z) / (z + 1), z, -INFINITY), -1),
        (Limit(tanh(z), z, INFINITY), 1),
        (Limit(tanh(z), z, -INFINITY), -1),
        (Limit((exp(c * z) - 1) / z, z, 0), -3),
    ],
    ids=str,
)
def test_derivatives_integrals_and_limits_have_their_values(e, expected):
    assert exactly(values().of(e), expected)


def test_derivatives_are_taken_three_deep_and_no_deeper():
    third = Partial(Partial(Partial(exp(c * x), x), x), x)
    assert exactly(values(c=0).of(third), 0)
    for deeper in (Partial(third, x), Partial(x * Grad(third, v).T * v, c), Partial(third, c) * 0):
        with pytest.raises(ExpressionError, match="up to 3 deep, and no deeper"):
            values().of(deeper)


def test_the_error_of_a_difference_is_the_square_of_its_step():
    # Of x³ the centred difference is 3x² + h². A larger step costs digits, a smaller one is lost in the rounding.
    error = values().of(Partial(x**3, x)) - exact(Fraction(3, 4))
    assert abs(error - exact(Fraction(1, 10**36))) < exact(Fraction(1, 10**50))


@pytest.mark.parametrize(("depth", "kept"), [(0, 45), (1, 45), (2, 63), (3, 80)])
def test_an_integral_has_the_digits_that_its_differences_need_and_no_more(depth, kept):
    third = HighPrecision.integral(lambda t: t * t, exact(0), exact(1), depth)
    error = abs(third - exact(Fraction(1, 3)))
    assert exact(Fraction(1, 10 ** (kept + 4))) < error < exact(Fraction(1, 10**kept))


w = z / 4


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        # Far from the point the next terms of the series would count, too close to it the rounding would.
        (exp(2 * 10**7 * z), 1),
        (100 * (exp(w) - 1 - w - w**2 / 2 - w**3 / 6 - w**4 / 24) / w**5, Fraction(5, 6)),
    ],
    ids=["steep", "five digits are lost for each of the step"],
)
def test_a_limit_is_taken_neither_too_far_away_nor_too_close(body, limit):
    for direction in ("+", "-", "+-"):
        assert exactly(values().of(Limit(body, z, 0, direction)), limit)


def test_a_limit_from_two_sides_must_be_one_number():
    for direction, expected in (("+", 1), ("-", -1)):
        assert exactly(values().of(Limit(absolute(z) / z, z, 0, direction)), expected)
    with pytest.raises(ExpressionError, match="give a direction, '\\+' or '-'"):
        values().of(Limit(absolute(z) / z, z, 0, "+-"))


# -- functions ------------------------------------------------------------------------------------------

MEANINGS = {  # from the definitions in every textbook, in a precision of their own
    exp: lambda t: mpmath.e**t,
    sin: lambda t: (mpmath.expj(t) - mpmath.expj(-t)).imag / 2,
    cos: lambda t: (mpmath.expj(t) + mpmath.expj(-t)).real / 2,
    sinh: lambda t: (mpmath.e**t - mpmath.e**-t) / 2,
    cosh: lambda t: (mpmath.e**t + mpmath.e**-t) / 2,
    tanh: lambda t: 1 - 2 / (mpmath.e ** (2 * t) + 1),
    sigmoid: lambda t: 1 / (1 + mpmath.e**-t),
    softplus: lambda t: mpmath.log(1 + mpmath.e**t),
    relu: lambda t: (t + abs(t)) / 2,
    step: lambda t: 1 if t > 0 else 0,
    absolute: lambda t: t if t > 0 else -t,
    sign: lambda t: 0 if t == 0 else t / abs(t),
}
POINTS = [Fraction(p) for p in (-40, -2, -1, -HALF, 0, HALF, 1, 2, 40)]


@pytest.mark.parametrize("g", MEANINGS, ids=str)
def test_functions_have_their_values(g):
    with mpmath.workdps(100):
        for point in POINTS:
            expected = MEANINGS[g](mpmath.mpf(point.numerator) / point.denominator)
            assert near(values(x=point).of(g(x)), number_of(expected))


def test_roots_and_logarithms_have_their_values():
    assert [values(x=p).of(sqrt(x)) for p in (0, 1, 9)] == [0, 1, 3]
    assert values(x=1).of(log(x)) == 0
    for point in (Fraction(1, 9), 2, 50):
        world = values(x=point)
        assert near(world.of(exp(log(x))), world.of(x))
        assert near(world.of(sqrt(x)) ** 2, world.of(x))
    assert exactly(values().of(sin(PI)), 0)
    assert 3 < values().of(PI) < 4


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (exp(-(10**31) * x), 0),
        (exp(-(10**30) - x), 0),
        (sigmoid(10**31 * x), 1),
        (sigmoid(-(10**31) * x), 0),
        (softplus(10**31 * x), 5 * 10**30),
        (softplus(-(10**31) * x), 0),
        (tanh(10**31 * x), 1),
    ],
    ids=str,
)
def test_huge_arguments_have_their_limits(e, expected):
    assert exactly(values().of(e), expected)


def test_the_largest_argument_of_an_exponential_is_still_allowed():
    assert values(x=10**30).of(exp(x)) > 10**30
    assert values(x=-(10**30)).of(sinh(x)) < -(10**30)
    assert exactly(values(x=-(10**30)).of(exp(x)), 0)


KINKED = {relu, step, absolute, sign}


@pytest.mark.parametrize("g", [*MEANINGS, f, f_prime], ids=str)
def test_the_sides_of_a_kink_are_noted_and_of_nothing_else(g):
    world = values()
    world.of(g(x)), world.of(g(c)), world.of(g(y)), world.of(g(A))
    expected = {g(x): {True}, g(c): {False}, g(y): {False}, g(A): {True, False}} if g in KINKED else {}
    assert world.signs == expected


@pytest.mark.parametrize("name", ["f", "g", "h"])
def test_the_stand_in_of_a_function_has_its_own_derivatives(name):
    g, slope = elementwise(name)
    world = values()
    for _ in range(4):
        assert near(world.of(Partial(g(x), x)), world.of(slope(x)))
        assert near(world.of(Partial(g(c * x), x)), world.of(c * slope(c * x)))
        assert not near(world.of(g(x)), world.of(slope(x)))
        g, slope = slope, slope.prime


def test_the_coefficients_of_a_function_can_be_read_off_its_derivatives():
    # a sin(b x + c) + d x, with each coefficient from a half to three halves: a bounded slope, and no symmetry.
    numbers, point = HighPrecision("coefficients"), exact(Fraction(1, 7))
    seen = []
    for name in range(60):
        g = elementwise(f"g{name}")[0]
        value = []
        for _ in range(5):
            value.append(numbers.function(g, point, x))
            g = g.prime
        square = -value[4] / value[2]  # b²
        b = number_of(square) ** HALF
        a = ((value[2] / square) ** 2 + (value[3] / (square * b)) ** 2) ** HALF
        d_ = value[1] + value[3] / square
        phase = mpmath.atan2(-value[2], -value[3] / b)  # sine and cosine, both with the factor a b²
        assert near(value[0], d_ * point - value[2] / square)
        seen += [float(a), float(b), float(d_), float(phase - b * point)]
    hundreds = np.array(seen) * 100
    assert np.allclose(hundreds, np.round(hundreds), atol=1e-6)
    assert (round(min(hundreds)), round(max(hundreds))) == (50, 150)


def test_the_coefficients_of_a_functional_can_be_read_off_its_values():
    # Σ cv + ½(Σ dv)² + ⅙(Σ ev)³ + ½Σ gv²: each of them is felt, and none is more than 1.
    numbers, places = HighPrecision("coefficients"), range(3)
    seen = []
    for name in range(60):

        def at(*vector, name=name):
            return numbers.functional(f"L{name}", [exact(e) for e in vector])

        def along(p, t):
            return at(*(t if p == q else 0 for q in places))

        assert at(0, 0, 0) == 0
        bend = {
            (p, q): (at(*plus) + at(*(-e for e in plus)) - at(*minus) - at(*(-e for e in minus))) / 4
            for p, q in combinations(places, 2)
            for plus in [[int(w in (p, q)) for w in places]]
            for minus in [[int(w == p) - int(w == q) for w in places]]
        }
        odd = [{t: (along(p, t) - along(p, -t)) / 2 for t in (1, 2)} for p in places]
        cubes = [o[2] - 2 * o[1] for o in odd]  # e³: a cubic has no more than this beside its slope
        assert all(near(along(p, 3) - 3 * along(p, 2) + 3 * along(p, 1), cubes[p]) for p in places)
        slopes = [o[1] - cube / 6 for o, cube in zip(odd, cubes, strict=True)]
        squares = [bend[0, 1] * bend[0, 2] / bend[1, 2], bend[0, 1] * bend[1, 2] / bend[0, 2]]
        squares.append(bend[0, 2] * bend[1, 2] / bend[0, 1])
        rest = [along(p, 1) + along(p, -1) - squares[p] for p in places]
        of_d = [float(square) ** 0.5 for square in squares]
        of_e = [np.cbrt(float(cube)) for cube in cubes]
        seen += [*map(float, slopes), *of_d, *of_e, *map(float, rest)]
    sizes = np.abs(seen) * 99
    assert np.allclose(sizes, np.round(sizes), atol=1e-9)
    assert (round(min(sizes)), round(max(sizes))) == (20, 99)
    assert {e > 0 for e in seen} == {True, False}


# -- numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1, -1, 7, Fraction(1, 3), Fraction(-22, 7), 10**40 + 1])
def test_a_fraction_keeps_all_its_digits(value):
    value = Fraction(value)
    assert abs(exact(value) * value.denominator - value.numerator) <= abs(value.numerator) * exact(Fraction(1, 10**79))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (0, 0, True),
        (0, Fraction(1, 10**20), True),
        (0, Fraction(3, 2 * 10**20), False),
        (0, Fraction(-3, 2 * 10**20), False),
        (1, 1 + Fraction(29, 10**21), True),
        (1, 1 + Fraction(32, 10**21), False),
        (-1, -1 - Fraction(29, 10**21), True),
        (-1, -1 - Fraction(32, 10**21), False),
        (10**9, 10**9 + Fraction(19, 10**12), True),
        (10**9, 10**9 + Fraction(21, 10**12), False),
        (1, -1, False),
        (10**30, -(10**30), False),
    ],
)
def test_numbers_are_near_if_twenty_digits_agree(a, b, expected):
    assert near(exact(a), exact(b)) is near(exact(b), exact(a)) is expected


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (Fraction(1, 3), HALF, ("0.333333", "0.5")),
        (2, 3, ("2.0", "3.0")),
        (Fraction(1234561, 10**6), Fraction(1234562, 10**6), ("1.234561", "1.234562")),
        (Fraction(123456, 10**5), Fraction(123457, 10**5), ("1.23456", "1.23457")),
        (1, 1 + Fraction(2, 10**11), ("1.0", "1.00000000002")),
        (1, 1 + Fraction(2, 10**24), ("1.0", "1." + "0" * 23 + "2")),
        (Fraction(1, 3), Fraction(1, 3) + Fraction(2, 10**11), ("0.333333333333", "0.333333333353")),
        (Fraction(1, 3), Fraction(1, 3) + Fraction(2, 10**24), ("0." + "3" * 25, "0." + "3" * 23 + "53")),
        (1, 1 + Fraction(2, 10**30), ("1.0", "1.0")),
    ],
)
def test_different_numbers_are_shown_with_the_digits_that_tell_them_apart(a, b, shown):
    assert digits(exact(a), exact(b)) == shown


def test_what_is_drawn_is_never_0_and_as_positive_and_as_small_as_is_asked_for():
    rng = random.Random(0)
    of_both_signs, positive, small, positive_and_small = (
        [draw(rng, *wanted) for _ in range(4000)] for wanted in ((), (True,), (False, True), (True, True))
    )
    assert 0.4 < sum(e > 0 for e in of_both_signs) / 4000 < 0.6
    for sizes in (positive, [abs(e) for e in of_both_signs]):
        assert exact(Fraction(1, 99)) <= min(sizes) < exact(Fraction(1, 90))
        assert exact(Fraction(19, 10)) < max(sizes) <= exact(Fraction(99, 50))
    for sizes in (small, positive_and_small):
        assert (min(sizes), max(sizes)) == (exact(Fraction(5, 97)), exact(Fraction(95, 97)))


@pytest.mark.parametrize(("value", "whole"), [(HALF + 2, 2), (Fraction(29, 10), 3), (-3, -3), (Fraction(-1, 3), 0)])
def test_the_nearest_whole_number(value, whole):
    nearest = HighPrecision.nearest(exact(value))
    assert nearest == whole
    assert isinstance(nearest, int)


# -- index ranges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ((A[n, k],), {n: N, k: K}),
        ((A[n, 0] * v[k], u[n]), {n: N, k: K}),
        ((x + c,), {}),
        ((total(A[n, k], n),), {k: K}),
        ((Sum(delta(i, k), (k, 0, N - 1)),), {i: N}),
        ((Sum(delta(k, i), (k, 0, N - 1)),), {i: N}),
        ((Sum(delta(k, i), (k, 0, 4)),), {i: Number(5)}),
        ((Sum(delta(k, i), (k, 1, N - 1)),), {}),
        ((delta(i, j) * v[j],), {i: K, j: K}),
        ((delta(i, n) * v[i], u[k]), {i: K, n: K, k: N}),
        ((delta(i, 0),), {}),
        ((delta(i, j),), {}),
        ((delta(0, i) * v[i],), {i: K}),
        ((Sum(delta(k, 5) * v[k], (k, 0, K - 1)),), {}),
    ],
)
def test_an_index_runs_over_what_its_entries_and_deltas_say(sides, expected):
    assert index_ranges(*map(sympify, sides)) == expected


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ((0, N), "the index k runs from 0 to N, but u has N entries in that direction (expected 0 to N − 1)"),
        ((1, N), "the index k runs from 1 to N, but u has N entries in that direction (expected 0 to N − 1)"),
        ((-1, N - 1), "the index k runs from -1 to N − 1, but u has N entries"),
        ((-2, N - 2), "the index k runs from -2 to N − 2, but u has N entries"),
        ((0, K - 1), "the index k runs from 0 to K − 1, but u has N entries"),
        ((0, 2), "the index k runs from 0 to 2, but u has N entries"),
        ((N, N), "the index k runs from N to N, but u has N entries"),
        ((N - 2, N - 1), "the index k runs from N − 2 to N − 1, but u has N entries"),  # -1 at N = 1
    ],
    ids=str,
)
def test_a_sum_that_leaves_its_matrix_is_refused(limits, message):
    with pytest.raises(ShapeError) as refused:
        index_ranges(Sum(u[k], (k, *limits)))
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("limits", [(0, N - 1), (1, N - 1), (0, N - 2), (1, N - 2 + 1), (N - N, N - 1)], ids=str)
def test_a_sum_inside_its_matrix_is_allowed(limits):
    assert index_ranges(Sum(u[k], (k, *limits))) == {}


@pytest.mark.parametrize(
    ("low", "high"),
    [(5, 2), (1, -1), (2, N - 1), (0, N - 3), (N, 0), (N, 5), (N, 2 * N - 3), (0, N - K), (0, 9 - N), (0, N * K)],
    ids=str,
)
def test_a_range_that_may_run_backwards_is_refused(low, high):
    # Its sum would be counted as less than nothing: Σ 1 from 2 to N - 1 as -1 at N = 1.
    with pytest.raises(ShapeError, match="which is backwards at some sizes"):
        index_ranges(Sum(x, (k, low, high)))


@pytest.mark.parametrize(
    ("low", "high", "count"),
    [(0, -1, 0), (3, 2, 0), (4, 4, 1), (-2, 2, 5), (1, N - 1, 1), (N, N - 1, 0), (N, 2 * N - 2, 1), (0, N + K - 2, 4)],
    ids=str,
)
def test_a_range_of_nothing_or_more_is_allowed_and_counted(low, high, count):
    nothing_or_more = Sum(x, (k, low, high))
    assert index_ranges(nothing_or_more) == {}
    assert exactly(values().of(nothing_or_more), count * HALF)
    length = sympify(high) - sympify(low) + 1
    assert Derivation(nothing_or_more).then(length * x, because="equal terms").evidence is Evidence.PROVED


def test_indices_of_two_ranges_are_not_compared():
    for e in (
        A[n, k] * delta(n, k),
        Sum(delta(n, k), (n, 0, N - 1), (k, 0, K - 1)),
        u[n] * total(v[k] * delta(n, k), k),
    ):
        with pytest.raises(ShapeError, match="the index n runs over N values, but k over K"):
            index_ranges(e)


def test_free_indices_are_those_that_no_sum_binds():
    assert free_indices(A[n, k] * x * N) == [n, k]
    assert free_indices(total(A[n, k], n) + u[n], v[i]) == [k, n, i]
    assert free_indices(total(A[n, k], n, k)) == []
    assert free_indices(v[k] * delta(j, 0), v[k]) == [k, j]


@pytest.mark.parametrize(
    ("e", "form"),
    [
        (sympify(3), {None: 3}),
        (N, {N: 1}),
        (N - 1, {N: 1, None: -1}),
        (N + K + N - 2 + 5, {N: 2, K: 1, None: 3}),
        (2 * N * 3, {N: 6}),
        (N * 2 - 3 * (K - 1), {N: 2, K: -3, None: 3}),
        (0 * N, {N: 0}),
        (1 * N, {N: 1}),
        (sympify(2) * 3, {None: 6}),
        (N * K, None),
        (N * (K + 1), None),
        (N**2, None),
        (N + N / K, None),
        (2 * N**2, None),
    ],
    ids=str,
)
def test_linear_forms(e, form):
    assert linear(e) == form


@pytest.mark.parametrize(
    ("e", "step", "written"),
    [
        (N - 1, 1, "N"),
        (N, -1, "N − 1"),
        (N, 1, "N + 1"),
        (sympify(4), 1, "5"),
        (sympify(1), -1, "0"),
        (2 * N - 1, 1, "2 N"),
        (N + K - 1, 1, "N + K"),
        (N - N, -1, "-1"),
        (N + 2 * K, -1, "N + 2 K − 1"),
        (N**2, 1, "N² + 1"),
        (N**2, -1, "N² − 1"),
    ],
    ids=str,
)
def test_one_more_and_one_less(e, step, written):
    assert text(plus_one(e, step)) == written


@pytest.mark.parametrize(
    ("limit", "body", "natural"),
    [
        ((0, K - 1), v[k], True),
        ((0, K - 1), A[n, k] * v[k], True),
        ((1, K - 1), v[k], False),
        ((0, K - 2), v[k], False),
        ((1, K - 2), v[k], False),
        ((0, K - 1), x, False),
        ((0, 0), column("w", 1)[k], False),
        ((0, K - 1), delta(k, j) * v[j], True),
    ],
)
def test_only_a_whole_range_goes_without_saying(limit, body, natural):
    limit = (k, *map(sympify, limit))
    assert is_natural(limit, body) is natural
    assert text(Sum(body, limit)).startswith("Σ_k ") is natural


def test_a_range_is_read_off_the_entries():
    assert natural_limits(A[n, k] * x, k) == (k, Number(0), K - 1)
    assert natural_limits(column("w", 4)[k], k) == (k, Number(0), Number(3))
    with pytest.raises(ShapeError, match="x does not say which range k runs over: write \\(k, N\\) or"):
        natural_limits(x, k)
    assert not is_natural((k, Number(0), K - 1), A[k, j] * v[k])  # two ranges at once are none


# -- worlds ---------------------------------------------------------------------------------------------


def drawn(expressions, number=0, given=(), attempts=40):
    """The first world of a number in which the hypotheses hold, and None if there is none."""
    known = read_hypotheses(given)
    refuter = Refuter({}, known.equations, known.inequalities)
    tried = (refuter._world(refuter._names(*expressions), number, attempt) for attempt in range(attempts))
    return next((world for world in tried if world is not None), None)


def how_many_worlds(left, right, relation="="):
    refuter = Refuter({})
    assert refuter.counterexample(sympify(left), sympify(right), {}, relation) is None
    return len({number for _, number, _, _ in refuter._worlds})


SQUARES = total(v[k] ** 2, k)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_unequal_sizes_are_the_least_there_are(count):
    sizes = dimensions("N K M H")
    sizes = sizes[:count]
    worlds = [drawn(sizes, number) for number in range(5)]
    found = [[world.leaves[size] for size in sizes] for world in worlds]
    assert found[0] == list(range(2, 2 + count))
    assert found[1] == found[4] == [3 if count <= 3 else 2] * count  # many long sums would take too long
    assert found[2] == found[0][::-1]
    assert found[3] == found[0]


@pytest.mark.parametrize(
    ("left", "right", "relation", "count"),
    [
        (x + c, c + x, "=", 8),
        (x * SQUARES, SQUARES * x, "=", 3),
        (-SQUARES, SQUARES, "<=", 8),
        (Integral(x * z, (z, 0, 1)), x / 2, "=", 2),
        (tanh(SQUARES), tanh(SQUARES) * 1, "=", 3),
        (relu(v[0] + 2) * 0, 0, "=", 8),
        (relu(SQUARES), SQUARES, "=", 8),
        (relu(-SQUARES), 0, "=", 8),
    ],
    ids=[
        "numbers are cheap",
        "matrices",
        "a bound fails in few places",
        "integrals are dear",
        "no kink",
        "seldom the other side",
        "never the other side",
        "never this side",
    ],
)
def test_how_many_worlds_are_drawn(left, right, relation, count):
    assert how_many_worlds(left, right, relation) == count


def test_a_kink_that_has_shown_both_sides_needs_no_more_worlds():
    every_entry = total(relu(v[k]), k)  # both signs are in every column
    assert how_many_worlds(every_entry, total(v[k] * step(v[k]), k)) == 3


@pytest.mark.parametrize("seed", range(30))
def test_a_kink_beside_a_matrix_is_looked_at_from_both_sides(seed):
    # In the first three worlds one number has often the same sign.
    refuter = Refuter({}, seed=seed)
    for wrong in (x * SQUARES, 0 * SQUARES):
        assert refuter.counterexample(relu(x) * SQUARES, wrong, {}) is not None
    refuter = Refuter({}, seed=seed)
    assert refuter.counterexample(relu(x) * SQUARES, step(x) * x * SQUARES, {}) is None
    sides = [world.leaves[x] > 0 for world in refuter._worlds.values()]
    assert len(set(sides)) == 2
    assert len(sides) == 3 or len(set(sides[:-1])) == 1  # and then no more


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(("less", "more", "root"), [(0, x, 2), (x, 0, -2)])
@pytest.mark.parametrize(("left", "right"), [(x**2, 4), (4, x**2), (3 * x**2, 12), (12 - x**2, 2 * x**2)])
def test_a_square_is_solved_for_the_root_of_the_wanted_sign(left, right, less, more, root, number):
    world = drawn([x], number, [Equation(sympify(left), sympify(right)), sympify(less) < sympify(more)])
    assert exactly(world.leaves[x], root)


@pytest.mark.parametrize("given", [{A[n, k] ** 2: A[n, k]}, {A[n, k]: A[n, k] ** 2}, {2 * A[n, k]: 2 * A[n, k] ** 2}])
def test_entries_that_are_their_own_squares_are_0_and_1(given):
    for number in range(3):
        entries = drawn([A], number, given).leaves[A]
        assert {round(float(e), 12) for e in entries.flat} == {0, 1}
        assert all(near(e, 0) or near(e, 1) for e in entries.flat)


@pytest.mark.parametrize(
    ("equation", "known"),
    [
        ((x * 3, 6 + 0 * c), 2),
        ((x / 4 + 1, 0 * c), -4),
        ((x**2 - 2 * x, -1 + 0 * c), 1),
        ((5 - 2 * x, 0 * c), Fraction(5, 2)),
    ],
)
def test_an_equation_in_one_number_is_solved(equation, known):
    assert exactly(drawn([x, c], 0, [equation]).leaves[x], known)


@pytest.mark.parametrize(
    "equation", [(x**2 + 1, 0), (x**3, 8), (0 * x, 1), (exp(x), 3), (x**2 - x + 1, 0), (x**2, Fraction(-1, 8))]
)
def test_what_is_no_polynomial_of_degree_two_with_a_root_is_given_up(equation):
    assert drawn([x], 0, [tuple(map(sympify, equation))]) is None


def test_no_value_beyond_3_is_asked_for_when_a_hypothesis_is_solved():
    below = sqrt(sympify(Fraction(7, 2)) - x) ** 2  # has no value at x = 4
    world = drawn([x, c], 0, [(below, 2 * c)])
    assert exactly(world.leaves[x] + 2 * world.leaves[c], Fraction(7, 2))


def test_two_hypotheses_about_one_name_both_hold():
    given = [Equation(2 * c, x), Equation(3 * d, x)]
    for number in range(3):
        leaves = drawn([c, d], number, given).leaves
        assert near(2 * leaves[c], leaves[x])
        assert near(3 * leaves[d], leaves[x])
    derivation = Derivation(2 * c, given=given)
    assert derivation.then(x, because="hypothesis").evidence is Evidence.PROVED
    assert refusal(lambda: derivation.then(2 * d, because="a slip")).rung == "refutation"


@pytest.mark.parametrize(
    ("given", "residuals"),
    [
        # What stands alone on one side is settled last, by what the other hypotheses have made of the rest.
        ([Equation(x, 2 * c), Equation(c + d, sympify(1))], lambda w: [w[x] - 2 * w[c], w[c] + w[d] - 1]),
        ([Equation(c + d, sympify(1)), Equation(x, 2 * c)], lambda w: [w[x] - 2 * w[c], w[c] + w[d] - 1]),
        ([Equation(t[1] + t[2], x * 1), Equation(t[2] + t[0], 3 * c)], lambda w: [w[t][1, 0] + w[t][2, 0] - w[x]]),
        ([Equation(t[1] + t[2], x * 1), Equation(t[2] + t[0], 3 * c)], lambda w: [w[t][2, 0] + w[t][0, 0] - 3 * w[c]]),
        ([Equation(2 * A, 3 * B)], lambda w: list((2 * w[A] - 3 * w[B]).flat)),
        ([Equation(A - B, ones(N, K))], lambda w: list((w[A] - w[B] - 1).flat)),
    ],
)
def test_several_hypotheses_hold_at_once(given, residuals):
    for number in range(3):
        world = drawn([x, c, d, t, A, B], number, given)
        assert all(near(residual, 0) for residual in residuals(world.leaves))


@pytest.mark.parametrize(
    "given",
    [
        [x > 0, x < 0],
        [x > c, c > x],
        [Equation(x, c), x > c],
        [Equation(x**2, sympify(4)), x > 2],
        [Equation(x, c), Equation(x, c + 1)],
        [Equation(total(v[k], k), sympify(-1)), v[k] > 0],
        [A >= 1, A <= -1],
    ],
)
def test_no_world_is_drawn_in_which_hypotheses_contradict_each_other(given):
    assert drawn([x, c, v, A], 0, given, attempts=6) is None


@pytest.mark.parametrize(
    "given",
    [
        [Equation(x, y), y - z - 1000 >= 0],
        [Equation(x, y), y + z - 1000 >= 0],
        [Equation(y + x, 2 * d), y - z - 1000 >= 0],
        [Equation(total(t[k], k), sympify(1)), t[2] - z - 1000 >= 0],
    ],
)
def test_an_inequality_moves_nothing_that_an_equation_has_settled(given):
    for number in range(3):
        assert drawn([x, y, z], number, given) is not None
    derivation = Derivation(z + x, given=given)
    assert refusal(lambda: derivation.then(z - x, because="a slip")).rung == "refutation"


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ([x > 5], lambda w: w[x] > 5),
        ([x < -5, x > -7], lambda w: -7 < w[x] < -5),
        ([x >= c + 10, d <= c - 10], lambda w: w[x] >= w[c] + 10 and w[d] <= w[c] - 10),
        ([A > 0], lambda w: all(e > 0 for e in w[A].flat)),
        ([A < 0], lambda w: all(e < 0 for e in w[A].flat)),
        ([v[k] > 2], lambda w: all(e > 2 for e in w[v].flat)),
        ([v >= x + 3], lambda w: all(e >= w[x] + 3 for e in w[v].flat)),
        ([A + ones(N, K) <= B], lambda w: all((w[A] <= w[B] - 1).flat)),
        ([total(v[k], k) <= -20], lambda w: sum(w[v].flat) <= -20),
        ([x < 0], lambda w: w[x] < 0),
    ],
)
def test_numbers_are_moved_until_the_inequalities_hold(given, holds):
    for number in range(3):
        assert holds(drawn([x, c, d, A, B, v], number, given).leaves)


@pytest.mark.parametrize(
    ("sizes", "index", "written"),
    [
        ({}, {}, "at a random point"),
        ({"N": 2}, {}, "at N = 2"),
        ({"N": 2, "K": 3}, {"n": 0, "k": 1}, "at N = 2, K = 3; n = 0, k = 1"),
        ({}, {"k": 1}, "at k = 1"),
        ({"N": 2}, "[0, 1]", "at N = 2; entry [0, 1]"),
    ],
)
def test_a_counterexample_says_where(sizes, index, written):
    assert str(Counterexample(sizes, index, "1", "2")) == written


def test_a_counterexample_is_the_first_place_that_differs():
    found = Refuter({}).counterexample(v[k] * k, 2 * v[k] * k, {k: K})
    assert (found.sizes, found.index) == ({"K": 2}, {"k": 1})
    assert near(2 * found.left_value, found.right_value)
    found = Refuter({}).counterexample(A, A + ones(N) * delta(1, 1) * row("w", K), {})
    assert (found.sizes, found.index) == ({"N": 2, "K": 3}, "[0, 0]")
    assert Refuter({}).counterexample(x - 1, x, {}, "<=") is None
    assert Refuter({}).counterexample(x, x, {}, "<=") is None
    assert Refuter({}).counterexample(x, x - 1, {}, "<=") is not None


# -- hints ----------------------------------------------------------------------------------------------


def hint(start, wrong, let=None):
    refused = refusal(lambda: Derivation(start, let=let).then(wrong, because="a slip"))
    assert refused.rung in ("refutation", "shapes")
    return refused.hint


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (2, "off by the factor 2: the right side is 2 times the left"),
        (HALF, "off by the factor 2: the left side is 2 times the right"),
        (K, "off by the factor K: the right side is K times the left"),
        (1 / K, "off by the factor K: the left side is K times the right"),
        (K / 2, "off by the factor K/2: the left side is 2/K times the right"),
        (2 / K, "off by the factor 2/K: the left side is K/2 times the right"),
        (-1, "the sign is wrong: the right side is minus the left"),
        (3, None),
        (K / 3, None),
        (3 / K, None),
    ],
    ids=str,
)
def test_a_hint_names_the_factor_that_is_too_many(factor, expected):
    factor = sympify(factor)
    assert hint(SQUARES, factor * SQUARES) == expected
    assert hint(v * r, factor * (v * r)) == expected


@pytest.mark.parametrize(
    ("start", "lacking", "wrong", "let"),
    [
        (f(x), f_prime(x), 1, {}),
        (relu(x), step(x), 1, {}),
        (sigmoid(x), sigmoid(x) * (1 - sigmoid(x)), 1, {}),
        (tanh(x), 1 - tanh(x) ** 2, 1, {}),
        (f(c * x), f_prime(c * x), c, {}),
        (sigmoid(c * x), sigmoid(c * x) * (1 - sigmoid(c * x)), c, {}),
        (tanh(c * x), 1 - tanh(c * x) ** 2, c, {}),
    ],
    ids=str,
)
def test_a_hint_names_the_derivative_that_is_missing(start, lacking, wrong, let):
    # The function is known from the definition of y alone: the right side does not hold it.
    assert hint(Partial(y, x), wrong, {y: start}) == f"the right side lacks the factor {lacking}"
    instead = hint(Partial(y, x), start * wrong, {y: start})
    assert instead == f"the right side has {start} where the derivative {lacking} belongs"


@pytest.mark.parametrize(
    ("start", "wrong", "let", "expected"),
    [
        (Partial(exp(x), x), x, {}, None),
        (C * v, C.T * v, {}, "the right side has Cᵀ where C belongs"),
        (C.T * v, C * v, {}, "the right side has C where Cᵀ belongs"),
        (C * C.T * v, C * C * v, {}, "the right side has C where Cᵀ belongs"),
        (v * r, (v * r).T, {}, "the right side is the transpose of the left"),
        (v * u.T, (v * u.T).T, {}, "the right side is the transpose of the left"),
        (trace(C) * x, trace(C.T) * c, {}, None),
    ],
    ids=str,
)
def test_a_hint_names_the_transpose(start, wrong, let, expected):
    assert hint(start, wrong, let) == expected


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (1, 2, "off by one layer: the right side has C2 where C1 belongs"),
        (2, 1, "off by one layer: the right side has C1 where C2 belongs"),
        (10, 9, "off by one layer: the right side has C9 where C10 belongs"),
        (1, 3, None),
    ],
)
def test_a_hint_names_the_layer(right, wrong, expected):
    layer = {number: matrix(f"C{number}", K, K) for number in (right, wrong)}
    assert hint(C * layer[right] * v, C * layer[wrong] * v) == expected


@pytest.mark.parametrize(
    ("surviving", "expected"), [(0, "the sign is wrong: the right side is minus the left"), (39, "off"), (40, None)]
)
def test_no_more_than_forty_changes_are_tried(surviving, expected):
    # The sign, a factor of 2 and of twelve sizes: more than 40 changes, each of which has a meaning.
    many = dimensions(" ".join(f"N_{number}" for number in range(12)))
    right = sum((size * x for size in many), c)
    tried = []

    def survives(candidate):
        tried.append(candidate)
        return len(tried) == surviving + 1

    found = what_is_wrong(x, right, {}, survives)
    assert len(tried) == len(set(tried)) == min(surviving + 1, 40)
    assert found is None if expected is None else found.startswith(expected)


def test_a_change_without_a_meaning_is_passed_over():
    def never_defined(candidate):
        raise ExpressionError(f"{candidate} has no meaning")

    assert what_is_wrong(x, c, {}, never_defined) is None
    assert what_is_wrong(v, r, {}, lambda candidate: candidate == r.T) == "the right side is the transpose of the left"
    assert what_is_wrong(v, A, {}, lambda candidate: True) is None  # no change has the shape of the left side
