"""PyTorch's conventions, as facts, and its gradients of whole networks against this package's.

PyTorch is not part of the environment (it is some hundred megabytes that no reader needs), so that these tests are
skipped where it is not installed. They were written for torch 2.13.0: `pip install torch==2.13.0`, then
`pytest tests/test_oracle_torch.py`.
"""

import itertools
import warnings

import numpy as np
import pytest

from backprop import activations, losses
from backprop.conventions import Pass, to_note
from backprop.network import MLP

torch = pytest.importorskip("torch", reason="PyTorch is not part of the environment")

rng = np.random.default_rng(0)
M, N_IN, N_HIDDEN, N_OUT = 5, 2, 4, 3


def tensor(array, grad=False):
    return torch.tensor(np.asarray(array), requires_grad=grad)


@pytest.fixture
def logits():
    return tensor(np.random.default_rng(1).normal(size=(M, N_OUT)), grad=True)


# Storage --------------------------------------------------------------------------------------------------------------


def test_linear_stores_its_weights_as_out_in():
    layer = torch.nn.Linear(N_IN, N_OUT, dtype=torch.float64)
    assert tuple(layer.weight.shape) == (N_OUT, N_IN)
    assert tuple(layer.bias.shape) == (N_OUT,)
    X = tensor(rng.normal(size=(M, N_IN)), grad=True)
    Z = layer(X)
    assert torch.allclose(Z, X @ layer.weight.T + layer.bias)
    dZ = tensor(rng.normal(size=(M, N_OUT)))
    Z.backward(dZ)
    assert torch.allclose(layer.weight.grad, dZ.T @ X)
    assert torch.allclose(layer.bias.grad, dZ.sum(axis=0))
    assert torch.allclose(X.grad, dZ @ layer.weight)


def test_gradients_accumulate_until_they_are_cleared():
    w = tensor(3.0, grad=True)
    for _ in range(2):
        (w * w).backward()
    assert w.grad.item() == 12


# Reduction ------------------------------------------------------------------------------------------------------------


def test_cross_entropy_averages_over_samples_and_holds_its_own_softmax(logits):
    classes = torch.tensor([0, 2, 1, 1, 0])
    loss = torch.nn.CrossEntropyLoss()(logits, classes)
    loss.backward()
    P, Y = torch.softmax(logits, dim=1), torch.eye(N_OUT, dtype=torch.float64)[classes]
    assert torch.allclose(loss, -(Y * torch.log(P)).sum() / M)
    assert torch.allclose(logits.grad, (P - Y) / M)


def test_probabilities_fed_to_cross_entropy_meet_a_second_softmax():
    certain = tensor([[1.0, 0.0, 0.0]])
    loss = torch.nn.CrossEntropyLoss()(certain, torch.tensor([0])).item()
    assert loss == pytest.approx(np.log(np.e + 2) - 1)
    assert f"{loss:.2f}" == "0.55"


def test_cross_entropy_takes_labels_of_any_sum(logits):
    Y = np.random.default_rng(2).random((M, N_OUT))
    torch.nn.CrossEntropyLoss()(logits, tensor(Y)).backward()
    _, dZ = losses.softmax_cross_entropy(logits.detach().numpy(), Y)
    np.testing.assert_allclose(logits.grad.numpy(), dZ, rtol=1e-12)


def test_class_weights_change_what_the_mean_divides_by(logits):
    """With class weights the mean divides by the sum of the weights of the labels, not by m."""
    classes, weight = torch.tensor([0, 2, 1, 1, 0]), tensor([1.0, 2.0, 5.0])
    loss = torch.nn.CrossEntropyLoss(weight=weight)(logits, classes)
    each = -torch.log_softmax(logits, dim=1)[torch.arange(M), classes] * weight[classes]
    assert torch.allclose(loss, each.sum() / weight[classes].sum())
    assert not torch.allclose(loss, each.sum() / M)


