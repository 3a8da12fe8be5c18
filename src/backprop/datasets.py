"""Data that the course uses: the running example, small enough to follow by hand."""

from typing import NamedTuple

import numpy as np


class RunningExample(NamedTuple):
    """What `running_example` returns: the arrays of a 2-3-2 network and of its four samples."""

    X: np.ndarray
    Y: np.ndarray
    weights: tuple[np.ndarray, np.ndarray]
    biases: tuple[np.ndarray, np.ndarray]


def running_example() -> RunningExample:
    """The network that every chapter follows by hand: 2 features, 3 hidden ReLU units, 2 classes, 4 samples.

    Every number up to the logits is a small integer, and nothing is 0, because a zero would hide a wrong factor. With
    Z₁ = X W₁ + b₁, A₁ = relu(Z₁) and Z₂ = A₁ W₂ + b₂::

        X        W1           b1           Z1           A1        W2       b2      Z2       Y
        -3  1    -1 -2  1     3 -1  2      3  4 -3      3  4  0   -1 -2    1 -2    2  4     1
        -3  3    -3 -1 -2                 -3  2 -7      0  2  0    1  3            3  4     0
         2  1                             -2 -6  2      0  0  2    2  3            5  4     0
        -1 -1                              7  2  3      7  2  3                    2 -1     1

    Returns
    -------
    RunningExample
        X of shape (4, 2); Y of shape (4,), the classes; weights of shapes (2, 3) and (3, 2); biases of shapes (3,)
        and (2,). The arrays are new and float64 (Y: integers), so a reader may change them.

    Notes
    -----
    What the numbers were chosen for. Each hidden unit is active for some samples and dead for others, no two samples
    have the same mask, and no pre-activation is nearer to ReLU's kink than 2. The logits of a sample differ by −2,
    −1, 1 and 3, so softmax stays far from 0 and 1. The network is right about samples 0 and 2 and wrong about 1 and
    3. W₁ and W₂ are neither square nor symmetric, and m = 4 differs from every width. (The two features and the two
    classes are equal in number: the price of a network this small.)

    Examples
    --------
    >>> X, Y, (W1, W2), (b1, b2) = running_example()
    >>> X @ W1 + b1
    array([[ 3.,  4., -3.],
           [-3.,  2., -7.],
           [-2., -6.,  2.],
           [ 7.,  2.,  3.]])
    >>> np.maximum(X @ W1 + b1, 0) @ W2 + b2
    array([[ 2.,  4.],
           [ 3.,  4.],
           [ 5.,  4.],
           [ 2., -1.]])
    """
    X = np.array([[-3.0, 1.0], [-3.0, 3.0], [2.0, 1.0], [-1.0, -1.0]])
    W1 = np.array([[-1.0, -2.0, 1.0], [-3.0, -1.0, -2.0]])
    b1 = np.array([3.0, -1.0, 2.0])
    W2 = np.array([[-1.0, -2.0], [1.0, 3.0], [2.0, 3.0]])
    b2 = np.array([1.0, -2.0])
    Y = np.array([1, 0, 0, 1])
    return RunningExample(X, Y, (W1, W2), (b1, b2))
