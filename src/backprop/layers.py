"""The linear layer, forward and backward: note 000."""

from typing import NamedTuple

import numpy as np

from backprop._arrays import takes


class LinearGradients(NamedTuple):
    """What `linear_backward` returns: each gradient has the shape of the variable that it is the gradient of."""

    dX: np.ndarray
    dW: np.ndarray
    db: np.ndarray


@takes(X="m n_in", W="n_in n_out", b="n_out", complex_step="X W b")
def linear_forward(X, W, b):
    """Z = X W + b, one sample a row; b is added to every row.

    Parameters
    ----------
    X : array, shape (m, n_in)
    W : array, shape (n_in, n_out)
    b : array, shape (n_out,)

    Returns
    -------
    Z : array, shape (m, n_out)

    Raises
    ------
    ValueError
        A shape that does not fit the others, NaN, ±inf, or a result beyond the range of the dtype.
    TypeError
        A dtype other than float32, float64, complex128 (for the complex step), integers and bool.

    Notes
    -----
    Note 000, Zₙⱼ = Σᵢ XₙᵢWᵢⱼ + bⱼ.

    Examples
    --------
    >>> X = [[1, 2], [3, 4], [5, 6]]
    >>> linear_forward(X, W=[[1, 0, -1], [2, 1, 0]], b=[10, 20, 30])
    array([[15., 22., 29.],
           [21., 24., 27.],
           [27., 26., 25.]])
    """
    return X @ W + b


@takes(dZ="m n_out", X="m n_in", W="n_in n_out")
def linear_backward(dZ, X, W):
    """dX = dZ Wᵀ, dW = Xᵀ dZ, db = 1ᵀ dZ: from ∂L/∂Z to the gradients of the three inputs of Z = X W + b.

    There is no 1/m here: the mean over the samples is already in dZ.

    Parameters
    ----------
    dZ : array, shape (m, n_out)
        The gradient ∂L/∂Z of the one scalar L.
    X : array, shape (m, n_in)
    W : array, shape (n_in, n_out)

    Returns
    -------
    LinearGradients
        dX of shape (m, n_in), dW of shape (n_in, n_out), db of shape (n_out,). Zeros where m = 0.

    Raises
    ------
    ValueError
        A shape that does not fit the others, NaN, ±inf, or a result beyond the range of the dtype.
    TypeError
        A dtype other than float32, float64, integers and bool.

    Notes
    -----
    Note 000: the chain rule over every entry of Z, ∂L/∂Wᵢⱼ = Σₙ Xₙᵢ ∂L/∂Zₙⱼ, ∂L/∂bⱼ = Σₙ ∂L/∂Zₙⱼ and
    ∂L/∂Xₙᵢ = Σⱼ ∂L/∂Zₙⱼ Wᵢⱼ.

    Examples
    --------
    >>> dZ = [[1, 0, 2], [0, 1, 0], [-1, 0, 1]]
    >>> dX, dW, db = linear_backward(dZ, X=[[1, 2], [3, 4], [5, 6]], W=[[1, 0, -1], [2, 1, 0]])
    >>> dX
    array([[-1.,  2.],
           [ 0.,  1.],
           [-2., -2.]])
    >>> dW
    array([[-4.,  3.,  7.],
           [-4.,  4., 10.]])
    >>> db
    array([0., 1., 3.])
    """
    dX = dZ @ W.T
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    return LinearGradients(dX, dW, db)
