"""What a sweep costs: the multiplications that its rules make, and how many numbers they hold at once.

Counted inside NumPy's own operations, so that no formula for the cost is needed, and the same on every machine.
"""

import contextlib
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from backprop.primitives import PRIMITIVES, Primitive, replaced


@dataclass
class Reading:
    """What `metered` has counted so far: see there."""

    multiplications: int = 0
    held: int = 0
    peak: int = 0

    def hold(self, array: np.ndarray) -> None:
        """Count an array's numbers for as long as it lives."""
        self.held += array.size
        self.peak = max(self.peak, self.held)
        weakref.finalize(array, self._let_go, array.size)

    def _let_go(self, size: int) -> None:
        self.held -= size


class _Counting(np.ndarray):
    """An array whose products are counted: one multiplication for each product of two numbers."""

    reading: Reading

    def __array_finalize__(self, made_from):
        # Transposes and slices are made from an array that counts; a new view gets its reading afterwards.
        if isinstance(made_from, _Counting):
            self.reading = made_from.reading

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(x) if isinstance(x, np.ndarray) else x for x in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc in (np.multiply, np.divide):
            self.reading.multiplications += np.size(result)
        elif ufunc is np.matmul:
            self.reading.multiplications += np.size(result) * plain[0].shape[-1]
        return _counting(result, self.reading)


def _counting(array, reading: Reading) -> _Counting:
    array = np.asarray(array).view(_Counting)
    array.reading = reading
    return array


@contextlib.contextmanager
def metered() -> Iterator[Reading]:
    """Count what the primitives do while a block runs, forward and backward.

    Yields
    ------
    Reading
        `multiplications` (divisions count, too; so do the entries of matrix products, one for each product of two
        numbers), and `peak`, the most numbers that results and gradients, made by rules, have held at once.

    Examples
    --------
    >>> from backprop.reverse_mode import backward, total, variable
    >>> X, W = np.ones((5, 3)), variable(np.ones((3, 2)))
    >>> with metered() as reading:
    ...     loss = total(X @ W)
    ...     forward = reading.multiplications
    ...     gradient = backward(loss)[W]
    >>> forward, reading.multiplications - forward, reading.peak
    (30, 30, 27)
    """
    reading = Reading()

    def counted(function: Callable) -> Callable:
        def of(*arrays):
            seen = [_counting(a, reading) if isinstance(a, np.ndarray) else a for a in arrays]
            # A plain copy of its own, so that its life can be followed.
            result = np.array(function(*seen))
            reading.hold(result)
            return result

        return of

    rules = {
        name: Primitive(counted(p.function), tuple(map(counted, p.vjps)), tuple(map(counted, p.jvps)))
        for name, p in PRIMITIVES.items()
    }
    with replaced(**rules):
        yield reading