@pytest.mark.parametrize("loss", ["MSELoss", "BCELoss", "BCEWithLogitsLoss"])
def test_squared_error_and_binary_cross_entropy_average_over_every_entry(loss):
    Z, Y = rng.normal(size=(M, N_OUT)), rng.random((M, N_OUT))
    if loss == "BCELoss":
        Z = 1 / (1 + np.exp(-Z))
    values = {r: getattr(torch.nn, loss)(reduction=r)(tensor(Z), tensor(Y)) for r in ("none", "sum", "mean")}
    assert tuple(values["none"].shape) == (M, N_OUT)
    assert torch.allclose(values["sum"], values["none"].sum())
    assert torch.allclose(values["mean"], values["sum"] / (M * N_OUT))
    ours = {
        "MSELoss": losses.mean_squared_error,
        "BCELoss": losses.binary_cross_entropy,
        "BCEWithLogitsLoss": losses.sigmoid_cross_entropy,
    }[loss]
    at = tensor(Z, grad=True)
    getattr(torch.nn, loss)()(at, tensor(Y)).backward()
    value, gradient = ours(Z, Y)
    assert value == pytest.approx(N_OUT * values["mean"].item(), rel=1e-12)
    np.testing.assert_allclose(N_OUT * at.grad.numpy(), gradient, rtol=1e-10)


def test_shapes_that_broadcast_are_warned_about_and_not_refused():
    with pytest.warns(UserWarning, match="target size"):
        loss = torch.nn.MSELoss()(tensor(np.ones((4, 1))), tensor(np.arange(4.0)))
    assert loss.item() == np.mean((1 - np.arange(4.0)) ** 2)  # an average over 4 × 4 differences


# Edges ----------------------------------------------------------------------------------------------------------------


def test_bce_clamps_its_logarithms():
    """ln is held at −100 or above, so that the loss of a certain mistake is 100, and not infinite."""
    loss = torch.nn.BCELoss()(tensor([0.0]), tensor([1.0]))
    assert loss.item() == 100
    with pytest.raises(ValueError, match="loss is infinite"):
        losses.binary_cross_entropy([[0.0]], [[1.0]])


def test_bce_with_logits_is_exact_where_bce_is_clamped():
    Z, Y = [[-1000.0]], [[1.0]]
    assert torch.nn.BCEWithLogitsLoss()(tensor(Z), tensor(Y)).item() == 1000
    assert losses.sigmoid_cross_entropy(Z, Y)[0] == 1000
    p = torch.sigmoid(tensor(Z))
    assert torch.nn.BCELoss()(p, tensor(Y)).item() == 100


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_the_slope_of_relu_at_zero_is_zero(zero):
    z = tensor(zero, grad=True)
    torch.relu(z).backward()
    assert z.grad.item() == 0 == activations.relu_derivative(zero)


def test_new_layers_are_float32():
    assert torch.nn.Linear(2, 3).weight.dtype == torch.float32


# Whole networks -------------------------------------------------------------------------------------------------------

TORCH = {
    "cross_entropy": lambda Z, Y: torch.nn.CrossEntropyLoss()(Z, Y),
    "binary_cross_entropy": lambda Z, Y: torch.nn.BCEWithLogitsLoss()(Z, Y),
    "mean_squared_error": lambda Z, Y: torch.nn.MSELoss()(Z, Y),
}
HIDDEN = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "selu": torch.selu}


@pytest.mark.parametrize(("loss", "hidden"), list(itertools.product(TORCH, HIDDEN)))
def test_a_whole_pass_in_pytorch_s_convention(loss, hidden):
    """Every value and every gradient of two layers, with the default reduction."""
    weights = [rng.normal(size=shape) for shape in ((N_IN, N_HIDDEN), (N_HIDDEN, N_OUT))]
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "mean_squared_error": "identity"}[loss]
    network = MLP(weights, [rng.normal(size=n) for n in (N_HIDDEN, N_OUT)], [hidden, output], loss)
    X, Y = rng.normal(size=(M, N_IN)), rng.random((M, N_OUT))
    ours = to_note("pytorch", Pass.of(network, X, Y))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, V = tensor(X, grad=True), [tensor(W, grad=True) for W in ours.weights]
        b = [tensor(each, grad=True) for each in ours.biases]
        z1 = torch.nn.functional.linear(x, V[0], b[0])
        a1 = HIDDEN[hidden](z1)
        z2 = torch.nn.functional.linear(a1, V[1], b[1])
        for each in (z1, a1, z2):
            each.retain_grad()
        value = TORCH[loss](z2, tensor(Y))
        value.backward()

    assert value.item() == pytest.approx(ours.loss, rel=1e-12)
    expected = [(x.grad, ours.dX), (z1.grad, ours.dZ[0]), (a1.grad, ours.dA[0]), (z2.grad, ours.dZ[1])]
    expected += [(v.grad, dV) for v, dV in zip(V, ours.dW, strict=True)]
    expected += [(each.grad, db) for each, db in zip(b, ours.db, strict=True)]
    for theirs, mine in expected:
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-9, atol=1e-12)
