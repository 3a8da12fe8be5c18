"""What the numeric functions accept, and how they refuse: the input contract, in one place.

`takes` reads as a table of shapes above a function, so that the body below it holds nothing but the mathematics.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from backprop._arguments import all_finite, to_ndarray

# How a message speaks of a dimension: "X has 3 features".
DIMENSIONS = {"m": "samples", "n_in": "features", "n_out": "outputs", "K": "classes"}

# What is beyond the range of the dtype is refused afterwards, in words.
BEYOND_RANGE = {"over": "ignore", "invalid": "ignore"}

# Shape specifications bind names to sizes as the arguments are read; each size remembers who fixed it.
Sizes = dict[str, tuple[Any, str]]
Reader = Callable[[str, Any, Sizes], np.ndarray]


def takes(
    *,
    complex_step: str = "",
    infinite: str = "",
    unit: str = "",
    needs_samples: bool = False,
    errors: Mapping[str, str] | None = None,
    **arguments: str | Reader,
) -> Callable[[Callable], Callable]:
    """Decorate a function with the shapes of its arguments; convert, promote and check them before each call.

    Parameters
    ----------
    complex_step, infinite, unit : str
        The arguments, separated by spaces, that may be complex128 (for the complex step), that may be ±inf, and whose
        entries are from 0 to 1.
    needs_samples : bool
        Whether m = 0 is refused: a mean over no samples does not exist.
    errors : mapping, optional
        How floating-point errors are handled meanwhile, as for `numpy.errstate`, by a function that answers them
        itself. Without it the result must be finite.
    **arguments : str or callable
        The shape of each argument by name: ``"m n_in"``, ``"n_out"``, ``"... K"`` or ``"..."`` (any shape, the same one
        for all). A callable ``(name, value, sizes) -> array`` reads an argument that a shape cannot describe.

    Raises
    ------
    TypeError
        From the decorated function: a dtype other than float32, float64, integers and bool.
    ValueError
        From the decorated function: a shape that does not fit, NaN, or ±inf where it has no meaning; a result beyond
        the range of the dtype.

    Examples
    --------
    >>> @takes(X="m n_in", W="n_in n_out")
    ... def product(X, W):
    ...     return X @ W
    >>> product([[1, 2, 3]], [[1, 0], [0, 1], [1, 1]])
    array([[4., 5.]])
    >>> product([[1, 2, 3]], np.ones((4, 2)))
    Traceback (most recent call last):
    ValueError: W has shape (4, 2), but X has 3 features: expected (3, n_out)
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)
        names = list(signature.parameters)
        may_be_complex, may_be_infinite, from_0_to_1 = complex_step.split(), infinite.split(), unit.split()

        def read(given: Mapping[str, Any]) -> dict[str, np.ndarray]:
            sizes: Sizes = {}
            arrays = {}
            for name, spec in arguments.items():
                if callable(spec):
                    arrays[name] = spec(name, given[name], sizes)
                    continue
                array = to_array(name, given[name], name in may_be_complex, name in may_be_infinite)
                fit(name, array.shape, spec, sizes)
                if needs_samples and sizes["m"][0] == 0:
                    raise ValueError(f"{name} has shape {array.shape}: expected at least one sample")
                if name in from_0_to_1:
                    refuse((array.real < 0) | (array.real > 1), name, array.real, "expected numbers from 0 to 1")
                arrays[name] = array
            return promoted(arrays)

        @functools.wraps(function)
        def checked(*args, **kwargs):
            # What bind would say of a call with every argument in its place, without what bind takes.
            in_place = not kwargs and len(args) == len(names)
            given = dict(zip(names, args, strict=True)) if in_place else signature.bind(*args, **kwargs).arguments
            with np.errstate(**(BEYOND_RANGE if errors is None else errors)):
                result = function(**(given | read(given)))
            if errors is None:
                refuse_overflow(result, arguments)
            elif isinstance(result, tuple) and np.isnan(result[0]):
                # inf for real numbers; but the product of complex ones, one of which is infinite, has no value.
                raise ValueError(
                    f"the result is beyond the range of numbers: expected smaller ones in {_listed(arguments)}"
                )
            return result

        return checked

    return decorate


