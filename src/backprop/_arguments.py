"""What the numeric functions accept beside arrays of numbers, and how they refuse the rest, each in one way.

Nothing here computes, so that `gradcheck`, which shares nothing with the code that it checks, may use it too.
"""

import operator
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np


def to_ndarray(name: str, value: Any) -> np.ndarray:
    """`np.asarray`, which refuses in the contract's words, and does not drop a mask."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: expected an array without a mask")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array of numbers: {error}") from None


def all_finite(array: np.ndarray) -> bool:
    """Whether an array of floating-point numbers has no NaN and no ±inf.

    Examples
    --------
    >>> all_finite(np.array([1e300, -1e300])), all_finite(np.array([1.0, np.inf]))
    (True, False)
    """
    # The ufunc itself: the method `all` takes twice the time to get there.
    return bool(np.logical_and.reduce(np.isfinite(array), axis=None))


def whole(name: str, value: Any, least: int, most: int | None = None, limit: str = "") -> int:
    """An integer in its range; bool is none. `limit` says what the largest one is.

    Raises
    ------
    TypeError
        Not an integer.
    ValueError
        Below the least, above the most.

    Examples
    --------
    >>> whole("epochs", np.int64(3), 0)
    3
    >>> whole("workers", 9, 1, 4, "the number of samples")
    Traceback (most recent call last):
    ValueError: workers is 9: expected 1 to 4, the number of samples
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool_ | np.ndarray):
        raise TypeError(f"{name} is {shown(value)}: expected an integer")
    if number < least or (most is not None and number > most):
        expected = f"at least {least}" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} is {number}: expected {expected}{', ' * bool(limit)}{limit}")
    return number


def real(name: str, value: Any) -> float:
    """A real number as a float, NaN and ±inf among them; bool is none.

    Raises
    ------
    TypeError
        Anything else.

    Examples
    --------
    >>> real("error", np.float32(0.5)), real("error", 2)
    (0.5, 2.0)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {shown(value)}: expected a number")
    return float(value)


def choice(name: str, value: Any, names: Iterable[str]) -> str:
    """One of some names.

    Raises
    ------
    ValueError
        Anything else.

    Examples
    --------
    >>> choice("loss", "huber", ["cross_entropy", "mean_squared_error"])
    Traceback (most recent call last):
    ValueError: loss is 'huber': expected one of cross_entropy, mean_squared_error
    """
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name} is {shown(value)}: expected one of {', '.join(names)}")
    return value


def generator(name: str, value: Any) -> np.random.Generator:
    """A random generator of NumPy.

    Raises
    ------
    TypeError
        Anything else: a seed, or one of NumPy's old generators.

    Examples
    --------
    >>> generator("rng", 0)
    Traceback (most recent call last):
    TypeError: rng is 0: expected a numpy.random.Generator, as np.random.default_rng(seed) makes
    """
    if not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} is {shown(value)}: expected a numpy.random.Generator, as np.random.default_rng(seed) makes"
        )
    return value


def float_dtype(value: Any) -> np.dtype:
    """float32 or float64.

    Raises
    ------
    TypeError
        Another dtype, or none.

    Examples
    --------
    >>> float_dtype(np.float32)
    dtype('float32')
    """
    expected = "expected float32 or float64"
    try:
        dtype = np.dtype(value)
    except (TypeError, ValueError, SyntaxError):
        raise TypeError(f"dtype is {shown(value)}: {expected}") from None
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"dtype is {dtype}: {expected}")
    return dtype


def function(name: str, value: Any) -> Any:
    """Something that can be called.

    Raises
    ------
    TypeError
        Anything else.

    Examples
    --------
    >>> function("f", 3)
    Traceback (most recent call last):
    TypeError: f is 3: expected a function
    """
    if not callable(value):
        raise TypeError(f"{name} is {shown(value)}: expected a function")
    return value


def having(name: str, value: Any, attributes: str, expected: str) -> Any:
    """An object that has these attributes; a class is none.

    Raises
    ------
    TypeError
        One is missing.

    Examples
    --------
    >>> having("network", 3, "forward loss", "an MLP")
    Traceback (most recent call last):
    TypeError: network is 3: expected an MLP
    """
    if isinstance(value, type) or not all(hasattr(value, attribute) for attribute in attributes.split()):
        raise TypeError(f"{name} is {shown(value)}: expected {expected}")
    return value


def sequence(name: str, value: Any, expected: str) -> list:
    """A list of what a sequence holds: a list, a tuple, an array; a text, a mapping or a set is none.

    Raises
    ------
    TypeError
        Anything else.

    Examples
    --------
    >>> sequence("sizes", (3, 2), "a list of integers")
    [3, 2]
    >>> sequence("sizes", "32", "a list of integers")
    Traceback (most recent call last):
    TypeError: sizes is '32': expected a list of integers
    """
    wrong = isinstance(value, str | bytes | Mapping | set | frozenset) or not isinstance(value, Iterable)
    if wrong or (isinstance(value, np.ndarray) and not value.ndim):
        raise TypeError(f"{name} is {shown(value)}: expected {expected}")
    return list(value)


def shown(value: Any) -> str:
    """What came, in a few words: numbers and short texts as they are, otherwise their type.

    Examples
    --------
    >>> shown(None), shown("a"), shown(np.ones(3)), shown(2.5)
    ('None', "'a'", 'an array of shape (3,)', '2.5')
    """
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if value is None or (isinstance(value, str | bytes | complex | Real) and len(repr(value)) <= 60):
        return repr(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__name__}"
