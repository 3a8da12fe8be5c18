"""A network of linear layers and activations under one loss: the forward pass, and the backward pass through it."""

import itertools
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from typing import NamedTuple

import numpy as np

from backprop._arguments import choice, float_dtype, sequence, to_ndarray, whole
from backprop._arrays import fit, promoted, to_array
from backprop._moved_columns import losses_of_moved_columns
from backprop.activations import ACTIVATIONS
from backprop.initializers import INITIALIZERS
from backprop.layers import linear_backward, linear_forward
from backprop.losses import (
    binary_cross_entropy,
    cross_entropy,
    half_squared_error,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)

LOSSES = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "mean_squared_error": mean_squared_error,
    "half_squared_error": half_squared_error,
}

# The activation that a loss has at the output where none is named.
OUTPUT_ACTIVATIONS = {
    "cross_entropy": "softmax",
    "binary_cross_entropy": "sigmoid",
    "mean_squared_error": "identity",
    "half_squared_error": "identity",
}

# An output activation and its own cross-entropy, computed together from the logits: ln(softmax) has no underflow there.
FUSED = {
    ("softmax", "cross_entropy"): softmax_cross_entropy,
    ("sigmoid", "binary_cross_entropy"): sigmoid_cross_entropy,
}


class ForwardPass(NamedTuple):
    """What `MLP.forward` returns: lists, layer 1 first. A[-1] is the prediction."""

    Z: list[np.ndarray]
    A: list[np.ndarray]


