"""Activations beside their derivatives: exact values, limits, kinks, extremes, and four independent derivatives."""

import inspect

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from backprop import activations
from backprop.activations import (
    ACTIVATIONS,
    SELU_ALPHA,
    SELU_LAMBDA,
    identity,
    identity_derivative,
    log_softmax,
    relu,
    relu_derivative,
    selu,
    selu_derivative,
    sigmoid,
    sigmoid_derivative,
    softmax,
    softmax_backward,
    softmax_jacobian,
    tanh,
    tanh_derivative,
)

quick = settings(max_examples=40, deadline=None, derandomize=True, database=None)
finite = st.floats(-1e308, 1e308, allow_subnormal=True)

PAIRS = {name: getattr(activations, name) for name in ("relu", "sigmoid", "tanh", "identity", "selu")}
DERIVATIVES = {name: getattr(activations, f"{name}_derivative") for name in PAIRS}
MAX, LEAST = np.finfo(float).max, np.finfo(float).smallest_subnormal

# Away from the kink at 0, on both sides of it, from tiny to saturated.
POINTS = np.array([-40.0, -20, -3, -1, -0.25, -1e-3, 1e-3, 0.5, 1, 2, 5, 19, 36, 40])

# Exact values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "z", "a"),
    [
        (relu, [-MAX, -2, -LEAST, 0, LEAST, 3, MAX], [0, 0, 0, 0, LEAST, 3, MAX]),
        (relu_derivative, [-MAX, -2, -LEAST, -0.0, 0, LEAST, 3, MAX], [0, 0, 0, 0, 0, 1, 1, 1]),
        (sigmoid, [-MAX, -1000, 0, LEAST, 1000, MAX], [0, 0, 0.5, 0.5, 1, 1]),
        (sigmoid_derivative, [-MAX, -1000, 0, 1000, MAX], [0, 0, 0.25, 0, 0]),
        (tanh, [-MAX, -1000, 0, LEAST, 1000, MAX], [-1, -1, 0, LEAST, 1, 1]),
        (tanh_derivative, [-MAX, -1000, 0, 1000, MAX], [0, 0, 1, 0, 0]),
        (identity, [-MAX, -2, 0, 3, MAX], [-MAX, -2, 0, 3, MAX]),
        (identity_derivative, [-MAX, 0, 3], [1, 1, 1]),
        (selu, [-MAX, -1000, 0, 2], [-SELU_LAMBDA * SELU_ALPHA] * 2 + [0, 2 * SELU_LAMBDA]),
        (selu_derivative, [-MAX, -1000, 0, 2], [0, 0, SELU_LAMBDA * SELU_ALPHA, SELU_LAMBDA]),
        (softmax, [[1e4, -1e4, 1e4], [-1000, 1000, -1000]], [[0.5, 0, 0.5], [0, 1, 0]]),
        (softmax, [[MAX, -MAX], [MAX, MAX]], [[1, 0], [0.5, 0.5]]),
        (log_softmax, [[1e4, -1e4, -1e4], [0, -1000, -2000]], [[0, -2e4, -2e4], [0, -1000, -2000]]),
        (log_softmax, [[MAX, -MAX]], [[0, -np.inf]]),
        (softmax_jacobian, [1e4, -1e4, 1e4], [[0.25, 0, -0.25], [0, 0, 0], [-0.25, 0, 0.25]]),
    ],
)
def test_exact_values_with_every_floating_point_error_raised(function, z, a):
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(function(z), a)


INF = np.inf


