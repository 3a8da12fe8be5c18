"""The gradient checker is right about right gradients, about wrong ones, and about kinks; bad input is refused."""

import ast
import gc
import itertools
import pathlib
import types
import weakref

import numpy as np
import pytest

import backprop.gradcheck as gradcheck
from backprop.datasets import running_example
from backprop.gradcheck import (
    central_difference,
    check_network,
    complex_step,
    directional_check,
    relative_error,
    verdict,
)
from backprop.network import MLP


def cubic(theta):
    return (theta**3).sum()


# -- differences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("h", [1e-1, 1e-2, 1e-3])
def test_the_error_of_a_centred_difference_of_a_cube_is_h_squared(h):
    theta = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
    error = central_difference(cubic, theta, h) - 3 * theta**2
    np.testing.assert_allclose(error, h**2, rtol=1e-5)


def test_it_is_exact_for_quadratics_and_takes_any_shape():
    rng = np.random.default_rng(0)
    for shape in [(), (1,), (4,), (2, 3), (2, 3, 4), (0,), (3, 0)]:
        theta = rng.standard_normal(shape)
        gradient = central_difference(lambda t: (t * t).sum(), theta, 1e-3)
        assert gradient.shape == shape
        assert gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, 2 * theta, atol=1e-11)


def test_it_sees_every_entry_alone():
    A = np.random.default_rng(1).standard_normal((3, 4))
    np.testing.assert_allclose(central_difference(lambda t: (A * t).sum(), np.ones((3, 4))), A, atol=1e-9)


@pytest.mark.parametrize("theta", [[1, -2, 3], np.array([1, -2, 3], np.int8), [True, False, True], 2])
def test_integers_and_bool_become_float64(theta):
    expected = 3 * np.asarray(theta, float) ** 2
    for gradient in (central_difference(cubic, theta), complex_step(cubic, theta)):
        assert gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_theta_is_neither_changed_nor_shared_with_f():
    theta = np.array([1.0, 2.0])
    kept = []

    def f(t):
        kept.append(t)
        value = (t**2).sum()
        t[:] = 99.0
        return value

    np.testing.assert_allclose(central_difference(f, theta), [2, 4], atol=1e-8)
    assert theta.tolist() == [1.0, 2.0]
    assert len({id(t) for t in kept}) == 4


def test_the_step_that_was_taken_counts_not_the_one_asked_for():
    theta = np.array([1e10])  # numbers near 1e10 are 1.9e-6 apart
    np.testing.assert_allclose(central_difference(lambda t: t[0], theta, 1e-5), [1.0], rtol=1e-12)


def test_a_step_lost_in_rounding_is_refused_not_taken_for_a_gradient_of_0():
    with pytest.raises(ValueError, match=r"h = 1e-05 is lost in the rounding of theta = 1e\+17"):
        central_difference(lambda t: t[0], np.array([1e17]))


def test_the_complex_step_is_accurate_to_rounding_at_any_small_h():
    theta = np.array([0.5, 1.5, 3.0])
    for h in (1e-8, 1e-20, 1e-100, 1e-300):
        got = complex_step(lambda t: (np.exp(t) / t).sum(), theta, h)
        np.testing.assert_allclose(got, np.exp(theta) * (theta - 1) / theta**2, rtol=1e-14, atol=1e-15)


def test_the_complex_step_refuses_a_lost_imaginary_part():
    with pytest.raises(TypeError, match=r"f returned the real number .* the imaginary part"):
        complex_step(lambda t: np.abs(t).sum(), [1.0, 2.0])


@pytest.mark.parametrize("check", [central_difference, complex_step])
@pytest.mark.parametrize(
    ("theta", "h", "error", "message"),
    [
        (np.float32([1, 2]), 1e-5, TypeError, "theta has dtype float32: gradient checks need float64"),
        (np.float16([1, 2]), 1e-5, TypeError, "theta has dtype float16"),
        (np.array([1 + 1j]), 1e-5, TypeError, "theta has dtype complex128: expected real numbers"),
        (["a"], 1e-5, TypeError, "theta has dtype"),
        ([1.0, np.nan], 1e-5, ValueError, r"theta is nan at \(1,\): expected finite"),
        ([[np.inf]], 1e-5, ValueError, r"theta is inf at \(0, 0\)"),
        ([1.0], 0.0, ValueError, "h is 0.0: expected a positive number"),
        ([1.0], -1e-5, ValueError, "h is -1e-05"),
        ([1.0], np.inf, ValueError, "h is inf"),
        ([1.0], np.nan, ValueError, "h is nan"),
        ([1.0], 1j, ValueError, "h is 1j"),
        ([1.0], "1e-5", ValueError, "h is '1e-5'"),
        ([1.0], [1e-5], ValueError, r"h is \[1e-05\]"),
    ],
)
def test_bad_input_is_refused(check, theta, h, error, message):
    with pytest.raises(error, match=message):
        check(cubic, theta, h)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.ones(2), ValueError, r"f returned an array of shape \(2,\): expected one number"),
        (np.ones((1, 1)), ValueError, r"shape \(1, 1\)"),
        (None, ValueError, "f returned None"),
        ("1", ValueError, "f returned '1'"),
        (1 + 1j, TypeError, "f returned the complex number"),
    ],
)
def test_what_f_returns_must_be_one_real_number(value, error, message):
    with pytest.raises(error, match=message):
        central_difference(lambda t: value, [1.0])


