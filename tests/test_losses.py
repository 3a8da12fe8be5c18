"""Losses beside their gradients: by hand, against naive formulas and autodiff, at limits and extremes, on bad input."""

import inspect
import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backprop.activations import ACTIVATIONS, sigmoid, softmax
from backprop.datasets import running_example
from backprop.losses import (
    binary_cross_entropy,
    cross_entropy,
    half_squared_error,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)

quick = settings(max_examples=40, deadline=None, derandomize=True, database=None)
MAX, LEAST = np.finfo(float).max, np.finfo(float).smallest_subnormal

# m = 3 samples and 4 outputs. The labels are soft on purpose, and the rows of weights do not sum to 1.
Z = np.array([[1.0, -2, 0.5, 3], [0.25, 4, -1, 2], [-3, -1, 2.5, -2]])
WEIGHTS = np.array([[0.5, 0, 2, 1], [0.25, 0.25, 0.25, 0.25], [0, 3, 0, 0.5]])
BITS = np.array([[0, 1, 0.25, 1], [1, 0.5, 0, 0], [0.75, 0, 1, 1]])
TARGETS = np.array([[2.0, 1, -1, 0.5], [-2, 3, 1, -1], [1, 0.5, 4, -3]])
# Each loss with a point that is inside its domain, and labels.
POINTS = {
    softmax_cross_entropy: (Z, WEIGHTS),
    sigmoid_cross_entropy: (Z, BITS),
    cross_entropy: (np.exp(Z) / (1 + np.exp(Z)), WEIGHTS),
    binary_cross_entropy: (np.exp(Z) / (1 + np.exp(Z)), BITS),
    mean_squared_error: (Z, TARGETS),
    half_squared_error: (Z, TARGETS),
}
LOSSES = list(POINTS)

# The textbook formulas, overflow and all, in autograd's NumPy.
NAIVE = {
    softmax_cross_entropy: lambda Z, Y: (
        -anp.sum(Y * anp.log(anp.exp(Z) / anp.exp(Z).sum(axis=1, keepdims=True))) / len(Z)
    ),
    sigmoid_cross_entropy: lambda Z, Y: NAIVE[binary_cross_entropy](1 / (1 + anp.exp(-Z)), Y),
    cross_entropy: lambda P, Y: -anp.sum(Y * anp.log(P)) / len(P),
    binary_cross_entropy: lambda P, Y: -anp.sum(Y * anp.log(P) + (1 - Y) * anp.log(1 - P)) / len(P),
    mean_squared_error: lambda Y_hat, Y: anp.sum((Y_hat - Y) ** 2) / len(Y),
    half_squared_error: lambda Y_hat, Y: anp.sum((Y_hat - Y) ** 2) / 2,
}

# By hand --------------------------------------------------------------------------------------------------------------


def test_softmax_cross_entropy_by_hand():
    # Two classes and logits ln 3, 0 give p = (3/4, 1/4).
    loss, dZ = softmax_cross_entropy(np.log([[3, 1], [3, 1], [1, 1]]), [0, 1, 1])
    assert loss == pytest.approx((math.log(4 / 3) + math.log(4) + math.log(2)) / 3, rel=1e-15)
    np.testing.assert_allclose(3 * dZ, [[-1 / 4, 1 / 4], [3 / 4, -3 / 4], [1 / 2, -1 / 2]], rtol=1e-14)


def test_softmax_cross_entropy_on_the_running_example():
    # The logits of the samples differ by −2, −1, 1, 3; the classes are 1, 0, 0, 1.
    Z2 = np.array([[2, 4], [3, 4], [5, 4], [2, -1]])
    loss, dZ = softmax_cross_entropy(Z2, running_example().Y)
    gaps = [2, -1, 1, -3]  # the true class's logit minus the other's
    assert loss == pytest.approx(sum(math.log1p(math.exp(-g)) for g in gaps) / 4, rel=1e-15)
    np.testing.assert_allclose(
        dZ[:, 0] * 4, [1 / (1 + math.e**2), -1 / (1 + 1 / math.e), -1 / (1 + math.e), 1 / (1 + math.e**-3)]
    )
    np.testing.assert_allclose(dZ.sum(axis=1), 0, atol=1e-16)


