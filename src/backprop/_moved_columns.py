"""The losses of many copies of a layer's pre-activations, each with one column moved: what a gradient check asks for.

The mathematics is that of `MLP.loss_from`, arranged for speed, and tests hold it to that. What need not be computed
again, is not. A moved entry of Z moves its row of the layer above by a multiple of one row of W, which takes no product
of matrices. A sample that no move reaches, because a ReLU stays at 0, keeps its loss. At the logits of softmax only the
moved exponential is new, and where all logits move, but little, exp(z + d) is exp z exp d, with exp d from its series.
The moves are the last axis of every array, so that what a copy asks for (its largest entry, its sum) runs along all of
them.
"""

import inspect
import itertools
import math

import numpy as np

from backprop.activations import ACTIVATIONS, LIMITS

# The mathematics alone: `MLP.loss_from` has kept the input contract.
FUNCTIONS = {name: inspect.unwrap(activation.function) for name, activation in ACTIVATIONS.items()}

# The copies that are worked on together hold about so many entries, 1 MB of float64: more would not stay at hand.
ENTRIES = 2**17

# What is a small move of a logit: up to here six powers of it give its exponential to the last digit.
SMALL = 2**-7


def losses_of_moved_columns(network, layer: int, Z, Y, moves):
    """The losses, shape (k, n), with Z[:, j] + moves[i] in the place of Z[:, j]; Z (m, n) and moves (k, m)."""
    Y = np.asarray(Y)
    if Y.ndim == 1:
        Y = (Y[:, np.newaxis] == np.arange(network.weights[-1].shape[1])).astype(Z.dtype)
    at_logits = layer == len(network.weights) and _ends_in_softmax(network)
    sums_of_losses = _sums_at_logits if at_logits else _sums_by_gains
    moves = np.ascontiguousarray(moves.T)
    with np.errstate(**LIMITS, divide="ignore", invalid="ignore"):
        parts = _parts(moves.shape[1], len(Z) * _widest(network, min(layer + 1, len(network.weights))))
        sums = [sums_of_losses(network, layer, Z, Y, moves[:, part]) for part in parts]
    return np.concatenate(sums, axis=1).T / (1 if network.loss_name == "half_squared_error" else len(Z))


def _sums_by_gains(network, layer, Z, Y, moves):
    """The sums of the losses of all samples: entry [j, i] when column j of Z is moved by moves[:, i].

    Moving Z[s, j] moves row s of the layer above, f(Z) W + b, by its gain, f(Z[s, j] + move) − f(Z[s, j]), times W[j].
    """
    above, f, W, b = _layer_above(network, layer)
    A = f(Z)
    kind = _RowsOfLogits if above == len(network.weights) and _ends_in_softmax(network) else _Rows
    rows = kind(network, above, A @ W + b, Y, W)
    unmoved = _losses_of_copies(network, above, _outputs_first(rows.Z), _outputs_first(Y))
    Z, A = _outputs_first(Z), _outputs_first(A)
    sums = []
    for part in _parts(len(Z), moves.size * _widest(network, above)):
        gains = f(Z[part] + moves)
        gains -= A[part]
        changes = np.zeros_like(gains)
        j, s = gains.any(axis=2).nonzero()  # a sample whose ReLU stays at 0 keeps its loss
        changes[j, s] = rows.losses(s, j + part.start, gains[j, s]) - unmoved[s]
        sums.append(changes.sum(axis=1))
    return unmoved.sum() + np.concatenate(sums)  # the small numbers first: their sum is rounded less


class _Rows:
    """The pre-activations of a layer, whose row s is moved by multiples, called gains, of row j of the directions."""

    def __init__(self, network, layer, Z, Y, directions):
        self.network, self.layer, self.Z, self.Y, self.directions = network, layer, Z, Y, directions

    def losses(self, s, j, gains):
        """Entry [r, i]: what row s[r] adds to the sum of the losses, moved by gains[r, i] directions[j[r]]."""
        copies = _outputs_first(self.directions[j]) * gains
        copies += _outputs_first(self.Z[s])
        return _losses_of_copies(self.network, self.layer, copies, _outputs_first(self.Y[s]))


class _RowsOfLogits(_Rows):
    """The same for the logits of softmax under cross-entropy: a row adds w ln Σₖ exp zₖ − Σₖ yₖ zₖ, with w = Σₖ yₖ.

    A small move d is an addition to both sums: exp(zₖ + dₖ) = exp zₖ + exp zₖ (exp dₖ − 1).
    """

    def __init__(self, network, layer, Z, Y, directions):
        super().__init__(network, layer, Z, Y, directions)
        Z = Z - Z.max(axis=1, keepdims=True)  # a common term of a row's logits changes nothing
        self.exp_z = np.exp(Z)
        self.sum_exp_z, self.weight = self.exp_z.sum(axis=1), Y.sum(axis=1)
        self.sum_yz, self.sum_y_direction = (Y * Z).sum(axis=1), Y @ directions.T
        self.longest = np.abs(directions).max()

    def losses(self, s, j, gains):
        """As `_Rows.losses`."""
        largest = np.abs(gains).max(initial=0) * self.longest
        if not largest <= SMALL:
            return super().losses(s, j, gains)
        # One piece of memory for both: two would go back to the system each time, which costs as much as the sums.
        D, changes = np.empty((2, len(j), self.Z.shape[1], gains.shape[1]), gains.dtype)
        np.multiply(self.directions[j, :, np.newaxis], gains[:, np.newaxis], out=D)
        _expm1_by_series(D, _terms_of_exp(largest), out=changes)
        losses = (self.exp_z[s, np.newaxis] @ changes)[:, 0]
        losses += self.sum_exp_z[s, np.newaxis]
        np.log(losses, out=losses)
        losses *= self.weight[s, np.newaxis]
        losses -= self.sum_yz[s, np.newaxis]
        losses -= self.sum_y_direction[s, j, np.newaxis] * gains
        return losses


