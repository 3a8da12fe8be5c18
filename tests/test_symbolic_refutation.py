"""The refuter: wrong steps must be refuted, not merely left unproved; and its worlds are what they are said to be."""

from fractions import Fraction

import numpy as np
import pytest

from backprop.symbolic import (
    Derivation,
    Evidence,
    ExpressionError,
    Grad,
    HypothesisError,
    Integral,
    Jacobian,
    Limit,
    Partial,
    absolute,
    column,
    delta,
    dimensions,
    divide,
    elementwise,
    exp,
    functional,
    hadamard,
    indices,
    inner,
    log,
    matrix,
    ones,
    refusal,
    relu,
    row,
    scalars,
    sigmoid,
    sqrt,
    step,
    tanh,
    total,
    trace,
)
from backprop.symbolic.definitions import read_definitions
from backprop.symbolic.expressions import Sum, sympify
from backprop.symbolic.hypotheses import read_hypotheses
from backprop.symbolic.refutation import Refuter

N, D, H, K = dimensions("N D H K")
n, i, j, k, p, q = indices("n i j k p q")
X, W1, W2 = matrix("X", N, D), matrix("W1", D, H), matrix("W2", H, K)
Z1, A1, Z2 = matrix("Z1", N, H), matrix("A1", N, H), matrix("Z2", N, K)
Y = matrix("Y", N, K)
x, c = scalars("x c")
L = functional("L", Z2)
NET = {Z1: X * W1 + ones(N) * row("b1", H), A1: relu(Z1), Z2: A1 * W2 + ones(N) * row("b2", K)}
G = Grad(L, Z2)


def world(expressions, number=0, given=(), let=None):
    known = read_hypotheses(given)
    refuter = Refuter(read_definitions(let), known.equations, known.inequalities)
    return next(w for a in range(40) if (w := refuter._world(refuter._names(*expressions), number, a)) is not None)


# -- worlds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(8))
def test_entries_have_both_signs_and_are_never_zero(number):
    values = world([X * W1 * W2, Y], number)
    for m in (X, W1, W2, Y):
        signs = {v > 0 for v in values.leaves[m].flat}
        assert signs == {True, False}
        assert all(v != 0 for v in values.leaves[m].flat)


def test_sizes_are_unequal_in_one_world_and_alike_in_another():
    sizes = [[world([X * W1 * W2], number).leaves[d] for d in (N, D, H, K)] for number in range(3)]
    assert len(set(sizes[0])) == len(set(sizes[2])) == 4
    assert len(set(sizes[1])) == 1
    assert sizes[0] != sizes[2]
    assert all(s >= 2 for world_sizes in sizes for s in world_sizes)


def test_worlds_do_not_depend_on_the_run():
    first, second = (world([X * W1]).leaves[X] for _ in range(2))
    assert (first == second).all()


# -- masks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        X.T * (G * W2.T),
        X.T * hadamard(G * W2.T, step(-Z1)),
        X.T * hadamard(G * W2.T, relu(Z1)),
        X.T * hadamard(G * W2.T, step(Z1 + A1)) * 1 + X.T * (0 * (G * W2.T)) - X.T * hadamard(G * W2.T, step(-Z1)),
    ],
    ids=["dropped", "flipped", "f for its derivative", "both signs"],
)
def test_a_wrong_relu_mask_is_refuted(wrong):
    assert refusal(lambda: Derivation(Grad(L, W1), let=NET).then(wrong, because="mask")).rung == "refutation"


@pytest.mark.parametrize("name", [Z1, A1])
def test_the_right_relu_mask_is_proved(name):
    right = X.T * hadamard(G * W2.T, step(name))
    assert Derivation(Grad(L, W1), let=NET).then(right, because="mask").evidence is Evidence.PROVED


