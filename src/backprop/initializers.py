"""How weights start: random, independent, of mean 0 and of a variance that keeps the signal's size from layer to layer.

Each function states the variance. A normal distribution is drawn by its standard deviation, the root of it; a uniform
one on [−c, c] has variance c²/3. Biases start at 0: random weights have already made the units different, and a bias
would only add its square to the second moment.
"""

import numpy as np

from backprop._arguments import float_dtype, generator, whole


def he_normal(n_in, n_out, rng, dtype=np.float64):
    """W ~ N(0, 2/n_in), where 2/n_in is the variance: for ReLU.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator
    dtype : np.float64 or np.float32

    Returns
    -------
    W : array, shape (n_in, n_out)

    Raises
    ------
    ValueError
        A size below 1.
    TypeError
        A size that is not an integer, an rng that is not a Generator, another dtype.

    Notes
    -----
    Note 002, which writes the standard deviation in the place of the variance. He, Zhang, Ren and Sun, "Delving Deep
    into Rectifiers" (2015), equation 10: E[z²] stays the same from layer to layer, because relu halves it.

    Examples
    --------
    >>> W = he_normal(200, 300, np.random.default_rng(0))
    >>> W.shape, f"{W.std():.3f}", f"{np.sqrt(2 / 200):.3f}"
    ((200, 300), '0.100', '0.100')
    """
    return _normal(n_in, n_out, 2 / whole("n_in", n_in, 1), rng, dtype)


def glorot_uniform(n_in, n_out, rng, dtype=np.float64):
    """W ~ U[−c, c] with c = √(6/(n_in + n_out)), so the variance is 2/(n_in + n_out): for tanh.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator
    dtype : np.float64 or np.float32

    Returns
    -------
    W : array, shape (n_in, n_out)

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    Notes
    -----
    Note 002. Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010),
    equation 16: a compromise between 1/n_in, which keeps the forward pass, and 1/n_out, which keeps the backward one.

    Examples
    --------
    >>> W = glorot_uniform(400, 200, np.random.default_rng(0))
    >>> W.shape, bool(np.abs(W).max() <= 0.1), f"{W.std():.3f}", f"{0.1 / np.sqrt(3):.3f}"
    ((400, 200), True, '0.058', '0.058')
    """
    limit = np.sqrt(6 / (whole("n_in", n_in, 1) + whole("n_out", n_out, 1)))
    return generator("rng", rng).uniform(-limit, limit, (n_in, n_out)).astype(float_dtype(dtype), copy=False)


def glorot_normal(n_in, n_out, rng, dtype=np.float64):
    """W ~ N(0, 2/(n_in + n_out)), where the second number is the variance: for tanh.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator
    dtype : np.float64 or np.float32

    Returns
    -------
    W : array, shape (n_in, n_out)

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    Notes
    -----
    Glorot and Bengio (2010), equation 12, with a normal distribution of the same variance.

    Examples
    --------
    >>> W = glorot_normal(400, 200, np.random.default_rng(0))
    >>> W.shape, f"{W.std():.3f}", f"{np.sqrt(2 / 600):.3f}"
    ((400, 200), '0.058', '0.058')
    """
    return _normal(n_in, n_out, 2 / (whole("n_in", n_in, 1) + whole("n_out", n_out, 1)), rng, dtype)


def lecun_normal(n_in, n_out, rng, dtype=np.float64):
    """W ~ N(0, 1/n_in), where 1/n_in is the variance: for SELU, and for the identity.

    Parameters
    ----------
    n_in, n_out : int
    rng : numpy.random.Generator
    dtype : np.float64 or np.float32

    Returns
    -------
    W : array, shape (n_in, n_out)

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    Notes
    -----
    Note 002, which writes the standard deviation in the place of the variance. LeCun, Bottou, Orr and Müller,
    "Efficient BackProp" (1998), section 4.6.

    Examples
    --------
    >>> W = lecun_normal(400, 200, np.random.default_rng(0))
    >>> W.shape, f"{W.std():.3f}", f"{np.sqrt(1 / 400):.3f}"
    ((400, 200), '0.050', '0.050')
    """
    return _normal(n_in, n_out, 1 / whole("n_in", n_in, 1), rng, dtype)


INITIALIZERS = {
    "he_normal": he_normal,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "lecun_normal": lecun_normal,
}


def _normal(n_in, n_out, variance, rng, dtype):
    shape = (n_in, whole("n_out", n_out, 1))
    return (np.sqrt(variance) * generator("rng", rng).standard_normal(shape)).astype(float_dtype(dtype), copy=False)
