"""One forward and one backward pass as data, whatever its convention."""

from typing import Any, NamedTuple

import numpy as np

from backprop._arguments import having, real, sequence, to_ndarray
from backprop._arrays import fit, to_array

# The fields that are lists, with one array a layer.
LISTS = ("weights", "biases", "Z", "A", "dZ", "dA", "dW", "db")


class Pass(NamedTuple):
    """One forward and one backward pass: lists hold one array a layer, layer 1 first.

    Canonical are rows of samples, W of shape (n_in, n_out), b of shape (n_out,), the loss as the mean over samples of
    the sum over outputs, and every gradient as ∂L/∂(its variable).

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0], [2.0]]], [[0.5]], loss="mean_squared_error")
    >>> pass_ = Pass.of(network, X=[[1, 1], [0, 1], [2, 0]], Y=[[2], [1], [4]])
    >>> pass_.loss, pass_.dZ[0].ravel(), pass_.dW[0].ravel()
    (2.25, array([ 1.,  1., -1.]), array([-1.,  2.]))
    """

    X: np.ndarray
    Y: np.ndarray
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    Z: list[np.ndarray]
    A: list[np.ndarray]
    loss: float
    dZ: list[np.ndarray]
    dA: list[np.ndarray]
    dW: list[np.ndarray]
    db: list[np.ndarray]
    dX: np.ndarray

    @classmethod
    def of(cls, network, X, Y) -> "Pass":
        """The canonical pass of an `MLP`; classes become rows with a single 1.

        Raises
        ------
        ValueError, TypeError
            As `MLP.loss_and_gradients`.
        """
        having("network", network, "weights biases forward loss_and_gradients", "an MLP")
        loss, g = network.loss_and_gradients(X, Y)
        Z, A = network.forward(X)
        X, Y = np.array(X, A[-1].dtype), np.array(one_hot(np.asarray(Y), A[-1]))
        return cls(X, Y, [*network.weights], [*network.biases], Z, A, loss, g.dZ, g.dA, g.dW, g.db, g.dX)


def one_hot(Y: np.ndarray, A: np.ndarray) -> np.ndarray:
    """Classes as rows with a single 1, as wide as the prediction A; other labels as they are."""
    return np.eye(A.shape[1], dtype=A.dtype)[Y] if Y.ndim == 1 and Y.dtype.kind in "iu" else Y


def scaled(pass_: Pass, of_loss: float, of_dZ: float, of_dW: float) -> Pass:
    """The loss; dZ, dA and dX; dW and db: each group with its factor."""
    factors = {"dZ": of_dZ, "dA": of_dZ, "dW": of_dW, "db": of_dW}
    lists = {field: [factor * array for array in getattr(pass_, field)] for field, factor in factors.items()}
    return pass_._replace(loss=of_loss * pass_.loss, dX=of_dZ * pass_.dX, **lists)


def checked(name: str, pass_: Any) -> Pass:
    """The pass as arrays, in rows; refuse what is not: every shape follows from X and the weights."""
    pass_ = typed(name, pass_)
    layers = len(pass_.weights)
    for field in LISTS:
        if len(getattr(pass_, field)) != layers or not layers:
            raise ValueError(f"{name}.{field} has {len(getattr(pass_, field))} arrays: expected one for each layer")
    _refuse_shapes(name, pass_)
    return pass_


def typed(name: str, value: Any) -> Pass:
    """The pass as arrays of numbers, whatever their shapes."""
    if not isinstance(value, Pass):
        raise TypeError(f"{name} is a {type(value).__name__}: expected a Pass")
    if np.isnan(real(f"{name}.loss", value.loss)):
        raise ValueError(f"{name}.loss is {value.loss}: expected a number")
    lists = {field: sequence(f"{name}.{field}", getattr(value, field), "one array a layer") for field in LISTS}
    arrays = {field: [_array(f"{name}.{field}[{l}]", each) for l, each in enumerate(found)]
              for field, found in lists.items()}  # fmt: skip
    arrays |= {field: _array(f"{name}.{field}", getattr(value, field)) for field in ("X", "dX")}
    labels = to_ndarray(f"{name}.Y", value.Y)
    arrays["Y"] = labels if labels.dtype.kind in "iu" and labels.ndim == 1 else _array(f"{name}.Y", labels)
    return value._replace(**arrays)


def _array(name: str, value: Any) -> np.ndarray:
    # A gradient may be infinite where a prediction has rounded to a probability of 0.
    return to_array(name, value, infinite=True)


def _refuse_shapes(name: str, pass_: Pass) -> None:
    fit(f"{name}.X", pass_.X.shape, "m n_in", {})
    m, n_in = pass_.X.shape
    expected = {}
    for l, W in enumerate(pass_.weights):
        n_out = W.shape[-1] if W.ndim else 0
        expected |= {f"weights[{l}]": (n_in, n_out), f"dW[{l}]": (n_in, n_out)}
        expected |= dict.fromkeys((f"biases[{l}]", f"db[{l}]"), (n_out,))
        expected |= dict.fromkeys((f"{field}[{l}]" for field in ("Z", "A", "dZ", "dA")), (m, n_out))
        n_in = n_out
    expected |= {"Y": (m,) if pass_.Y.ndim == 1 else (m, n_in), "dX": pass_.X.shape}
    for place, shape in expected.items():
        field, _, layer = place.rstrip("]").partition("[")
        found = getattr(pass_, field)[int(layer)].shape if layer else getattr(pass_, field).shape
        if found != shape:
            raise ValueError(f"{name}.{place} has shape {found} in rows of samples: expected {shape}")