@pytest.mark.parametrize("seed", range(30))
def test_a_dropped_mask_on_one_number_is_refuted_for_every_seed(seed):
    refuter = Refuter({}, seed=seed)
    for wrong in (1, step(-x), step(x) + step(-x)):
        assert refuter.counterexample(Partial(relu(x), x), sympify(wrong), {}) is not None
    assert refuter.counterexample(Partial(relu(x), x), step(x), {}) is None


def test_a_mask_deep_in_a_network_is_refuted():
    Z0, A0, W0 = matrix("Z0", N, D), matrix("A0", N, D), matrix("W0", D, D)
    deep = {Z0: matrix("U", N, D) * W0, A0: relu(Z0), Z1: A0 * W1, A1: relu(Z1), Z2: A1 * W2}
    d = Derivation(Grad(L, Z0), let=deep)
    right = hadamard(hadamard(G * W2.T, step(Z1)) * W1.T, step(Z0))
    assert d.then(right, because="two masks").evidence is Evidence.PROVED
    for wrong in (hadamard(G * W2.T * W1.T, step(Z0)), hadamard(G * W2.T, step(Z1)) * W1.T):
        assert refusal(lambda wrong=wrong: d.then(wrong, because="one mask")).rung == "refutation"


# -- stand-ins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (lambda f, g: f(x), lambda f, g: g(x)),
        (lambda f, g: f(-x), lambda f, g: f(x)),
        (lambda f, g: f(-x), lambda f, g: -f(x)),
        (lambda f, g: f(x + c), lambda f, g: f(x) + f(c)),
        (lambda f, g: f(x * c), lambda f, g: f(x) * f(c)),
        (lambda f, g: f.prime(x), lambda f, g: f(x)),
        (lambda f, g: f.prime(x), lambda f, g: f.prime(c)),
        (lambda f, g: f.prime.prime(x), lambda f, g: -f(x)),
        (lambda f, g: f(x), lambda f, g: f(absolute(x))),
    ],
)
def test_undefined_functions_have_no_special_property(left, right):
    f, g = elementwise("f")[0], elementwise("g")[0]
    assert Refuter({}).counterexample(left(f, g), right(f, g), {}) is not None


def test_undefined_functionals_are_not_linear_and_couple_all_entries():
    z = column("z", K)
    loss = functional("L", z)
    refuter = Refuter({})
    assert refuter.counterexample(loss, inner(z, Grad(loss, z)), {}) is not None
    second = Partial(Partial(loss, z[i]), z[j])
    assert refuter.counterexample(second, second * delta(i, j), {i: K, j: K}) is not None
    assert refuter.counterexample(second, Partial(Partial(loss, z[j]), z[i]), {i: K, j: K}) is None
    assert refuter.counterexample(functional("L", z), functional("L", -z), {}) is not None
    assert refuter.counterexample(functional("L", z), functional("M", z), {}) is not None


@pytest.mark.parametrize("size", [2, 3])
def test_the_stand_in_of_a_functional_feels_every_entry(size):
    z = column("z", size)
    loss = functional("L", z)
    for at in range(size):
        assert Refuter({}).counterexample(Partial(loss, z[at]), sympify(0), {}) is not None


# -- accuracy -------------------------------------------------------------------------------------------------


def test_nested_differences_are_accurate():
    f, f_prime = elementwise("f")
    third = Partial(Partial(Partial(f(x) * exp(x), x), x), x)
    right = exp(x) * (f(x) + 3 * f_prime(x) + 3 * f_prime.prime(x) + f_prime.prime.prime(x))
    assert Refuter({}).counterexample(third, right, {}) is None
    assert Refuter({}).counterexample(third, right + f(x) / 10**12, {}) is not None


def test_a_small_error_is_found():
    d = Derivation(Grad(L, W2), let=NET)
    right = A1.T * G
    assert refusal(lambda: d.then((1 + 1 / sympify(10**15)) * right, because="almost")).rung == "refutation"


