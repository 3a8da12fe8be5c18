"""The network: by hand, against the notes, differences, autodiff and 50 digits; on extremes and on bad input."""

import dataclasses
import itertools

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import _moved_columns, symbolic
from backprop.activations import ACTIVATIONS
from backprop.datasets import running_example
from backprop.gradcheck import check_network, complex_step, relative_error
from backprop.initializers import INITIALIZERS
from backprop.losses import cross_entropy
from backprop.network import LOSSES, MLP, Gradients

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)

PROBABILITIES = {"cross_entropy", "binary_cross_entropy"}


def targets(loss, m, K, rng, classes=False):
    if loss == "cross_entropy":
        return rng.integers(0, K, m) if classes else rng.random((m, K))
    return rng.random((m, K)) if loss == "binary_cross_entropy" else rng.standard_normal((m, K))


def network_and_data(sizes, activations, loss, seed=0, m=5, classes=False):
    """Random parameters, none zero, and data, away from kinks."""
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in itertools.pairwise(sizes)]
    network = MLP(weights, [0.5 * rng.standard_normal(n) for n in sizes[1:]], activations, loss)
    return network, rng.standard_normal((m, sizes[0])), targets(loss, m, sizes[-1], rng, classes)


def mixes():
    """Every hidden activation under every output and loss that go together."""
    for hidden, output, loss in itertools.product(ACTIVATIONS, ACTIVATIONS, LOSSES):
        if loss in PROBABILITIES and output not in ("softmax", "sigmoid"):
            continue  # the other activations do not give probabilities
        yield hidden, output, loss


# By hand --------------------------------------------------------------------------------------------------------------


def test_the_running_example_with_squared_error_by_hand():
    """All numbers are small integers, or quarters for the mean over four samples, so they are equal, not only close."""
    X, _, weights, biases = running_example()
    network = MLP(weights, biases, loss="mean_squared_error")
    Z, A = network.forward(X)
    assert Z[0].tolist() == [[3, 4, -3], [-3, 2, -7], [-2, -6, 2], [7, 2, 3]]
    assert A[0].tolist() == [[3, 4, 0], [0, 2, 0], [0, 0, 2], [7, 2, 3]]
    assert Z[1].tolist() == A[1].tolist() == [[2, 4], [3, 4], [5, 4], [2, -1]]
    Y = [[1, 4], [3, 2], [5, 6], [0, -1]]
    # Ŷ − Y = [1 0; 0 2; 0 −2; 2 0]: squares 1 + 4 + 4 + 4 = 13, over m = 4.
    loss, g = network.loss_and_gradients(X, Y)
    assert loss == 13 / 4
    assert g.dA[1].tolist() == g.dZ[1].tolist() == [[0.5, 0], [0, 1], [0, -1], [1, 0]]
    # dW₂ = A₁ᵀ dZ₂, db₂ = 1ᵀ dZ₂.
    assert g.dW[1].tolist() == [[3 * 0.5 + 7 * 1, 0], [4 * 0.5 + 2 * 1, 2 * 1], [3 * 1, 2 * -1]]
    assert g.db[1].tolist() == [1.5, 0]
    # dA₁ = dZ₂ W₂ᵀ with W₂ = [−1 −2; 1 3; 2 3].
    assert g.dA[0].tolist() == [[-0.5, 0.5, 1], [-2, 3, 3], [2, -3, -3], [-1, 1, 2]]
    # dZ₁ = dA₁ ⊙ relu′(Z₁).
    assert g.dZ[0].tolist() == [[-0.5, 0.5, 0], [0, 3, 0], [0, 0, -3], [-1, 1, 2]]
    # dW₁ = Xᵀ dZ₁ with X = [−3 1; −3 3; 2 1; −1 −1].
    assert g.dW[0].tolist() == [[1.5 + 1, -1.5 - 9 - 1, -6 - 2], [-0.5 + 1, 0.5 + 9 - 1, -3 - 2]]
    assert g.db[0].tolist() == [-1.5, 4.5, -1]
    # dX = dZ₁ W₁ᵀ with W₁ = [−1 −2 1; −3 −1 −2].
    assert g.dX.tolist() == [[0.5 - 1, 1.5 - 0.5], [-6, -3], [-3, 6], [1 - 2 + 2, 3 - 1 - 4]]


def test_the_running_example_with_cross_entropy_by_hand():
    """The logits of a sample differ by −2, −1, 1, 3, so p is σ of that."""
    X, Y, weights, biases = running_example()
    loss, g = MLP(weights, biases).loss_and_gradients(X, Y)
    p0 = 1 / (1 + np.exp([2.0, 1.0, -1.0, -3.0]))
    right = np.array([1 - p0[0], p0[1], p0[2], 1 - p0[3]])  # the classes are 1, 0, 0, 1
    np.testing.assert_allclose(loss, -np.log(right).mean(), rtol=1e-15)
    first = (p0 - [0, 1, 1, 0]) / 4
    np.testing.assert_allclose(g.dZ[1], np.stack([first, -first], axis=1), rtol=1e-13)
    np.testing.assert_allclose(g.db[1], [first.sum(), -first.sum()], rtol=1e-13)


