"""The losses of many copies of a layer's pre-activations, each with one column moved: what a gradient check asks for.

The mathematics is that of `MLP.loss_from`, arranged for speed, and tests hold it to that. Two arrangements do it. The
layer above sees one input change, so its Z moves by a rank-one term and needs no product of matrices. And the copies
lie one after the other along the last axis in memory, so that what a row asks for (its largest entry, its sum) runs
down long columns of all copies at once.
"""

import inspect

import numpy as np

from backprop.activations import ACTIVATIONS, LIMITS

# The mathematics alone: `MLP.loss_from` has kept the input contract.
FUNCTIONS = {name: inspect.unwrap(activation.function) for name, activation in ACTIVATIONS.items()}


# The widest array of copies holds about so many entries: 8 MB of float64, near to what a processor keeps at hand.
ENTRIES = 2**20


def losses_of_moved_columns(network, layer: int, Z, Y, moves):
    """The losses, shape (k, n), with Z[:, j] + moves[i] in the place of Z[:, j]; Z (m, n) and moves (k, m)."""
    Y = np.asarray(Y)
    if Y.ndim == 1:
        Y = (Y[:, np.newaxis] == np.arange(network.weights[-1].shape[1])).astype(Z.dtype)
    widest = max(W.shape[1] for W in network.weights[layer - 1 :])
    at_once = max(1, ENTRIES // max(1, len(Z) * widest))
    parts = [moves[start : start + at_once] for start in range(0, len(moves), at_once)] or [moves]
    with np.errstate(**LIMITS, divide="ignore", invalid="ignore"):
        return np.concatenate([_losses(network, layer, Z, Y, part) for part in parts])


def _losses(network, layer, Z, Y, moves):
    k, m = moves.shape
    Y = _copies(Y, k)
    above = _moved_above if len(network.weights) > layer else _moved
    mean_over = 1 if network.loss_name == "half_squared_error" else m
    columns = [
        _losses_of_rows(network, *moved, Y).reshape(k, m).sum(axis=1) / mean_over
        for moved in above(network, layer, Z, moves)
    ]
    return np.stack(columns, axis=1)


def _copies(Z, k: int):
    """k copies of Z below each other, each column of all copies contiguous: shape (k m, n)."""
    return np.tile(Z.T, k).T


def _moved(network, layer, Z, moves):
    """For each column of Z: the layer, and copies of its Z with that column moved, shape (k m, n)."""
    for j in range(Z.shape[1]):
        copies = _copies(Z, len(moves))
        copies[:, j] += moves.ravel()
        yield layer, copies


def _moved_above(network, layer, Z, moves):
    """As `_moved`, but for the Z of the layer above, as far as a rank-one term gives it."""
    name = network.activations[layer - 1]
    if name == "softmax":  # one moved entry of Z moves every entry of A
        yield from _moved(network, layer, Z, moves)
        return
    f = FUNCTIONS[name]
    W, b = network.weights[layer], network.biases[layer]
    A = f(Z)
    Z_above = _copies(A @ W + b, len(moves))
    for j in range(Z.shape[1]):
        gain = f(Z[:, j] + moves) - A[:, j]
        moved = np.multiply.outer(W[j], gain.ravel()).T
        moved += Z_above
        yield layer + 1, moved


def _losses_of_rows(network, layer, Z, Y):
    """What each row of Z, the pre-activations of a layer, adds to the sum of the losses."""
    for l in range(layer, len(network.weights)):
        A = FUNCTIONS[network.activations[l - 1]](Z)
        Z = (network.weights[l].T @ A.T).T
        Z += network.biases[l]
    activation, loss = network.activations[-1], network.loss_name
    if (activation, loss) == ("softmax", "cross_entropy"):
        Z -= Z.max(axis=1, keepdims=True)  # a copy of its own: in place, because new memory costs more than the sums
        weighted = np.einsum("rk,rk->r", Y, Z)
        return Y.sum(axis=1) * np.log(np.exp(Z, out=Z).sum(axis=1)) - weighted
    if (activation, loss) == ("sigmoid", "binary_cross_entropy"):
        return (np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))).sum(axis=1)
    A = FUNCTIONS[activation](Z)
    if loss == "cross_entropy":
        return -_weighted_log(Y, A).sum(axis=1)
    if loss == "binary_cross_entropy":
        return -(_weighted_log(Y, A) + _weighted_log(1 - Y, 1 - A)).sum(axis=1)
    return ((A - Y) ** 2).sum(axis=1) / (2 if loss == "half_squared_error" else 1)


def _weighted_log(Y, A):
    """Y ln A with 0 ln 0 = 0."""
    return np.where(Y > 0, Y * np.log(A), 0)
