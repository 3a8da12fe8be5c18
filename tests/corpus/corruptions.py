"""What a call may be given by mistake, argument by argument, and what must come of it.

A kind of argument draws a good value, and lists what may go wrong with it. Each corruption says what is expected: an
error (`REFUSED`), the result of another value (`Same`), or any result that is a number (`ANY`).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

REFUSED, ANY = "refused", "any"

# All different, so that no two dimensions can be confused.
SIZES = {"m": 5, "n_in": 3, "n_out": 4, "K": 4, "k": 2, "a": 6}

# What is no array of numbers, whatever one looks for.
NO_ARRAY = {
    "None": None,
    "a text": "text",
    "a mapping": {"X": 1.0},
    "a set": {1.0},
    "an object": object(),
    "rows of unequal length": [[1.0, 2.0], [3.0]],
}


class Same(NamedTuple):
    """As the call with this value, error or result."""

    value: Any


class Corruption(NamedTuple):
    """A value, what is wrong with it, and what is expected. `reshapes`: two at once may fit each other again."""

    name: str
    value: Any
    expected: Any = REFUSED
    reshapes: bool = False


class Kind:
    """A kind of argument. `said` is what a message may call it, if not by its own name."""

    said: str = ""

    def draw(self, rng) -> Any:
        raise NotImplementedError

    def corruptions(self, value, rng, free) -> Iterator[Corruption]:
        raise NotImplementedError


class Array(Kind):
    """Real numbers of a shape such as "m n_in"; "..." is any shape, a number is a size that another argument gives, and
    "given" a shape that does.

    accepts, words with spaces between: complex, infinite, nan, half (any float), double (no other float), shapeless
    (any shape), optional (None), strange (anything is looked at). values: normal, positive, unit (from 0 to 1), rows
    (of probabilities).
    """

    def __init__(self, spec: str, accepts: str = "", values: str = "normal", said: str = ""):
        self.dimensions, self.accepts, self.values, self.said = spec.split(), set(accepts.split()), values, said

    def draw(self, rng):
        shape = [SIZES.get(d) or int(d) for d in self.dimensions if d != "..."]
        if "..." in self.dimensions:
            shape = [2, 3, *shape]
        if self.values == "normal":
            return rng.normal(size=shape)
        found = rng.uniform(0.1, 0.9, size=shape)
        return found / found.sum(axis=-1, keepdims=True) if self.values == "rows" else found

    def corruptions(self, value, rng, free):
        yield from layouts(value)
        yield from self.dtypes(value, rng)
        yield from self.numbers(value, rng)
        yield from self.shapes(value, free)
        for name, other in NO_ARRAY.items():
            taken = "strange" in self.accepts or (other is None and "optional" in self.accepts)
            yield Corruption(name, other, ANY if taken else REFUSED, reshapes=True)

    def dtypes(self, value, rng):
        strange = ANY if "strange" in self.accepts else REFUSED
        integers = rng.integers(0, 2, value.shape) if self.values != "normal" else np.rint(3 * value).astype(int)
        yield Corruption("integers", integers, Same(integers.astype(np.float64)))
        yield Corruption("bool", integers > 0, Same((integers > 0).astype(np.float64)))
        yield Corruption("float32", value.astype(np.float32), REFUSED if "double" in self.accepts else ANY)
        half = {"half", "strange"} & self.accepts
        yield Corruption("float16", value.astype(np.float16), ANY if half else REFUSED)
        yield Corruption("complex", value + 1j * (value != 0), ANY if "complex" in self.accepts else strange)
        yield Corruption("complex and real", value + 0j, Same(value) if "complex" in self.accepts else strange)
        yield Corruption("objects", value.astype(object), strange)
        yield Corruption("strings", value.astype(str), strange)
        yield Corruption("bytes", value.astype("S"), strange)
        yield Corruption("dates", np.zeros(value.shape, "M8[s]"), strange)
        yield Corruption("a mask", np.ma.masked_array(value, value > np.median(value)), strange)

    def numbers(self, value, rng):
        strange = bool({"nan", "strange"} & self.accepts)
        yield Corruption("NaN", planted(value, np.nan, rng), ANY if strange else REFUSED)
        for number in (np.inf, -np.inf):
            yield Corruption(str(number), planted(value, number, rng), ANY if strange or self.takes_inf() else REFUSED)
        yield Corruption("NaN in a list", planted(value, np.nan, rng).tolist(), ANY if strange else REFUSED)
        if self.values == "positive":
            yield Corruption("zero", planted(value, 0.0, rng))
            yield Corruption("below 0", planted(value, -0.5, rng))
            yield Corruption("huge", planted(value, 1e308, rng), ANY)
        elif self.values == "normal":
            for number in (1e300, -1e300, 5e-324):
                yield Corruption(f"one entry {number}", planted(value, number, rng), ANY)
            yield Corruption("huge", 1e308 * np.sign(value), ANY)
        else:
            yield Corruption("above 1", planted(value, 1.5, rng))
            yield Corruption("below 0", planted(value, -0.5, rng))
            yield Corruption("huge", planted(value, 1e300, rng))

    def takes_inf(self):
        return "infinite" in self.accepts

    def shapes(self, value, free):
        any_rank = "..." in self.dimensions or "shapeless" in self.accepts
        dimensions = self.dimensions * value.ndim if self.dimensions == ["given"] else self.dimensions
        open_ = ANY if {"strange", "shapeless"} & self.accepts else REFUSED
        # An axis more in front changes nothing where any shape will do, and the last axis is free.
        bound = any(d not in free for d in dimensions)
        yield Corruption("an axis more", value[np.newaxis], open_ if bound else ANY, True)
        rest = [d for d in dimensions if d != "..."]
        yield Corruption(
            "an axis less", value[0] if value.ndim else value, ANY if any_rank and not bound else open_, True
        )
        if value.ndim != 1:
            yield Corruption("flat", value.ravel(), ANY if any_rank and not bound else open_, True)
        yield Corruption("a number", 0.5, ANY if any_rank and not rest and not bound else open_, True)
        for axis in range(value.ndim):
            d = "..." if any_rank and axis < value.ndim - len(rest) else rest[axis - value.ndim]
            longer = np.concatenate([value, value.take([0], axis)], axis)
            shorter = value.take(range(value.shape[axis] - 1), axis)
            none = value.take(range(0), axis)
            fits = ANY if d in free else open_
            yield Corruption(f"axis {axis} longer", longer, fits, True)
            yield Corruption(f"axis {axis} shorter", shorter, fits, True)
            yield Corruption(f"axis {axis} empty", none, ANY if d in free and (d, "empty") in free else open_, True)
        if value.ndim == 2 and "..." not in self.dimensions:
            turned = ANY if all(d in free for d in rest) else open_
            yield Corruption("transposed", value.T.copy(), turned, True)


class Classes(Kind):
    """Integer classes, shape (m,), or with weights=True rows of weights, shape (m, K); out of K = `classes`."""

    def __init__(self, classes: int = 4, weights: bool = False, samples: int = 5):
        self.classes, self.weights, self.samples = classes, weights, samples

    def draw(self, rng):
        if self.weights:
            return rng.dirichlet(np.ones(self.classes), self.samples)
        return rng.integers(self.classes, size=self.samples)

    def corruptions(self, value, rng, free):
        yield from layouts(value)
        if self.weights:
            ones = (value > 0.2).astype(int)
            yield Corruption("integers", ones, Same(ones.astype(np.float64)))
            yield Corruption("bool", ones > 0, Same(ones.astype(np.float64)))
            yield Corruption("a negative weight", planted(value, -0.5, rng))
            yield Corruption("a sum beyond the floats", np.full_like(value, 1e308))
            for number in (np.nan, np.inf):
                yield Corruption(str(number), planted(value, number, rng))
            yield Corruption("a class more", np.hstack([value, value[:, :1]]), reshapes=True)
        else:
            for wrong in (-1, 1000, -(2**40), 2**62):
                yield Corruption(f"class {wrong}", planted(value, wrong, rng))
            yield Corruption("class 2^63", planted(value.astype(np.uint64), 2**63, rng))
            for dtype in (np.int8, np.uint8, np.uint64, np.int32):
                yield Corruption(dtype.__name__, value.astype(dtype), Same(value))
            yield Corruption("floats", value.astype(np.float64))
            yield Corruption("NaN", planted(value.astype(np.float64), np.nan, rng))
            yield Corruption("bool", value > 1)
            yield Corruption("a column", value[:, np.newaxis], reshapes=True)
        for dtype in (complex, object, str, "S"):
            yield Corruption(f"dtype {np.dtype(dtype)}", value.astype(dtype))
        yield Corruption("a mask", np.ma.masked_array(value, value > np.median(value)))
        yield Corruption("an axis more", value[np.newaxis], reshapes=True)
        yield Corruption("one more", np.concatenate([value, value[:1]]), reshapes=True)
        yield Corruption("one less", value[:-1], reshapes=True)
        yield Corruption("empty", value[:0], reshapes=True)
        yield Corruption("a number", 1, reshapes=True)
        for name, other in NO_ARRAY.items():
            yield Corruption(name, other, reshapes=True)


class Whole(Kind):
    """An integer from `least` to `most`; `good` is one that fits the other arguments."""

    def __init__(self, good: int, least: int = 1, most: int | None = None, none: bool = False):
        self.good, self.least, self.most, self.none = good, least, most, none

    def draw(self, rng):
        return self.good

    def corruptions(self, value, rng, free):
        yield Corruption("NumPy's integer", np.int64(value), Same(value))
        yield Corruption("too small", self.least - 1)
        yield Corruption("negative", -7)
        if self.most is not None:
            yield Corruption("too large", self.most + 1)
        for other in (float(value), 1.5, np.nan, np.inf, True, 1j, "2", [value], np.array([value, value]), object()):
            yield Corruption(repr(other)[:20], other)
        yield Corruption("None", None, ANY if self.none else REFUSED)


class Positive(Kind):
    """A positive number, or with share=True one from 0 to below 1; nan: whether NaN is one, and 0."""

    def __init__(self, good: float, share: bool = False, none: bool = False, error: bool = False):
        self.good, self.share, self.none, self.error = good, share, none, error

    def draw(self, rng):
        return self.good

    def corruptions(self, value, rng, free):
        yield Corruption("NumPy's float", np.float64(value), Same(value))
        yield Corruption("negative", -value)
        yield Corruption("-inf", -np.inf)
        yield Corruption("zero", 0, ANY if self.share or self.error else REFUSED)
        yield Corruption("NaN", np.nan, ANY if self.error else REFUSED)
        yield Corruption("inf", np.inf, ANY if self.error else REFUSED)
        for other in (True, 1j, "0.1", [value], np.array([value, value]), object()):
            yield Corruption(repr(other)[:20], other)
        yield Corruption("None", None, ANY if self.none else REFUSED)


class Choice(Kind):
    """One of some names."""

    def __init__(self, good: str, said: str = ""):
        self.good, self.said = good, said

    def draw(self, rng):
        return self.good

    def corruptions(self, value, rng, free):
        for other in ("nothing of the kind", "", 3, [value], {value: 1}, np.array(["a", "b"]), b"text", object()):
            yield Corruption(repr(other)[:20], other)


class Thing(Kind):
    """Any other object: `good`, or what `make(rng)` makes.

    wrong: objects that are none, beside the usual ones; spoiled: functions that make one from the good object; right:
    under a name, others that are accepted, alone (then any result will do) or with what is expected of them.
    """

    def __init__(self, good=None, *, make=None, wrong=(), spoiled=(), right=None, said="", none=REFUSED, usual=True):
        self.make = make or (lambda rng: good)
        self.wrong, self.spoiled, self.right, self.said = wrong, spoiled, right or {}, said
        self.usual = {"None": none} if usual else {}

    def draw(self, rng):
        return self.make(rng)

    def corruptions(self, value, rng, free):
        for name, expected in self.usual.items():
            yield Corruption(name, None, expected)
            for other in (3, "text", object(), np.ones(2), 1j):
                yield Corruption(repr(other)[:20], other)
        for number, other in enumerate([*self.wrong, *(spoil(value) for spoil in self.spoiled)]):
            yield Corruption(f"wrong {number}", other)
        for name, other in self.right.items():
            yield Corruption(name, *other) if isinstance(other, tuple) else Corruption(name, name, other)


class Parts(Kind):
    """Arrays of these shapes in a list. `first_free`: the first axis of the first one is nobody else's."""

    def __init__(self, shapes, accepts: str = "", said: str = "", first_free: bool = False):
        self.shapes, self.said, self.first_free = shapes, said, first_free
        self.array = Array("given", accepts)

    def draw(self, rng):
        return [rng.normal(size=shape) for shape in self.shapes]

    def corruptions(self, value, rng, free):
        for where, array in enumerate(value):
            for each in self.array.corruptions(array, rng, set()):
                expected = each.expected
                if isinstance(expected, Same):
                    expected = Same(with_entry(value, where, expected.value))
                if self.first_free and where == 0 and each.name in ("axis 0 longer", "axis 0 shorter"):
                    expected = ANY
                other = with_entry(value, where, each.value)
                yield Corruption(f"[{where}] {each.name}", other, expected, each.reshapes)
        for name, other in {"one less": value[:-1], "one more": [*value, value[-1]], "none": []}.items():
            yield Corruption(name, other, reshapes=True)
        for other in (None, 3, "text", object(), 1j, {1.0}):
            yield Corruption(repr(other)[:20], other)


def with_entry(values, where, value):
    """The same list or tuple with another entry."""
    return type(values)([value if k == where else each for k, each in enumerate(values)])


def planted(value, number, rng):
    """A copy with this number in one random entry."""
    out = value.copy()
    if out.ndim:
        out[tuple(rng.integers(n) for n in out.shape)] = number
    else:
        out[...] = number
    return out


def layouts(value) -> Iterator[Corruption]:
    """The same numbers, kept otherwise."""
    read_only = value.copy()
    read_only.flags.writeable = False
    spread = np.repeat(value, 2, axis=-1)[..., ::2] if value.ndim else value
    laid_out = {
        "a list": value.tolist(),
        "read-only": read_only,
        "Fortran order": np.asfortranarray(value),
        "not contiguous": spread,
        "backwards": value[::-1].copy()[::-1] if value.ndim else value,
        "big-endian": value.astype(value.dtype.newbyteorder(">")),
    }
    for name, other in laid_out.items():
        yield Corruption(name, other, Same(value))
    if value.ndim > 1:
        yield Corruption("a list of arrays", list(value), Same(value))