def test_an_f_that_is_not_a_number_gives_nan_and_never_a_warning():
    f = {0: np.float64(np.nan), 1: np.float64(np.inf)}
    for value in f.values():
        assert np.isnan(central_difference(lambda t, value=value: value, [1.0])).all()


# -- directions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["central", "complex"])
def test_directions_pass_a_right_gradient_and_see_one_wrong_entry(method):
    theta = np.random.default_rng(3).standard_normal((5, 4))
    right = 3 * theta**2
    assert directional_check(cubic, right, theta, np.random.default_rng(0), method=method) < 1e-9
    wrong = right.copy()
    wrong[2, 1] *= 1.1
    assert directional_check(cubic, wrong, theta, np.random.default_rng(0), method=method) > 1e-4


def test_the_complex_direction_is_accurate_to_rounding():
    theta = np.random.default_rng(3).standard_normal((5, 4))
    error = directional_check(cubic, 3 * theta**2, theta, np.random.default_rng(0), method="complex")
    assert error < 1e-15


def test_the_directions_are_unit_vectors():
    points = []

    def f(t):
        points.append(t.copy())
        return cubic(t)

    directional_check(f, np.ones((5, 4)), np.ones((5, 4)), np.random.default_rng(0), directions=3, h=0.25)
    assert np.linalg.norm(np.array(points) - 1, axis=(1, 2)) == pytest.approx(np.full(6, 0.25))
    assert len({round(float(abs(p[0, 0] - 1)), 9) for p in points}) == 3


