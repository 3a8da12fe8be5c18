"""Numerical derivatives and how far a gradient is from them: the parts that `gradcheck` offers and builds on.

Nothing here is imported from the code that is checked: a check that shares a mistake with it would find nothing.
Everything is float64. With float32 a difference over h = 1e-5 is mostly rounding.
"""

from collections.abc import Callable
from numbers import Real

import numpy as np

from backprop._arguments import choice, function, generator, real, to_ndarray, whole

# Each verdict with the bound below which it holds. The ranges touch and do not overlap; NaN is below nothing.
VERDICTS = {"excellent": 1e-7, "good": 1e-5, "suspicious": 1e-3}
BUG_LIKELY = "bug likely"


def central_difference(f: Callable, theta, h: float = 1e-5) -> np.ndarray:
    """(f(θ + h eⱼ) − f(θ − h eⱼ)) / 2h for every entry j of θ: ∂f/∂θ with an error of h²f‴/6.

    Parameters
    ----------
    f : callable
        From an array like theta to a real number. It gets its own copy each time.
    theta : array of any shape, float64, integers or bool
    h : float
        The step. For a loss near 1 in float64 the best is about 1e-5: smaller steps drown in rounding.

    Returns
    -------
    array of float64, the shape of theta
        NaN where f is NaN, or infinite on both sides.

    Raises
    ------
    TypeError
        f is no function, theta is float32, complex or not of numbers, or f returns a complex number.
    ValueError
        theta has NaN or ±inf, h is not positive or too small to change theta, or f does not return one number.

    Notes
    -----
    Note 002, "Gradient Checking". The quotient divides by the distance between the two points as they are stored,
    because θ ± h is rounded too. Two evaluations of f an entry: this readable loop is what the faster checks are held
    against.

    Examples
    --------
    >>> central_difference(lambda w: (w**2).sum(), [1.0, -2.0, 3.0]).round(8)
    array([ 2., -4.,  6.])
    """
    f, theta, h = function("f", f), _point(theta), to_step(h)
    gradient = np.empty_like(theta)
    for j in np.ndindex(theta.shape):
        above, below = theta.copy(), theta.copy()
        above[j] += h
        below[j] -= h
        if above[j] == below[j]:
            raise ValueError(f"h = {h} is lost in the rounding of theta = {theta[j]}: expected a larger step")
        distance = above[j] - below[j]
        gradient[j] = (to_real(f(above)) - to_real(f(below))) / distance
    return gradient


def complex_step(f: Callable, theta, h: float = 1e-20) -> np.ndarray:
    """Im f(θ + ih eⱼ) / h for every entry j of θ: ∂f/∂θ with no subtraction, so that h may be tiny.

    Parameters
    ----------
    f : callable
        From a complex array like theta to a complex number. It must be analytic: no modulus, no conjugate, no
        comparison but of real parts.
    theta : array of any shape, float64, integers or bool
    h : float
        The step. Its error h²f‴/6 is far below rounding.

    Returns
    -------
    array of float64, the shape of theta

    Raises
    ------
    TypeError
        f is no function, theta is float32, complex or not of numbers, or f returns a real number: the imaginary part,
        which is the derivative, was lost.
    ValueError
        theta has NaN or ±inf, h is not positive, or f does not return one number.

    Notes
    -----
    Squire and Trapp, "Using complex variables to estimate derivatives of real functions" (1998):
    f(θ + ih) = f(θ) + ih f′(θ) − h²f″(θ)/2 − …

    Examples
    --------
    >>> error = complex_step(lambda w: np.exp(w).sum(), [0.0, 1.0]) - [1, np.e]
    >>> bool(np.abs(error).max() < 1e-15)
    True
    """
    f, theta, h = function("f", f), _point(theta), to_step(h)
    gradient = np.empty_like(theta)
    for j in np.ndindex(theta.shape):
        point = theta.astype(np.complex128)
        point[j] += 1j * h
        gradient[j] = _complex(f(point)).imag / h
    return gradient


def directional_check(
    f: Callable,
    gradient,
    theta,
    rng: np.random.Generator,
    *,
    directions: int = 10,
    h: float | None = None,
    method: str = "central",
) -> float:
    """Compare ⟨gradient, v⟩ with the derivative of f along v, for random unit directions v.

    It costs two evaluations of f a direction ("central") or one ("complex"), however many entries θ has. It sees an
    error in any entry, but cannot say in which; an error in one of P entries shows about √P times smaller than it is.

    Parameters
    ----------
    f, theta
        As for `central_difference`, or for `complex_step` with method="complex".
    gradient : array, the shape of theta
        The gradient to check.
    rng : numpy.random.Generator
    directions : int
    h : float, optional
        The step, by default 1e-5 ("central") or 1e-20 ("complex").
    method : "central" or "complex"

    Returns
    -------
    float
        The `relative_error` of the vector of derivatives, one for each direction. NaN where the gradient has NaN or
        ±inf, or is too large for a sum of its entries.

    Raises
    ------
    TypeError, ValueError
        As `central_difference` and `complex_step`; a gradient with another shape than theta, an rng that is not a
        Generator, a number of directions that is not an integer or below 1, a method that is not there.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
    >>> verdict(directional_check(lambda w: (w**3).sum(), 3 * w**2, w, rng))
    'excellent'
    >>> verdict(directional_check(lambda w: (w**3).sum(), 2 * w**2, w, rng))
    'bug likely'
    """
    f, theta, rng = function("f", f), _point(theta), generator("rng", rng)
    gradient = to_numbers("gradient", gradient)
    if gradient.shape != theta.shape:
        raise ValueError(f"gradient has shape {gradient.shape}, but theta has shape {theta.shape}: expected the same")
    choice("method", method, ("central", "complex"))
    derivative, default = (central_difference, 1e-5) if method == "central" else (complex_step, 1e-20)
    step = default if h is None else h
    analytic, numeric = [], []
    for _ in range(whole("directions", directions, 1)):
        v = rng.standard_normal(theta.shape)
        v /= np.sqrt(np.sum(v * v))
        analytic.append(np.vdot(gradient, v))
        numeric.append(derivative(lambda t, v=v: f(theta + t * v), 0.0, step))
    return relative_error(analytic, numeric)