n_0, n_1, n_2, m, m_1, m_2 = dimensions("n_0 n_1 n_2 m m_1 m_2")
s = scalars("s", positive=True)
u = column("u", K)
F = functional("F", u)
BOTH = m_1 + m_2
RATIOS = {  # a true line with ratios of sizes, and what a slip makes of it
    "a product of ratios": ((n_1 / n_0) * (n_2 / n_1), n_2 / n_0, n_2 / n_1),
    "a product of three": ((n_1 / n_0) * (n_2 / n_1) * (m / n_2) * x, m / n_0 * x, n_0 / m * x),
    "ratios in a sum": (total(n_1 / n_0 * u[k] * (n_2 / n_1), k), n_2 / n_0 * total(u[k], k), n_2 * total(u[k], k)),
    "weights of two shards": (m_1 / BOTH * u + m_2 / BOTH * u, u, m_1 / m_2 * u + m_2 / m_1 * u),
    "weights of two gradients": (m_1 / BOTH * Grad(F, u) + m_2 / BOTH * Grad(F, u), Grad(F, u), m_1 / m_2 * Grad(F, u)),
    "a step of the mean": (u - n_1 / n_0 * Grad(F, u) * (n_2 / n_1), u - n_2 / n_0 * Grad(F, u), u - n_2 * Grad(F, u)),
    "products and sums": ((n_1 * n_2 + n_0) / (n_1 * n_0), n_2 / n_0 + 1 / n_1, n_2 / n_0 + 1 / n_0),
    "a power": ((n_1 / n_0) ** 3, n_1**3 / n_0**3, n_1**3 / n_0**2),
    "a negative power": (3 * n_1 ** (-1) * n_2 * x, 3 * n_2 / n_1 * x, 3 * n_1 / n_2 * x),
    "a size as the exponent": (n_1 ** (-n_0) * x, 1 / n_1**n_0 * x, 1 / n_0**n_1 * x),
    "He": (sqrt(2 / n_1) * sqrt(n_1 / n_2) * x, sqrt(2 / n_2) * x, sqrt(2 / n_1) * x),
    "Glorot": (n_1 / (n_1 + n_2) * (2 / n_1) * x, sqrt(2 / (n_1 + n_2)) ** 2 * x, 2 / (n_1 * n_2) * x),
    "a root of ratios": (sqrt(n_1 / n_0 * (n_2 / n_1)), sqrt(n_2) / sqrt(n_0), sqrt(n_2) / sqrt(n_1)),
    "a logarithm": (log(n_1 / n_0) + log(n_0 / n_2), log(n_1) - log(n_2), log(n_1) - log(n_0)),
    "an exponential": (exp(n_1 / n_0) * exp(n_2 / n_0), exp((n_1 + n_2) / n_0), exp((n_1 + n_2) / n_1)),
    "the size of a size": (absolute(n_1) / relu(n_0) * x, x / n_0 * n_1, n_0 / n_1 * x),
    "a derivative": (Partial(x**2 * (n_1 / n_0), x), 2 * x * n_1 / n_0, 2 * x * n_0 / n_1),
    "an index divided": (total(k / n_0 * u[k], k), total(k * u[k], k) / n_0, total((k + 1) * u[k], k) / n_0),
    "a matrix divided": (trace(X.T * X) / (n_1 / n_0), n_0 / n_1 * trace(X.T * X), n_1 / n_0 * trace(X.T * X)),
    "an integral": (Integral(n_1 / n_0 * x**2, (x, 0, s)), n_1 * s**3 / (3 * n_0), n_0 * s**3 / (3 * n_1)),
    "a limit": (Limit((exp(c * x) - 1) / x * (n_1 / n_0), x, 0), c * n_1 / n_0, c * n_0 / n_1),
}


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_of_sizes_has_all_the_digits(name):
    start, right, wrong = RATIOS[name]
    d = Derivation(start)
    assert d.then(right, because="true").evidence is Evidence.PROVED
    almost = (1 + 1 / sympify(10**12)) * right
    for slip in (wrong, almost):
        assert refusal(lambda slip=slip: d.then(slip, because="a slip")).rung == "refutation"