@pytest.mark.parametrize(
    ("function", "z", "limit"),
    [
        (relu, [-INF, INF], [0, INF]),
        (relu_derivative, [-INF, INF], [0, 1]),
        (sigmoid, [-INF, INF], [0, 1]),
        (sigmoid_derivative, [-INF, INF], [0, 0]),
        (tanh, [-INF, INF], [-1, 1]),
        (tanh_derivative, [-INF, INF], [0, 0]),
        (identity, [-INF, INF], [-INF, INF]),
        (identity_derivative, [-INF, INF], [1, 1]),
        (selu, [-INF, INF], [-SELU_LAMBDA * SELU_ALPHA, INF]),
        (selu_derivative, [-INF, INF], [0, SELU_LAMBDA]),
        (softmax, [[INF, 0, 1], [-INF, 0, 0], [INF, -INF, 0]], [[1, 0, 0], [0, 0.5, 0.5], [1, 0, 0]]),
        (softmax, [[INF], [-INF]], [[1], [1]]),  # one class: p = 1 whatever z is
        (log_softmax, [[INF, 0], [0, -INF]], [[0, -INF], [0, -INF]]),
        (softmax_jacobian, [INF, 0, 0], np.zeros((3, 3))),
        (softmax_jacobian, [-INF, 0, 0], [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]]),
    ],
)
def test_infinity_gives_the_limit(function, z, limit):
    with np.errstate(all="raise"):
        got = function(z)
    np.testing.assert_array_equal(got, limit)
    # The limit is a limit: a large finite number is close to it, where the limit itself is finite.
    near = function(np.clip(z, -800, 800))
    settled = np.isfinite(limit)
    np.testing.assert_allclose(near[settled], np.asarray(limit, float)[settled], atol=1e-12)


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize("row", [[INF, INF, 0], [-INF, -INF], [INF, -INF, INF]])
def test_a_row_without_a_limit_is_refused(function, row):
    with pytest.raises(ValueError, match=r"largest entry of a row of Z is -?inf at index 1: softmax has a limit where"):
        function([[0] * len(row), row])


def test_the_constants_of_selu_make_mean_0_and_variance_1_a_fixed_point():
    lam, alpha = mpmath.mpf(SELU_LAMBDA), mpmath.mpf(SELU_ALPHA)
    with mpmath.workdps(30):
        negative = lambda power: mpmath.quad(  # noqa: E731
            lambda z: (lam * alpha * mpmath.expm1(z)) ** power * mpmath.npdf(z), [-40, -10, -3, 0]
        )
        mean = negative(1) + lam / mpmath.sqrt(2 * mpmath.pi)
        second = negative(2) + lam**2 / 2
    assert abs(mean) < 1e-15
    assert abs(second - 1) < 1e-15


# Derivatives: the checks, what survives them, and what must not -------------------------------------------------------


def check_complex_step(function, derivative):
    h = 1e-20
    np.testing.assert_allclose(derivative(POINTS), function(POINTS + 1j * h).imag / h, rtol=1e-14, atol=0)


def check_centred_difference(function, derivative):
    h = 1e-6
    np.testing.assert_allclose(
        derivative(POINTS), (function(POINTS + h) - function(POINTS - h)) / (2 * h), rtol=1e-7, atol=1e-9
    )


NAIVE = {
    "relu": lambda z: anp.maximum(0, z),
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
    "tanh": lambda z: anp.tanh(z),
    "identity": lambda z: z,
    "selu": lambda z: SELU_LAMBDA * anp.where(z > 0, z, SELU_ALPHA * (anp.exp(z) - 1)),
}