def test_the_default_activations_are_relu_and_the_loss_s_own():
    W, b = [np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 2))], [np.ones(3), np.ones(4), np.ones(2)]
    outputs = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "mean_squared_error": "identity",
               "half_squared_error": "identity"}  # fmt: skip
    for loss, output in outputs.items():
        assert MLP(W, b, loss=loss).activations == ("relu", "relu", output)
    assert MLP(W, b).loss_name == "cross_entropy"


# Against the formulas of the notes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_delta_recursion_written_out_in_full(seed):
    """Note 004's long product of Jacobians, one sample at a time, each a full matrix."""
    network, X, Y = network_and_data((4, 6, 5, 3), ("tanh", "sigmoid", "softmax"), "cross_entropy", seed)
    Z, A = network.forward(X)
    _, g = network.loss_and_gradients(X, Y)
    m = len(X)
    for l in range(3):
        delta = np.zeros_like(Z[l])
        for i in range(m):
            p = A[2][i]
            row = -(Y[i] / p) / m @ (np.diag(p) - np.outer(p, p))
            for k in range(2, l, -1):
                a = A[k - 1][i]
                row = row @ network.weights[k].T @ np.diag(1 - a**2 if k == 1 else a * (1 - a))
            delta[i] = row
        below = A[l - 1] if l else X
        np.testing.assert_allclose(g.dZ[l], delta, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(g.dW[l], np.einsum("ij,ik->jk", below, delta), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(g.db[l], np.einsum("ik->k", delta), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(g.dX, np.einsum("ij,kj->ik", g.dZ[0], network.weights[0]), rtol=1e-12)


def proved_gradients():
    """What the engine proves for two tanh layers under half the squared error: the gradients, as expressions."""
    m, n0, n1, n2 = symbolic.dimensions("m n0 n1 n2")
    i, k = symbolic.indices("i k")
    X, T = symbolic.matrix("X", m, n0), symbolic.matrix("T", m, n2)
    W1, W2 = symbolic.matrix("W1", n0, n1), symbolic.matrix("W2", n1, n2)
    b1, b2 = symbolic.row("b1", n1), symbolic.row("b2", n2)
    Z1, Z2 = symbolic.matrix("Z1", m, n1), symbolic.matrix("Z2", m, n2)
    A1, A2 = symbolic.tanh(Z1), symbolic.tanh(Z2)
    ones, loss = symbolic.ones(m), symbolic.symbol("loss")
    let = {Z1: X * W1 + ones * b1, Z2: A1 * W2 + ones * b2, loss: symbolic.total((A2[i, k] - T[i, k]) ** 2, i, k) / 2}
    dZ2 = symbolic.hadamard(A2 - T, symbolic.ones(m, n2) - symbolic.hadamard(A2, A2))
    dZ1 = symbolic.hadamard(dZ2 * W2.T, symbolic.ones(m, n1) - symbolic.hadamard(A1, A1))
    claims = {W1: X.T * dZ1, b1: ones.T * dZ1, W2: A1.T * dZ2, b2: ones.T * dZ2, X: dZ1 * W1.T}
    return [symbolic.Derivation(symbolic.Grad(loss, V), let).then(claim, "chapter 6") for V, claim in claims.items()]


def test_random_networks_agree_with_what_is_proved():
    derivations = proved_gradients()
    assert min(d.evidence for d in derivations) >= symbolic.Evidence.PROVED
    for seed in range(5):
        sizes = np.random.default_rng(seed).integers(1, 7, 3).tolist()
        network, X, T = network_and_data(sizes, ("tanh", "tanh"), "half_squared_error", seed, m=1 + seed)
        at = {"X": X, "T": T, "W1": network.weights[0], "W2": network.weights[1]}
        at |= {"b1": network.biases[0][None], "b2": network.biases[1][None]}
        _, g = network.loss_and_gradients(X, T)
        for derivation, ours in zip(derivations, (g.dW[0], g.db[0], g.dW[1], g.db[1], g.dX), strict=True):
            proved = symbolic.evaluate(derivation, at).reshape(ours.shape)
            np.testing.assert_allclose(ours, proved, rtol=1e-12, atol=1e-14)


def test_a_pass_keeps_and_returns_as_many_numbers_as_the_docstring_says():
    network, X, Y = network_and_data((4, 6, 5, 3), ("tanh", "relu", "softmax"), "cross_entropy", m=7)
    kept, (_, g) = network.forward(X), network.loss_and_gradients(X, Y)
    P = sum(array.size for array in (*network.weights, *network.biases))
    between = 2 * 7 * (6 + 5 + 3)
    assert sum(array.size for arrays in kept for array in arrays) == between
    returned = sum(array.size for arrays in (g.dW, g.db, g.dZ, g.dA) for array in arrays) + g.dX.size
    assert returned == between + P + 7 * 4


@pytest.mark.parametrize(("hidden", "output", "loss"), list(mixes()))
def test_every_gradient_agrees_with_the_loss_from_its_own_place(hidden, output, loss):
    """dX by the complex step of the whole loss; dZ and dA by differences of what is left of the network above them."""
    network, X, Y = network_and_data((3, 5, 4, 2), (hidden, hidden, output), loss, 1)
    value, g = network.loss_and_gradients(X, Y)
    assert value == network.loss(X, Y)
    assert relative_error(g.dX, complex_step(lambda x: network.loss(x, Y), X)) < 1e-13
    Z, A = network.forward(X)
    for l in range(3):
        numeric = np.empty_like(Z[l])
        for j in np.ndindex(Z[l].shape):
            step = np.zeros_like(Z[l])
            step[j] = 1e-5
            numeric[j] = (network.loss_from(l + 1, Z[l] + step, Y) - network.loss_from(l + 1, Z[l] - step, Y)) / 2e-5
        assert relative_error(g.dZ[l], numeric) < 1e-7
        # Above A the rest is a network of its own; at the output it is the loss alone.
        if l < 2:
            above = MLP(network.weights[l + 1 :], network.biases[l + 1 :], network.activations[l + 1 :], loss)
            assert relative_error(g.dA[l], complex_step(lambda a, above=above: above.loss(a, Y), A[l])) < 1e-13
        else:
            assert relative_error(g.dA[l], complex_step(lambda a: LOSSES[loss](a, Y)[0], A[l])) < 1e-13


@pytest.mark.parametrize(("hidden", "output", "loss"), list(mixes()))
def test_every_parameter_s_gradient_agrees_with_the_complex_step(hidden, output, loss):
    network, X, Y = network_and_data((3, 5, 4, 2), (hidden, hidden, output), loss, 2)
    _, g = network.loss_and_gradients(X, Y)
    for l in range(3):

        def with_W(W, l=l):
            weights = [W if k == l else w for k, w in enumerate(network.weights)]
            return network.with_parameters(weights, network.biases).loss(X, Y)

        def with_b(b, l=l):
            biases = [b if k == l else c for k, c in enumerate(network.biases)]
            return network.with_parameters(network.weights, biases).loss(X, Y)

        assert relative_error(g.dW[l], complex_step(with_W, network.weights[l])) < 1e-13
        assert relative_error(g.db[l], complex_step(with_b, network.biases[l])) < 1e-13


# Against autodiff, on random networks ---------------------------------------------------------------------------------

AUTOGRAD = {
    "relu": lambda z: anp.where(z > 0, z, 0.0),
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
    "tanh": anp.tanh,
    "identity": lambda z: z,
    "selu": lambda z: 1.0507009873554805 * anp.where(z > 0, z, 1.6732632423543772 * (anp.exp(z) - 1)),
    "softmax": lambda z: anp.exp(z) / anp.sum(anp.exp(z), axis=1, keepdims=True),
}
AUTOGRAD_LOSSES = {
    "cross_entropy": lambda p, y: -anp.sum(y * anp.log(p)) / len(y),
    "binary_cross_entropy": lambda p, y: -anp.sum(y * anp.log(p) + (1 - y) * anp.log(1 - p)) / len(y),
    "mean_squared_error": lambda p, y: anp.sum((p - y) ** 2) / len(y),
    "half_squared_error": lambda p, y: anp.sum((p - y) ** 2) / 2,
}


def by_autograd(network, X, Y):
    """The loss, and the gradients of every weight, every bias and X."""

    def loss(parameters):
        A = parameters[-1]
        for W, b, name in zip(*parameters[:2], network.activations, strict=True):
            A = AUTOGRAD[name](A @ W + b)
        return AUTOGRAD_LOSSES[network.loss_name](A, Y)

    return autograd.value_and_grad(loss)([list(network.weights), list(network.biases), X])


@st.composite
def networks(draw):
    depth = draw(st.integers(1, 6))
    sizes = draw(st.lists(st.integers(1, 7), min_size=depth + 1, max_size=depth + 1))
    loss = draw(st.sampled_from(sorted(LOSSES)))
    outputs = ["softmax", "sigmoid"] if loss in PROBABILITIES else sorted(ACTIVATIONS)
    hidden = draw(st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=depth - 1, max_size=depth - 1))
    m, seed = draw(st.integers(1, 9)), draw(st.integers(0, 10**6))
    activations = [*hidden, draw(st.sampled_from(outputs))]
    if activations[-1] == "softmax":
        sizes[-1] += 1  # one class alone has probability 1 whatever the network does
    return network_and_data(sizes, activations, loss, seed, m)


@quick
@given(networks())
def test_random_networks_agree_with_autograd(case):
    network, X, Y = case
    loss, g = network.loss_and_gradients(X, Y)
    expected, (dW, db, dX) = by_autograd(network, X, Y)
    assert abs(loss - expected) <= 1e-12 * max(1, abs(expected))
    size = max(np.abs(d).max() for d in (*dW, *db, dX))
    for ours, theirs in zip((*g.dW, *g.db, g.dX), (*dW, *db, dX), strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() <= 1e-12 * max(size, 1)


@quick
@given(networks())
def test_random_networks_pass_the_gradient_check(case):
    network, X, Y = case
    report = check_network(network, X, Y)
    assert report.verdict in ("excellent", "good", "below rounding"), report


@quick
@given(networks())
def test_every_gradient_has_the_shape_and_the_dtype_of_its_variable(case):
    network, X, Y = case
    Z, A = network.forward(X)
    _, g = network.loss_and_gradients(X, Y)
    pairs = [(g.dW, network.weights), (g.db, network.biases), (g.dZ, Z), (g.dA, A), ([g.dX], [X])]
    for gradients, variables in pairs:
        assert [d.shape for d in gradients] == [v.shape for v in variables]
        assert {d.dtype for d in gradients} == {np.dtype(np.float64)}


@quick
@given(networks(), st.integers(0, 10**6), st.sampled_from([1e-5, 1e-3, 0.5]))
def test_the_losses_of_moved_columns_are_the_losses_one_by_one(case, seed, size):
    network, X, Y = case
    Z, _ = network.forward(X)
    moves = size * np.random.default_rng(seed).standard_normal((3, len(X)))
    for l in range(1, len(Z) + 1):
        together = network.loss_from(l, Z[l - 1], Y, moves=moves)
        assert together.shape == (3, Z[l - 1].shape[1])
        for i, j in np.ndindex(together.shape):
            moved = Z[l - 1].copy()
            moved[:, j] += moves[i]
            alone = network.loss_from(l, moved, Y)
            assert abs(together[i, j] - alone) <= 1e-12 * max(1, abs(alone))


@pytest.mark.parametrize(
    ("activations", "loss"),
    [
        (("identity", "softmax"), "cross_entropy"),
        (("identity", "sigmoid"), "binary_cross_entropy"),
        (("identity", "sigmoid"), "cross_entropy"),
        (("softmax", "softmax"), "binary_cross_entropy"),
    ],
)
def test_moved_columns_of_saturated_outputs(activations, loss):
    network = MLP([np.eye(3), 1000 * np.eye(3)], [np.zeros(3), np.zeros(3)], activations, loss)
    Z, Y = np.array([[2.0, -2, -1], [-2, -1, 3]]), np.array([[1.0, 0, 0], [0, 0, 1]])
    moves = np.array([[0.25, 0.5], [-0.25, 1]])
    together = network.loss_from(1, Z, Y, moves=moves)
    for i, j in np.ndindex(2, 3):
        moved = Z.copy()
        moved[:, j] += moves[i]
        np.testing.assert_allclose(together[i, j], network.loss_from(1, moved, Y), rtol=1e-12, atol=1e-300)


def test_small_moves_that_steep_weights_make_large_in_the_logits():
    rng = np.random.default_rng(4)
    network = MLP([rng.standard_normal((3, 4)), 150 * rng.standard_normal((4, 5))], [np.zeros(4), np.zeros(5)])
    X, Y = rng.standard_normal((6, 3)), rng.integers(0, 5, 6)
    Z, moves = network.forward(X).Z[0], 0.004 * rng.standard_normal((3, 6))
    together = network.loss_from(1, Z, Y, moves=moves)
    for i, j in itertools.product(range(3), range(4)):
        moved = Z.copy()
        moved[:, j] += moves[i]
        assert together[i, j] == pytest.approx(network.loss_from(1, moved, Y), rel=1e-12)


@pytest.mark.parametrize("hidden", ["relu", "tanh", "selu"])
def test_small_moves_of_logits_give_the_losses_of_any_moves(monkeypatch, hidden):
    """Rows of Y of any sum, logits beyond the range of exp, samples that a ReLU keeps or a move wakes; in parts too."""
    network, X, Y = network_and_data((3, 6, 4), (hidden, "softmax"), "cross_entropy", 14, m=9)
    network = network.with_parameters(network.weights, [network.biases[0], network.biases[1] + 1000])
    Z, _ = network.forward(X)
    moves = np.linspace(-2e-3, 2e-3, 11)[:, np.newaxis] * np.random.default_rng(0).random(len(X))
    Z[0][0, :3] = -1e-4
    small = network.loss_from(1, Z[0], Y, moves=moves)
    monkeypatch.setattr("backprop._moved_columns.ENTRIES", 200)
    parts = network.loss_from(1, Z[0], Y, moves=moves)
    monkeypatch.setattr("backprop._moved_columns.SMALL", 0.0)
    np.testing.assert_allclose(small, network.loss_from(1, Z[0], Y, moves=moves), rtol=1e-14)
    np.testing.assert_allclose(parts, small, rtol=1e-15)


def test_the_exponential_series_is_exact_as_far_as_it_is_used():
    unit = np.finfo(np.float64).eps
    for largest in np.geomspace(1e-9, _moved_columns.SMALL, 200):
        D = np.linspace(-largest, largest, 101)
        series = np.empty_like(D)
        _moved_columns._expm1_by_series(D, _moved_columns._terms_of_exp(largest), out=series)
        assert np.abs(series - np.expm1(D)).max() < unit / 16


@pytest.mark.parametrize("K", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1e-5, 1.0, 2000.0])
def test_one_moved_logit_among_any_others(K, size):
    rng = np.random.default_rng(K)
    network = MLP([np.eye(K)], [np.zeros(K)])
    for spread in (1.0, 30.0, 1000.0):
        Z, Y = 200 + spread * rng.standard_normal((4, K)), rng.random((4, K))
        moves = size * rng.standard_normal((5, 4))
        together = network.loss_from(1, Z, Y, moves=moves)
        for i, j in np.ndindex(5, K):
            moved = Z.copy()
            moved[:, j] += moves[i]
            alone = network.loss_from(1, moved, Y)
            assert abs(together[i, j] - alone) <= 1e-14 * max(1, np.abs(moved - moved.max(axis=1, keepdims=True)).max())


def test_moved_columns_are_the_same_in_parts_and_in_any_dtype(monkeypatch):
    network, X, Y = network_and_data((3, 5, 4, 2), ("tanh", "softmax", "softmax"), "cross_entropy", 12)
    Z, _ = network.forward(X)
    moves = np.random.default_rng(0).standard_normal((7, len(X)))
    whole = [network.loss_from(l + 1, Z[l], Y, moves=moves) for l in range(3)]
    monkeypatch.setattr("backprop._moved_columns.ENTRIES", 50)
    for l in range(3):
        np.testing.assert_array_equal(network.loss_from(l + 1, Z[l], Y, moves=moves), whole[l])
        np.testing.assert_array_equal(network.loss_from(l + 1, Z[l], Y, moves=moves[:0]), whole[l][:0])
        single = network.loss_from(l + 1, Z[l].astype(np.float32), Y, moves=moves)
        np.testing.assert_allclose(single, whole[l], rtol=1e-6)
        integers = network.loss_from(l + 1, np.ones_like(Z[l], int), Y, moves=np.ones((2, len(X)), int))
        assert integers.shape == (2, Z[l].shape[1])


def test_duplicating_the_batch_keeps_a_mean_and_doubles_a_sum():
    """The test that finds a wrong 1/m."""
    for loss in LOSSES:
        output = "sigmoid" if loss in PROBABILITIES else "identity"
        network, X, Y = network_and_data((3, 4, 2), ("tanh", output), loss, 3)
        value, g = network.loss_and_gradients(X, Y)
        twice, g2 = network.loss_and_gradients(np.vstack([X, X]), np.vstack([Y, Y]))
        factor = 2 if loss == "half_squared_error" else 1
        np.testing.assert_allclose(twice, factor * value, rtol=1e-14)
        for d, d2 in zip((*g.dW, *g.db), (*g2.dW, *g2.db), strict=True):
            np.testing.assert_allclose(d2, factor * d, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(2 * g2.dX[: len(X)], factor * g.dX, rtol=1e-12, atol=1e-15)


# 50 digits ------------------------------------------------------------------------------------------------------------

MP = {
    "relu": lambda z: z if z > 0 else mpmath.mpf(0),
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "identity": lambda z: z,
}


def mp_loss(network, weights, biases, X, Y):
    total = mpmath.mpf(0)
    for x, y in zip(X, Y, strict=True):
        a = [mpmath.mpf(v) for v in x]
        for W, b, name in zip(weights, biases, network.activations, strict=True):
            z = [sum(a[i] * W[i][j] for i in range(len(a))) + b[j] for j in range(len(b))]
            if name == "softmax":
                a = [mpmath.exp(v) / sum(mpmath.exp(u) for u in z) for v in z]
            else:
                a = [MP[name](v) for v in z]
        y = [mpmath.mpf(v) for v in y]
        if network.loss_name == "cross_entropy":
            total -= sum(v * mpmath.log(p) for v, p in zip(y, a, strict=True))
        elif network.loss_name == "binary_cross_entropy":
            total -= sum(v * mpmath.log(p) + (1 - v) * mpmath.log(1 - p) for v, p in zip(y, a, strict=True))
        else:
            total += sum((p - v) ** 2 for v, p in zip(y, a, strict=True))
    return total / (2 if network.loss_name == "half_squared_error" else len(X))


@pytest.mark.parametrize(
    ("activations", "loss", "scale"),
    [
        (("tanh", "softmax"), "cross_entropy", 1.0),
        (("relu", "softmax"), "cross_entropy", 30.0),
        (("sigmoid", "sigmoid"), "binary_cross_entropy", 30.0),
        (("tanh", "identity"), "mean_squared_error", 1.0),
        (("sigmoid", "tanh"), "half_squared_error", 1.0),
    ],
)
def test_against_50_digits(activations, loss, scale):
    """Scale 30 saturates the output: the naive formulas would have no correct digit there."""
    network, X, Y = network_and_data((2, 3, 4), activations, loss, 4, m=3)
    network = network.with_parameters(
        [network.weights[0], scale * network.weights[1]], [network.biases[0], scale * network.biases[1]]
    )
    value, g = network.loss_and_gradients(X, Y)
    with mpmath.workdps(50):
        tensors = [[[mpmath.mpf(v) for v in row] for row in W] for W in network.weights]
        biases = [[mpmath.mpf(v) for v in b] for b in network.biases]
        right = mp_loss(network, tensors, biases, X, Y)
        assert abs(value - right) <= 1e-13 * abs(right)
        h = mpmath.mpf(10) ** -20
        for l, dW in enumerate(g.dW):
            for i, j in np.ndindex(dW.shape):
                at = tensors[l][i][j]
                ends = []
                for step in (h, -h):
                    tensors[l][i][j] = at + step
                    ends.append(mp_loss(network, tensors, biases, X, Y))
                tensors[l][i][j] = at
                derivative = (ends[0] - ends[1]) / (2 * h)
                assert abs(dW[i, j] - derivative) <= 1e-12 * max(abs(derivative), 1e-3 * np.abs(dW).max())


# dtypes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hidden", "output", "loss"), list(mixes()))
def test_float32_stays_float32_and_agrees_with_float64(hidden, output, loss):
    network, X, Y = network_and_data((3, 5, 2), (hidden, output), loss, 5)
    single = network.with_parameters(
        [W.astype(np.float32) for W in network.weights], [b.astype(np.float32) for b in network.biases]
    )
    X32, Y32 = X.astype(np.float32), Y.astype(np.float32)
    Z, A = single.forward(X32)
    loss32, g32 = single.loss_and_gradients(X32, Y32)
    loss64, g64 = network.loss_and_gradients(X, Y)
    assert type(loss32) is type(single.loss(X32, Y32)) is float
    everything = (*Z, *A, *g32.dW, *g32.db, *g32.dZ, *g32.dA, g32.dX)
    assert {array.dtype for array in everything} == {np.dtype(np.float32)}
    assert abs(loss32 - loss64) < 1e-5 * max(1, abs(loss64))
    for d32, d64 in zip((*g32.dW, *g32.db, g32.dX), (*g64.dW, *g64.db, g64.dX), strict=True):
        assert np.abs(d32 - d64).max() < 1e-4 * max(1, np.abs(d64).max())


def test_integers_become_float64_and_mixed_dtypes_promote():
    network = MLP([[[1, 2], [3, 4], [5, 6]]], [[0, 1]], loss="mean_squared_error")
    assert {network.weights[0].dtype, network.biases[0].dtype} == {np.dtype(np.float64)}
    mixed = MLP([np.ones((3, 2), np.float32)], [np.ones(2)], loss="mean_squared_error")
    assert mixed.weights[0].dtype == mixed.biases[0].dtype == np.float64
    single = MLP([np.ones((3, 2), np.float32)], [np.ones(2, np.float32)], loss="mean_squared_error")
    assert single.forward(np.ones((4, 3))).A[-1].dtype == np.float64
    assert single.loss_and_gradients(np.ones((4, 3)), np.ones((4, 2)))[1].dW[0].dtype == np.float64


def test_classes_keep_float32():
    network = MLP.initialize([3, 4, 2], np.random.default_rng(0), dtype=np.float32)
    _, g = network.loss_and_gradients(np.ones((5, 3), np.float32), [0, 1, 1, 0, 1])
    assert {d.dtype for d in (*g.dW, *g.db, *g.dZ, *g.dA, g.dX)} == {np.dtype(np.float32)}


def test_complex_is_for_the_loss_alone():
    network, X, Y = network_and_data((3, 4, 2), None, "cross_entropy", 6)
    assert isinstance(network.loss(X + 0j, Y), complex)
    unreal = network.with_parameters([W + 0j for W in network.weights], network.biases)
    assert isinstance(unreal.loss(X, Y), complex)
    for call in (
        lambda: network.forward(X + 0j),
        lambda: network.loss_and_gradients(X + 0j, Y),
        lambda: network.loss_from(1, np.ones((5, 4)) + 0j, Y),
        lambda: network.loss_from(1, np.ones((5, 4)), Y, moves=np.ones((2, 5)) + 0j),
        lambda: unreal.forward(X),
        lambda: unreal.loss_and_gradients(X, Y),
        lambda: unreal.loss_from(1, np.ones((5, 4)), Y),
        lambda: network.loss(X, Y + 0j),
    ):
        with pytest.raises(TypeError, match="complex"):
            call()


# Extremes -------------------------------------------------------------------------------------------------------------


def test_saturated_outputs_give_exact_losses_and_finite_gradients():
    eye = [np.eye(2)]
    network = MLP(eye, [np.zeros(2)])
    loss, g = network.loss_and_gradients([[1000.0, 0], [0, 1000.0], [0, -1000.0]], [1, 1, 0])
    assert loss == 1000 / 3
    np.testing.assert_array_equal(g.dZ[0], [[1 / 3, -1 / 3], [0, 0], [0, 0]])
    np.testing.assert_array_equal(g.dA[0], [[0, -np.inf], [0, -1 / 3], [-1 / 3, 0]])
    network = MLP(eye, [np.zeros(2)], loss="binary_cross_entropy")
    loss, g = network.loss_and_gradients([[1000.0, -1000.0], [0, 0], [0, 0]], [[0, 0], [1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(loss, (1000 + 4 * np.log(2)) / 3)
    np.testing.assert_allclose(g.dA[0], [[np.inf, 1 / 3], [-2 / 3, 2 / 3], [0, 0]])


def test_the_output_s_dA_is_the_gradient_in_probabilities():
    network, X, Y = network_and_data((3, 4, 2), None, "cross_entropy", 7)
    prediction = network.forward(X).A[-1]
    np.testing.assert_allclose(network.loss_and_gradients(X, Y)[1].dA[-1], cross_entropy(prediction, Y)[1], rtol=1e-14)


def test_a_dead_layer_stops_every_gradient_below_it():
    network, X, Y = network_and_data((3, 4, 5, 2), None, "cross_entropy", 8)
    dead = network.with_parameters(network.weights, [network.biases[0], network.biases[1] - 100, network.biases[2]])
    _, g = dead.loss_and_gradients(X, Y)
    for array in (g.dW[0], g.db[0], g.dW[1], g.db[1], g.dZ[0], g.dZ[1], g.dX, g.dW[2]):
        assert not array.any()
    assert g.db[2].any()
    assert g.dA[1].any()


def test_no_samples():
    network = MLP.initialize([3, 4, 2], np.random.default_rng(0))
    assert [a.shape for a in network.forward(np.ones((0, 3))).A] == [(0, 4), (0, 2)]
    with pytest.raises(ValueError, match="at least one sample"):
        network.loss(np.ones((0, 3)), np.ones((0, 2)))


# The object -----------------------------------------------------------------------------------------------------------


def test_it_is_frozen_and_its_arrays_are_copies_that_cannot_be_written():
    W, b = np.ones((2, 3)), np.zeros(3)
    network = MLP([W], [b])
    W[0, 0] = b[0] = 99
    assert network.weights[0][0, 0] == 1
    assert network.biases[0][0] == 0
    for array in (*network.weights, *network.biases):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.weights = ()
    assert isinstance(network.weights, tuple)
    assert network != MLP([W], [b])
    assert hash(network) == hash(network)


def test_with_parameters_and_replace_keep_the_rest():
    network, X, Y = network_and_data((3, 4, 2), ("tanh", "sigmoid"), "half_squared_error", 9)
    weights = [2 * W for W in network.weights]
    for other in (network.with_parameters(weights, network.biases), dataclasses.replace(network, weights=weights)):
        assert other.activations == ("tanh", "sigmoid")
        assert other.loss_name == "half_squared_error"
        np.testing.assert_array_equal(other.weights[1], weights[1])
        np.testing.assert_array_equal(other.biases[1], network.biases[1])
    other = dataclasses.replace(network, loss="mean_squared_error")
    assert other.loss_name == "mean_squared_error"
    np.testing.assert_allclose(other.loss(X, Y), 2 * network.loss(X, Y) / len(X))


def test_nothing_that_is_passed_in_is_changed_and_results_are_new():
    network, X, Y = network_and_data((3, 4, 2), ("identity", "identity"), "mean_squared_error", 10)
    kept = X.copy(), Y.copy(), [W.copy() for W in network.weights]
    Z, A = network.forward(X)
    for array in (*Z, *A, *itertools.chain(*network.loss_and_gradients(X, Y)[1][:4])):
        array[...] = 7.0
    network.loss_from(1, np.ones((5, 4)), Y, moves=np.ones((2, 5)))
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(Y, kept[1])
    for W, before in zip(network.weights, kept[2], strict=True):
        np.testing.assert_array_equal(W, before)


def test_the_arguments_have_names_and_moves_are_given_by_theirs():
    network, X, Y = network_and_data((3, 4, 2), None, "cross_entropy", 12)
    Z, _ = network.forward(X=X)
    assert network.loss_from(layer=1, Z=Z[0], Y=Y) == network.loss_from(2, Z[1], Y) == network.loss(X=X, Y=Y)
    with pytest.raises(TypeError, match="positional argument"):
        network.loss_from(1, Z[0], Y, np.ones((2, len(X))))


def test_the_gradients_have_names():
    network, X, Y = network_and_data((3, 4, 2), None, "cross_entropy", 11)
    _, g = network.loss_and_gradients(X, Y)
    assert isinstance(g, Gradients)
    assert g._fields == ("dW", "db", "dZ", "dA", "dX")
    assert [type(field) for field in g] == [list, list, list, list, np.ndarray]


def test_initialize():
    network = MLP.initialize((5, 4, 3), np.random.default_rng(0))
    assert [W.shape for W in network.weights] == [(5, 4), (4, 3)]
    assert not any(b.any() for b in network.biases)
    again = MLP.initialize((5, 4, 3), np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(network.weights, again.weights, strict=True))
    for name, draw in INITIALIZERS.items():
        rng = np.random.default_rng(1)
        made = MLP.initialize([5, 4, 3], np.random.default_rng(1), ["tanh", "identity"], "mean_squared_error", name)
        np.testing.assert_array_equal(made.weights[0], draw(5, 4, rng))
        np.testing.assert_array_equal(made.weights[1], draw(4, 3, rng))
        assert (made.activations, made.loss_name) == (("tanh", "identity"), "mean_squared_error")
    single = MLP.initialize([5, 4], np.random.default_rng(0), dtype=np.float32)
    assert single.weights[0].dtype == single.biases[0].dtype == np.float32


# Bad input ------------------------------------------------------------------------------------------------------------


def test_a_batch_without_samples_is_refused_in_the_callers_words():
    network = MLP([np.ones((2, 3))], [np.ones(3)])
    for function in (network.loss, network.loss_and_gradients):
        with pytest.raises(ValueError, match=r"^X has no samples: expected at least one sample$"):
            function(np.ones((0, 2)), np.zeros(0, int))
    with pytest.raises(ValueError, match=r"^Z has no samples: expected at least one sample$"):
        network.loss_from(1, np.ones((0, 3)), np.zeros(0, int))


W2, B2 = [np.ones((2, 3)), np.ones((3, 4))], [np.ones(3), np.ones(4)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], []), ValueError, "weights has 0 arrays and biases has 0: expected as many, and at least 1"),
        ((W2, B2[:1]), ValueError, "weights has 2 arrays and biases has 1"),
        (([np.ones((2, 3)), np.ones((4, 3))], B2), ValueError,
         r"weights\[1\] has shape \(4, 3\), but weights\[0\] has 3 outputs: expected \(3, n_out\)"),
        (([*W2, np.ones((6, 1))], [*B2, np.ones(1)]), ValueError,
         r"weights\[2\] has shape \(6, 1\), but weights\[1\] has 4 outputs: expected \(4, n_out\)"),
        ((W2, [np.ones(3), np.ones((1, 4))]), ValueError,
         r"biases\[1\] has shape \(1, 4\), but weights\[1\] has 4 outputs: expected \(4,\)"),
        (([np.ones(3)], [np.ones(3)]), ValueError, r"weights\[0\] has shape \(3,\): expected \(n_in, n_out\)"),
        (([np.ones((2, 0))], [np.ones(0)]), ValueError, r"weights\[0\] has shape \(2, 0\): expected"),
        (([[[1.0, np.nan]]], [[1, 2]]), ValueError, r"weights\[0\] is nan at index \(0, 1\)"),
        (([[[1.0, 2]]], [[1, np.inf]]), ValueError, r"biases\[0\] is inf at index 1"),
        (([[["a"]]], [[1]]), TypeError, r"weights\[0\] has dtype"),
        (([np.ones((1, 1), np.float16)], [[1]]), TypeError, r"weights\[0\] has dtype float16"),
        ((W2, B2, ["relu"]), ValueError, "activations has 1 names, but the network has 2 layers: expected 2"),
        ((W2, B2, "relu"), TypeError, "activations is 'relu': expected one name a layer, 2 in all"),
        ((W2, B2, ["relu", "swish"]), ValueError, r"activations\[1\] is 'swish': expected one of relu, "),
        ((W2, B2, None, "mse"), ValueError, "loss is 'mse': expected one of cross_entropy, "),
        ((W2, B2, None, None), ValueError, "loss is None: expected one of"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        MLP(*arguments)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda n: n.forward(np.ones((4, 5))), ValueError,
         r"X has shape \(4, 5\), but weights\[0\] has 2 features: expected \(m, 2\)"),
        (lambda n: n.forward(np.ones(2)), ValueError, r"X has shape \(2,\)"),
        (lambda n: n.forward([[1, np.nan]]), ValueError, r"X is nan at index \(0, 1\)"),
        (lambda n: n.forward([["a", "b"]]), TypeError, "X has dtype"),
        (lambda n: n.loss(np.ones((4, 2)), [0, 1, 2]), ValueError, r"Y has shape \(3,\), but X has 4 samples"),
        (lambda n: n.loss(np.ones((3, 2)), [0, 1, 9]), ValueError, "Y is 9 at index 2: expected a class from 0 to 3"),
        (lambda n: n.loss(np.ones((3, 2)), [0.0, 1, 2]), TypeError, "expected integer classes"),
        (lambda n: n.loss_from(0, np.ones((3, 3)), [0, 1, 2]), ValueError, "layer is 0: expected 1 to 2"),
        (lambda n: n.loss_from(3, np.ones((3, 3)), [0, 1, 2]), ValueError, "layer is 3: expected 1 to 2"),
        (lambda n: n.loss_from(1, np.ones((3, 4)), [0, 1, 2]), ValueError,
         r"Z has shape \(3, 4\), but layer 1 has 3 outputs: expected \(m, 3\)"),
        (lambda n: n.loss_from(1, np.ones((3, 3)), [0, 1, 2], moves=np.ones((5, 4))), ValueError,
         r"moves has shape \(5, 4\), but Z has 3 samples: expected \(k, 3\)"),
        (lambda n: n.loss_from(1, np.ones((3, 3)), [0, 1, 2], moves=[[1, 2, np.nan]]), ValueError, "moves is nan"),
        (lambda n: n.loss_from(1, np.ones((3, 3)), [0, 1, 9], moves=np.ones((5, 3))), ValueError, "Y is 9"),
        (lambda n: n.loss_and_gradients(np.ones((3, 2)), [[1, 2, 3, -4]] * 3), ValueError, "Y is -4"),
    ],
)  # fmt: skip
def test_a_call_that_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(MLP(W2, B2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sizes": [3]}, ValueError, r"sizes is \[3\]: expected the features and the outputs"),
        ({"sizes": [3, 0]}, ValueError, r"sizes\[1\] is 0: expected at least 1"),
        ({"sizes": [3, 2.5]}, TypeError, r"sizes\[1\] is 2.5: expected an integer"),
        ({"initializer": "xavier"}, ValueError, "initializer is 'xavier': expected one of he_normal, "),
        ({"dtype": np.float16}, TypeError, "dtype is float16: expected float32 or float64"),
        ({"rng": 0}, TypeError, "rng is 0: expected a numpy.random.Generator"),
        ({"loss": "mse"}, ValueError, "loss is 'mse'"),
    ],
)
def test_an_initialisation_that_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        MLP.initialize(**({"sizes": [3, 2], "rng": np.random.default_rng(0)} | arguments))


def test_a_loss_in_probabilities_over_other_outputs_is_refused_where_it_is_not_defined():
    network = MLP([[[2.0]]], [[0.0]], ["identity"], "binary_cross_entropy")
    assert network.loss([[0.25]], [[1]]) == pytest.approx(np.log(2))
    with pytest.raises(ValueError, match=r"Y_hat is 2\.0 at index"):
        network.loss([[1.0]], [[1]])