def test_the_number_of_evaluations_is_what_it_says():
    calls = []

    def f(t):
        calls.append(1)
        return cubic(t)

    directional_check(f, np.ones(3), np.ones(3), np.random.default_rng(0), directions=7)
    assert len(calls) == 14
    directional_check(f, np.ones(3), np.ones(3), np.random.default_rng(0), directions=7, method="complex")
    assert len(calls) == 21
    directional_check(f, np.ones(3), np.ones(3), np.random.default_rng(0))
    assert len(calls) == 21 + 2 * 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gradient": np.ones(3)}, r"gradient has shape \(3,\), but theta has shape \(2, 2\)"),
        ({"gradient": np.ones((1, 2))}, r"gradient has shape \(1, 2\)"),
        ({"method": "forward"}, "method is 'forward': expected one of central, complex"),
        ({"directions": 0}, "directions is 0: expected at least 1"),
        ({"theta": np.array([[1, np.nan], [np.inf, 0]])}, r"theta is nan at \(0, 1\): expected finite numbers"),
    ],
)
def test_bad_directions_are_refused(changes, message):
    arguments = {"f": cubic, "gradient": np.ones((2, 2)), "theta": np.ones((2, 2)), "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=message):
        directional_check(**(arguments | changes))


# -- errors and verdicts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 2, 3, 5, 8])
def test_a_gradient_m_times_too_small_has_the_relative_error_m_minus_1_over_m_plus_1(m):
    g = np.random.default_rng(0).standard_normal((4, 3))
    assert relative_error(g / m, g) == pytest.approx((m - 1) / (m + 1), abs=1e-15)


def test_the_relative_error_is_between_0_and_1_and_symmetric():
    rng = np.random.default_rng(0)
    for _ in range(200):
        a, n = rng.standard_normal((2, 3, 2)) * 10.0 ** rng.integers(-150, 150, (2, 1, 1))
        error = relative_error(a, n)
        assert 0 <= error <= 1
        assert error == relative_error(n, a)
        assert relative_error(a, -rng.random() * a) <= 1
        assert 1 - 1e-15 <= relative_error(a, -a) <= 1
        assert relative_error(a, a) == 0
        assert relative_error(a, 0 * a) == 1


def test_the_norm_is_over_entries_not_the_spectral_one():
    a, n = np.diag([1.0, 1.0]), np.diag([1.0, 2.0])
    assert relative_error(a, n) == pytest.approx(1 / (np.sqrt(2) + np.sqrt(5)))


def test_zero_over_zero_is_zero_and_nothing_overflows_or_vanishes():
    assert relative_error(np.zeros((2, 3)), np.zeros((2, 3))) == 0
    assert relative_error([], []) == 0
    assert relative_error([3e200, 0], [1e200, 0]) == pytest.approx(0.5)
    assert relative_error([3e-200, 0], [1e-200, 0]) == pytest.approx(0.5)
    assert relative_error([5e-324], [0.0]) == 1


def test_a_large_entry_masks_a_wrong_small_one():
    assert 4e-7 < relative_error([1e6, 1], [1e6, 2]) < 6e-7


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_has_the_error_nan_and_is_a_bug(bad):
    assert np.isnan(relative_error([1.0, bad], [1.0, 2.0]))
    assert np.isnan(relative_error([1.0, 2.0], [1.0, bad]))
    assert np.isnan(relative_error([bad, 1.0], [bad, 1.0]))
    assert verdict(relative_error([1.0, bad], [1.0, 2.0])) == "bug likely"


def test_shapes_are_never_broadcast():
    with pytest.raises(ValueError, match=r"analytic has shape \(3, 1\), but numeric has shape \(3,\)"):
        relative_error(np.ones((3, 1)), np.ones(3))
    with pytest.raises(TypeError, match="analytic has dtype complex128"):
        relative_error(np.ones(2) * 1j, np.ones(2))


def test_verdicts_are_disjoint_and_complete():
    below = np.nextafter([1e-7, 1e-5, 1e-3], 0)
    assert [verdict(e) for e in (0.0, *below)] == ["excellent", "excellent", "good", "suspicious"]
    assert [verdict(e) for e in (1e-7, 1e-5, 1e-3, 1.0)] == ["good", "suspicious", "bug likely", "bug likely"]
    assert verdict(float("nan")) == verdict(np.inf) == "bug likely"
    with pytest.raises(ValueError, match="error is -1e-09: expected 0 or more"):
        verdict(-1e-9)


# -- whole networks ---------------------------------------------------------------------------------------------------


def spoilt(network, change):
    """The same network, but its gradients pass through `change`."""

    class Spoilt(MLP):
        def loss_and_gradients(self, X, Y):
            loss, gradients = super().loss_and_gradients(X, Y)
            return loss, change(gradients)

    return Spoilt(network.weights, network.biases, network.activations, network.loss_name)


def a_network(seed=0, sizes=(5, 4, 3), activations=None, loss="cross_entropy", m=7):
    rng = np.random.default_rng(seed)
    network = MLP.initialize(sizes, rng, activations, loss)
    network = network.with_parameters(network.weights, [rng.standard_normal(b.shape) for b in network.biases])
    X = rng.standard_normal((m, sizes[0]))
    Y = rng.integers(0, sizes[-1], m) if loss == "cross_entropy" else rng.random((m, sizes[-1]))
    return network, X, Y


NETWORKS = [
    ((5, 4, 3), None, "cross_entropy"),
    ((5, 3), None, "cross_entropy"),
    ((4, 6, 5, 3), ("tanh", "sigmoid", "softmax"), "cross_entropy"),
    ((4, 6, 5, 3), ("softmax", "selu", "sigmoid"), "binary_cross_entropy"),
    ((4, 6, 5, 2), ("selu", "softmax", "tanh"), "mean_squared_error"),
    ((3, 5, 4), ("identity", "identity"), "half_squared_error"),
    ((3, 5, 4), ("sigmoid", "softmax"), "binary_cross_entropy"),
    ((3, 5, 4), ("tanh", "sigmoid"), "cross_entropy"),
    ((3, 4, 5, 6, 5, 4, 2), ("tanh", "relu", "selu", "sigmoid", "identity", "softmax"), "cross_entropy"),
]


@pytest.mark.parametrize(("sizes", "activations", "loss"), NETWORKS)
def test_a_right_network_is_excellent_and_its_differences_are_those_of_the_loop(sizes, activations, loss):
    network, X, Y = a_network(1, sizes, activations, loss)
    report = check_network(network, X, Y)
    assert report.verdict == "excellent", report
    assert [row.name for row in report.rows] == [f"{p}{l + 1}" for l in range(len(sizes) - 1) for p in "Wb"]
    assert [row.shape for row in report.rows] == [
        shape for n_in, n_out in itertools.pairwise(sizes) for shape in ((n_in, n_out), (n_out,))
    ]
    for row in report.rows:
        tensors = [list(network.weights), list(network.biases)]
        which, l = "Wb".index(row.name[0]), int(row.name[1:]) - 1

        def loss_of(theta, tensors=tensors, which=which, l=l):
            moved = [list(t) for t in tensors]
            moved[which][l] = theta
            return network.with_parameters(*moved).loss(X, Y)

        loop = central_difference(loss_of, tensors[which][l])
        assert relative_error([row.numeric], [loop[row.worst]]) < 1e-7
        _, gradients = network.loss_and_gradients(X, Y)
        gradient = (gradients.dW, gradients.db)[which][l]
        assert row.analytic == gradient[row.worst]
        assert row.error < 1e-7
        assert relative_error(gradient, loop) < 1e-7


@pytest.mark.parametrize(("sizes", "activations", "loss"), NETWORKS)
def test_every_fast_difference_is_the_loop_s(sizes, activations, loss):
    network, X, Y = a_network(2, sizes, activations, loss)
    Z, A = network.forward(X)
    for l in range(len(sizes) - 1):
        fast = gradcheck._LayerDifferences(network, l + 1, X if l == 0 else A[l - 1], Z[l], Y, 1e-5).slopes(1e-5)
        fast = (fast[0] + fast[1]) / 2

        def loss_of(theta, l=l):
            weights, biases = list(network.weights), list(network.biases)
            weights[l], biases[l] = theta[:-1], theta[-1]
            return network.with_parameters(weights, biases).loss(X, Y)

        loop = central_difference(loss_of, np.vstack([network.weights[l], network.biases[l]]))
        assert np.abs(fast - loop).max() < 1e-9 * max(1, np.abs(loop).max())


def change_dW(l, change):
    return lambda g: g._replace(dW=[change(dW) if k == l else dW for k, dW in enumerate(g.dW)])


def change_db(l, change):
    return lambda g: g._replace(db=[change(db) if k == l else db for k, db in enumerate(g.db)])


def one_entry(factor):
    def change(d):
        d = d.copy()
        d.flat[np.argmax(np.abs(d))] *= factor
        return d

    return change


@pytest.mark.parametrize("l", [0, 1])
@pytest.mark.parametrize("change", [np.negative, lambda d: d / 7, lambda d: 7 * d, one_entry(1.5), lambda d: 0 * d])
@pytest.mark.parametrize(("where", "letter"), [(change_dW, "W"), (change_db, "b")])
def test_a_wrong_gradient_is_found_in_its_own_row(l, change, where, letter):
    network, X, Y = a_network(3)
    report = check_network(spoilt(network, where(l, change)), X, Y)
    verdicts = {row.name: row.verdict for row in report.rows}
    assert verdicts.pop(f"{letter}{l + 1}") == "bug likely"
    assert set(verdicts.values()) == {"excellent"}
    assert report.verdict == "bug likely"
    assert not any(row.kinks for row in report.rows)


def test_the_worst_entry_and_both_numbers_are_shown():
    network, X, Y = a_network(4)
    _, gradients = network.loss_and_gradients(X, Y)

    def change(d):
        d = d.copy()
        d[2, 1] += 0.125
        return d

    report = check_network(spoilt(network, change_dW(0, change)), X, Y)
    row = report.rows[0]
    assert row.worst == (2, 1)
    assert row.analytic == gradients.dW[0][2, 1] + 0.125
    assert row.numeric == pytest.approx(gradients.dW[0][2, 1], rel=1e-6)
    line = str(report).splitlines()[1]
    for text in ("W1", "(5, 4)", "[2, 1]", f"{row.analytic:+.5e}", f"{row.numeric:+.5e}", "bug likely"):
        assert text in line


def test_small_errors_get_the_middle_verdicts():
    network, X, Y = a_network(5)
    for factor, word in ((1 + 2e-4, "suspicious"), (1 + 2e-6, "good")):
        report = check_network(spoilt(network, change_dW(1, lambda d, factor=factor: d * factor)), X, Y)
        assert report.rows[2].verdict == report.verdict == word


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_a_bug_and_its_place_is_shown(bad):
    network, X, Y = a_network(6)

    def change(d):
        d = d.copy()
        d[3, 2] = bad
        return d

    row = check_network(spoilt(network, change_dW(0, change)), X, Y).rows[0]
    assert row.verdict == "bug likely"
    assert row.worst == (3, 2)
    assert np.isnan(row.error)


def test_a_gradient_of_another_shape_is_a_bug_and_the_shape_is_shown():
    network, X, Y = a_network(7)
    report = check_network(spoilt(network, change_dW(0, np.transpose)), X, Y)
    assert report.rows[0].verdict == "bug likely"
    assert "W1: the gradient has shape (4, 5): expected (5, 4)" in str(report)
    report = check_network(spoilt(network, change_db(0, lambda d: d[np.newaxis])), X, Y)
    assert "b1: the gradient has shape (1, 4): expected (4,)" in str(report)


def test_the_table_of_the_running_example_is_the_same_on_every_machine():
    X, Y, weights, biases = running_example()
    text = str(check_network(MLP(weights, biases), X, Y))
    assert text == repr(check_network(MLP(weights, biases), X, Y))
    assert text.count("< 1e-7") == 4
    _, gradients = MLP(weights, biases).loss_and_gradients(X, Y)
    for row, gradient in zip(check_network(MLP(weights, biases), X, Y).rows[::2], gradients.dW, strict=True):
        assert row.worst == np.unravel_index(np.abs(gradient).argmax(), gradient.shape)


def test_an_error_at_the_bound_itself_is_shown_not_said_to_be_below_it():
    for error, cell in ((np.nextafter(1e-7, 0), "< 1e-7"), (1e-7, "1.0e-07")):
        row = gradcheck.TensorCheck("W1", (1,), error, verdict(error), (0,), 1.0, 1.0)
        line = str(gradcheck.GradientReport((row,), 1e-5)).splitlines()[1]
        assert f"  {cell}  " in line, line


# -- kinks ------------------------------------------------------------------------------------------------------------


def kinked(distance, m=6, seed=0, activation="relu"):
    """A network with one pre-activation at `distance` from 0, in sample 2 and unit 1 of the first layer."""
    network, X, Y = a_network(seed, (4, 5, 3), (activation, "softmax"), m=m)
    W, b = network.weights[0], network.biases[0].copy()
    b[1] -= (X @ W + b)[2, 1] - distance
    return network.with_parameters(network.weights, [b, network.biases[1]]), X, Y


@pytest.mark.parametrize("activation", ["relu", "selu"])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("h", "fraction"),
    [
        *itertools.product([1e-5, 1e-4, 1e-3], [0.9, 0.5, 1 / 3, 0.2, 1 / 11, 0.05, 0.011, 0.0099, 0.001, 1e-4]),
        (1e-5, 0.99),  # with a larger step the error h²f‴/6 of the difference hides a kink so near to its end
    ],
)
def test_a_kink_within_the_step_is_told_from_a_bug(h, fraction, side, activation):
    network, X, Y = kinked(side * fraction * h, activation=activation)
    report = check_network(network, X, Y, h)
    assert report.verdict in ("excellent", "good"), report
    b1 = report.rows[1]
    Z, _ = network.forward(X)
    assert abs(Z[0][2, 1]) < h
    assert [kink.index for kink in b1.kinks] == [(1,)]
    assert b1.worst != (1,)
    assert "1 entry left out" in str(report)
    assert "crosses a kink" in str(report)


