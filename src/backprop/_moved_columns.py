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


def losses_of_moved_columns(network, layer: int, Z, Y, moves):
    """The losses, shape (k, n), with Z[:, j] + moves[i] in the place of Z[:, j]; Z (m, n) and moves (k, m)."""
    Y = np.asarray(Y)
    if Y.ndim == 1:
        Y = (Y[:, np.newaxis] == np.arange(network.weights[-1].shape[1])).astype(Z.dtype)
    above = _move_the_layer_above if len(network.weights) > layer else _move_the_output
    with np.errstate(**LIMITS, divide="ignore", invalid="ignore"):
        columns = [_rest_of_the_pass(network, *copies, Y) for copies in above(network, layer, Z, moves)]
    return np.stack(columns, axis=1)


def _move_the_output(network, layer, Z, moves):
    """For each column the layer and its k copies, in the shape (n, k, m)."""
    for j in range(Z.shape[1]):
        copies = np.repeat(Z.T[:, np.newaxis, :], len(moves), axis=1)
        copies[j] += moves
        yield layer, copies


def _move_the_layer_above(network, layer, Z, moves):
    """As `_move_the_output`, for the Z of the layer above, as far as it can be had by a rank-one term."""
    name = network.activations[layer - 1]
    if name == "softmax":  # one moved entry of Z moves every entry of A
        for _, copies in _move_the_output(network, layer, Z, moves):
            yield layer, copies
        return
    f = FUNCTIONS[name]
    W, b = network.weights[layer], network.biases[layer]
    A = f(Z)
    Z_above = (A @ W + b).T[:, np.newaxis, :]
    for j in range(Z.shape[1]):
        gain = f(Z[:, j] + moves) - A[:, j]
        yield layer + 1, W[j][:, np.newaxis, np.newaxis] * gain + Z_above


def _rest_of_the_pass(network, layer, Z, Y):
    """The k losses of the copies in Z, shape (n, k, m), of the pre-activations of a layer."""
    n, k, m = Z.shape
    Z = Z.reshape(n, k * m)
    for l in range(layer, len(network.weights)):
        A = FUNCTIONS[network.activations[l - 1]](Z.T).T
        Z = network.weights[l].T @ A + network.biases[l][:, np.newaxis]
    return _losses(network.loss_name, network.activations[-1], Z.reshape(-1, k, m).transpose(1, 2, 0), Y)


def _losses(loss: str, activation: str, Z, Y):
    """One loss for each copy in Z, shape (k, m, K), against Y, shape (m, K)."""
    m = Z.shape[1]
    if (activation, loss) == ("softmax", "cross_entropy"):
        D = Z - Z.max(axis=-1, keepdims=True)
        each = Y.sum(axis=-1) * np.log(np.exp(D).sum(axis=-1)) - (Y * D).sum(axis=-1)
    elif (activation, loss) == ("sigmoid", "binary_cross_entropy"):
        each = (np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))).sum(axis=-1)
    else:
        A = FUNCTIONS[activation](Z)
        if loss == "cross_entropy":
            each = -_weighted_log(Y, A).sum(axis=-1)
        elif loss == "binary_cross_entropy":
            each = -(_weighted_log(Y, A) + _weighted_log(1 - Y, 1 - A)).sum(axis=-1)
        else:
            each = ((A - Y) ** 2).sum(axis=-1) / (2 if loss == "half_squared_error" else 1)
    return each.sum(axis=-1) / (1 if loss == "half_squared_error" else m)


def _weighted_log(Y, A):
    """Y ln A with 0 ln 0 = 0."""
    return np.where(Y > 0, Y * np.log(A), 0)