def test_cross_entropies_from_probabilities_by_hand():
    loss, dP = cross_entropy([[0.5, 0.25, 0.25], [0.125, 0.375, 0.5]], [1, 0])
    assert loss == pytest.approx((math.log(4) + math.log(8)) / 2, rel=1e-15)
    assert dP.tolist() == [[0, -2, 0], [-4, 0, 0]]
    loss, dY_hat = binary_cross_entropy([[0.25], [0.5], [0.75], [0.5]], [[1], [0], [1], [0.5]])
    assert loss == pytest.approx((math.log(4) + math.log(2) + math.log(4 / 3) + math.log(2)) / 4, rel=1e-15)
    np.testing.assert_allclose(dY_hat, [[-1], [0.5], [-1 / 3], [0]], rtol=1e-15)


def test_squared_errors_by_hand():
    Y_hat, Y = [[1, 2, 3], [4, 5, 6]], [[1, 0, 3], [1, 5, 2]]
    assert mean_squared_error(Y_hat, Y)[0] == (0 + 4 + 0 + 9 + 0 + 16) / 2
    assert mean_squared_error(Y_hat, Y)[1].tolist() == [[0, 2, 0], [3, 0, 4]]
    assert half_squared_error(Y_hat, Y)[0] == (0 + 4 + 0 + 9 + 0 + 16) / 2
    assert half_squared_error(Y_hat, Y)[1].tolist() == [[0, 2, 0], [3, 0, 4]]
    assert mean_squared_error([Y_hat[0]] * 3, [Y[0]] * 3)[0] == 4
    assert half_squared_error([Y_hat[0]] * 3, [Y[0]] * 3)[0] == 6


def test_the_four_normalisations_of_the_squared_error():
    (m, n_out), D2 = Z.shape, np.sum((Z - TARGETS) ** 2)
    mean, half = mean_squared_error(Z, TARGETS), half_squared_error(Z, TARGETS)
    total, mean_over_all = 2 * half[0], mean[0] / n_out
    np.testing.assert_allclose(
        [total, mean[0], mean_over_all, half[0]], [D2, D2 / m, D2 / (m * n_out), D2 / 2], rtol=1e-14
    )
    np.testing.assert_allclose(mean[1], 2 / m * half[1], rtol=1e-15)


# The checks that a loss must survive, and the wrong ones that must not ------------------------------------------------


def check_naive_value(loss, name):
    at, Y = POINTS[name]
    assert loss(at, Y)[0] == pytest.approx(float(NAIVE[name](at, Y)), rel=1e-13)


def check_autodiff(loss, name):
    at, Y = POINTS[name]
    np.testing.assert_allclose(loss(at, Y)[1], autograd.grad(NAIVE[name])(at, Y), rtol=1e-11, atol=1e-15)


def check_centred_differences(loss, name):
    at, Y = POINTS[name]
    gradient = loss(at, Y)[1]
    h = 1e-5
    for index in np.ndindex(at.shape):
        plus, minus = at.copy(), at.copy()
        plus[index] += h
        minus[index] -= h
        numeric = (name(plus, Y)[0] - name(minus, Y)[0]) / (2 * h)
        np.testing.assert_allclose(gradient[index], numeric, rtol=1e-6, atol=1e-9)


def check_complex_step(loss, name):
    at, Y = POINTS[name]
    gradient = loss(at, Y)[1]
    h = 1e-20
    for index in np.ndindex(at.shape):
        stepped = at.astype(complex)
        stepped[index] += 1j * h
        np.testing.assert_allclose(gradient[index], name(stepped, Y)[0].imag / h, rtol=1e-12, atol=1e-16)