def test_at_the_kink_itself_the_one_sided_slope_is_let_pass():
    network, X, Y = kinked(0.0)
    X = np.round(X * 4) / 4
    weights = [np.round(W * 4) / 4 for W in network.weights]
    biases = [np.round(b * 4) / 4 for b in network.biases]
    biases[0][1] -= (X @ weights[0] + biases[0])[2, 1]
    network = network.with_parameters(weights, biases)
    assert network.forward(X).Z[0][2, 1] == 0
    report = check_network(network, X, Y)
    assert report.verdict in ("excellent", "good"), report
    kink = report.rows[1].kinks[0]
    assert kink.index == (1,)
    assert kink.analytic == pytest.approx(kink.below, rel=1e-3)  # relu′(0) = 0: nothing comes from this unit
    assert abs(kink.above - kink.below) > 1e-3


def test_no_kink_is_seen_where_there_is_none():
    for seed in range(20):
        network, X, Y = a_network(seed, (4, 5, 3))
        assert not any(row.kinks or row.note for row in check_network(network, X, Y).rows)


@pytest.mark.parametrize("fraction", [0.5, 0.05, 0.0])
@pytest.mark.parametrize("change", [np.negative, lambda d: d / 6, one_entry(1.01)])
def test_a_bug_beside_a_kink_is_still_a_bug(fraction, change):
    network, X, Y = kinked(fraction * 1e-5)
    report = check_network(spoilt(network, change_dW(0, change)), X, Y)
    assert report.rows[0].verdict == "bug likely", report
    report = check_network(spoilt(network, change_db(0, change)), X, Y)
    assert report.rows[1].verdict == "bug likely", report