def check_autodiff(function, derivative):
    """HIPS autograd on the textbook formula, which is also the oracle for the function itself."""
    naive = NAIVE[function.__name__]
    np.testing.assert_allclose(function(POINTS), naive(POINTS), rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(derivative(POINTS), autograd.elementwise_grad(naive)(POINTS), rtol=1e-9, atol=1e-15)


CHECKS = [check_complex_step, check_centred_difference, check_autodiff]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("check", CHECKS)
def test_a_derivative_survives_every_check(check, name):
    check(PAIRS[name], DERIVATIVES[name])


WRONG = {
    "relu: always 1": ("relu", lambda z: np.ones_like(z)),
    "relu: of −z": ("relu", lambda z: (z < 0).astype(float)),
    "relu: the activation itself": ("relu", lambda z: np.maximum(z, 0)),
    "sigmoid: σ": ("sigmoid", sigmoid),
    "sigmoid: σ(1 + σ)": ("sigmoid", lambda z: sigmoid(z) * (1 + sigmoid(z))),
    "sigmoid: z(1 − z)": ("sigmoid", lambda z: z * (1 - z)),
    "sigmoid: −σ(1 − σ)": ("sigmoid", lambda z: -sigmoid(z) * sigmoid(-z)),
    "tanh: 1 − tanh": ("tanh", lambda z: 1 - np.tanh(z)),
    "tanh: 1 + tanh²": ("tanh", lambda z: 1 + np.tanh(z) ** 2),
    "tanh: σ′(2z)": ("tanh", lambda z: sigmoid_derivative(2 * z)),
    "tanh: 4σ′(z)": ("tanh", lambda z: 4 * sigmoid_derivative(z)),
    "identity: z": ("identity", lambda z: z),
    "selu: no λ below 0": ("selu", lambda z: np.where(z > 0, SELU_LAMBDA, SELU_ALPHA * np.exp(np.minimum(z, 0)))),
    "selu: no α": ("selu", lambda z: SELU_LAMBDA * np.where(z > 0, 1, np.exp(np.minimum(z, 0)))),
    "selu: 1 above 0": ("selu", lambda z: np.where(z > 0, 1, SELU_LAMBDA * SELU_ALPHA * np.exp(np.minimum(z, 0)))),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("check", CHECKS)
def test_a_wrong_derivative_is_caught_by_every_check(check, wrong):
    name, derivative = WRONG[wrong]
    with pytest.raises(AssertionError):
        check(PAIRS[name], derivative)


def test_a_form_that_cancels_is_caught_where_it_loses_its_digits():
    for name, cancelling in {
        "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
        "tanh": lambda z: 1 - np.tanh(z) ** 2,
    }.items():
        with pytest.raises(AssertionError):
            check_complex_step(PAIRS[name], cancelling)


@pytest.mark.parametrize("name", PAIRS)
def test_at_0_the_complex_step_and_the_derivative_take_the_same_branch(name):
    """|z| as z · sign(Re z) is 0 at z = ih, and a sigmoid written with it has derivative 0 there instead of ¼."""
    h = 1e-20
    for zero in (0.0, -0.0):
        assert PAIRS[name](complex(zero, h)).imag / h == pytest.approx(DERIVATIVES[name](zero), rel=1e-15)


def test_the_modulus_would_give_a_silently_wrong_derivative():
    """Why |z| is z or −z: with np.abs, which is not analytic, the imaginary part of the exponential is lost."""
    h, z = 1e-20, 2.0
    naive = lambda z: 1 / (1 + np.exp(-np.abs(z)))  # noqa: E731
    assert sigmoid(complex(z, h)).imag / h == pytest.approx(sigmoid_derivative(z), rel=1e-14)
    assert naive(complex(z, h)).imag / h == 0


@pytest.mark.parametrize("function", [*PAIRS.values(), softmax, log_softmax])
def test_the_complex_step_holds_where_the_exponential_overflows(function):
    h = 1e-20
    with np.errstate(all="raise"):
        result = function(np.array([complex(1000, h), -1000]))
    assert np.isfinite(result).all()
    if function.__name__ in DERIVATIVES:
        assert result[0].imag / h == pytest.approx(DERIVATIVES[function.__name__](1000))


def test_the_kink_of_relu():
    assert relu_derivative([0.0, -0.0]).tolist() == [0, 0]
    for h in (1e-1, 1e-5, 1e-9):
        assert (relu(h) - relu(-h)) / (2 * h) == 0.5  # what a centred difference says, for every h
        z = 0.25 * h
        assert (relu(z + h) - relu(z - h)) / (2 * h) == pytest.approx((1 + z / h) / 2)


# Properties -----------------------------------------------------------------------------------------------------------

anything = arrays(np.float64, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=finite)


@given(anything)
@quick
def test_shape_dtype_and_bounds_for_any_finite_input(z):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        results = {f.__name__: f(z) for f in [*PAIRS.values(), *DERIVATIVES.values()]}
    for result in results.values():
        assert np.shape(result) == z.shape
        assert result.dtype == np.float64
    low, high = 0, 1
    assert np.all((results["sigmoid"] >= low) & (results["sigmoid"] <= high))
    assert np.all((results["sigmoid_derivative"] >= low) & (results["sigmoid_derivative"] <= 0.25))
    assert np.all(np.abs(results["tanh"]) <= high)
    assert np.all((results["tanh_derivative"] >= low) & (results["tanh_derivative"] <= high))
    assert np.all(results["relu"] == np.maximum(z, 0))
    assert np.all(results["selu"] >= -SELU_LAMBDA * SELU_ALPHA)


@given(arrays(np.float64, 5, elements=st.floats(-40, 40)))
@quick
def test_identities_between_the_functions(z):
    np.testing.assert_allclose(sigmoid(-z), 1 - sigmoid(z), atol=2e-16)
    np.testing.assert_allclose(tanh(z), 2 * sigmoid(2 * z) - 1, atol=5e-16)
    np.testing.assert_allclose(sigmoid(z), softmax(np.stack([z, 0 * z], axis=-1))[..., 0], rtol=1e-14)
    np.testing.assert_array_equal(identity(z), relu(z) - relu(-z))


logits = arrays(np.float64, array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=5), elements=finite)


@given(logits)
@quick
def test_softmax_of_any_finite_row_is_a_distribution(Z):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        P, log_P = softmax(Z), log_softmax(Z)
    assert P.shape == log_P.shape == Z.shape
    assert np.all((P >= 0) & (P <= 1))
    np.testing.assert_allclose(P.sum(axis=-1), 1, rtol=1e-15)
    assert np.all(log_P <= 0)
    np.testing.assert_allclose(np.exp(log_P), P, rtol=1e-12, atol=1e-300)


@given(arrays(np.int64, (3, 4), elements=st.integers(-50, 50)), st.integers(-10_000, 10_000))
@quick
def test_softmax_does_not_see_a_shift_and_follows_a_permutation(Z, c):
    np.testing.assert_array_equal(softmax(Z + c), softmax(Z))
    np.testing.assert_array_equal(log_softmax(Z + c), log_softmax(Z))
    np.testing.assert_allclose(softmax(Z[:, [2, 0, 3, 1]]), softmax(Z)[:, [2, 0, 3, 1]], rtol=1e-15)


# Softmax's Jacobian and backward pass ---------------------------------------------------------------------------------

Z34 = np.array([[1.0, -2, 0.5, 3], [0, 4, -1, 2], [-3, -1, 2.5, -2]])
U34 = np.array([[2.0, -1, 3, 0.5], [1, 1, -2, 4], [-3, 2, 1, 5]])


def test_softmax_by_hand():
    np.testing.assert_allclose(softmax(np.log([[1, 2, 3], [4, 4, 2]])), [[1 / 6, 2 / 6, 3 / 6], [0.4, 0.4, 0.2]])
    np.testing.assert_allclose(log_softmax(np.log([1, 2, 5])), np.log([1 / 8, 2 / 8, 5 / 8]))
    J = softmax_jacobian(np.log([1, 1, 2]))
    np.testing.assert_allclose(16 * J, [[3, -1, -2], [-1, 3, -2], [-2, -2, 4]], atol=1e-14)


def check_jacobian(jacobian):
    h = 1e-20
    for z in Z34:
        steps = np.stack([softmax(z + 1j * h * e).imag / h for e in np.eye(4)], axis=1)
        np.testing.assert_allclose(jacobian(z), steps, rtol=1e-13, atol=1e-17)
        naive = autograd.jacobian(lambda z: anp.exp(z) / anp.sum(anp.exp(z)))(z)
        np.testing.assert_allclose(jacobian(z), naive, rtol=1e-13, atol=1e-17)


def check_softmax_backward(backward):
    P = softmax(Z34)
    rows = [softmax_jacobian(z).T @ u for z, u in zip(Z34, U34, strict=True)]
    np.testing.assert_allclose(backward(U34, P), rows, rtol=1e-13, atol=1e-15)
    scalar = lambda Z: anp.sum(U34 * anp.exp(Z) / anp.sum(anp.exp(Z), axis=1, keepdims=True))  # noqa: E731
    np.testing.assert_allclose(backward(U34, P), autograd.grad(scalar)(Z34), rtol=1e-12, atol=1e-14)


def test_the_jacobian_of_softmax():
    check_jacobian(softmax_jacobian)
    J = softmax_jacobian(Z34[0])
    np.testing.assert_array_equal(J, J.T)
    np.testing.assert_allclose(J.sum(axis=0), 0, atol=1e-16)
    assert np.linalg.matrix_rank(J) == 4 - 1


def test_the_backward_pass_of_softmax():
    check_softmax_backward(softmax_backward)
    np.testing.assert_array_equal(softmax_backward(U34[0], softmax(Z34[0])), softmax_backward(U34, softmax(Z34))[0])
    np.testing.assert_allclose(softmax_backward(7 * np.ones((3, 4)), softmax(Z34)), 0, atol=1e-15)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda z: np.diag(softmax(z) * (1 - softmax(z))),  # as if element-wise
        lambda z: np.diag(softmax(z)) + np.outer(softmax(z), softmax(z)),
        lambda z: np.outer(softmax(z), softmax(z)) - np.diag(softmax(z)),
        lambda z: np.eye(4) - np.outer(softmax(z), softmax(z)),
    ],
)
def test_a_wrong_jacobian_is_caught(wrong):
    with pytest.raises(AssertionError):
        check_jacobian(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda U, P: U * P * (1 - P),  # as if element-wise
        lambda U, P: P * (U - np.sum(U * P)),  # summed over the batch too
        lambda U, P: P * (U - np.sum(U * P, axis=0)),  # wrong axis
        lambda U, P: P * (U - np.sum(U, axis=1, keepdims=True)),
        lambda U, P: P * (U + np.sum(U * P, axis=1, keepdims=True)),
        lambda U, P: U - np.sum(U * P, axis=1, keepdims=True),
        lambda U, P: P * (U - np.sum(U * P, axis=1, keepdims=True)) / len(P),
    ],
)
def test_a_wrong_softmax_backward_is_caught(wrong):
    with pytest.raises(AssertionError):
        check_softmax_backward(wrong)