CHECKS = [check_autodiff, check_centred_differences, check_complex_step]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("check", [check_naive_value, *CHECKS])
def test_a_loss_survives_every_check(check, loss):
    check(loss, loss)


S = WEIGHTS.sum(axis=1, keepdims=True)
WRONG_GRADIENTS = {
    "softmax CE: P − Y, no 1/m": (softmax_cross_entropy, lambda Z, Y: S * softmax(Z) - Y),
    "softmax CE: (P − Y)/m for labels that do not sum to 1": (softmax_cross_entropy, lambda Z, Y: (softmax(Z) - Y) / 3),
    "softmax CE: (Y − sP)/m": (softmax_cross_entropy, lambda Z, Y: (Y - S * softmax(Z)) / 3),
    "softmax CE: over m K": (softmax_cross_entropy, lambda Z, Y: (S * softmax(Z) - Y) / 12),
    "softmax CE: softmax over the samples": (softmax_cross_entropy, lambda Z, Y: (S * softmax(Z.T).T - Y) / 3),
    "softmax CE: ⊙ p(1 − p) instead of the Jacobian": (
        softmax_cross_entropy,
        lambda Z, Y: -Y / softmax(Z) * softmax(Z) * (1 - softmax(Z)) / 3,
    ),
    "sigmoid CE: A − Y, no 1/m": (sigmoid_cross_entropy, lambda Z, Y: sigmoid(Z) - Y),
    "sigmoid CE: over m n_out": (sigmoid_cross_entropy, lambda Z, Y: (sigmoid(Z) - Y) / 12),
    "sigmoid CE: (Y − A)/m": (sigmoid_cross_entropy, lambda Z, Y: (Y - sigmoid(Z)) / 3),
    "sigmoid CE: times σ′ once more": (
        sigmoid_cross_entropy,
        lambda Z, Y: (sigmoid(Z) - Y) * sigmoid(Z) * sigmoid(-Z) / 3,
    ),
    "CE: +Y/(mP)": (cross_entropy, lambda P, Y: Y / P / 3),
    "CE: −Y/P, no 1/m": (cross_entropy, lambda P, Y: -Y / P),
    "CE: P − Y": (cross_entropy, lambda P, Y: (P - Y) / 3),
    "CE: log base 2": (cross_entropy, lambda P, Y: -Y / P / 3 / math.log(2)),
    "BCE: no 1/m": (binary_cross_entropy, lambda P, Y: (P - Y) / (P * (1 - P))),
    "BCE: Ŷ − Y": (binary_cross_entropy, lambda P, Y: (P - Y) / 3),
    "BCE: the sign of one term": (binary_cross_entropy, lambda P, Y: (-Y / P - (1 - Y) / (1 - P)) / 3),
    "BCE: only the first term": (binary_cross_entropy, lambda P, Y: -Y / P / 3),
    "MSE: no 2": (mean_squared_error, lambda P, Y: (P - Y) / 3),
    "MSE: no 1/m": (mean_squared_error, lambda P, Y: 2 * (P - Y)),
    "MSE: over m n_out": (mean_squared_error, lambda P, Y: 2 * (P - Y) / 12),
    "MSE: Y − Ŷ": (mean_squared_error, lambda P, Y: 2 * (Y - P) / 3),
    "half SE: over m": (half_squared_error, lambda P, Y: (P - Y) / 3),
    "half SE: twice": (half_squared_error, lambda P, Y: 2 * (P - Y)),
    "half SE: Y − Ŷ": (half_squared_error, lambda P, Y: Y - P),
}


@pytest.mark.parametrize("wrong", WRONG_GRADIENTS)
@pytest.mark.parametrize("check", CHECKS)
def test_a_wrong_gradient_is_caught_by_every_check(check, wrong):
    loss, gradient = WRONG_GRADIENTS[wrong]
    with pytest.raises(AssertionError):
        check(lambda at, Y: (loss(at, Y)[0], gradient(at, Y)), loss)