@pytest.mark.parametrize("fraction", [0.9, 0.5, 0.05])
@pytest.mark.parametrize("share", [-0.3, 0.05, 0.3, 1.5])
def test_a_bug_in_the_kinked_entry_itself_is_still_a_bug(fraction, share):
    network, X, Y = kinked(fraction * 1e-5)
    kink = check_network(network, X, Y).rows[1].kinks[0]

    def change(d):
        d = d.copy()
        d[1] += share * (kink.above - kink.below)
        return d

    row = check_network(spoilt(network, change_db(0, change)), X, Y).rows[1]
    assert row.verdict == "bug likely"
    assert row.kinks == ()


def dead_sample():
    """ReLU with biases of 0: sample 0 is dead in layer 1, so Z is exactly 0 above it, at the kink of layer 3."""
    rng = np.random.default_rng(2)
    W1 = np.abs(rng.standard_normal((3, 4)))
    weights = [W1, rng.standard_normal((4, 5)), rng.standard_normal((5, 6)), rng.standard_normal((6, 3))]
    biases = [np.zeros(4), np.zeros(5), np.zeros(6), np.zeros(3)]
    X = rng.standard_normal((5, 3))
    X[0] = -np.abs(X[0])
    return MLP(weights, biases, ["relu", "tanh", "relu", "softmax"]), X, np.array([0, 0, 1, 2, 0])


def test_where_there_is_no_derivative_the_row_says_so_and_is_not_passed():
    network, X, Y = dead_sample()
    assert np.all(network.forward(X).Z[2][0] == 0)
    report = check_network(network, X, Y)
    verdicts = {row.name: row.verdict for row in report.rows}
    assert verdicts.pop("b2") == "at a kink"  # moves Z3 to both sides: the gradient is neither slope
    assert set(verdicts.values()) == {"excellent"}
    assert report.verdict == "at a kink"
    assert "b2: 5 entries at a kink, where there is no derivative" in str(report)
    assert len(report.rows[5].kinks) == 6  # b3 moves Z3 to one side


def test_of_many_kinks_the_first_is_described():
    network, X, Y = dead_sample()
    report = check_network(network, X, Y)
    index, below, above, analytic = report.rows[5].kinks[0]
    assert index == (0,)
    assert "b3: 6 entries left out" in str(report)
    told = f"at [0] the slopes over h are {below:+.5e} and {above:+.5e}, the gradient is {analytic:+.5e}"
    assert told in str(report)
    assert len({kink.above for kink in report.rows[5].kinks}) == 6


def test_only_where_a_tensor_is_not_excellent_are_the_slopes_taken_again_over_the_steps_that_are_promised(monkeypatch):
    steps = []
    column_slopes = gradcheck.column_slopes

    def recorded(network, layer, inputs, Z, Y, step):
        steps.append(step)
        return column_slopes(network, layer, inputs, Z, Y, step)

    monkeypatch.setattr(gradcheck, "column_slopes", recorded)
    network, X, Y = a_network(3, (5, 3))
    check_network(network, X, Y, 1e-4)
    assert steps == [1e-4]
    steps.clear()
    check_network(spoilt(network, lambda g: g._replace(dW=[-g.dW[0]], db=[-g.db[0]])), X, Y, 1e-4)
    assert steps == [1e-4, 1e-4 / 2, 1e-4 / 10, 1e-4 / 100]  # W and b share them