def test_entries_that_are_sizes_and_indices_have_all_the_digits():
    d = Derivation(X[n, p] / Y[n, k] * x, let={X[n, p]: p * n_1, Y[n, k]: n_0 + k})
    assert d.then(p * n_1 * x / (n_0 + k), because="definitions").evidence is Evidence.PROVED
    assert refusal(lambda: d.then((p + 1) * n_1 * x / (n_0 + k), because="from 1")).rung == "refutation"
    A = matrix("A", N, D)
    d = Derivation(divide(X, A), let={X[n, p]: n * n_1, A[n, p]: n_0 + p})
    assert d.then(hadamard(X, divide(ones(N, D), A)), because="entry by entry").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(hadamard(X, X, divide(ones(N, D), A)), because="twice")).rung == "refutation"


@pytest.mark.parametrize(
    ("given", "right", "wrong"),
    [
        ({m: BOTH}, x * BOTH / m_1, x * m_2 / m_1),
        ({c: m_1 / BOTH}, x * m / BOTH / (c * BOTH / m_1) * BOTH / m_1, x * m / m_2),
    ],
)
def test_hypotheses_about_sizes_have_all_the_digits(given, right, wrong):
    d = Derivation(x * (m / m_1), given=given)
    assert d.then(right, because="hypothesis").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(wrong, because="hypothesis")).rung == "refutation"


def test_a_size_that_a_hypothesis_settles_stays_a_size():
    values = world([x * m / m_1], given={m: BOTH})
    assert all(isinstance(values.leaves[d], int) for d in (m, m_1, m_2))
    assert values.leaves[m] == values.leaves[m_1] + values.leaves[m_2]


@pytest.mark.parametrize("number", range(3))
def test_the_end_of_a_range_is_counted_and_not_cut(number):
    values = world([x, n_1], number)
    size = values.leaves[n_1]
    for part in (107, 113, 123):  # in 80 digits, 107 times a 107th is just below 1, and cut it would be 0
        last = n_1 * part * sympify(Fraction(1, part)) - 1
        assert values.of(Sum(x, (k, sympify(0), last))) == sum([values.leaves[x]] * size)
    half = Derivation(total(x, (k, 0, n_1 * sympify(Fraction(1, 2)) - 1)))
    with pytest.raises(ExpressionError, match="no point was found at which both"):
        half.then(n_1 / 2 * x, because="half a range, which is not whole for odd sizes")


def test_derivatives_and_integrals_inside_one_another_have_all_the_digits():
    curvature = Integral(Partial(Partial(exp(c * x), c), c), (x, 0, s))
    d = Derivation(curvature)
    assert d.then(Integral(x**2 * exp(c * x), (x, 0, s)), because="under the integral").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(Integral(x * exp(c * x), (x, 0, s)), because="once")).rung == "refutation"
    d = Derivation(Partial(Partial(Integral(c**3 * x**2, (x, 0, s)), c), c))
    assert d.then(2 * c * s**3, because="two slopes").evidence is Evidence.PROVED
    assert refusal(lambda: d.then((2 + 1 / sympify(10**12)) * c * s**3, because="two slopes")).rung == "refutation"


def test_what_an_integral_computes_is_remembered_with_all_its_digits():
    third, square = x / 3 * c, x / 3 * c * x
    values = world([third, square, s])
    values.of(Integral(third * exp(x) * c, (x, 0, s)))
    values.of(Integral(exp(s / 7 * c) * x, (x, 0, s)))
    assert values.of(exp(s / 7 * c)) == world([third, square, s]).of(exp(s / 7 * c))


def test_too_many_derivatives_of_derivatives_are_said_to_be_too_many():
    third = Partial(Partial(Partial(x**5, x), x), x)
    assert Derivation(third).then(60 * x**2, because="three times").evidence is Evidence.PROVED
    with pytest.raises(ExpressionError, match="up to 3 deep, and no deeper"):
        Derivation(Partial(third, x)).then(120 * x, because="four times")