WRONG_VALUES = {
    "summed over the samples": lambda value: 3 * value,
    "mean over the outputs too": lambda value: value / 4,
    "the sign": lambda value: -value,
    "log base 2": lambda value: value / math.log(2),
    "half": lambda value: value / 2,
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("wrong", WRONG_VALUES)
def test_a_wrong_value_is_caught(wrong, loss):
    with pytest.raises(AssertionError):
        check_naive_value(lambda at, Y: (WRONG_VALUES[wrong](loss(at, Y)[0]), None), loss)


# How the losses fit together ------------------------------------------------------------------------------------------


def test_fused_and_through_the_activation_agree():
    P = softmax(Z)
    loss, dP = cross_entropy(P, WEIGHTS)
    fused, dZ = softmax_cross_entropy(Z, WEIGHTS)
    assert loss == pytest.approx(fused, rel=1e-14)
    np.testing.assert_allclose(ACTIVATIONS["softmax"].backward(dP, Z, P), dZ, rtol=1e-13, atol=1e-16)
    A = sigmoid(Z)
    loss, dA = binary_cross_entropy(A, BITS)
    fused, dZ = sigmoid_cross_entropy(Z, BITS)
    assert loss == pytest.approx(fused, rel=1e-13)
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].backward(dA, Z, A), dZ, rtol=1e-12, atol=1e-16)


def test_two_classes_are_one_sigmoid():
    z, y = Z[:, :1], np.array([1, 0, 1])
    fused, dz = sigmoid_cross_entropy(z, y[:, None])
    loss, dZ = softmax_cross_entropy(np.hstack([0 * z, z]), y)
    assert loss == pytest.approx(fused, rel=1e-15)
    np.testing.assert_allclose(dZ[:, 1:], dz, rtol=1e-14)


@given(arrays(np.int64, 5, elements=st.integers(0, 3)), st.integers(0, 2**32 - 1))
@quick
def test_classes_are_one_hot_rows(labels, seed):
    logits = np.random.default_rng(seed).normal(size=(5, 4))
    for loss, at in ((softmax_cross_entropy, logits), (cross_entropy, softmax(logits))):
        by_class, by_row = loss(at, labels), loss(at, np.eye(4, dtype=int)[labels])
        assert by_class[0] == by_row[0]
        np.testing.assert_array_equal(by_class[1], by_row[1])
        np.testing.assert_array_equal(loss(at, labels.astype(np.uint8))[1], by_row[1])
        np.testing.assert_array_equal(loss(at, np.eye(4, dtype=bool)[labels])[1], by_row[1])


@pytest.mark.parametrize("loss", LOSSES)
def test_the_mean_over_samples_does_not_see_a_repeated_batch(loss):
    at, Y = POINTS[loss]
    once, gradient = loss(at, Y)
    twice, repeated = loss(np.vstack([at, at]), np.vstack([Y, Y]))
    factor = 2 if loss is half_squared_error else 1
    assert twice == pytest.approx(factor * once, rel=1e-14)
    np.testing.assert_allclose(2 * repeated / factor, np.vstack([gradient, gradient]), rtol=1e-15)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not softmax_cross_entropy])
def test_the_sum_over_outputs_adds_up_unless_softmax_couples_them(loss):
    at, Y = POINTS[loss]
    assert sum(loss(at[:, k : k + 1], Y[:, k : k + 1])[0] for k in range(4)) == pytest.approx(loss(at, Y)[0], rel=1e-14)


# Labels with no weight, and labels that do not sum to 1 ---------------------------------------------------------------


@pytest.mark.parametrize("loss", [softmax_cross_entropy, cross_entropy])
def test_a_row_of_zeros_has_loss_0_and_gradient_0(loss):
    at, Y = POINTS[loss]
    value, gradient = loss(at, np.zeros((3, 4)))
    assert value == 0
    assert math.copysign(1, value) == 1
    np.testing.assert_array_equal(gradient, np.zeros((3, 4)))
    Y = Y.copy()
    Y[1] = 0
    value, gradient = loss(at, Y)
    np.testing.assert_array_equal(gradient[1], np.zeros(4))
    assert value == pytest.approx(2 / 3 * loss(at[[0, 2]], Y[[0, 2]])[0], rel=1e-14)  # it still counts in m