# Here h is 1, and every loss is off by the rounding R at most. So a slope over s is off by 2R/s at most, and the
# difference of the slopes above and below, (f(s) − 2f(0) + f(−s))/s, by 4R/s.
R = 2.0**-20
EVERY_SIGN = R * np.array(list(itertools.product([-1.0, 1.0], repeat=9))).T
EXACT = np.zeros((9, 1))


def slopes_of(f, off=EXACT):
    """The slopes of f below and above 0 over h, h/2, h/10 and h/100, with losses that are off by so much."""
    here, off = f(0.0) + off[0], off[1:].reshape(4, 2, -1)
    steps = zip((1, 1 / 2, 1 / 10, 1 / 100), off, strict=True)
    return {s: ((here - (f(-s) + minus)) / s, (f(s) + plus - here) / s) for s, (minus, plus) in steps}


def found(gradient, sides):
    """Whether each entry lies beside a kink that explains its error, and whether it lies at one."""
    return gradcheck._kinks(np.broadcast_to(gradient, sides[1][0].shape), sides, R)


@pytest.mark.parametrize("bend", [1, 2, 4, 6, 9, 11, 13, 14, 16, 18, 20, 24, 50, 200, 1e3, 1e4, 1e5])
def test_whatever_the_rounding_does_a_one_sided_slope_of_a_smooth_loss_is_no_gradient_beside_a_kink(bend):
    sides = slopes_of(lambda z: bend * R * z**2 / 2, EVERY_SIGN)
    for slope in itertools.chain.from_iterable(sides.values()):
        assert not found(slope, sides)[0].any()
    assert not any(found(side * bend * R / 2, sides)[0].any() for side in (-1, 1))


@pytest.mark.parametrize("growth", [-0.19, -0.1, 0.1, 0.3])
def test_a_bend_that_grows_by_a_third_or_shrinks_by_a_fifth_at_most_within_the_step_is_no_kink(growth):
    sides = slopes_of(lambda z: z**2 / 2 + growth * z**4 / 2)  # slopes over s that differ by s (1 + growth s²)
    for slope in sides[1]:
        beside, at = found(slope, sides)
        assert not beside.any()
        assert not at.any()


@pytest.mark.parametrize("error", [1, 3, 5, 7, 9, 13, 20, 100, 500, 900, 1e3, 1e4, 1e5, 2e5])
def test_whatever_the_rounding_does_a_flat_loss_has_no_kink(error):
    sides = slopes_of(lambda z: 0.0, EVERY_SIGN)
    beside, at = found(error * R, sides)
    assert not beside.any()
    assert not at.any()


@pytest.mark.parametrize("bend", [200, 1e3, 3e3, 1e4, 1e6])
def test_whatever_the_rounding_does_the_slope_beside_a_large_kink_is_right(bend):
    beside, at = found(0.0, slopes_of(lambda z: bend * R * max(z, 0.0), EVERY_SIGN))
    assert beside.all()
    assert not at.any()


def test_a_kink_that_makes_an_error_of_11_roundings_is_seen():
    beside, _ = found(0.0, slopes_of(lambda z: 22 * R * max(z, 0.0)))
    assert beside.all()


@pytest.mark.parametrize(("off", "right"), [(0, True), (1, True), (2, True), (2.5, False), (3, False), (6, False)])
def test_a_gradient_agrees_with_a_slope_if_rounding_can_explain_the_rest(off, right):
    beside, at = found(off * R, slopes_of(lambda z: 36 * R * max(z, 0.0)))
    assert beside.all() == right
    assert not at.any()  # over h/100 a bend of 36 R drowns in rounding


@pytest.mark.parametrize(("bend", "seen"), [(390, False), (410, True), (490, True)])
def test_slopes_that_differ_by_more_than_rounding_over_the_smallest_step_show_a_kink_there(bend, seen):
    beside, at = found(bend / 4 * R, slopes_of(lambda z: bend * R * max(z, 0.0)))
    assert not beside.any()
    assert at.all() == seen


@pytest.mark.parametrize(("distance", "at_it"), [(0.0, True), (0.004, True), (0.006, False), (0.02, False)])
@pytest.mark.parametrize("curvature", [-0.1, 0.0, 0.1])
def test_at_a_kink_the_slopes_over_the_smallest_step_differ_at_least_half_as_much_as_over_h(distance, at_it, curvature):
    sides = slopes_of(lambda z: max(z - distance, 0.0) + curvature * z**2 / 2)
    beside, at = found(0.25, sides)  # which is neither slope
    assert not beside.any()
    assert at.all() == at_it


def test_a_missing_mask_is_a_bug_not_a_kink():
    network, X, Y = a_network(8, (4, 5, 3))
    _, gradients = network.loss_and_gradients(X, Y)
    unmasked = gradients.dZ[1] @ network.weights[1].T
    wrong = spoilt(network, lambda g: g._replace(dW=[X.T @ unmasked, g.dW[1]], db=[unmasked.sum(0), g.db[1]]))
    report = check_network(wrong, X, Y)
    assert [row.verdict for row in report.rows] == ["bug likely", "bug likely", "excellent", "excellent"]
    assert not report.rows[0].kinks


# -- rounding ---------------------------------------------------------------------------------------------------------


