"""Data that the course uses: the running example, handwritten digits, and bit patterns with a mirror.

All of it comes with the package. Nothing is downloaded.
"""

import json
from importlib import resources
from typing import NamedTuple

import numpy as np

from backprop._arguments import generator, to_ndarray, whole


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


class Digits(NamedTuple):
    """What `digits` returns: one image a row, and what it shows."""

    X: np.ndarray
    Y: np.ndarray


def digits() -> Digits:
    """1,797 handwritten digits, 8 × 8 pixels each: real data that fits in 45 kB.

    Returns
    -------
    Digits
        X of shape (1797, 64), float64, from 0 (paper) to 1 (ink) in steps of 1/16, the rows of an image one after the
        other; Y of shape (1797,), the classes 0 … 9. The arrays are new, so a reader may change them.

    Notes
    -----
    The test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49), under the licence CC BY 4.0; the same 1,797 images as
    ``sklearn.datasets.load_digits``, whose pixels are 16 times ours. 13 people wrote them. A pixel counts the dark
    ones among the 4 × 4 that it was made from.

    Examples
    --------
    >>> X, Y = digits()
    >>> X.shape, Y[:10].tolist()
    ((1797, 64), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> (16 * X[3]).astype(int).reshape(8, 8)
    array([[ 0,  0,  7, 15, 13,  1,  0,  0],
           [ 0,  8, 13,  6, 15,  4,  0,  0],
           [ 0,  2,  1, 13, 13,  0,  0,  0],
           [ 0,  0,  2, 15, 11,  1,  0,  0],
           [ 0,  0,  0,  1, 12, 12,  1,  0],
           [ 0,  0,  0,  0,  1, 10,  8,  0],
           [ 0,  0,  8,  4,  5, 14,  9,  0],
           [ 0,  0,  7, 13, 13,  9,  0,  0]])
    """
    with resources.files("backprop").joinpath("data/digits.npz").open("rb") as file, np.load(file) as arrays:
        return Digits(arrays["images"].reshape(-1, 64) / 16, arrays["labels"].astype(np.int64))


class Split(NamedTuple):
    """What `split` returns."""

    X_train: np.ndarray
    Y_train: np.ndarray
    X_test: np.ndarray
    Y_test: np.ndarray


def split(X, Y, test: int, rng) -> Split:
    """Put some samples aside, drawn at random, so that a network can be asked about samples it has never seen.

    Parameters
    ----------
    X, Y : array, shapes (m, …)
    test : int
        How many samples to put aside, from 1 to m - 1.
    rng : numpy.random.Generator

    Returns
    -------
    Split
        Copies. Every sample is in exactly one part.

    Raises
    ------
    ValueError
        X and Y of different lengths, a number of samples that leaves one part empty.
    TypeError
        A test that is not an integer, an rng that is not a Generator.

    Examples
    --------
    >>> X_train, Y_train, X_test, Y_test = split(*digits(), test=357, rng=np.random.default_rng(0))
    >>> X_train.shape, X_test.shape
    ((1440, 64), (357, 64))
    """
    X, Y = to_ndarray("X", X), to_ndarray("Y", Y)
    if not X.ndim or not Y.ndim or len(X) != len(Y):
        raise ValueError(f"Y has shape {Y.shape}, but X has shape {X.shape}: expected as many samples in both")
    test = whole("test", test, 1, len(X) - 1, f"one less than the {len(X)} samples")
    order = generator("rng", rng).permutation(len(X))
    return Split(X[order[test:]], Y[order[test:]], X[order[:test]], Y[order[:test]])


class MirrorPatterns(NamedTuple):
    """What `mirror_patterns` returns."""

    X: np.ndarray
    Y: np.ndarray


def mirror_patterns(bits: int = 6) -> MirrorPatterns:
    """Every pattern of an even number of bits, and whether it is its own mirror image.

    Returns
    -------
    MirrorPatterns
        X of shape (2ᵇ, b), float64, zeros and ones; Y of shape (2ᵇ, 1), 1 where the row reads the same backwards. Only
        one in 2^(b/2) does.

    Raises
    ------
    ValueError
        A number of bits that is not 2, 4, 6, … 16.
    TypeError
        bits is not an integer.

    Notes
    -----
    The first problem in Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", Nature
    323 (1986), with six bits. No single bit says anything about it, so that it needs hidden units.

    Examples
    --------
    >>> X, Y = mirror_patterns(4)
    >>> X[Y[:, 0] == 1].astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    bits = whole("bits", bits, 2, 16)
    if bits % 2:
        raise ValueError(f"bits is {bits}: expected an even number from 2 to 16")
    X = (np.arange(2**bits)[:, np.newaxis] >> np.arange(bits)[::-1] & 1).astype(np.float64)
    return MirrorPatterns(X, np.equal(X, X[:, ::-1]).all(axis=1, keepdims=True).astype(np.float64))


def measured() -> dict:
    """What ``benchmarks/training.py`` has measured once, and with which versions.

    Returns
    -------
    dict
        ``versions``; ``digits``: how many of the test digits scikit-learn's classifier and ours read, one number a
        start; ``mirrors``: how many of the starts solve the problem of `mirror_patterns`.

    Examples
    --------
    >>> sorted(measured())
    ['digits', 'mirrors', 'versions']
    """
    return json.loads(resources.files("backprop").joinpath("data/measured.json").read_text(encoding="utf-8"))


def speed_record() -> dict:
    """What ``benchmarks/step.py --record`` has measured once, on one core of one machine, and on which.

    Returns
    -------
    dict
        ``machine``; ``peers`` and their ``means``: a training step in several programs; ``stages``: on the way from the
        readable functions to `FastStep`; ``traps``; ``growth`` with width, depth and batch. Times are in microseconds.

    Examples
    --------
    >>> sorted(speed_record())
    ['growth', 'machine', 'means', 'peers', 'stages', 'traps']
    """
    return json.loads(resources.files("backprop").joinpath("data/speed.json").read_text(encoding="utf-8"))