def relative_error(analytic, numeric) -> float:
    """‖a − n‖ / (‖a‖ + ‖n‖) with Euclidean norms over all entries, in [0, 1]; 0 where both are zero.

    Parameters
    ----------
    analytic, numeric : array of any shape, the same for both

    Returns
    -------
    float
        NaN where an entry is NaN or infinite.

    Raises
    ------
    TypeError
        An array that is not of real numbers.
    ValueError
        Shapes that differ: NumPy would broadcast (3, 1) − (3,) to (3, 3) and compare the wrong pairs.

    Notes
    -----
    Note 002, "Gradient Checking". A gradient c times too large gives |1 − c| / (1 + |c|) for c > 0. A large entry hides
    the error of a small one, so compare one tensor at a time.

    Examples
    --------
    >>> print(f"{relative_error([3.0, 6.0], [1.0, 2.0]):.3f}")
    0.500
    >>> relative_error([0.0, 0.0], [0.0, 0.0])
    0.0
    """
    a, n = to_numbers("analytic", analytic), to_numbers("numeric", numeric)
    if a.shape != n.shape:
        raise ValueError(f"analytic has shape {a.shape}, but numeric has shape {n.shape}: expected the same")
    largest = np.abs([a, n]).max(initial=0.0)
    if largest == 0.0:
        return 0.0
    if not np.isfinite(largest):
        return float("nan")
    # Squares of entries near 1e200 would overflow, and of entries near 1e-200 vanish.
    a, n = a / largest, n / largest
    return min(1.0, float(_norm(a - n) / (_norm(a) + _norm(n))))


def verdict(error: float) -> str:
    """Name a relative error: < 1e-7 "excellent", < 1e-5 "good", < 1e-3 "suspicious", otherwise "bug likely".

    The names are for float64, h near 1e-5 and a point away from kinks; note 002's own ranges overlap and leave gaps.

    Parameters
    ----------
    error : float
        From `relative_error`. NaN is "bug likely".

    Returns
    -------
    str

    Raises
    ------
    ValueError
        A negative error.
    TypeError
        Not a number.

    Examples
    --------
    >>> [verdict(error) for error in (0, 1e-7, 1e-5, 1e-3, float("nan"))]
    ['excellent', 'good', 'suspicious', 'bug likely', 'bug likely']
    """
    if real("error", error) < 0:
        raise ValueError(f"error is {error}: expected 0 or more")
    return next((name for name, bound in VERDICTS.items() if error < bound), BUG_LIKELY)


def _norm(array) -> float:
    """The Euclidean norm over all entries; of a matrix, Frobenius'."""
    return np.sqrt(np.sum(array * array))


def to_numbers(name: str, value) -> np.ndarray:
    """A float64 array of real numbers, NaN and ±inf among them."""
    array = to_ndarray(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    return array.astype(np.float64)


def _point(theta) -> np.ndarray:
    """theta as a float64 array of its own."""
    array = to_ndarray("theta", theta)
    if array.dtype.kind == "f" and array.dtype.type is not np.float64:
        raise TypeError(
            f"theta has dtype {array.dtype}: gradient checks need float64, because in {array.dtype} the difference of "
            "two losses is mostly rounding"
        )
    array = to_numbers("theta", array)
    if not np.all(np.isfinite(array)):
        first = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise ValueError(f"theta is {array[first]} at {first}: expected finite numbers")
    return array


def to_step(h: float, name: str = "h") -> float:
    """A positive, finite step."""
    if isinstance(h, bool) or not isinstance(h, Real) or not 0 < h < np.inf:
        raise ValueError(f"{name} is {h!r}: expected a positive number")
    return float(h)


def to_real(value) -> float:
    """What f returned, as a float."""
    number = _number(value)
    if number.dtype.kind == "c":
        raise TypeError(f"f returned the complex number {number}: expected a real one")
    return float(number)


def _complex(value) -> complex:
    """What f returned for a complex argument."""
    number = _number(value)
    if number.dtype.kind != "c":
        raise TypeError(f"f returned the real number {number}: the imaginary part, which is the derivative, was lost")
    return complex(number)


def _number(value) -> np.ndarray:
    """What f returned, as an array of no axes."""
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "biufc":
        what = f"an array of shape {array.shape}" if array.ndim else repr(value)
        raise ValueError(f"f returned {what}: expected one number")
    return array