def _terms_of_exp(largest: float) -> int:
    """How many powers of d in 1 + d + d²/2! + … give exp d to the last digit, for |d| up to the largest."""
    unit = np.finfo(np.float64).eps / 32
    return next(n for n in itertools.count(1) if largest ** (n + 1) / math.factorial(n + 1) < unit)


def _expm1_by_series(D, terms: int, out) -> None:
    """exp d − 1 as d + d²/2! + … + dⁿ/n!: `np.expm1` takes one number at a time, and each step here all of them."""
    np.multiply(D, 1 / math.factorial(terms), out=out)
    for n in range(terms - 1, 0, -1):
        out += 1 / math.factorial(n)
        out *= D


def _layer_above(network, layer):
    """l, f, W and b such that the pre-activations of layer l are f(Z) W + b, with an f that works entry by entry.

    Where there is none, at the output and below a softmax, l is the layer itself: f is the identity and W too.
    """
    name = network.activations[layer - 1]
    if layer < len(network.weights) and name != "softmax":
        return layer + 1, FUNCTIONS[name], network.weights[layer], network.biases[layer]
    b = network.biases[layer - 1]
    return layer, FUNCTIONS["identity"], np.eye(len(b), dtype=b.dtype), np.zeros_like(b)


def _sums_at_logits(network, layer, Z, Y, moves):
    """As `_sums_by_gains`, for the logits of softmax under cross-entropy.

    A row adds what `_RowsOfLogits` says. Moving zⱼ leaves the sum of the other exp zₖ. It is put together from those
    before j and those after j, because a difference would lose its digits where exp zⱼ is most of the sum.
    """
    Z = Z - Z.max(axis=1, keepdims=True)
    nothing = np.full((len(Z), 1), -np.inf, Z.dtype)
    before = np.logaddexp.accumulate(np.hstack([nothing, Z[:, :-1]]), axis=1)
    after = np.logaddexp.accumulate(np.hstack([nothing, Z[:, :0:-1]]), axis=1)[:, ::-1]
    log_sums = np.logaddexp(_outputs_first(np.logaddexp(before, after)), _outputs_first(Z) + moves)
    losses = Y.sum(axis=1)[:, np.newaxis] * log_sums
    losses -= (Y * Z).sum(axis=1)[:, np.newaxis] + _outputs_first(Y) * moves
    unmoved = _losses_of_copies(network, layer, _outputs_first(Z), _outputs_first(Y))
    return unmoved.sum() + (losses - unmoved).sum(axis=1)


def _losses_of_copies(network, layer, Z, Y):
    """What each copy of a sample adds to the sum of the losses; Z, of a layer, has shape (n, samples, copies)."""
    for l in range(layer, len(network.weights)):
        A = _activated(network.activations[l - 1], Z)
        Z = np.tensordot(network.weights[l].T, A, axes=1)
        Z += network.biases[l][:, np.newaxis, np.newaxis]
    activation, loss = network.activations[-1], network.loss_name
    if _ends_in_softmax(network):
        Z -= Z.max(axis=0)  # a copy of its own: in place, because new memory costs more than the sums
        weighted = np.einsum("kb,kbi->bi", Y[:, :, 0], Z)
        return Y.sum(axis=0) * np.log(np.exp(Z, out=Z).sum(axis=0)) - weighted
    if (activation, loss) == ("sigmoid", "binary_cross_entropy"):
        return (np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))).sum(axis=0)
    A = _activated(activation, Z)
    if loss == "cross_entropy":
        return -_weighted_log(Y, A).sum(axis=0)
    if loss == "binary_cross_entropy":
        return -(_weighted_log(Y, A) + _weighted_log(1 - Y, 1 - A)).sum(axis=0)
    return ((A - Y) ** 2).sum(axis=0) / (2 if loss == "half_squared_error" else 1)


def _ends_in_softmax(network) -> bool:
    return (network.activations[-1], network.loss_name) == ("softmax", "cross_entropy")


def _widest(network, layer) -> int:
    """The number of outputs of the widest layer from this one on."""
    return max(W.shape[1] for W in network.weights[layer - 1 :])


def _parts(length: int, entries: int) -> list[slice]:
    """Slices of a length, at least one, of as many items as make ENTRIES when each has so many entries."""
    at_once = max(1, ENTRIES // max(1, entries))
    return [slice(start, start + at_once) for start in range(0, max(1, length), at_once)]


def _outputs_first(array):
    """(samples, n) as (n, samples, 1): a copy that broadcasts along the moves."""
    return array.T[:, :, np.newaxis].copy()


def _activated(name, Z):
    """f(Z); softmax is over the outputs, which it looks for in the last axis."""
    if name == "softmax":
        return np.moveaxis(FUNCTIONS[name](np.moveaxis(Z, 0, -1)), -1, 0)
    return FUNCTIONS[name](Z)


def _weighted_log(Y, A):
    """Y ln A with 0 ln 0 = 0."""
    return np.where(Y > 0, Y * np.log(A), 0)