class Gradients(NamedTuple):
    """What `MLP.loss_and_gradients` returns: lists, layer 1 first, each entry in the shape of its variable."""

    dW: list[np.ndarray]
    db: list[np.ndarray]
    dZ: list[np.ndarray]
    dA: list[np.ndarray]
    dX: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class MLP:
    """Aₗ = fₗ(Zₗ), Zₗ = Aₗ₋₁ Wₗ + bₗ for l = 1 … N, with A₀ = X, and a loss L(A_N, Y).

    Parameters
    ----------
    weights : sequence of arrays, layer 1 first, shapes (n₀, n₁), (n₁, n₂), …
        Copied, and read-only from then on, so that a network never changes under a gradient that was computed from it.
    biases : sequence of arrays, shapes (n₁,), (n₂,), …
    activations : sequence of str, optional
        One name of `ACTIVATIONS` a layer. Without it: relu, and at the output the loss's own: softmax for
        cross_entropy, sigmoid for binary_cross_entropy, the identity for the squared errors.
    loss : str
        A name of `LOSSES`, kept as `loss_name`. Softmax or sigmoid with its own cross-entropy is computed from the
        logits; every other pair goes through the activation's backward.

    Attributes
    ----------
    weights, biases, activations : tuple
    loss_name : str

    Raises
    ------
    ValueError
        No layer, shapes that do not fit, NaN, ±inf, an activation or a loss that is not there.
    TypeError
        Weights, biases or activations that are no sequence; a dtype other than float32, float64, complex128 (for the
        complex step of `loss`), integers and bool.

    Notes
    -----
    Notes 003 and 004. With m samples and P parameters a forward pass takes about m P multiplications and
    stores every Z and A: 2m(n₁ + … + n_N) numbers. A backward pass takes about 2m P, m P for the dW and m P for the dX
    of all layers, and returns as many numbers again, P more for the gradients and m n₀ for dX.

    Examples
    --------
    >>> network = MLP([[[1, -1, 2], [2, 1, -1]], [[1], [-2], [3]]], [[1, 0, -1], [2]], loss="mean_squared_error")
    >>> network.activations
    ('relu', 'identity')
    >>> X, Y = [[1, 2], [-1, 1], [3, -2]], [[4], [0], [25]]
    >>> network.forward(X).A[-1]
    array([[ 6.],
           [ 0.],
           [23.]])
    >>> loss, gradients = network.loss_and_gradients(X, Y)
    >>> loss
    2.6666666666666665
    """

    weights: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    activations: Sequence[str] | None = None
    loss: InitVar[str] = "cross_entropy"
    loss_name: str = field(init=False)

    def __post_init__(self, loss):
        # dataclasses.replace hands over what it finds under the name of each parameter: here the method, not the name.
        name = loss.__self__.loss_name if callable(loss) else loss
        choice("loss", name, LOSSES)
        weights, biases = _parameters(self.weights, self.biases)
        activations = _activations(self.activations, len(weights), name)
        for attribute, value in (("weights", weights), ("biases", biases), ("activations", activations)):
            object.__setattr__(self, attribute, value)
        object.__setattr__(self, "loss_name", name)

    @classmethod
    def initialize(
        cls, sizes, rng, activations=None, loss="cross_entropy", initializer="he_normal", dtype=np.float64
    ) -> "MLP":
        """A network with random weights and biases of 0.

        Parameters
        ----------
        sizes : sequence of int
            n₀ features, then the outputs of each layer.
        rng : numpy.random.Generator
        activations, loss
            As for `MLP`.
        initializer : str
            A name of `INITIALIZERS`, the same for every layer.
        dtype : np.float64 or np.float32

        Raises
        ------
        ValueError
            Fewer than two sizes, a size below 1, an activation, a loss or an initializer that is not there.
        TypeError
            Sizes that are not integers, another dtype, an rng that is not a Generator.

        Examples
        --------
        >>> network = MLP.initialize([64, 32, 10], np.random.default_rng(0))
        >>> network
        MLP(64-32-10, relu softmax, cross_entropy)
        >>> [W.shape for W in network.weights]
        [(64, 32), (32, 10)]
        """
        sizes = sequence("sizes", sizes, "the features and the outputs of at least one layer")
        if len(sizes) < 2:
            raise ValueError(f"sizes is {sizes}: expected the features and the outputs of at least one layer")
        sizes = [whole(f"sizes[{l}]", n, 1) for l, n in enumerate(sizes)]
        draw, dtype = INITIALIZERS[choice("initializer", initializer, INITIALIZERS)], float_dtype(dtype)
        weights = [draw(n_in, n_out, rng, dtype) for n_in, n_out in itertools.pairwise(sizes)]
        return cls(weights, [np.zeros(n, dtype) for n in sizes[1:]], activations, loss)

    def __repr__(self) -> str:
        sizes = [len(self.weights[0]), *(W.shape[1] for W in self.weights)]
        return f"MLP({'-'.join(map(str, sizes))}, {' '.join(self.activations)}, {self.loss_name})"

    def with_parameters(self, weights, biases) -> "MLP":
        """The same activations and loss with other weights and biases.

        Raises
        ------
        ValueError, TypeError
            As `MLP`.

        Examples
        --------
        >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
        >>> network.with_parameters([[[1.0], [2.0]]], [[5.0]]).forward([[1, 1]]).A[-1]
        array([[8.]])
        """
        return type(self)(weights, biases, self.activations, self.loss_name)

    def forward(self, X) -> ForwardPass:
        """Every Zₗ = Aₗ₋₁ Wₗ + bₗ and Aₗ = fₗ(Zₗ).

        Parameters
        ----------
        X : array, shape (m, n₀)

        Returns
        -------
        ForwardPass
            Z and A, lists of arrays of shape (m, nₗ), layer 1 first.

        Raises
        ------
        ValueError
            A shape that does not fit the first layer, NaN, ±inf, a Z beyond the range of the dtype.
        TypeError
            A dtype other than float32, float64, integers and bool; a complex network.

        Examples
        --------
        >>> Z, A = MLP([[[1, -1], [2, 1]]], [[1, 0]]).forward([[3, 0], [0, 2]])
        >>> Z[0]
        array([[ 4., -3.],
               [ 5.,  2.]])
        """
        self._refuse_complex()
        return self._pass_on(self._input(X))

    def loss_from(self, layer: int, Z, Y, *, moves=None):
        """The loss, given the pre-activations of one layer: what is left of the forward pass from there.

        Parameters
        ----------
        layer : int
            1 … N.
        Z : array, shape (m, nₗ)
            Any pre-activations of this layer, not only those of `forward`.
        Y : array
            As for `loss`.
        moves : array, shape (k, m), optional
            What one column of Z is moved by: then the result holds the losses of k nₗ copies of Z, in each of which one
            column is moved by one row, computed together.

        Returns
        -------
        float, or an array of shape (k, nₗ)
            Entry [i, j] is the loss with Z[:, j] + moves[i] in the place of Z[:, j].

        Raises
        ------
        ValueError
            A layer that is not there, shapes that do not fit, NaN, ±inf; what the loss refuses for Z; a result beyond
            the range of the dtype.
        TypeError
            A layer that is not an integer; as `forward`.

        Examples
        --------
        >>> network = MLP([[[1.0, 2.0], [3.0, 4.0]], [[1.0], [1.0]]], [[0.0, 0.0], [0.0]], loss="mean_squared_error")
        >>> Z, Y = [[1.0, -5.0], [2.0, 3.0]], [[0.0], [1.0]]
        >>> network.loss_from(1, Z, Y)
        8.5
        >>> network.loss_from(1, Z, Y, moves=[[0.0, 0.0], [-1.0, -3.0]])
        array([[8.5, 8.5],
               [2. , 1. ]])
        """
        self._refuse_complex()
        layer = whole("layer", layer, 1, len(self.weights))
        n = self.weights[layer - 1].shape[1]
        Z = to_array("Z", Z)
        if Z.ndim != 2 or Z.shape[1] != n:
            raise ValueError(f"Z has shape {Z.shape}, but layer {layer} has {n} outputs: expected (m, {n})")
        try:
            logits = self._logits(layer, Z)
        except ValueError as error:  # all parameters are finite, so that only Z can be too large
            raise ValueError(f"Z is too large for the layers above: {error}") from None
        loss, _ = self._output_loss(logits, Y, given="Z")
        if moves is None:
            return loss
        moves = to_array("moves", moves)
        if moves.ndim != 2 or moves.shape[1] != len(Z):
            raise ValueError(f"moves has shape {moves.shape}, but Z has {len(Z)} samples: expected (k, {len(Z)})")
        same = promoted({"Z": Z, "moves": moves, "W": self.weights[0]})
        losses = losses_of_moved_columns(self, layer, same["Z"], Y, same["moves"])
        if np.isnan(losses).any():
            raise ValueError(
                f"the losses are beyond the range of {losses.dtype}: expected smaller numbers in Z and moves"
            )
        return losses

    def loss_and_gradients(self, X, Y) -> tuple[float, Gradients]:
        """The loss and its gradient with respect to everything: one forward and one backward pass.

        From the output back, for l = N … 1: dZₗ = dAₗ ⊙ fₗ′(Zₗ) (for softmax its Jacobian's product; for a fused pair
        straight from the loss), dWₗ = Aₗ₋₁ᵀ dZₗ, dbₗ = 1ᵀ dZₗ, dAₗ₋₁ = dZₗ Wₗᵀ; dX = dA₀.

        Parameters
        ----------
        X, Y : array
            As for `loss`.

        Returns
        -------
        loss : float
        gradients : Gradients
            Each is ∂L/∂(its variable) of the one scalar L. Where a prediction has rounded to a probability of 0 that Y
            gives weight, ∂L/∂A_N is −inf; no other gradient is made from it.

        Raises
        ------
        ValueError, TypeError
            As `loss`; a complex X or network, a gradient beyond the range of the dtype.

        Examples
        --------
        >>> network = MLP([[[1.0, -1.0], [2.0, 1.0]]], [[0.0, 0.0]], loss="half_squared_error")
        >>> loss, gradients = network.loss_and_gradients([[1, 2], [3, 4], [0, 1]], [[4, 1], [10, 1], [2, 2]])
        >>> loss, gradients.dW[0], gradients.db[0]
        (1.5, array([[ 4.,  0.],
               [ 6., -1.]]), array([ 2., -1.]))
        """
        self._refuse_complex()
        X = self._input(X)
        Z, A = self._pass_on(X)
        loss, dA_out, dZ_out = self._output_gradients(Z[-1], A[-1], Y)
        dW, db, dZ, dA = [], [], [dZ_out], [dA_out]
        for l in reversed(range(len(Z))):
            below = linear_backward(dZ[0], A[l - 1] if l else X, self.weights[l])
            dW.insert(0, below.dW)
            db.insert(0, below.db)
            if l:
                dA.insert(0, below.dX)
                dZ.insert(0, ACTIVATIONS[self.activations[l - 1]].backward(below.dX, Z[l - 1], A[l - 1]))
        return loss, Gradients(dW, db, dZ, dA, below.dX)

    def _refuse_complex(self) -> None:
        if any(tensor.dtype.kind == "c" for tensor in (*self.weights, *self.biases)):
            raise TypeError("the network is complex: only its loss is defined, for the complex step")

    def _input(self, X, complex_step: bool = False) -> np.ndarray:
        X = to_array("X", X, complex_step)
        fit("X", X.shape, "m n_in", {"n_in": (len(self.weights[0]), "weights[0]")})
        # The layers promote as they go, so that X meets the parameters' dtype once, here.
        return promoted({"X": X, "W": self.weights[0]})["X"]

    def _pass_on(self, X) -> ForwardPass:
        Z, A = [], [X]
        for W, b, activation in zip(self.weights, self.biases, self.activations, strict=True):
            Z.append(linear_forward(A[-1], W, b))
            A.append(ACTIVATIONS[activation].function(Z[-1]))
        return ForwardPass(Z, A[1:])

    def _logits(self, layer: int, Z) -> np.ndarray:
        """Z of the output, given the pre-activations of one layer."""
        for l in range(layer, len(self.weights)):
            A = ACTIVATIONS[self.activations[l - 1]].function(Z)
            Z = linear_forward(A, self.weights[l], self.biases[l])
        return Z

    def _output_loss(self, Z, Y, A=None, given="X"):
        """The loss and its gradient with respect to Z (fused) or A of the output, which is f(Z)."""
        _refuse_samples(given, len(Z), Y)
        fused = FUSED.get((self.activations[-1], self.loss_name))
        if fused:
            return fused(Z, Y)
        return LOSSES[self.loss_name](ACTIVATIONS[self.activations[-1]].function(Z) if A is None else A, Y)

    def _output_gradients(self, Z, A, Y) -> tuple[float, np.ndarray, np.ndarray]:
        """The loss, dA and dZ of the output."""
        loss, gradient = self._output_loss(Z, Y, A)
        if not np.isfinite(gradient).all():
            raise ValueError(
                f"the loss's gradient is beyond the range of {Z.dtype}: expected smaller numbers in X and Y"
            )
        if (self.activations[-1], self.loss_name) in FUSED:
            return loss, _gradient_in_probabilities(self.loss_name, A, Y), gradient
        return loss, gradient, ACTIVATIONS[self.activations[-1]].backward(gradient, Z, A)


