"""The refuter: wrong steps must be refuted, not merely left unproved; and its worlds are what they are said to be."""

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
from backprop.symbolic.expressions import sympify
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