def test_rows_that_sum_to_s_give_s_p_minus_y():
    Y = np.array([[2, 1, 0, 0.5], [0, 0, 0, 0], [0.25, 0, 0, 0]])
    _, dZ = softmax_cross_entropy(Z, Y)
    np.testing.assert_allclose(3 * dZ, np.array([[3.5], [0], [0.25]]) * softmax(Z) - Y, rtol=1e-14, atol=1e-16)


# Limits and extremes --------------------------------------------------------------------------------------------------


def test_logits_of_1000_are_exact():
    with np.errstate(all="raise"):
        loss, dZ = sigmoid_cross_entropy([[1000], [-1000], [1000], [-1000]], [[1], [0], [0], [1]])
        assert loss == (0 + 0 + 1000 + 1000) / 4
        assert dZ.tolist() == [[0], [0], [0.25], [-0.25]]
        loss, dZ = sigmoid_cross_entropy([[1000, -1000]], [[0.25, 0.25]])
        assert loss == 750 + 250
        assert dZ.tolist() == [[0.75, -0.25]]


def test_softmax_cross_entropy_of_1e4_is_exact():
    with np.errstate(all="raise"):
        loss, dZ = softmax_cross_entropy([[1e4, -1e4, 0], [1e4, 0, -1e4], [-1e4, 1e4, 1e4]], [0, 2, 1])
    assert loss == pytest.approx((0 + 2e4 + math.log(2)) / 3, rel=1e-15)
    np.testing.assert_array_equal(dZ * 3, [[0, 0, 0], [1, 0, -1], [0, -0.5, 0.5]])


def test_a_confident_prediction_keeps_its_tiny_loss_and_gradient():
    """Where p rounds to 1, −ln p and p − 1 would be 0: a gradient check by the complex step would call that a bug."""
    loss, dZ = softmax_cross_entropy([[40, 0]], [0])
    assert loss == pytest.approx(math.exp(-40), rel=1e-15)
    np.testing.assert_allclose(dZ, [[-math.exp(-40), math.exp(-40)]], rtol=1e-15)
    loss, dZ = sigmoid_cross_entropy([[40]], [[1]])
    assert loss == pytest.approx(math.exp(-40), rel=1e-15)
    np.testing.assert_allclose(dZ, [[-math.exp(-40)]], rtol=1e-15)


def test_the_largest_numbers_there_are():
    with np.errstate(all="raise"):
        assert sigmoid_cross_entropy([[MAX]], [[1]]) == (0, [[0]])
        assert sigmoid_cross_entropy([[MAX]], [[0]]) == (MAX, [[1]])
        assert softmax_cross_entropy([[MAX, -MAX]], [0])[0] == 0
        assert softmax_cross_entropy([[MAX, -MAX]], [1])[0] == math.inf  # 2 MAX is beyond float64
        assert softmax_cross_entropy([[MAX, -MAX]], [1])[1].tolist() == [[1, -1]]
        # Each row of Y has a finite sum; nothing is asked of a column.
        assert softmax_cross_entropy([[0, -MAX], [0, -MAX]], [[MAX, 0], [MAX, 0]])[0] == 0
        assert mean_squared_error([[1e200]], [[0]])[0] == math.inf
        assert mean_squared_error([[1e200]], [[0]])[1].tolist() == [[2e200]]
        assert cross_entropy([[LEAST, 1]], [0])[0] == pytest.approx(-math.log(LEAST))


