"""Activations and losses against 50-digit arithmetic, extremes included: errors in units of the last place (ulp).

The exact values come from the textbook formulas in mpmath, with so many digits that 50 are left after every
cancellation: none of the package's stable forms is in the oracle. A bound holds for every point of its grid and is at
most about twice what was measured, so that a form that loses digits is seen, as the last tests show.
"""

import functools

import mpmath
import numpy as np
import pytest

from backprop import activations, losses
from backprop.activations import SELU_ALPHA, SELU_LAMBDA, log_softmax, softmax, softmax_backward, softmax_jacobian

mp = mpmath.MPContext()

TINY = [5e-324, 1e-310, 1e-300, 1e-100, 1e-20, 1e-9, 1e-4]
LARGE = [17, 19, 20, 36, 37, 40, 88, 89, 103, 104, 354, 373, 700, 709, 710, 745, 746, 1000, 10_000]
DTYPES = [np.float32, np.float64]


def digits_for(*numbers):
    """Enough digits that 1 − e^(−|z|), and 1 − (1 − z), keep 50 of them."""
    sizes = [abs(float(x)) for x in numbers]
    smallest = min([s for s in sizes if s] + [1])
    return 60 + int(0.9 * max(sizes)) + int(-2 * np.log10(smallest))


def exactly(numbers):
    return [mp.mpf(float(x)) for x in np.ravel(numbers)]


def ulps(computed, exact, at_least=0.0):
    """The errors in units of the last place of the exact value or of `at_least`, whichever is larger."""
    computed = np.ravel(computed)
    nearest = np.array([float(x) for x in exact]).astype(computed.dtype)
    unit = np.spacing(np.maximum(np.abs(nearest), computed.dtype.type(at_least)))
    errors = [abs(c - x) / u for c, x, u in zip(exactly(computed), exact, exactly(unit), strict=True)]
    return np.array([float(e) for e in errors])


# Activations ----------------------------------------------------------------------------------------------------------


def sigma(z):
    return 1 / (1 + mp.exp(-z))


def exact_tanh(z):
    return (mp.exp(z) - mp.exp(-z)) / (mp.exp(z) + mp.exp(-z))


# The textbook formula of each function, and the bound on its error in ulp.
ELEMENTWISE = {
    "relu": (lambda z: max(z, mp.zero), 0),
    "relu_derivative": (lambda z: mp.mpf(z > 0), 0),
    "sigmoid": (sigma, 5),
    "sigmoid_derivative": (lambda z: sigma(z) * (1 - sigma(z)), 6),
    "tanh": (exact_tanh, 3),
    "tanh_derivative": (lambda z: 1 - exact_tanh(z) ** 2, 6),
    "identity": (lambda z: z, 0),
    "identity_derivative": (lambda z: mp.one, 0),
    "selu": (lambda z: SELU_LAMBDA * (z if z > 0 else SELU_ALPHA * (mp.exp(z) - 1)), 3),
    "selu_derivative": (lambda z: SELU_LAMBDA * (mp.one if z > 0 else SELU_ALPHA * mp.exp(z)), 4),
}


def grid(dtype):
    positive = np.concatenate([TINY, LARGE, np.linspace(0.05, 8, 60), np.random.default_rng(0).uniform(0, 40, 60)])
    return np.concatenate([[0], positive, -positive]).astype(dtype)


def error_on_grid(function, exact, dtype):
    z = grid(dtype)
    values = []
    for x in z:
        with mp.workdps(digits_for(x)):
            values.append(exact(mp.mpf(float(x))))
    return ulps(function(z), values).max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activations_and_their_derivatives(name, dtype):
    exact, bound = ELEMENTWISE[name]
    assert error_on_grid(getattr(activations, name), exact, dtype) <= bound


# Softmax --------------------------------------------------------------------------------------------------------------


def exact_softmax(row):
    powers = [mp.exp(z) for z in exactly(row)]
    return [e / sum(powers) for e in powers]


def logits(kind, dtype):
    rng = np.random.default_rng(1)
    rows = {
        "whole numbers": [
            *rng.integers(-40, 40, size=(20, 4)),
            [0, 0, 0, 0],
            [40, 0, 0, -40],
            [-745, 0, 1, 2],
            [1000, -1000, 0, 999],
            [10_000, -10_000, 10_000, 0],
        ],
        "near 0": [*rng.normal(scale=3, size=(20, 4)), [1e-300, 0, -1e-20, 5e-324]],
        "far apart": rng.uniform(-700, 700, size=(20, 4)),
    }
    return np.array(rows[kind], dtype=dtype)