def to_array(name: str, value: Any, complex_step: bool = False, infinite: bool = False) -> np.ndarray:
    """Convert to float32, float64 or (for the complex step) complex128; refuse every other dtype, NaN and ±inf.

    Examples
    --------
    >>> to_array("X", [True, False]).dtype
    dtype('float64')
    >>> to_array("X", np.ones(3, dtype=">f4")).dtype.isnative
    True
    >>> to_array("X", [1.0, float("nan")])
    Traceback (most recent call last):
    ValueError: X is nan at index 1: expected finite numbers
    """
    array = to_ndarray(name, value)
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    allowed = (np.float32, np.float64, np.complex128)[: 2 + complex_step]
    if array.dtype.type not in allowed:
        names = ", ".join(kind.__name__ for kind in allowed)
        raise TypeError(f"{name} has dtype {array.dtype}: expected {names}, integers or bool")
    # A complex infinity has no direction to take a limit along, so the complex step needs finite numbers.
    infinite = infinite and array.dtype.kind == "f"
    if infinite:
        refuse(np.isnan(array), name, array, "expected a number")
    elif not all_finite(array):
        refuse(~np.isfinite(array), name, array, "expected finite numbers")
    return array.astype(array.dtype.type, copy=False)  # native byte order


def refuse(wrong: np.ndarray, name: str, array: np.ndarray, expected: str) -> None:
    """Raise ValueError that shows the first entry of `array` where `wrong` is true, if there is one."""
    if wrong.any():
        index = tuple(map(int, np.argwhere(wrong)[0]))
        place = f" at index {index[0] if len(index) == 1 else index}" if index else ""
        raise ValueError(f"{name} is {array[index].item()}{place}: {expected}")


def refuse_overflow(result: Any, arguments: Iterable[str]) -> None:
    """Raise ValueError where finite arguments gave a result that is not finite: an array, or a tuple of them."""
    for array in result if isinstance(result, tuple) else (result,):
        if not all_finite(array):
            names = _listed(arguments)
            raise ValueError(f"the result is beyond the range of {array.dtype}: expected smaller numbers in {names}")


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def fit(name: str, shape: tuple[int, ...], spec: str, sizes: Sizes) -> None:
    """Match a shape with a specification such as ``"m n_in"``, bind the sizes that are new, refuse a clash."""
    dimensions = spec.split()
    any_leading = "..." in dimensions
    rest = [d for d in dimensions if d != "..."] if any_leading else dimensions
    leading = len(shape) - len(rest)
    if leading < 0 or (leading > 0 and not any_leading):
        axes = f"{len(rest)} {'axis' if len(rest) == 1 else 'axes'}{' or more' * any_leading}"
        raise ValueError(f"{name} has shape {shape}: expected {axes}, {_expected(dimensions, sizes)}")
    before = sizes.copy()
    found = dict(zip(rest, shape[leading:], strict=True))
    if any_leading:
        found = {"...": shape[:leading]} | found
    clashes: dict[str, list[str]] = {}
    for d, size in found.items():
        known, owner = sizes.setdefault(d, (size, name))
        if known != size:
            words = f"{'leading ' * bool(rest)}shape {known}" if d == "..." else f"{known} {DIMENSIONS[d]}"
            clashes.setdefault(owner, []).append(words)
    if clashes:
        others = " and ".join(f"{owner} has {' and '.join(words)}" for owner, words in clashes.items())
        raise ValueError(f"{name} has shape {shape}, but {others}: expected {_expected(dimensions, before)}")


def promoted(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give all arrays the one dtype that NumPy promotes them to; real arrays stay real beside complex ones."""
    dtypes = {array.dtype for array in arrays.values()}
    if len(dtypes) == 1:
        return arrays
    common = np.result_type(*dtypes)
    real = np.finfo(common).dtype if common.kind == "c" else common
    return {
        name: array.astype(common if array.dtype.kind == "c" else real, copy=False) for name, array in arrays.items()
    }


def _expected(dimensions: list[str], sizes: Sizes) -> str:
    parts: list[str] = []
    for d in dimensions:
        known = sizes[d][0] if d in sizes else d
        parts += map(str, known) if isinstance(known, tuple) else [str(known)]
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