def check_log_softmax(function):
    """Against ln of the textbook softmax; by the complex step too, also where the largest entry is met twice."""
    h = 1e-20
    for z in [*Z34, np.array([1.0, 1, -2, 0]), np.array([-3.0, 2, 2, 2])]:
        p = np.exp(z) / np.exp(z).sum()
        np.testing.assert_allclose(function(z), np.log(p), rtol=1e-13)
        for k, e in enumerate(np.eye(4)):
            np.testing.assert_allclose(function(z + 1j * h * e).imag / h, e - p[k], rtol=1e-13)


def test_log_softmax():
    check_log_softmax(log_softmax)


def log_sum_exp_with_a_real_shift(z):
    """ln(1 + Σ others) takes the largest entry's own term for 1, which it is not while that entry carries the step."""
    t = z.real.argmax()
    return z - z[t].real - np.log1p(np.exp(np.delete(z, t) - z[t].real).sum())


@pytest.mark.parametrize(
    "wrong",
    [
        log_sum_exp_with_a_real_shift,
        lambda z: z - np.log(np.sum(np.abs(np.exp(z)))),
        lambda z: z - z.real.max() - np.log(np.exp(z).sum()),
        lambda z: z + np.log(np.exp(z).sum()),
        softmax,
    ],
)
def test_a_wrong_log_softmax_is_caught(wrong):
    with pytest.raises(AssertionError):
        check_log_softmax(wrong)