@functools.cache
def logits_and_exact_softmax(kind, dtype):
    """Z, and the entries of P and of ln P. ln p is still there where p is 1 − e^(−20000)."""
    Z = logits(kind, dtype)
    P, log_P = [], []
    for row in Z:
        with mp.workdps(digits_for(np.ptp(row))):
            p = exact_softmax(row)
            P += p
            log_P += [mp.log(x) for x in p]
    return Z, P, log_P


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "bound", "log_bound"), [("whole numbers", 4, 4), ("near 0", 9, 8), ("far apart", 4, 4)]
)
def test_softmax_and_its_logarithm(kind, bound, log_bound, dtype):
    """The difference zₖ − zₜ is rounded, by up to half an ulp, which e^z turns into |zₖ − zₜ| ulp: far apart that is
    what remains of an error, of p and of a ln p that is nearly 0."""
    Z, P, log_P = logits_and_exact_softmax(kind, dtype)
    spread = np.ravel(Z.max(axis=1, keepdims=True) - Z) if kind == "far apart" else 0
    largest_spread = np.repeat(np.ptp(Z, axis=1), 4) if kind == "far apart" else 0
    assert np.all(ulps(softmax(Z), P) <= bound + spread)
    assert np.all(ulps(log_softmax(Z), log_P) <= log_bound + largest_spread)
    assert np.all(ulps(softmax(Z), P, at_least=1e-3) <= bound)
    assert np.all(ulps(log_softmax(Z), log_P, at_least=1e-3) <= log_bound)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_jacobian_of_softmax_and_its_product(dtype):
    """1 − p cancels in both, so the error is counted in ulp of 1."""
    u = np.array([2, -1, 3, 0.5], dtype=dtype)
    for z in np.concatenate([logits("whole numbers", dtype), logits("near 0", dtype)]):
        with mp.workdps(60):
            p = exact_softmax(z)
            J = [p[k] * ((k == j) - p[j]) for k in range(4) for j in range(4)]
            dz = [sum(J[4 * k + j] * mp.mpf(float(u[k])) for k in range(4)) for j in range(4)]
        assert np.all(ulps(softmax_jacobian(z), J, at_least=1) <= 1)
        assert np.all(ulps(softmax_backward(u, softmax(z)), dz, at_least=1) <= 4)


# Losses ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["whole numbers", "near 0"])
@pytest.mark.parametrize("label", range(4))
def test_softmax_cross_entropy(label, kind, dtype):
    Z, P, log_P = logits_and_exact_softmax(kind, dtype)
    m = len(Z)
    loss, dZ = losses.softmax_cross_entropy(Z, np.full(m, label))
    with mp.workdps(digits_for(np.ptp(Z))):
        assert ulps(dtype(loss), [-sum(log_P[label::4]) / m]) <= 4
        assert np.all(ulps(dZ, [(p - (k % 4 == label)) / m for k, p in enumerate(P)]) <= 10)


def exact_binary(p, y):
    """Value and slope of −y ln p − (1 − y) ln(1 − p), with 0 ln 0 = 0."""
    value = -(y * mp.log(p) if y else 0) - ((1 - y) * mp.log(1 - p) if y != 1 else 0)
    return value, ((1 - y) / (1 - p) if y != 1 else 0) - (y / p if y else 0)


def errors_of_sigmoid_cross_entropy(loss_function, y, dtype):
    value_errors, slope_errors = [], []
    for z in grid(dtype):
        loss, dZ = loss_function(np.array([[z]]), np.array([[y]], dtype=dtype))
        with mp.workdps(digits_for(z)):
            p, y_exact = sigma(mp.mpf(float(z))), mp.mpf(float(dtype(y)))
            value_errors += [*ulps(dtype(loss), [exact_binary(p, y_exact)[0]])]
            # With a soft label A − Y is a true difference of two numbers that may be close: ulp of the larger one.
            slope_errors += [*ulps(dZ, [p - y_exact], at_least=0 if y in (0, 1) else y)]
    return max(value_errors), max(slope_errors)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("y", [0, 1, 0.25, 0.9])