def _loss(self, X, Y):
    """The loss of the prediction for X, against Y.

    Parameters
    ----------
    X : array, shape (m, n₀)
    Y : array
        For cross_entropy integer classes of shape (m,), or weights of shape (m, n_N); for the others shape (m, n_N).

    Returns
    -------
    float
        complex where X or a parameter is, for the complex step.

    Raises
    ------
    ValueError
        m = 0, shapes that do not fit, NaN, ±inf, labels that the loss refuses, an infinite loss, a Z beyond the range
        of the dtype.
    TypeError
        A dtype other than float32, float64, complex128 (X and the parameters), integers and bool.

    Examples
    --------
    >>> MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error").loss([[1, 1], [2, 0]], [[3], [1]])
    0.5
    """
    Z = linear_forward(self._input(X, complex_step=True), self.weights[0], self.biases[0])
    return self._output_loss(self._logits(1, Z), Y)[0]


# A dataclass cannot have a parameter and a method of one name in its body: the method comes afterwards.
_loss.__name__, _loss.__qualname__ = "loss", "MLP.loss"
MLP.loss = _loss


def _refuse_samples(given: str, m: int, Y) -> None:
    """Say it in the caller's words: the loss would speak of the logits."""
    if m == 0:
        raise ValueError(f"{given} has no samples: expected at least one sample")
    labels = to_ndarray("Y", Y)
    if labels.ndim and len(labels) != m:
        raise ValueError(f"Y has shape {labels.shape}, but {given} has {m} samples: expected as many")