def flat(loss, dW):
    """One weight and one bias that move no loss, and a gradient that says dW: all of it is error."""
    network = types.SimpleNamespace(weights=(np.zeros((1, 1)),), biases=(np.zeros(1),))
    network.forward = lambda X: (Z := [X @ network.weights[0] + network.biases[0]], Z)
    network.loss = lambda X, Y: loss
    network.loss_from = lambda layer, Z, Y, moves: np.full((len(moves), 1), loss)
    network.with_parameters = lambda weights, biases: network
    gradients = types.SimpleNamespace(dW=[np.array([[dW]])], db=[np.zeros(1)])
    network.loss_and_gradients = lambda X, Y: (loss, gradients)
    return network


@pytest.mark.parametrize(
    ("loss", "size"), [(0.0, 1), (0.25, 1), (1.0, 1), (1.5, 1.5), (8.0, 8), (-8.0, 8), (300.0, 300)]
)
def test_rounding_is_16_units_of_the_loss_and_of_1_where_the_loss_is_smaller(loss, size):
    unit = size * np.finfo(float).eps / 1e-5
    for sign in (1, -1):
        for units, word in ((0.01, "below rounding"), (15.5, "below rounding"), (16.5, "bug likely")):
            row = check_network(flat(loss, sign * units * unit), [[1.0]], None).rows[0]
            assert row.verdict == word, (loss, units)


def test_a_float32_gradient_may_be_off_by_16_units_of_its_largest_entry():
    numeric = np.array([8.0, 1.0, 0.5])
    unit = 8 * np.finfo(np.float32).eps
    for units, worst in ((15.5, (0,)), (16.5, (1,))):
        analytic = (numeric + [0, units * unit, 0]).astype(np.float32)
        differences = gradcheck._LayerDifferences(None, 1, None, None, None, 1e-5)
        differences.slopes = lambda step: (numeric, numeric)
        row = differences.check("b1", analytic, np.s_[:], 1e-18)
        assert row.worst == worst
        assert row.verdict in ("good", "excellent")


def test_a_difference_as_large_as_the_rounding_is_explained_by_it():
    analytic, numeric, judged = np.array([1.0, 3.0]), np.array([1.5, 3.0]), np.array([True, True])
    assert gradcheck._worst(analytic, numeric, judged, 0.5) == ((1,), True)
    assert gradcheck._worst(analytic, numeric, judged, np.nextafter(0.5, 0)) == ((0,), False)


def test_an_entry_that_was_left_out_is_not_the_worst_although_the_others_are_0():
    analytic, numeric, judged = np.array([5.0, 0.0, 0.0]), np.array([4.0, 0.0, 0.0]), np.array([False, True, True])
    assert gradcheck._worst(analytic, numeric, judged, 1e-9) == ((1,), True)


def test_a_gradient_below_the_rounding_of_the_loss_is_neither_passed_nor_called_a_bug():
    network, X, Y = a_network(9, (4, 5, 3), ("sigmoid", "softmax"))
    saturated = network.with_parameters(network.weights, [network.biases[0] + 35.0, network.biases[1]])
    report = check_network(saturated, X, Y)
    assert report.rows[0].verdict == "below rounding", report
    assert report.verdict == "below rounding"
    assert "the check sees nothing here" in str(report)
    assert report.rows[2].verdict == "excellent"


def test_a_bug_in_a_tiny_gradient_that_can_be_seen_is_seen():
    network, X, Y = a_network(9, (4, 5, 3), ("sigmoid", "softmax"))
    tiny = network.with_parameters(network.weights, [network.biases[0] + 20.0, network.biases[1]])
    gradient = tiny.loss_and_gradients(X, Y)[1].dW[0]
    assert 2e-9 < np.abs(gradient).max() < 2e-8
    assert check_network(spoilt(tiny, change_dW(0, np.negative)), X, Y).rows[0].verdict == "bug likely"


def test_a_bug_in_a_tiny_float32_gradient_that_can_be_seen_is_seen():
    network, X, Y = a_network(9, (4, 5, 3), ("sigmoid", "softmax"))
    tiny = single(network.with_parameters(network.weights, [network.biases[0] - 19.0, network.biases[1]]))
    gradient = tiny.loss_and_gradients(X.astype(np.float32), Y)[1].dW[0]
    assert 2e-9 < np.abs(gradient).max() < 2e-8  # below 16 units of a float32 number near 1
    assert (
        check_network(spoilt(tiny, change_dW(0, np.negative)), X.astype(np.float32), Y).rows[0].verdict == "bug likely"
    )


def test_a_dead_layer_has_a_gradient_of_0_and_that_is_excellent():
    network, X, Y = a_network(10)
    dead = network.with_parameters(network.weights, [network.biases[0] - 100.0, network.biases[1]])
    report = check_network(dead, X, Y)
    assert report.rows[0].error == report.rows[1].error == report.rows[2].error == 0
    assert report.verdict == "excellent"


# -- input ------------------------------------------------------------------------------------------------------------


def test_a_check_keeps_nothing():
    network, X, Y = a_network(11)
    check_network(network, X, Y)
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None


def single(network):
    """The same network in float32."""
    parameters = ([p.astype(np.float32) for p in group] for group in (network.weights, network.biases))
    return network.with_parameters(*parameters)


