"""Gradient checking: differences of the loss against the gradient that a formula gives.

Nothing here is imported from the code that is checked: a check that shares a mistake with it would find nothing.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backprop._arguments import having, to_ndarray
from backprop._differences import (
    BUG_LIKELY,
    VERDICTS,
    central_difference,
    complex_step,
    directional_check,
    relative_error,
    to_numbers,
    to_real,
    to_step,
    verdict,
)

__all__ = [
    "GradientReport",
    "Kink",
    "TensorCheck",
    "central_difference",
    "check_network",
    "column_slopes",
    "complex_step",
    "directional_check",
    "relative_error",
    "verdict",
]

# Where the differences are as small as the rounding of the loss, they say nothing about the gradient.
BELOW_ROUNDING = "below rounding"

# Where the loss has no derivative, they say nothing either.
AT_A_KINK = "at a kink"

# A computed loss is taken to be off by this many units in its last place.
ROUNDINGS = 16


class Kink(NamedTuple):
    """An entry whose step ±h crosses a kink of the loss: the slopes below and above it, and the gradient's own."""

    index: tuple[int, ...]
    below: float
    above: float
    analytic: float


@dataclass(frozen=True)
class TensorCheck:
    """One row of a `GradientReport`: the gradient of one tensor against its centred differences.

    Attributes
    ----------
    name : str
        "W1", "b1", "W2", …
    shape : tuple of int
    error : float
        The relative error over the entries that can be judged; NaN where the gradient has another shape.
    verdict : str
        As `verdict` names the error. Where it would be a bad one, but no entry differs by more than the rounding of
        the loss can explain, "below rounding". Where the rest is good, but an entry has no derivative, "at a kink".
    worst : tuple of int
        The index of the entry with the largest difference; of the largest entry where all differ by rounding only.
    analytic, numeric : float
        The gradient and the centred difference there.
    kinks : tuple of Kink
        Entries left out of the error: a step of h crosses a kink, and the gradient is the slope beside it.
    note : str
        What else there is to say, or "".
    """

    name: str
    shape: tuple[int, ...]
    error: float
    verdict: str
    worst: tuple[int, ...]
    analytic: float
    numeric: float
    kinks: tuple[Kink, ...] = ()
    note: str = ""


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_network` found; prints as a table.

    Attributes
    ----------
    rows : tuple of TensorCheck
        One for each parameter tensor, layer 1 first.
    h : float
        The step.
    precision : str
        The dtype that the gradient was computed in. The differences are float64 always.
    verdict : str
        The worst of the rows'.
    """

    rows: tuple[TensorCheck, ...]
    h: float
    precision: str = "float64"

    @property
    def verdict(self) -> str:
        order = ["excellent", "good", AT_A_KINK, BELOW_ROUNDING, "suspicious", BUG_LIKELY]
        return max((row.verdict for row in self.rows), key=order.index)

    def __str__(self) -> str:
        table = [("tensor", "shape", "error", "worst entry", "gradient", "difference", "verdict")]
        table += [_cells(row) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)).rstrip() for cells in table]
        notes = [f"{row.name}: {note}" for row in self.rows for note in _notes(row)]
        last = f"{self.verdict}, with h = {self.h:g}"
        if self.precision != "float64":
            last += f"; a {self.precision} gradient against float64 differences"
        return "\n".join([*lines, *notes, last])

    __repr__ = __str__


def check_network(network, X, Y, h: float = 1e-5) -> GradientReport:
    """Check every parameter gradient of a network by centred differences of its loss.

    Moving W[i, j] by h moves only column j of Z = X W + b, by h X[:, i]. So all entries of a column of W, and of b, go
    through the rest of the network in one batch, and the layers below are never run again. The numbers are those of
    `central_difference`, up to rounding, and for each layer one of them is computed both ways.

    Parameters
    ----------
    network : MLP
        Or an object with its weights, biases, forward, loss, loss_from, loss_and_gradients and with_parameters.
        float64, or float32: then its gradient is computed as it stands, and the differences are those of the same
        network in float64, because differences of float32 losses are mostly rounding.
    X, Y : array
        A batch, as for `MLP.loss`. At least three samples, and sizes that differ, let no error hide.
    h : float
        The step.

    Returns
    -------
    GradientReport

    Raises
    ------
    TypeError
        The network or X is complex, or the network is none.
    ValueError
        What `MLP.loss_and_gradients` raises; h is not positive; network.loss and network.loss_from disagree.

    Notes
    -----
    Note 002, "Gradient Checking". A kink (ReLU at 0) within ±h spoils a difference although the gradient is right. The
    slopes above and below differ by h f″ where the loss is smooth, so they differ half as much over h/2; with a kink
    they do not. So where a tensor is not excellent, the slopes are taken again over h/2, h/10 and h/100. An entry with
    a kink is left out if the gradient is one of its slopes. If it is none, and the slopes still differ over h/100, the
    parameters lie at the kink, where the loss has no derivative: then the row says so. With ReLU and biases of 0 this
    happens: a sample for which a whole layer is dead gives the next layer Z = 0.

    Examples
    --------
    >>> from backprop.datasets import running_example
    >>> from backprop.network import MLP
    >>> X, Y, weights, biases = running_example()
    >>> check_network(MLP(weights, biases), X, Y)
    tensor  shape   error   worst entry  gradient      difference    verdict
    W1      (2, 3)  < 1e-7  [1, 1]       +1.51327e+00  +1.51327e+00  excellent
    b1      (3,)    < 1e-7  [0]          +2.67944e-01  +2.67944e-01  excellent
    W2      (3, 2)  < 1e-7  [0, 0]       +1.75641e+00  +1.75641e+00  excellent
    b2      (2,)    < 1e-7  [0]          +1.79443e-02  +1.79443e-02  excellent
    excellent, with h = 1e-05
    """
    having("network", network, "weights biases loss_and_gradients", "an MLP")
    h = to_step(h)
    loss, gradients = network.loss_and_gradients(X, Y)
    network, X = _in_double_precision(network, X)
    Z, A = network.forward(X)
    rounding = ROUNDINGS * np.finfo(np.float64).eps * max(1.0, abs(loss))
    rows: list[TensorCheck] = []
    for l, inputs in enumerate([X, *A[:-1]]):
        differences = _LayerDifferences(network, l + 1, inputs, Z[l], Y, h)
        W = differences.check(f"W{l + 1}", gradients.dW[l], np.s_[:-1], rounding)
        b = differences.check(f"b{l + 1}", gradients.db[l], np.s_[-1], rounding)
        _confirm_by_the_loop(network, l, W, X, Y, h, rounding)
        rows += [W, b]
    return GradientReport(tuple(rows), h, str(np.result_type(*gradients.dW)))


def _in_double_precision(network, X):
    """The same function of float64 numbers: every float32 number is one."""
    for name, tensors in (("weights", network.weights), ("biases", network.biases)):
        for l, tensor in enumerate(tensors):
            if tensor.dtype not in (np.float32, np.float64):
                raise TypeError(f"{name}[{l}] has dtype {tensor.dtype}: expected float64 or float32")
    if any(tensor.dtype != np.float64 for tensor in (*network.weights, *network.biases)):
        parameters = ([t.astype(np.float64) for t in tensors] for tensors in (network.weights, network.biases))
        network = network.with_parameters(*parameters)
    return network, np.asarray(X, np.float64)


def column_slopes(network, layer: int, inputs, Z, Y, step: float) -> tuple[np.ndarray, np.ndarray]:
    """The slopes (f(θ) − f(θ − s))/s and (f(θ + s) − f(θ))/s of the loss, for all weights and biases of one layer.

    One call of `network.loss_from` with moves: weight W[i, j] moved by s moves only column j of Z, by s inputs[:, i].

    Parameters
    ----------
    network : MLP
        float64.
    layer : int
        1 … N.
    inputs : array, shape (m, n_in)
        What the layer receives: X, or the activations of the layer below.
    Z : array, shape (m, n_out)
        Its pre-activations.
    Y : array
        As for `MLP.loss`.
    step : float
        s > 0.

    Returns
    -------
    below, above : array, shape (n_in + 1, n_out)
        Row i for W[i], the last row for b. Their mean is the centred difference.

    Raises
    ------
    ValueError, TypeError
        What `MLP.loss_from` raises; inputs that are not finite numbers, one row a sample; a step that is not positive.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
    >>> X, Y = np.array([[1.0, 1.0], [2.0, 0.0]]), [[3.0], [1.0]]
    >>> below, above = column_slopes(network, 1, X, network.forward(X).Z[0], Y, step=0.5)
    >>> ((below + above) / 2).ravel(), network.loss_and_gradients(X, Y)[1].dW[0].ravel()
    (array([2., 0., 1.]), array([2., 0.]))
    """
    step, inputs = to_step(step, "step"), _inputs(inputs, Z, network)
    # Row i is what Z[:, j] gains by each unit that W[i, j] gains; the last row is for b[j].
    gains = step * np.vstack([inputs.T, np.ones(len(inputs))])
    losses = network.loss_from(layer, Z, Y, moves=np.concatenate([gains, -gains, np.zeros((1, len(inputs)))]))
    above, below, here = losses[: len(gains)], losses[len(gains) : -1], losses[-1]
    return (here - below) / step, (above - here) / step


def _inputs(inputs, Z, network) -> np.ndarray:
    """What a layer of a network receives, one row for each row of Z."""
    having("network", network, "loss_from", "an MLP")
    inputs, Z = to_numbers("inputs", inputs), to_ndarray("Z", Z)
    if inputs.ndim != 2 or inputs.shape[:1] != Z.shape[:1]:
        raise ValueError(f"inputs has shape {inputs.shape}, but Z has {Z.shape}: expected one row for each of Z's")
    if not np.isfinite(inputs).all():
        raise ValueError("inputs has NaN or infinite entries: expected finite numbers")
    return inputs


class _LayerDifferences:
    """The losses after each weight and bias of one layer is moved by ±h, ±h/2, …, and what follows from them."""

    def __init__(self, network, layer: int, inputs: np.ndarray, Z: np.ndarray, Y, h: float):
        self.h = h
        # W and b share them. The cache is the object's own, so that it does not outlive the check.
        self.slopes = functools.cache(lambda step: column_slopes(network, layer, inputs, Z, Y, step))

    def check(self, name: str, analytic, part, rounding: float) -> TensorCheck:
        """The row of one tensor; `part` picks its entries from the slopes."""
        numeric = _mean(self.slopes(self.h))[part]
        unit = np.finfo(np.result_type(analytic, np.float32)).eps
        analytic = to_numbers(f"the gradient of {name}", analytic)
        if analytic.shape != numeric.shape:
            note = f"the gradient has shape {analytic.shape}: expected {numeric.shape}"
            return TensorCheck(name, numeric.shape, np.nan, BUG_LIKELY, (), np.nan, np.nan, note=note)
        beside, at = np.zeros((2, *numeric.shape), bool)
        error = relative_error(analytic, numeric)
        if verdict(error) != "excellent":
            sides = {s: [side[part] for side in self.slopes(s)] for s in (self.h / k for k in (1, 2, 10, 100))}
            beside, at = _kinks(analytic, sides, rounding)
            error = relative_error(analytic[~(beside | at)], numeric[~(beside | at)])
        below, above = (side[part] for side in self.slopes(self.h))
        kinks = tuple(
            Kink(j, float(below[j]), float(above[j]), float(analytic[j]))
            for j in map(tuple, np.argwhere(beside).tolist())
        )
        own_rounding = ROUNDINGS * unit * np.max(np.abs(analytic), initial=0.0, where=np.isfinite(analytic))
        worst, explained = _worst(analytic, numeric, ~(beside | at), rounding / self.h + own_rounding)
        word = verdict(error)
        if word in ("suspicious", BUG_LIKELY):
            word = BELOW_ROUNDING if explained else word
        elif at.any():
            word = AT_A_KINK
        note = ""
        if at.any():
            note = f"{_entries(at)} at a kink, where there is no derivative: move the parameters and check again"
        return TensorCheck(
            name, numeric.shape, error, word, worst, float(analytic[worst]), float(numeric[worst]), kinks, note
        )


def _kinks(analytic, sides: dict, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """The entries with a kink beside them that explains their error, and the others that lie at one.

    A smooth loss has slopes above and below that differ by s f″: in proportion to the step s. A kink within the largest
    step breaks the proportion, and explains the error where the gradient is one of the slopes. Where the slopes differ
    as much over the smallest step as over the largest, the loss has no derivative.
    """
    h, least = max(sides), min(sides)
    error = np.abs(analytic - _mean(sides[h]))
    gap = {s: np.abs(above - below) for s, (below, above) in sides.items()}
    there, agrees = np.zeros((2, *error.shape), bool)
    for s, (below, above) in sides.items():
        noise = 4 * rounding / s
        there |= np.abs(gap[h] - h / s * gap[s]) > error / 2 + h / s * noise
        nearest = np.min(np.abs([analytic - slope for slope in (below, above, _mean((below, above)))]), axis=0)
        agrees |= (nearest <= np.maximum(1e-3 * error, noise / 2)) & (noise < error / 2)
    stays = gap[least] > np.maximum.reduce([gap[h] / 2, error / 1000, np.full(error.shape, 4 * rounding / least)])
    beside = there & agrees
    return beside, stays & ~beside


def _worst(analytic, numeric, judged, rounding: float) -> tuple[tuple[int, ...], bool]:
    """The index of the entry to show, and whether rounding explains every difference."""
    difference = np.abs(analytic - numeric)
    if not np.all(np.isfinite(difference)):
        return _index(~np.isfinite(difference)), False
    explained = bool(np.all(difference[judged] <= rounding))
    # Which entry rounding hits hardest differs between machines; the largest gradient does not.
    size = np.abs(analytic) if explained else difference
    return _index(np.where(judged, size, -1.0)), explained


def _confirm_by_the_loop(network, l: int, row: TensorCheck, X, Y, h: float, rounding: float) -> None:
    """One entry of layer l the slow way: the fast differences must be those of network.loss."""
    if not np.isfinite(row.numeric):
        return
    losses = []
    for step in (h, -h):
        weights = list(network.weights)
        weights[l] = weights[l].copy()
        weights[l][row.worst] += step
        losses.append(to_real(network.with_parameters(weights, network.biases).loss(X, Y)))
    loop = (losses[0] - losses[1]) / (2 * h)
    if not abs(loop - row.numeric) <= 1e-6 * abs(loop) + 4 * rounding / h:
        raise ValueError(
            f"network.loss and network.loss_from({l + 1}, …) disagree: the differences at {row.name}{list(row.worst)} "
            f"are {loop:g} and {row.numeric:g}"
        )


def _cells(row: TensorCheck) -> tuple[str, ...]:
    # An error below every bound is rounding, whose digits differ between machines: only the bound is shown.
    error = "< 1e-7" if row.error < VERDICTS["excellent"] else f"{row.error:.1e}"
    worst = str(list(row.worst)) if row.worst else "-"
    return row.name, str(row.shape), error, worst, f"{row.analytic:+.5e}", f"{row.numeric:+.5e}", row.verdict


def _notes(row: TensorCheck) -> list[str]:
    notes = [row.note] if row.note else []
    if row.verdict == BELOW_ROUNDING:
        notes.append("no difference is larger than the rounding of the loss, so the check sees nothing here")
    if row.kinks:
        j, below, above, analytic = row.kinks[0]
        notes.append(
            f"{_entries(row.kinks)} left out, because ±h crosses a kink and the gradient is the slope beside it:"
            f"\n    at {list(j)} the slopes over h are {below:+.5e} and {above:+.5e}, the gradient is {analytic:+.5e}"
        )
    return notes


def _entries(found) -> str:
    count = np.sum(found) if isinstance(found, np.ndarray) else len(found)
    return f"{count} {'entry' if count == 1 else 'entries'}"


def _mean(sides) -> np.ndarray:
    """The centred difference: the mean of the slopes below and above."""
    return (sides[0] + sides[1]) / 2


def _index(array) -> tuple[int, ...]:
    """The index of the (first) largest entry."""
    return tuple(map(int, np.unravel_index(np.argmax(array), array.shape)))