@pytest.mark.parametrize(
    ("true", "wrong"),
    [
        (Jacobian(tanh(column("z", K)), column("z", K)), None),
        (trace(Z2.T * Y), trace(Y * Y.T)),
        (total(Z2[n, k] * Y[n, k], n, k), inner(Z2, Z2)),
    ],
)
def test_every_kind_of_node_is_evaluated(true, wrong):
    refuter = Refuter({})
    assert refuter.counterexample(true, true, {}) is None
    if wrong is not None:
        assert refuter.counterexample(true, wrong, {}) is not None


def test_integrals_and_limits_are_refuted():
    s = scalars("s", positive=True)
    assert refusal(lambda: Derivation(Integral(x**2, (x, 0, s))).then(s**3 / 2, because="wrong")).rung == "refutation"
    assert refusal(lambda: Derivation(Limit((exp(x) - 1) / x, x, 0)).then(0, because="wrong")).rung == "refutation"
    with pytest.raises(ExpressionError, match="the limit from above differs from the limit from below"):
        Derivation(Limit(relu(x) / x, x, 0)).then(1, because="two sides")


# -- domains and hypotheses ---------------------------------------------------------------------------------


def test_only_what_a_logarithm_demands_is_positive():
    a, y = column("a", K), column("y", K)
    d = Derivation(Partial(total(y[k] * log(a[k]) + (1 - y[k]) * log(1 - a[k]), k), a[i]))
    assert d.then(y[i] / a[i] - (1 - y[i]) / (1 - a[i]), because="logarithms").evidence is Evidence.PROVED
    values = d._refuter._worlds
    drawn = [w for w in values.values() if w is not None][-1]
    assert all(0 < v < 1 for v in drawn.leaves[a].flat)
    assert refusal(lambda: d.then(y[i] / a[i] + (1 - y[i]) / (1 - a[i]), because="sign")).rung == "refutation"


def test_a_root_is_drawn_inside_its_domain():
    assert Derivation(Partial(sqrt(x), x)).then(1 / (2 * sqrt(x)), because="root").evidence is Evidence.PROVED
    assert refusal(lambda: Derivation(Partial(sqrt(x), x)).then(1 / sqrt(x), because="root")).rung == "refutation"


def test_nowhere_defined():
    with pytest.raises(ExpressionError, match="no point was found at which both"):
        Derivation(log(-(x**2) - 1)).then(log(-(x**2) - 1) + x, because="never")


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({total(Y[n, k], k): 1}, lambda w: np.allclose([float(sum(r)) for r in w.leaves[Y]], 1)),
        ({Y[n, k] ** 2: Y[n, k]}, lambda w: {round(float(v), 9) for v in w.leaves[Y].flat} == {0.0, 1.0}),
        ([Y[n, k] > 0, (total(Y[n, k], k), 1)], lambda w: all(v > 0 for v in w.leaves[Y].flat)),
        (
            [absolute(tanh(Y[n, k])) <= c],
            lambda w: all(abs(np.tanh(float(v))) <= w.leaves[c] for v in w.leaves[Y].flat),
        ),
        ({Z2: hadamard(Y, Y)}, lambda w: all(v >= 0 for v in w.leaves[Z2].flat)),
        ({x: 2 * c}, lambda w: w.leaves[x] == 2 * w.leaves[c]),
    ],
)
def test_worlds_meet_the_hypotheses(given, holds):
    for number in range(3):
        assert holds(world([hadamard(Y, Z2), x * c], number, given))


@pytest.mark.parametrize(
    "given",
    [
        {x**2: -1},
        [x > 0, x < 0],
        {total(Y[n, k], k): 1, total(Y[n, k], n, k): -N},
        {exp(x): 0},
        [(sigmoid(x), 2)],
    ],
)
def test_hypotheses_that_cannot_be_met(given):
    with pytest.raises(HypothesisError, match="no point was found at which all the hypotheses hold: "):
        Derivation(x * Y[n, k], given=given).then(x * Y[n, k] + x - c, because="nothing follows")