def test_certain_probabilities_give_the_limit_where_they_are_right():
    h = 1e-20
    with np.errstate(all="raise"):
        loss, dY_hat = binary_cross_entropy([[0.0], [1.0], [0.5]], [[0], [1], [1]])
    assert loss == math.log(2) / 3
    assert (3 * dY_hat).tolist() == [[1], [-1], [-2]]  # the slope of −ln(1 − ŷ) at 0 and of −ln ŷ at 1, not 0
    near = binary_cross_entropy([[1e-13], [1 - 1e-13], [0.5]], [[0], [1], [1]])[1]
    np.testing.assert_allclose(dY_hat, near, rtol=1e-12)
    for k, (p, y) in enumerate([(0, 0), (1, 1)]):
        assert binary_cross_entropy([[complex(p, h)]], [[y]])[0].imag / h == 3 * dY_hat[k, 0]


def test_a_loss_of_nothing_is_0_and_not_minus_0():
    for loss, at, Y in [
        (binary_cross_entropy, [[1.0], [0.0]], [[1], [0]]),
        (sigmoid_cross_entropy, [[1000], [-1000]], [[1], [0]]),
        (cross_entropy, [[1.0, 0.0]], [0]),
        (softmax_cross_entropy, [[1e4, -1e4]], [0]),
        (mean_squared_error, [[1.0]], [[1]]),
        (half_squared_error, [[1.0]], [[1]]),
    ]:
        value = loss(at, Y)[0]
        assert value == 0
        assert math.copysign(1, value) == 1


def test_zero_times_ln_zero_is_zero():
    with np.errstate(all="raise"):
        loss, dP = cross_entropy([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], [1, 0])
    assert loss == math.log(2) / 2
    assert dP.tolist() == [[0, -0.5, 0], [-1, 0, 0]]
    assert cross_entropy([[0j, 1 + 0j, 0j]], [1]) == (0, pytest.approx(np.array([[0, -1, 0]])))


@given(
    arrays(np.float64, (3, 2), elements=st.floats(-1e308, 1e308)), arrays(np.float64, (3, 2), elements=st.floats(0, 1))
)
@quick
def test_no_finite_logit_gives_a_warning_or_a_nan(logits, Y):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for loss in (softmax_cross_entropy, sigmoid_cross_entropy, mean_squared_error, half_squared_error):
            value, gradient = loss(logits, Y)
            assert value >= 0
            assert not np.isnan(gradient).any()


@given(
    arrays(np.float64, (3, 2), elements=st.floats(0, 1, exclude_min=True, exclude_max=True)),
    arrays(np.float64, (3, 2), elements=st.floats(0, 1)),
)
@quick
def test_no_probability_inside_0_and_1_gives_a_warning_or_a_nan(P, Y):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for loss in (cross_entropy, binary_cross_entropy):
            value, gradient = loss(P, Y)
            assert 0 <= value < math.inf
            assert not np.isnan(gradient).any()


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_0_only_at_the_minimum_and_points_uphill(loss):
    at, Y = POINTS[loss]
    value, gradient = loss(at, Y)
    assert loss(at - 1e-4 * gradient, Y)[0] < value < loss(at + 1e-4 * gradient, Y)[0]


# Arrays ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("prediction", "labels", "result"),
    [
        ("f4", "f4", "f4"),
        ("f8", "f8", "f8"),
        ("f4", "f8", "f8"),
        ("f8", "f4", "f8"),
        ("f4", "?", "f8"),  # bool becomes float64 before anything is promoted
        (">f4", ">f4", "f4"),
        ("i8", "i8", "f8"),
        ("?", "?", "f8"),
        ("c16", "f8", "c16"),
        ("c16", "f4", "c16"),
    ],
)
def test_dtypes(loss, prediction, labels, result):
    at = np.array([[1, 0, 0], [0, 1, 0]]).astype(prediction)
    value, gradient = loss(at, np.array([[1, 0, 0], [0, 1, 0]]).astype(labels))
    assert type(value) is (complex if result == "c16" else float)
    assert gradient.dtype == result