def test_the_complex_step_goes_through_softmax_where_entries_tie():
    h, z = 1e-20, np.array([1.0, 1, -2])
    J = softmax_jacobian(z)
    for k, e in enumerate(np.eye(3)):
        np.testing.assert_allclose(softmax(z + 1j * h * e).imag / h, J[:, k], rtol=1e-14)


# The table of activations ---------------------------------------------------------------------------------------------


def test_the_table():
    assert list(ACTIVATIONS) == ["relu", "sigmoid", "tanh", "identity", "selu", "softmax"]
    for name, activation in ACTIVATIONS.items():
        assert activation.function is getattr(activations, name)
        assert activation.derivative is getattr(activations, f"{name}_derivative", None)
        assert list(inspect.signature(activation.backward).parameters) == ["dA", "Z", "A"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_backward_is_the_transposed_jacobian_of_the_function(name):
    function, _, backward = ACTIVATIONS[name]
    h = 1e-20
    dZ = backward(U34, Z34, function(Z34))
    for index in np.ndindex(Z34.shape):
        step = np.zeros_like(Z34, dtype=complex)
        step[index] = 1j * h
        np.testing.assert_allclose(dZ[index], np.sum(U34 * function(Z34 + step)).imag / h, rtol=1e-12, atol=1e-15)


def test_backward_at_infinity_is_the_limit():
    for name, want in {"relu": [0, 1], "sigmoid": [0, 0], "tanh": [0, 0], "identity": [1, 1]}.items():
        function, _, backward = ACTIVATIONS[name]
        Z = np.array([[-INF, INF]])
        np.testing.assert_array_equal(backward([[2, 2]], Z, function(Z)), [[2 * w for w in want]])
    function, _, backward = ACTIVATIONS["softmax"]
    Z = np.array([[-INF, 0, 0]])
    np.testing.assert_array_equal(backward([[2, 4, 8]], Z, function(Z)), [[0, -1, 1]])


# Arrays ---------------------------------------------------------------------------------------------------------------

FUNCTIONS = [*PAIRS.values(), *DERIVATIVES.values(), softmax, log_softmax]


@pytest.mark.parametrize("function", [*FUNCTIONS, softmax_jacobian])
@pytest.mark.parametrize(
    ("dtype", "result"),
    [("f4", "f4"), ("f8", "f8"), ("i2", "f8"), ("u8", "f8"), ("?", "f8"), (">f4", "f4"), (">f8", "f8")],
)
def test_dtypes(function, dtype, result):
    assert function(np.array([1, 0, 1]).astype(dtype)).dtype == result


@pytest.mark.parametrize("function", [*PAIRS.values(), *DERIVATIVES.values()])
def test_a_number_comes_back_as_a_number(function):
    for value in (np.float32(2), np.float64(2), np.array(2.0, np.float32), 2, True):
        result = function(value)
        assert isinstance(result, np.floating)
        assert result.dtype == (np.float32 if getattr(value, "dtype", None) == np.float32 else np.float64)
        assert result == function([float(value)] if result.dtype == np.float64 else np.array([value]))[0]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_layouts_and_arguments(function):
    wide = np.zeros((3, 8))
    wide[:, ::2] = Z34
    read_only = Z34.copy()
    read_only.flags.writeable = False
    want = function(Z34)
    for Z in (wide[:, ::2], np.asfortranarray(Z34), Z34[::-1].copy()[::-1], read_only, Z34.tolist()):
        before = np.array(Z)
        result = function(Z)
        np.testing.assert_array_equal(result, want)
        assert not np.shares_memory(result, Z)
        result[...] = 99
        np.testing.assert_array_equal(Z, before)


@pytest.mark.parametrize("function", [*PAIRS.values(), *DERIVATIVES.values()])
def test_empty_arrays(function):
    assert function([]).shape == (0,)
    assert function(np.ones((0, 3), np.float32)).shape == (0, 3)


def test_empty_batches_of_softmax():
    assert softmax(np.ones((0, 3))).shape == log_softmax(np.ones((0, 3))).shape == (0, 3)
    assert softmax_backward(np.ones((0, 3)), np.ones((0, 3))).shape == (0, 3)
    for function in (softmax, log_softmax, softmax_jacobian):
        with pytest.raises(ValueError, match=r"[zZ] has shape \((3, )?0,?\): expected at least one class"):
            function(np.ones(0) if function is softmax_jacobian else np.ones((3, 0)))


@pytest.mark.parametrize("name", PAIRS)
def test_the_source_that_a_page_shows_is_the_function(name):
    assert f"def {name}(z)" in inspect.getsource(PAIRS[name])
    assert f"def {name}_derivative(z)" in inspect.getsource(DERIVATIVES[name])


# Bad input ------------------------------------------------------------------------------------------------------------

KINDS = "float32, float64, complex128, integers or bool"
REAL = "float32, float64, integers or bool"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_refuses_what_is_not_a_number(function):
    z = next(iter(inspect.signature(function).parameters))
    with pytest.raises(ValueError, match=rf"^{z} is nan at index 1: expected a number$"):
        function([0, np.nan])
    with pytest.raises(ValueError, match=rf"^{z} is not a rectangular array of numbers"):
        function([[1, 2], [3]])
    with pytest.raises(TypeError, match=rf"^{z} is a masked array: expected an array without a mask$"):
        function(np.ma.ones(3))
    for bad in (np.ones(3, "f2"), np.ones(3, "c8"), ["a"], [None], np.ones(3, "m8[s]")):
        with pytest.raises(TypeError, match=rf"^{z} has dtype .*: expected float32, float64"):
            function(bad)


@pytest.mark.parametrize("function", [*PAIRS.values(), softmax, log_softmax])
def test_the_complex_step_takes_finite_complex_numbers(function):
    z = next(iter(inspect.signature(function).parameters))
    for bad in (complex(np.inf, 1), complex(0, np.inf), complex(np.nan, 0)):
        with pytest.raises(ValueError, match=rf"^{z} is .* at index 0: expected finite numbers$"):
            function([bad, 0])
    assert function([1j, 2]).dtype == np.complex128


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        *((lambda f=f: f([1j]), TypeError, f"z has dtype complex128: expected {REAL}") for f in DERIVATIVES.values()),
        (lambda: softmax_jacobian([1j]), TypeError, f"z has dtype complex128: expected {REAL}"),
        (lambda: softmax_jacobian([[1, 2]]), ValueError, "z has shape (1, 2): expected 1 axis, (K,)"),
        (lambda: softmax(1.0), ValueError, "Z has shape (): expected 1 axis or more, (..., K)"),
        (lambda: softmax(np.float16(1)), TypeError, f"Z has dtype float16: expected {KINDS}"),
        (lambda: softmax_backward([[1, 2]], [[1j, 0]]), TypeError, f"P has dtype complex128: expected {REAL}"),
        (lambda: softmax_backward([[1j, 2]], [[1, 0]]), TypeError, f"dP has dtype complex128: expected {REAL}"),
        (
            lambda: softmax_backward(np.ones((3, 4)), np.ones((3, 5))),
            ValueError,
            "P has shape (3, 5), but dP has 4 classes: expected (3, 4)",
        ),
        (
            lambda: softmax_backward(np.ones((3, 4)), np.ones(4)),
            ValueError,
            "P has shape (4,), but dP has leading shape (3,): expected (3, 4)",
        ),
        (
            lambda: softmax_backward([[INF, 2]], [[1, 0]]),
            ValueError,
            "dP is inf at index (0, 0): expected finite numbers",
        ),
        (
            lambda: softmax_backward([[1, 2]], [[1.5, -0.5]]),
            ValueError,
            "P is 1.5 at index (0, 0): expected numbers from 0 to 1",
        ),
        *(
            (lambda f=f, P=P: f(np.ones_like(P), P), ValueError, f"the sum of a row of {name} is {found}: expected 1")
            for name, f in {
                "P": softmax_backward,
                "A": lambda dA, A: ACTIVATIONS["softmax"].backward(dA, np.zeros_like(A), A),
            }.items()
            for P, found in [
                (np.array([[0.5, 0.5, 0], [0.5, 0, 0.25]]), "0.75 at index 1"),
                (np.array([[0.5, 0.5 + 2**-12]]), f"{1 + 2**-12} at index 0"),
                (np.array([[[1.0], [1]], [[1], [0.25]]]), "0.25 at index (1, 1)"),
            ]
        ),
        (
            lambda: ACTIVATIONS["relu"].backward(np.ones((3, 2)), np.ones((2, 3)), np.ones((3, 2))),
            ValueError,
            "Z has shape (2, 3), but dA has shape (3, 2): expected (3, 2)",
        ),
        (
            lambda: ACTIVATIONS["relu"].backward([[INF]], [[1]], [[1]]),
            ValueError,
            "dA is inf at index (0, 0): expected finite numbers",
        ),
        (
            lambda: ACTIVATIONS["softmax"].backward([[1, 2]], [[0, 0]], [[3, 4]]),
            ValueError,
            "A is 3.0 at index (0, 0): expected numbers from 0 to 1",
        ),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