def test_sigmoid_cross_entropy(y, dtype):
    value_error, slope_error = errors_of_sigmoid_cross_entropy(losses.sigmoid_cross_entropy, y, dtype)
    assert value_error <= 6
    assert slope_error <= 6


def probabilities(dtype):
    eps, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    inner = np.random.default_rng(2).uniform(size=60)
    return np.concatenate([[tiny, 1e-30, 1e-12, eps, 0.25, 0.5, 1 - eps, 1 - eps / 2], inner]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("y", [0, 1, 0.25, 0.9])
def test_binary_cross_entropy(y, dtype):
    for p in probabilities(dtype):
        loss, dY_hat = losses.binary_cross_entropy(np.array([[p]]), np.array([[y]], dtype=dtype))
        with mp.workdps(digits_for(p)):
            value, slope = exact_binary(mp.mpf(float(p)), mp.mpf(float(dtype(y))))
            assert ulps(dtype(loss), [value]) <= 4
            assert ulps(dY_hat, [slope]) <= 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy(dtype):
    P = probabilities(dtype).reshape(-1, 4)
    Y = np.random.default_rng(3).uniform(0, 2, size=P.shape).astype(dtype)
    m = len(P)
    loss, dP = losses.cross_entropy(P, Y)
    with mp.workdps(60):
        terms = [y * mp.log(p) for p, y in zip(exactly(P), exactly(Y), strict=True)]
        assert ulps(dtype(loss), [-sum(terms) / m]) <= 4
        slopes = [-y / (m * p) for p, y in zip(exactly(P), exactly(Y), strict=True)]
        assert np.all(ulps(dP, slopes) <= 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-18, 1, 1e15])
def test_squared_errors(scale, dtype):
    Y_hat, Y = (scale * np.random.default_rng(4).normal(size=(2, 7, 3))).astype(dtype)
    with mp.workdps(60):
        D = [a - b for a, b in zip(exactly(Y_hat), exactly(Y), strict=True)]
        total = sum(d**2 for d in D)
        for function, value, slopes in [
            (losses.mean_squared_error, total / 7, [2 * d / 7 for d in D]),
            (losses.half_squared_error, total / 2, D),
        ]:
            loss, gradient = function(Y_hat, Y)
            assert ulps(dtype(loss), [value]) <= 5
            assert np.all(ulps(gradient, slopes) <= 2)


# The bounds are seen to refuse the forms that lose digits -------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "naive"),
    [
        ("sigmoid", lambda z: 1 - 1 / (1 + np.exp(np.minimum(z, 80)))),
        ("sigmoid_derivative", lambda z: activations.sigmoid(z) * (1 - activations.sigmoid(z))),
        ("tanh_derivative", lambda z: 1 - np.tanh(z) ** 2),
        ("tanh", lambda z: 2 * activations.sigmoid(2 * z) - 1),
        ("selu", lambda z: np.where(z > 0, SELU_LAMBDA * z, SELU_LAMBDA * SELU_ALPHA * (np.exp(np.minimum(z, 0)) - 1))),
    ],
)
def test_a_form_that_loses_digits_is_over_the_bound(name, naive, dtype):
    exact, bound = ELEMENTWISE[name]
    error = error_on_grid(lambda z: naive(z).astype(dtype), exact, dtype)
    assert error > 100 * bound


def test_the_classic_form_of_sigmoid_cross_entropy_is_over_the_bound_for_soft_labels():
    """max(z, 0) − zy + ln(1 + e^(−|z|)) subtracts two numbers near z where y is near 1; A − Y loses a tiny gradient."""

    def classic(Z, Y):
        loss = np.sum(np.maximum(Z, 0) - Z * Y + np.log1p(np.exp(-np.abs(Z)))) / len(Z)
        return loss, (activations.sigmoid(Z) - Y) / len(Z)

    assert errors_of_sigmoid_cross_entropy(classic, 0.9, np.float64)[0] > 6
    assert errors_of_sigmoid_cross_entropy(classic, 1, np.float64)[1] > 1e6


def test_the_plain_log_sum_exp_is_over_the_bound():
    Z, _, log_P = logits_and_exact_softmax("whole numbers", np.float64)
    D = Z - Z.max(axis=1, keepdims=True)
    plain = D - np.log(np.exp(D).sum(axis=1, keepdims=True))
    assert ulps(plain, log_P).max() > 1e6