@pytest.mark.parametrize("loss", [softmax_cross_entropy, cross_entropy])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_classes_never_widen_the_gradient(loss, dtype):
    value, gradient = loss(np.eye(3).astype(dtype), [0, 1, 2])
    assert type(value) is float
    assert gradient.dtype == dtype


@pytest.mark.parametrize("loss", LOSSES)
def test_layouts_and_arguments(loss):
    at, Y = POINTS[loss]
    wide = np.zeros((3, 8))
    wide[:, ::2] = at
    read_only = at.copy()
    read_only.flags.writeable = False
    want = loss(at, Y)
    for version in (wide[:, ::2], np.asfortranarray(at), at[::-1].copy()[::-1], read_only, at.tolist()):
        before, labels = np.array(version), np.asfortranarray(Y)
        value, gradient = loss(version, labels)
        assert value == pytest.approx(want[0], rel=1e-15)
        np.testing.assert_array_equal(gradient, want[1])
        assert not np.shares_memory(gradient, version)
        gradient[...] = 99
        np.testing.assert_array_equal(version, before)
        np.testing.assert_array_equal(labels, Y)


def test_the_names_of_the_arguments():
    names = {loss.__name__: list(inspect.signature(loss).parameters) for loss in LOSSES}
    assert names == {
        "softmax_cross_entropy": ["Z", "Y"],
        "sigmoid_cross_entropy": ["Z", "Y"],
        "cross_entropy": ["P", "Y"],
        "binary_cross_entropy": ["Y_hat", "Y"],
        "mean_squared_error": ["Y_hat", "Y"],
        "half_squared_error": ["Y_hat", "Y"],
    }


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_refuses(loss):
    at, Y = POINTS[loss]
    name = next(iter(inspect.signature(loss).parameters))
    outputs = "K" if loss in (softmax_cross_entropy, cross_entropy) else "n_out"
    word = "classes" if outputs == "K" else "outputs"

    def refused(error, message, prediction, labels):
        with pytest.raises(error) as caught:
            loss(prediction, labels)
        assert str(caught.value) == message

    def spoiled(array, value):
        bad = array.astype(np.result_type(array, type(value)))
        bad[2, 1] = value
        return bad

    refused(ValueError, f"{name} has shape (0, 4): expected at least one sample", at[:0], Y[:0])
    refused(ValueError, f"{name} has shape (4,): expected 2 axes, (m, {outputs})", at[0], Y[0])
    refused(ValueError, f"{name} has shape (1, 3, 4): expected 2 axes, (m, {outputs})", at[None], Y)
    refused(ValueError, f"Y has shape (2, 4), but {name} has 3 samples: expected (3, 4)", at, Y[:2])
    refused(ValueError, f"Y has shape (3, 1), but {name} has 4 {word}: expected (3, 4)", at, Y[:, :1])
    refused(ValueError, f"Y has shape (1, 4), but {name} has 3 samples: expected (3, 4)", at, Y[:1])
    refused(ValueError, f"Y has shape (4, 3), but {name} has 3 samples and 4 {word}: expected (3, 4)", at, Y.T)
    refused(ValueError, f"{name} is nan at index (2, 1): expected finite numbers", spoiled(at, np.nan), Y)
    refused(ValueError, f"{name} is inf at index (2, 1): expected finite numbers", spoiled(at, np.inf), Y)
    refused(ValueError, f"{name} is infj at index (2, 1): expected finite numbers", spoiled(at, complex(0, np.inf)), Y)
    refused(ValueError, "Y is nan at index (2, 1): expected finite numbers", at, spoiled(Y, np.nan))
    refused(ValueError, "Y is -inf at index (2, 1): expected finite numbers", at, spoiled(Y, -np.inf))
    refused(TypeError, "Y has dtype complex128: expected float32, float64, integers or bool", at, Y + 0j)
    refused(TypeError, "Y has dtype float16: expected float32, float64, integers or bool", at, Y.astype("f2"))
    refused(
        TypeError,
        f"{name} has dtype complex64: expected float32, float64, complex128, integers or bool",
        at.astype("c8"),
        Y,
    )
    refused(TypeError, f"{name} is a masked array: expected an array without a mask", np.ma.array(at), Y)
    refused(TypeError, "Y is a masked array: expected an array without a mask", at, np.ma.array(Y))
    with pytest.raises(ValueError, match=r"^Y is not a rectangular array of numbers"):
        loss(at, [[1, 2], [3]])


