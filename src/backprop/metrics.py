"""How good a trained classifier is: what it answers, how often it is right, and what it takes for what."""

import numpy as np

from backprop._arguments import having, to_ndarray
from backprop._arrays import fit, refuse


def predict(network, X) -> np.ndarray:
    """The class with the largest output, for every row of X; the lowest of several that are equally large.

    Returns
    -------
    array, shape (m,), integers from 0 to n_N − 1

    Raises
    ------
    ValueError, TypeError
        As `MLP.forward`.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> predict(MLP([[[1.0, -1.0]]], [[0.0, 0.0]]), [[2.0], [-3.0], [0.0]])
    array([0, 1, 0])
    """
    having("network", network, "forward weights", "an MLP")
    return network.forward(X).A[-1].argmax(axis=1)


def accuracy(network, X, Y) -> float:
    """The share of samples whose predicted class is the label.

    Parameters
    ----------
    network : MLP
    X : array, shape (m, n₀), m ≥ 1
    Y : array, shape (m,), integer classes

    Raises
    ------
    ValueError
        m = 0, shapes that do not fit, a class that is not there, NaN, ±inf.
    TypeError
        Labels that are not integers; as `MLP.forward`.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> accuracy(MLP([[[1.0, -1.0]]], [[0.0, 0.0]]), [[2.0], [-3.0], [1.0], [4.0]], [0, 1, 1, 0])
    0.75
    """
    counts = confusion_matrix(network, X, Y)
    if not counts.sum():
        raise ValueError("X has no samples: expected at least one")
    return (np.trace(counts) / counts.sum()).item()


def confusion_matrix(network, X, Y) -> np.ndarray:
    """How many samples of class i were taken for class j: shape (K, K), the right ones on the diagonal.

    Raises
    ------
    ValueError, TypeError
        As `accuracy`, except that no samples are no error.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> confusion_matrix(MLP([[[1.0, -1.0]]], [[0.0, 0.0]]), [[2.0], [-3.0], [1.0], [4.0]], [0, 1, 1, 0])
    array([[2, 0],
           [1, 1]])
    """
    predicted = predict(network, X)
    K = network.weights[-1].shape[1]
    labels = to_ndarray("Y", Y)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"Y has dtype {labels.dtype}: expected integer classes")
    fit("Y", labels.shape, "m", {"m": (len(predicted), "X")})
    refuse((labels < 0) | (labels >= K), "Y", labels, f"expected a class from 0 to {K - 1}")
    return np.bincount(K * labels.astype(np.int64) + predicted, minlength=K * K).reshape(K, K)
