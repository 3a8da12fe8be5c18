"""Losses, each returned beside its gradient: notes 002 and 004.

L is the mean over the samples and the sum over the outputs, so 1/m appears here, once, and nowhere else. The exception
is `half_squared_error`, note 004's, which is a sum. A loss beyond the range of its dtype is inf; a complex one is
refused.
"""

from typing import Any

import numpy as np

from backprop._arguments import to_ndarray
from backprop._arrays import Sizes, fit, refuse, takes, to_array
from backprop.activations import LIMITS, log_softmax, sigmoid, softmax

# ln 0 is −inf and a loss that overflows is inf; the functions below handle both. (Their `+ 0.0` turns −0 into 0.)
QUIET = LIMITS | {"divide": "ignore", "invalid": "ignore"}


def _class_weights(name: str, value: Any, sizes: Sizes) -> np.ndarray:
    """Labels as an (m, K) array of weights: 1-D integers are classes, 2-D rows are taken as they are."""
    labels, m, K = to_ndarray(name, value), sizes["m"][0], sizes["K"][0]
    if K == 0:
        raise ValueError(f"{sizes['K'][1]} has shape ({m}, 0): expected at least one class")
    if labels.ndim == 1:
        if labels.dtype.kind not in "iu":
            raise TypeError(
                f"{name} has one axis and dtype {labels.dtype}: expected integer classes, or weights (m, K)"
            )
        fit(name, labels.shape, "m", sizes)
        refuse((labels < 0) | (labels >= K), name, labels, f"expected a class from 0 to {K - 1}")
        # float32 is the narrowest dtype in use, so that classes never widen the gradient.
        return (labels[:, np.newaxis] == np.arange(K)).astype(np.float32)
    if labels.ndim != 2:
        raise ValueError(f"{name} has shape {labels.shape}: expected ({m},) classes or ({m}, {K}) weights")
    weights = to_array(name, labels)
    fit(name, weights.shape, "m K", sizes)
    refuse(weights < 0, name, weights, "expected weights of 0 or more")
    s = weights.sum(axis=1)
    refuse(np.isinf(s), f"the sum of a row of {name}", s, "expected a finite number")
    return weights


def _weighted(Y, V):
    """Y ⊙ V, with 0 · (±inf) = 0: what has no weight does not count."""
    return np.multiply(Y, V, out=np.zeros_like(V), where=Y > 0)


def _softplus(z):
    """ln(1 + eᶻ) = max(z, 0) + ln(1 + e^(−|z|))."""
    positive = z.real >= 0
    return np.where(positive, z, 0) + np.log1p(np.exp(np.where(positive, -z, z)))