@pytest.mark.parametrize("loss", [softmax_cross_entropy, cross_entropy])
def test_class_labels_that_are_refused(loss):
    at, Y = POINTS[loss]
    name = next(iter(inspect.signature(loss).parameters))
    for labels, error, message in [
        ([0, 4, 1], ValueError, "Y is 4 at index 1: expected a class from 0 to 3"),
        ([0, 1, -1], ValueError, "Y is -1 at index 2: expected a class from 0 to 3"),
        ([0, 1], ValueError, f"Y has shape (2,), but {name} has 3 samples: expected (3,)"),
        ([0.0, 1.0, 2.0], TypeError, "Y has one axis and dtype float64: expected integer classes, or weights (m, K)"),
        ([True, False, True], TypeError, "Y has one axis and dtype bool: expected integer classes, or weights (m, K)"),
        (1, ValueError, "Y has shape (): expected (3,) classes or (3, 4) weights"),
        (Y[None], ValueError, "Y has shape (1, 3, 4): expected (3,) classes or (3, 4) weights"),
        (np.full((3, 4), MAX), ValueError, "the sum of a row of Y is inf at index 0: expected a finite number"),
        (-Y, ValueError, "Y is -0.5 at index (0, 0): expected weights of 0 or more"),
    ]:
        with pytest.raises(error) as caught:
            loss(at, labels)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sigmoid_cross_entropy([[1.0]], [[1.5]]), "Y is 1.5 at index (0, 0): expected numbers from 0 to 1"),
        (lambda: sigmoid_cross_entropy([[1.0]], [[-0.5]]), "Y is -0.5 at index (0, 0): expected numbers from 0 to 1"),
        (lambda: binary_cross_entropy([[0.5]], [[-0.5]]), "Y is -0.5 at index (0, 0): expected numbers from 0 to 1"),
        (lambda: binary_cross_entropy([[0.5]], [[1.5]]), "Y is 1.5 at index (0, 0): expected numbers from 0 to 1"),
        (
            lambda: binary_cross_entropy([[1.5]], [[1]]),
            "Y_hat is 1.5 at index (0, 0): expected numbers from 0 to 1",
        ),
        (lambda: cross_entropy([[-0.5, 1]], [1]), "P is -0.5 at index (0, 0): expected numbers from 0 to 1"),
        (
            lambda: cross_entropy([[-0.5 + 1j, 1]], [1]),
            "P is -0.5 at index (0, 0): expected numbers from 0 to 1",
        ),
        *(
            (
                lambda p=p, y=y: binary_cross_entropy([[0.5], [p]], [[1], [y]]),
                f"Y_hat is {float(p.real)} at index (1, 0): the loss is infinite, because Y is not the same there",
            )
            for p, y in [(0, 1), (1, 0), (0, 0.5), (1, 0.5), (complex(0, 1e-20), 1)]
        ),
        (
            lambda: cross_entropy([[0.5, 0.5], [0, 1]], [0, 0]),
            "P is 0.0 at index (1, 0): the loss is infinite, because Y has a positive weight there",
        ),
        (
            lambda: softmax_cross_entropy(np.ones((2, 0)), np.ones((2, 0))),
            "Z has shape (2, 0): expected at least one class",
        ),
        (lambda: softmax_cross_entropy(np.ones((2, 0)), [0, 0]), "Z has shape (2, 0): expected at least one class"),
        (lambda: sigmoid_cross_entropy([[1.0], [2.0]], [1, 0]), "Y has shape (2,): expected 2 axes, (2, 1)"),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert str(caught.value) == message