@pytest.mark.parametrize("loss", ["cross_entropy", "mean_squared_error"])
def test_a_float32_gradient_is_checked_by_float64_differences(loss):
    network, X, Y = a_network(11)
    if loss == "mean_squared_error":
        network = MLP(network.weights, network.biases, ["relu"] * (len(network.weights) - 1) + ["identity"], loss)
        Y = np.random.default_rng(1).standard_normal((len(X), network.weights[-1].shape[1])).astype(np.float32)
    report = check_network(single(network), X.astype(np.float32), Y)
    assert report.precision == "float32"
    assert report.verdict in ("excellent", "good"), report
    assert str(report).endswith("a float32 gradient against float64 differences")
    assert all(row.error > 1e-12 for row in report.rows)  # the gradient is float32's own, not one of float64
    for row in report.rows:  # what is shown does not hang on which entry rounding hit hardest
        gradient = single(network).loss_and_gradients(X, Y)[1]
        array = {"W": gradient.dW, "b": gradient.db}[row.name[0]][int(row.name[1:]) - 1]
        assert row.worst == np.unravel_index(np.abs(array).argmax(), array.shape)


@pytest.mark.parametrize("change", [np.negative, lambda d: d * np.float32(1.001), one_entry(1.1)])
def test_a_bug_in_a_float32_gradient_is_a_bug(change):
    network, X, Y = a_network(11)
    row = check_network(spoilt(single(network), change_dW(0, change)), X.astype(np.float32), Y).rows[0]
    assert row.verdict in ("suspicious", "bug likely")


def test_a_float64_report_says_nothing_of_precision():
    report = check_network(*a_network(11))
    assert report.precision == "float64"
    assert "float" not in str(report)


def test_complex_networks_are_refused():
    network, X, Y = a_network(11)
    with pytest.raises(TypeError, match="complex"):
        check_network(network.with_parameters([W + 0j for W in network.weights], network.biases), X, Y)
    with pytest.raises(TypeError, match="X has dtype complex128"):
        check_network(network, X + 0j, Y)


def test_parameters_of_integers_are_refused():
    class Net:
        weights, biases = (np.ones((2, 2), np.int64),), (np.zeros(2),)

        def loss_and_gradients(self, X, Y):
            return 0.0, None

    with pytest.raises(TypeError, match=r"weights\[0\] has dtype int64: expected float64 or float32"):
        check_network(Net(), np.ones((3, 2)), np.zeros(3, int))


def test_bad_steps_and_batches_are_refused():
    network, X, Y = a_network(11)
    with pytest.raises(ValueError, match="h is 0: expected a positive number"):
        check_network(network, X, Y, h=0)
    with pytest.raises(ValueError, match=r"X has shape \(7, 4\)"):
        check_network(network, X[:, :4], Y)


def test_inputs_of_a_layer_are_a_matrix_with_the_rows_of_Z():
    network, X, Y = a_network(11)
    Z, _ = network.forward(X)
    for inputs in (X[:6], X[0], X[np.newaxis], X[:, :, np.newaxis], 1.0):
        with pytest.raises(ValueError, match=r"inputs has shape \(.*\), but Z has \(7, 4\): expected one row for each"):
            gradcheck.column_slopes(network, 1, inputs, Z[0], Y, 1e-5)


def test_integers_and_lists_are_taken():
    X, Y, weights, biases = running_example()
    network = MLP(weights, biases)
    assert str(check_network(network, X.astype(int).tolist(), Y.tolist())) == str(check_network(network, X, Y))


def test_a_network_whose_loss_from_is_not_its_loss_is_refused():
    class Other(MLP):
        def loss(self, X, Y):
            return 2 * MLP.loss(self, X, Y)

    network, X, Y = a_network(12)
    other = Other(network.weights, network.biases)
    with pytest.raises(ValueError, match=r"network.loss and network.loss_from\(1, …\) disagree"):
        check_network(other, X, Y)


def times(factor, network):
    """The same network, but its loss, unlike its loss_from, is multiplied."""

    class Other(MLP):
        def loss(self, X, Y):
            return factor * MLP.loss(self, X, Y)

    return Other(network.weights, network.biases, network.activations, network.loss_name)


def test_two_losses_may_disagree_by_a_millionth_of_their_slope_large_or_small():
    network, X, Y = a_network(12, (5, 4, 3), ("tanh", "identity"), "half_squared_error")
    check_network(times(1 + 5e-7, network), X, Y + 30)  # the slopes are near 100
    with pytest.raises(ValueError, match=r"network.loss_from\(1, …\) disagree"):
        check_network(times(1 + 2e-6, network), X, Y + 30)
    network, X, Y = a_network(9, (4, 5, 3), ("sigmoid", "softmax"))
    tiny = network.with_parameters(network.weights, [network.biases[0] + 19.0, network.biases[1]])
    assert np.abs(tiny.loss_and_gradients(X, Y)[1].dW[0]).max() < 5e-8
    with pytest.raises(ValueError, match=r"network.loss_from\(1, …\) disagree"):
        check_network(times(2, tiny), X, Y)


def test_the_checker_imports_nothing_of_what_it_checks():
    source = pathlib.Path(gradcheck.__file__).parent
    allowed = {"numpy", "functools", "dataclasses", "typing", "collections.abc", "numbers", "math", "operator"}
    allowed |= {"backprop._differences", "backprop._arguments"}
    for name in ("gradcheck.py", "_differences.py", "_arguments.py"):
        for node in ast.walk(ast.parse((source / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= allowed
            if isinstance(node, ast.ImportFrom):
                assert node.module in allowed