@takes(Z="m K", Y=_class_weights, complex_step="Z", needs_samples=True, errors=QUIET)
def softmax_cross_entropy(Z, Y):
    """L = −(1/m) Σᵢ Σₖ yᵢₖ ln pᵢₖ with P = softmax(Z), and dZ = (sP − Y)/m, where s is the sum of a row of Y.

    Parameters
    ----------
    Z : array, shape (m, K)
        Logits.
    Y : array, shape (m,) of integer classes or shape (m, K) of weights of 0 or more
        One-hot rows have s = 1. A row of zeros adds nothing to the loss.

    Returns
    -------
    loss : float
    dZ : array, shape (m, K)

    Raises
    ------
    ValueError
        m = 0, shapes that do not fit, NaN, ±inf, a class that is not there, a negative weight.
    TypeError
        1-D labels that are not integers; a dtype other than float32, float64, complex128 (Z only), integers and bool.

    Notes
    -----
    Note 002 prints dZ = Ŷ − Y, without the 1/m of its own loss. The code computes sP − Y as (s − Y)P − Y(1 − P) with
    1 − P = −(e^{ln P} − 1), so that a tiny gradient does not vanish when P rounds to 1.

    Examples
    --------
    >>> loss, dZ = softmax_cross_entropy([[0, 0], [0, 0]], [0, 1])
    >>> print(f"{loss:.4f}")
    0.6931
    >>> dZ
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    m, s = len(Z), Y.sum(axis=1, keepdims=True)
    log_P = log_softmax(Z)
    loss = -_weighted(Y, log_P).sum() / m + 0.0
    dZ = ((s - Y) * softmax(Z) + Y * np.expm1(log_P)) / m
    return loss.item(), dZ


@takes(Z="m n_out", Y="m n_out", unit="Y", complex_step="Z", needs_samples=True, errors=QUIET)
def sigmoid_cross_entropy(Z, Y):
    """L = −(1/m) Σ [y ln a + (1 − y) ln(1 − a)] with A = σ(Z), and dZ = (A − Y)/m.

    Parameters
    ----------
    Z : array, shape (m, n_out)
        Logits.
    Y : array, shape (m, n_out), entries from 0 to 1

    Returns
    -------
    loss : float
        The mean over samples of the sum over outputs.
    dZ : array, shape (m, n_out)

    Raises
    ------
    ValueError
        m = 0, shapes that differ, NaN, ±inf, a label outside [0, 1].
    TypeError
        A dtype other than float32, float64, complex128 (Z only), integers and bool.

    Notes
    -----
    Note 002's binary cross-entropy in logits: −ln σ(z) = softplus(−z) and −ln(1 − σ(z)) = softplus(z). The gradient is
    A − Y written as (1 − Y)σ(Z) − Yσ(−Z), which keeps its accuracy where σ(Z) rounds to 1.

    Examples
    --------
    >>> sigmoid_cross_entropy([[1000], [-1000]], [[1], [1]])
    (500.0, array([[ 0. ],
           [-0.5]]))
    """
    m = len(Z)
    loss = np.sum((1 - Y) * _softplus(Z) + Y * _softplus(-Z)) / m
    dZ = ((1 - Y) * sigmoid(Z) - Y * sigmoid(-Z)) / m
    return loss.item(), dZ


@takes(P="m K", Y=_class_weights, unit="P", complex_step="P", needs_samples=True, errors=QUIET)
def cross_entropy(P, Y):
    """L = −(1/m) Σᵢ Σₖ yᵢₖ ln pᵢₖ, and dP = −Y / (mP). 0 ln 0 = 0.

    Parameters
    ----------
    P : array, shape (m, K)
        Probabilities.
    Y : array, shape (m,) of integer classes or shape (m, K) of weights of 0 or more

    Returns
    -------
    loss : float
    dP : array, shape (m, K)

    Raises
    ------
    ValueError
        m = 0, shapes that do not fit, NaN, ±inf, a probability outside [0, 1], a probability 0 that has a weight (the
        loss is infinite), a class that is not there, a negative weight.
    TypeError
        1-D labels that are not integers; a dtype other than float32, float64, complex128 (P only), integers and bool.

    Notes
    -----
    Note 002, "Cross-Entropy (multi-class)".

    Examples
    --------
    >>> loss, dP = cross_entropy([[0.5, 0.5, 0], [0.25, 0.25, 0.5]], [0, 2])
    >>> print(f"{loss:.4f}")
    0.6931
    >>> dP
    array([[-1.,  0.,  0.],
           [ 0.,  0., -1.]])
    """
    m = len(P)
    refuse((P.real == 0) & (Y > 0), "P", P.real, "the loss is infinite, because Y has a positive weight there")
    loss = -_weighted(Y, np.log(P)).sum() / m + 0.0
    dP = np.divide(-Y, m * P, out=np.zeros_like(P), where=Y > 0)
    return loss.item(), dP


@takes(Y_hat="m n_out", Y="m n_out", unit="Y_hat Y", complex_step="Y_hat", needs_samples=True, errors=QUIET)
def binary_cross_entropy(Y_hat, Y):
    """L = −(1/m) Σ [y ln ŷ + (1 − y) ln(1 − ŷ)], and dŶ = (Ŷ − Y) / (m Ŷ(1 − Ŷ)). 0 ln 0 = 0.

    Parameters
    ----------
    Y_hat : array, shape (m, n_out)
        Probabilities.
    Y : array, shape (m, n_out), entries from 0 to 1

    Returns
    -------
    loss : float
        The mean over samples of the sum over outputs.
    dY_hat : array, shape (m, n_out)

    Raises
    ------
    ValueError
        m = 0, shapes that differ, NaN, ±inf, a probability or a label outside [0, 1], a probability that is exactly 0
        or 1 and not the label (the loss is infinite).
    TypeError
        A dtype other than float32, float64, complex128 (Y_hat only), integers and bool.

    Notes
    -----
    Note 002, "Binary Cross-Entropy", which gives no gradient. Where ŷ = y is 0 or 1 the gradient is its limit,
    (1 − 2y)/m: the slope does not vanish there.

    Examples
    --------
    >>> loss, dY_hat = binary_cross_entropy([[0.5], [1]], [[0], [1]])
    >>> print(f"{loss:.4f}")
    0.3466
    >>> dY_hat
    array([[ 1. ],
           [-0.5]])
    """
    m = len(Y_hat)
    certain = (Y_hat.real == 0) | (Y_hat.real == 1)
    refuse(certain & (Y_hat.real != Y), "Y_hat", Y_hat.real, "the loss is infinite, because Y is not the same there")
    loss = -np.sum(_weighted(Y, np.log(Y_hat)) + _weighted(1 - Y, np.log1p(-Y_hat))) / m + 0.0
    limit = ((1 - 2 * Y) / m).astype(Y_hat.dtype)
    dY_hat = np.divide(Y_hat - Y, m * Y_hat * (1 - Y_hat), out=limit, where=~certain)
    return loss.item(), dY_hat


@takes(Y_hat="m n_out", Y="m n_out", complex_step="Y_hat", needs_samples=True, errors=QUIET)
def mean_squared_error(Y_hat, Y):
    """L = (1/m) Σᵢ ‖ŷᵢ − yᵢ‖², and dŶ = (2/m)(Ŷ − Y): the mean over samples, the sum over outputs.

    Parameters
    ----------
    Y_hat, Y : array, shape (m, n_out)

    Returns
    -------
    loss : float
    dY_hat : array, shape (m, n_out)

    Raises
    ------
    ValueError
        m = 0, shapes that differ, NaN, ±inf.
    TypeError
        A dtype other than float32, float64, complex128 (Y_hat only), integers and bool.

    Notes
    -----
    Note 002, "Mean Squared Error", read for more than one output. Libraries often divide by n_out too.

    Examples
    --------
    >>> mean_squared_error([[1, 2], [3, 4]], [[1, 0], [0, 4]])
    (6.5, array([[0., 2.],
           [3., 0.]]))
    """
    m = len(Y_hat)
    D = Y_hat - Y
    loss = np.sum(D * D) / m
    dY_hat = 2 * D / m
    return loss.item(), dY_hat


@takes(Y_hat="m n_out", Y="m n_out", complex_step="Y_hat", needs_samples=True, errors=QUIET)
def half_squared_error(Y_hat, Y):
    """L = ½ Σᵢ ‖ŷᵢ − yᵢ‖², and dŶ = Ŷ − Y: summed over samples and outputs, so there is no 1/m.

    Parameters
    ----------
    Y_hat, Y : array, shape (m, n_out)

    Returns
    -------
    loss : float
    dY_hat : array, shape (m, n_out)

    Raises
    ------
    ValueError
        m = 0, shapes that differ, NaN, ±inf.
    TypeError
        A dtype other than float32, float64, complex128 (Y_hat only), integers and bool.

    Notes
    -----
    Note 004, "Loss Fn", which has one sample.

    Examples
    --------
    >>> half_squared_error([[1, 2], [3, 4]], [[1, 0], [0, 4]])
    (6.5, array([[0., 2.],
           [3., 0.]]))
    """
    D = Y_hat - Y
    loss = np.sum(D * D) / 2
    return loss.item(), D