def _gradient_in_probabilities(loss: str, A, Y):
    """∂L/∂A of a fused pair, which its own gradient, ∂L/∂Z, does not pass through."""
    m = len(A)
    Y = np.asarray(Y)
    if Y.ndim == 1:
        Y = Y[:, np.newaxis] == np.arange(A.shape[1])
    Y = Y.astype(A.dtype)
    if loss == "cross_entropy":
        return -_ratio(Y, A) / m
    return (_ratio(1 - Y, 1 - A) - _ratio(Y, A)) / m


def _ratio(Y, A):
    """Y / A with 0/0 = 0."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.divide(Y, A, out=np.zeros_like(A), where=Y > 0)


def _parameters(weights, biases) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The parameters as read-only copies of one dtype, their shapes checked against each other."""
    weights, biases = (
        sequence(name, given, "one array a layer") for name, given in (("weights", weights), ("biases", biases))
    )
    if len(weights) != len(biases) or len(weights) == 0:
        raise ValueError(
            f"weights has {len(weights)} arrays and biases has {len(biases)}: expected as many, and at least 1"
        )
    layers = range(len(weights))
    W = {f"weights[{l}]": to_array(f"weights[{l}]", weights[l], complex_step=True) for l in layers}
    b = {f"biases[{l}]": to_array(f"biases[{l}]", biases[l], complex_step=True) for l in layers}
    arrays = list(W.values())
    for l, (name, array) in enumerate(W.items()):
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(f"{name} has shape {array.shape}: expected (n_in, n_out), at least (1, 1)")
        if l and len(array) != arrays[l - 1].shape[1]:
            n = arrays[l - 1].shape[1]
            raise ValueError(
                f"{name} has shape {array.shape}, but weights[{l - 1}] has {n} outputs: expected ({n}, n_out)"
            )
    for (name, array), (above, matrix) in zip(b.items(), W.items(), strict=True):
        if array.shape != matrix.shape[1:]:
            n = matrix.shape[1]
            raise ValueError(f"{name} has shape {array.shape}, but {above} has {n} outputs: expected ({n},)")
    read_only = {name: array.copy() for name, array in promoted(W | b).items()}
    for array in read_only.values():
        array.flags.writeable = False
    return tuple(read_only[name] for name in W), tuple(read_only[name] for name in b)


def _activations(names, layers: int, loss: str) -> tuple[str, ...]:
    """One name a layer; the loss's own activation at the output where none is given."""
    if names is None:
        return ("relu",) * (layers - 1) + (OUTPUT_ACTIVATIONS[loss],)
    names = tuple(sequence("activations", names, f"one name a layer, {layers} in all"))
    if len(names) != layers:
        raise ValueError(f"activations has {len(names)} names, but the network has {layers} layers: expected {layers}")
    for l, name in enumerate(names):
        choice(f"activations[{l}]", name, ACTIVATIONS)
    return names
