"""The refuter's numbers: 80 digits, so that a centred difference is right to more than 30."""

import random
from itertools import pairwise

import mpmath
import numpy as np

from .errors import ExpressionError
from .evaluation import OutsideDomain

DIGITS = 80
QUADRATURE_DIGITS = 45
DIGITS_OF_A_STEP = 18
LARGEST_EXPONENT = 10**30  # beyond it, an exponential costs more digits than a machine has
_mp = mpmath.MPContext()
_mp.dps = DIGITS


class HighPrecision:
    """mpmath numbers with stand-ins for undefined functions and functionals, drawn from `seed`."""

    h = _mp.mpf(10) ** -DIGITS_OF_A_STEP
    deepest = 3  # a difference costs the digits of a step, and `near` asks for 20 in the end

    def __init__(self, seed):
        self.seed = seed
        self._curves, self._couplings = {}, {}

    @staticmethod
    def rational(value):
        """An exact fraction, or a whole number."""
        whole = _mp.mpf(value.numerator)
        return whole if value.denominator == 1 else whole / value.denominator

    @staticmethod
    def pi():
        """π."""
        return +_mp.pi

    @staticmethod
    def infinity():
        """∞."""
        return _mp.inf

    @staticmethod
    def nearest(x):
        """The whole number that is nearest."""
        return int(_mp.nint(x))

    @staticmethod
    def near(a, b):
        """Whether two numbers agree to rounding."""
        return near(a, b)

    @staticmethod
    def root(x):
        """The square root of a number that is not negative."""
        return _mp.sqrt(x)

    @staticmethod
    def array(rows, shape):
        """A two-dimensional array."""
        out = np.empty(shape, dtype=object)
        for i, row in enumerate(rows):
            for j, v in enumerate(row):
                out[i, j] = v
        return out

    @staticmethod
    def dot(a, b):
        """The matrix product."""
        return a.dot(b)

    @staticmethod
    def map(f, array):
        """A function applied to every entry."""
        out = np.empty(array.shape, dtype=object)
        for at, v in np.ndenumerate(array):
            out[at] = f(v)
        return out

    def function(self, f, x, where):
        """A known function by its meaning, an undefined one by its stand-in."""
        if not f.known:
            return self._curve(f.name, f.order, x)
        if (f.name == "log" and x <= 0) or (f.name == "sqrt" and x < 0):
            raise OutsideDomain(where)
        if f.name in ("exp", "sinh", "cosh") and (x if f.name == "exp" else abs(x)) > LARGEST_EXPONENT:
            raise OutsideDomain(where)
        return _KNOWN[f.name](x)

    def _curve(self, name, order, x):
        """a sin(b x + c) + d x, differentiated `order` times: bounded slope, and of no special symmetry."""
        if name not in self._curves:
            rng = random.Random(f"{self.seed} function {name}")
            self._curves[name] = [_mp.mpf(rng.randint(50, 150)) / 100 for _ in range(4)]
        a, b, c, d = self._curves[name]
        wave = a * b**order * _mp.sin(b * x + c + order * _mp.pi / 2)
        return wave + (d * x if order == 0 else d if order == 1 else 0)

    def functional(self, name, values):
        """Σ cv + ½(Σ dv)² + ⅙(Σ ev)³ + ½Σ gv²: not linear, and all entries coupled."""
        key = (name, len(values))
        if key not in self._couplings:
            rng = random.Random(f"{self.seed} functional {key}")
            self._couplings[key] = [
                [_mp.mpf(rng.choice((-1, 1)) * rng.randint(20, 99)) / 99 for _ in values] for _ in range(4)
            ]
        c, d, e, g = self._couplings[key]
        dot = lambda ks: sum((k * v for k, v in zip(ks, values, strict=True)), _mp.mpf(0))  # noqa: E731
        squares = sum((k * v * v for k, v in zip(g, values, strict=True)), _mp.mpf(0))
        return dot(c) + dot(d) ** 2 / 2 + dot(e) ** 3 / 6 + squares / 2

    @staticmethod
    def integral(f, a, b, depth):
        """The integral of f from a to b, for `depth` differences to be taken of it."""
        middle = [_mp.mpf(0)] if min(a, b) < 0 < max(a, b) else []  # a kink at 0 would cost the quadrature its accuracy

        def in_full(t):
            with _mp.workdps(DIGITS):  # the values are remembered, and differences may be taken of them
                return f(t)

        with _mp.workdps(QUADRATURE_DIGITS + DIGITS_OF_A_STEP * max(0, depth - 1)):
            return _mp.quad(in_full, [a, *middle, b])

    @staticmethod
    def limit(f, point, direction):
        """The limit at a point, extrapolated (Richardson) from values ever closer to it."""
        sides = []
        for sign in {"+": (1,), "-": (-1,), "+-": (1, -1)}[direction]:
            steps = [_mp.mpf(10) ** -8 / 2**k for k in range(10)]
            near_by = [_mp.sign(point) / t if _mp.isinf(point) else point + sign * t for t in steps]
            row = [f(t) for t in near_by]
            for k in range(1, len(row)):
                row = [(2**k * b - a) / (2**k - 1) for a, b in pairwise(row)]
            sides.append(row[0])
        if not near(sides[0], sides[-1]):
            raise ExpressionError(
                "the limit from above differs from the limit from below: give a direction, '+' or '-'"
            )
        return sides[0]


def draw(rng, positive=False, below_one=False):
    """A random fraction that is never 0, of random sign unless told otherwise."""
    size = _mp.mpf(rng.randint(5, 95)) / 97 if below_one else _mp.mpf(rng.randint(1, 99)) / rng.randint(50, 99)
    if positive or below_one:
        return size
    return size * rng.choice((-1, 1))


def number_of(value):
    """A whole number or a computed one as a number of this precision."""
    return _mp.mpf(value)


def square_root(value):
    """The root of a number that is not negative."""
    return _mp.sqrt(value)


def near(a, b):
    """Whether two numbers agree to twenty digits."""
    return abs(a - b) <= _mp.mpf(10) ** -20 * (1 + abs(a) + abs(b))


def digits(a, b):
    """Two different numbers, written with as many digits as it takes to tell them apart."""
    for n in (6, 12, 25):
        pair = _mp.nstr(a, n), _mp.nstr(b, n)
        if pair[0] != pair[1]:
            break
    return pair


def _exp(x):
    return _mp.exp(x) if x > -LARGEST_EXPONENT else _mp.mpf(0)


_KNOWN = {
    "exp": _exp,
    "log": _mp.log,
    "sqrt": _mp.sqrt,
    "sin": _mp.sin,
    "cos": _mp.cos,
    "sinh": _mp.sinh,
    "cosh": _mp.cosh,
    "tanh": _mp.tanh,
    "sigmoid": lambda x: 1 / (1 + _exp(-x)) if x >= 0 else _exp(x) / (1 + _exp(x)),
    "softplus": lambda x: max(x, _mp.mpf(0)) + _mp.log1p(_exp(-abs(x))),
    "relu": lambda x: max(x, _mp.mpf(0)),
    "step": lambda x: _mp.mpf(int(x > 0)),
    "abs": abs,
    "sign": _mp.sign,
}
