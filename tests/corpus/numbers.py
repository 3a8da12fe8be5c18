"""What expressions are worth, worked out without the engine: only its expression classes are known here.

The engine's refuter uses 80 digits and centred differences. Here there are floats and dual numbers (forward-mode
differentiation, exact to rounding), other stand-ins for undefined functions and functionals, other entries, other
sizes. A dual number carries a tag, so that a derivative of a derivative does not mix the two directions up.
"""

import math
from itertools import count, pairwise, product

import numpy as np

from backprop.symbolic import expressions as lang
from backprop.symbolic.expressions import Expression, subexpressions, sympify

TOLERANCE = 1e-7
ROUNDING = 1e-13
SIZES = ((3, 2, 4, 5), (3,), (1, 3, 2, 4), (1,))


class Undefined(ArithmeticError):
    """The expression has no value at this point."""


class Dual:
    """a + b ε with ε² = 0; the tag says which ε."""

    __slots__ = ("a", "b", "tag")
    __array_ufunc__ = None

    def __init__(self, tag, a, b):
        self.tag, self.a, self.b = tag, a, b

    def __add__(self, other):
        return _combine(self, other, lambda x, y: x + y, lambda x, y: (1.0, 1.0))

    def __mul__(self, other):
        return _combine(self, other, lambda x, y: x * y, lambda x, y: (y, x))

    def __truediv__(self, other):
        return self * _reciprocal(other)

    def __rtruediv__(self, other):
        return other * _reciprocal(self)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-1.0) * other

    def __rsub__(self, other):
        return other + (-1.0) * self

    __radd__, __rmul__ = __add__, __mul__


def _parts(x, tag):
    return (x.a, x.b) if isinstance(x, Dual) and x.tag == tag else (x, 0.0)


def _combine(x, y, value, slopes):
    tag = max(v.tag for v in (x, y) if isinstance(v, Dual))
    (a, da), (b, db) = _parts(x, tag), _parts(y, tag)
    by_a, by_b = slopes(a, b)
    return Dual(tag, value(a, b), by_a * da + by_b * db)


def _reciprocal(x):
    if real(x) == 0:
        raise Undefined("a denominator is zero")
    return Dual(x.tag, _reciprocal(x.a), -1.0 * x.b * _reciprocal(x.a * x.a)) if isinstance(x, Dual) else 1.0 / x


def real(x):
    """The plain number in a dual number."""
    while isinstance(x, Dual):
        x = x.a
    return x


def lift(function, slope):
    """A function of floats as one of dual numbers; `slope` is its derivative, as a function of dual numbers."""

    def lifted(x):
        if isinstance(x, Dual):
            return Dual(x.tag, lifted(x.a), slope(x.a) * x.b)
        try:
            return function(x)
        except (ValueError, OverflowError) as error:
            raise Undefined(str(error)) from None

    return lifted


exp = lift(math.exp, lambda x: exp(x))
log = lift(math.log, lambda x: 1.0 / x)
sqrt = lift(math.sqrt, lambda x: 0.5 / sqrt(x))
sin = lift(math.sin, lambda x: cos(x))
cos = lift(math.cos, lambda x: -1.0 * sin(x))
KNOWN = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "sin": sin,
    "cos": cos,
    "sinh": lambda x: (exp(x) - exp(-1.0 * x)) / 2.0,
    "cosh": lambda x: (exp(x) + exp(-1.0 * x)) / 2.0,
    "tanh": lambda x: 1.0 - 2.0 / (exp(2.0 * x) + 1.0),
    "sigmoid": lambda x: 1.0 / (1.0 + exp(-1.0 * x)),
    "softplus": lambda x: log(1.0 + exp(x)),
    # What is a rounding error away from 0 is 0: r - r stands on no side of a kink.
    "relu": lambda x: x if real(x) > ROUNDING else 0.0 * x,
    "step": lambda x: float(real(x) > ROUNDING),
    "abs": lambda x: x if real(x) >= 0 else -1.0 * x,
    "sign": lambda x: float(np.sign(real(x))) if abs(real(x)) > ROUNDING else 0.0,
}


class World:
    """Sizes, entries, undefined functions and functionals, drawn at random for one identity.

    Parameters
    ----------
    rng : numpy.random.Generator
    let : definitions, as the author of a derivation writes them
    draw : how the names that hypotheses restrict are drawn
    sizes : the sizes that dimensions get in turn
    below_one : whether entries lie between 0 and 1, for logarithms and roots
    """

    def __init__(self, rng, let=None, draw=None, sizes=(3, 2, 4, 5), below_one=False):
        self.rng, self.draw, self.in_turn, self.below_one = rng, draw or {}, sizes, below_one
        self.let = {}
        for left, right in (let or {}).items():
            left, right = sympify(left), sympify(right)
            entry = isinstance(left, lang.Entry)
            self.let[left.matrix if entry else left] = (left.args[1:] if entry else None, right)
        self.worked_out = {}
        self.sizes, self.leaves, self.shared = (
            {},
            {},
            {"functions": {}, "functionals": {}, "drawn": set(), "tags": count(1)},
        )
        self._next = int(rng.integers(4))

    # -- what names stand for ------------------------------------------------------------------------

    def size(self, dimension):
        """A dimension as a whole number."""
        if isinstance(dimension, lang.Number):
            return int(dimension.value)
        if dimension not in self.sizes:
            self.sizes[dimension] = self.in_turn[self._next % len(self.in_turn)]
            self._next += 1
        return self.sizes[dimension]

    def _leaf(self, name):
        if name not in self.leaves:
            if name in self.draw:
                value = self.draw[name](self.rng, self)
            elif self.below_one:
                value = self.rng.uniform(0.05, 0.95, tuple(map(self.size, name.shape)))
                value = value if isinstance(name, lang.Matrix) else float(value)
            elif isinstance(name, lang.Matrix):
                value = self.rng.normal(size=tuple(map(self.size, name.shape)))
            else:
                value = float(self.rng.uniform(0.3, 1.7) if name.positive else self.rng.normal())
            if isinstance(name, lang.Matrix):
                value = np.asarray(value, dtype=object).reshape(tuple(map(self.size, name.shape)))
            self.leaves[name] = value
        return self.leaves[name]

    def _named(self, e, at):
        if isinstance(e, lang.Symbol) and e in at:
            return at[e]
        if isinstance(e, lang.Symbol) and e.integer:
            if not e.positive:
                raise Undefined(f"the index {e} has no value")
            return float(self.size(e))
        if e in self.leaves or e not in self.let:
            return self._leaf(e)
        if e not in self.worked_out:
            self.worked_out[e] = self._defined(e)
        return self.worked_out[e]

    def _defined(self, e):
        indices, body = self.let[e]
        if indices is None:
            value = self.value(body)
            return value if not body.is_matrix or e.is_matrix else value[0, 0]
        out = np.empty(tuple(map(self.size, e.shape)), dtype=object)
        for place in np.ndindex(*out.shape):
            meant = {k: v for k, v in zip(indices, place, strict=True) if isinstance(k, lang.Symbol)}
            out[place] = self.value(body, meant)
        return out

    # -- values --------------------------------------------------------------------------------------

    def value(self, e, at=None):
        """The value of an expression: a number, or an array of objects."""
        e, at = sympify(e), at or {}
        return getattr(self, f"_{type(e).__name__.lower()}")(e, at)

    def _number(self, e, at):
        return float(e.value)

    def _constant(self, e, at):
        return {"pi": math.pi, "oo": math.inf}[e.name]

    def _symbol(self, e, at):
        return self._named(e, at)

    _matrix = _symbol

    def _plus(self, e, at):
        first, *rest = (self.value(t, at) for t in e.args)
        for t in rest:
            first = first + t
        return first

    def _times(self, e, at):
        number, matrix = 1.0, None
        for f in e.args:
            value = self.value(f, at)
            if not f.is_matrix:
                number = number * value
            else:
                matrix = value if matrix is None else matrix.dot(value)
        return number if matrix is None else matrix * _boxed(number)

    def _quotient(self, e, at):
        above, below = (self.value(x, at) for x in e.args)
        below = below[0, 0] if isinstance(below, np.ndarray) else below
        return above * (_boxed(_reciprocal(below)) if isinstance(above, np.ndarray) else _reciprocal(below))

    def _power(self, e, at):
        base, exponent = (self.value(x, at) for x in e.args)
        base = base[0, 0] if isinstance(base, np.ndarray) else base
        if not isinstance(exponent, Dual) and float(exponent).is_integer():
            out = 1.0
            for _ in range(abs(int(exponent))):
                out = out * base
            return _reciprocal(out) if exponent < 0 else out
        return exp(exponent * log(base))

    def _sum(self, e, at):
        ends = [(k, int(real(self.value(low, at))), int(real(self.value(high, at)))) for k, low, high in e.limits]
        out = 0.0
        for values in product(*(range(low, high + 1) for _, low, high in ends)):
            out = out + self.value(e.body, {**at, **{k: v for (k, *_), v in zip(ends, values, strict=True)}})
        return out

    def _at(self, k, at):
        return int(k.value) if isinstance(k, lang.Number) else int(self._named(k, at))

    def _entry(self, e, at):
        i, j = (self._at(k, at) for k in e.args[1:])
        value = self.value(e.matrix, at)
        if not (0 <= i < value.shape[0] and 0 <= j < value.shape[1]):
            raise Undefined(f"{e} is out of range")
        return value[i, j]

    def _delta(self, e, at):
        return float(self._at(e.args[0], at) == self._at(e.args[1], at))

    def _apply(self, e, at):
        f = KNOWN[e.function.name] if e.function.known else self._function(e.function.name, e.function.order)
        value = self.value(e.argument, at)
        return _map(f, value) if isinstance(value, np.ndarray) else f(value)

    def _function(self, name, order):
        """A stand-in that is bounded, as are its derivatives, and of no special symmetry: two waves."""
        functions = self.shared["functions"]
        if name not in functions:
            functions[name] = [tuple(map(float, self.rng.uniform(0.4, 1.4, 3))) for _ in range(2)]
        turn = order * math.pi / 2
        return lambda x: sum((a * b**order * sin(b * x + (c + turn)) for a, b, c in functions[name]), 0.0)

    def _functional(self, e, at):
        values = [v for a in e.arguments for v in np.atleast_1d(np.asarray(self.value(a, at), dtype=object)).flat]
        weights = self.shared["functionals"].setdefault(e.name, {})
        if len(values) not in weights:
            weights[len(values)] = self.rng.normal(size=(3, len(values)))
        p, q, r = weights[len(values)]
        dot = lambda w: sum((float(c) * v for c, v in zip(w, values, strict=True)), 0.0)  # noqa: E731
        alone = sum((float(c) * sin(v) for c, v in zip(p, values, strict=True)), 0.0)
        return alone + sin(dot(p)) + dot(q) * cos(0.5 * dot(r))

    def _transpose(self, e, at):
        return self.value(e.args[0], at).T

    def _hadamard(self, e, at):
        first, *rest = (self.value(f, at) for f in e.args)
        for f in rest:
            first = first * f
        return first

    def _divide(self, e, at):
        first, *rest = (self.value(f, at) for f in e.args)
        for f in rest:
            first = first * _map(_reciprocal, f)
        return first

    def _filled(self, e, entry):
        out = np.empty(tuple(map(self.size, e.shape)), dtype=object)
        for i, j in np.ndindex(*out.shape):
            out[i, j] = entry(i, j)
        return out

    def _ones(self, e, at):
        return self._filled(e, lambda i, j: 1.0)

    def _zeros(self, e, at):
        return self._filled(e, lambda i, j: 0.0)

    def _identity(self, e, at):
        return self._filled(e, lambda i, j: float(i == j))

    def _diagonal(self, e, at):
        entries = list(self.value(e.args[0], at).flat)
        return self._filled(e, lambda i, j: entries[i] if i == j else 0.0)

    def _trace(self, e, at):
        value = self.value(e.args[0], at)
        return sum((value[k, k] for k in range(len(value))), 0.0)

    def _inner(self, e, at):
        a, b = (self.value(x, at) for x in e.args)
        return sum((a * b).flat, 0.0)

    def _norm(self, e, at):
        return sqrt(sum((v * v for v in self.value(e.args[0], at).flat), 0.0))

    # -- derivatives ---------------------------------------------------------------------------------

    def _derivative(self, body, name, place, at):
        """The derivative of a number or an array by one entry of `name`, which is held as a variable of its own."""
        tag = next(self.shared["tags"])
        value = self.value(name, {k: v for k, v in at.items() if k != name})
        if place is None:
            moved = Dual(tag, value, 1.0)
        else:
            moved = value.copy()
            moved[place] = Dual(tag, value[place], 1.0)
        self._draw_all(body, at)
        out = self._where({name: moved}).value(body, {k: v for k, v in at.items() if k != name})
        slope = lambda v: v.b if isinstance(v, Dual) and v.tag == tag else 0.0  # noqa: E731
        return _map(slope, out) if isinstance(out, np.ndarray) else slope(out)

    def _draw_all(self, body, at):
        """Draw everything that a derivative will meet before anything is moved, so that it stays what it is."""
        if body in self.shared["drawn"]:
            return
        self.shared["drawn"].add(body)
        for part in [body, *(b for _, b in self.let.values())]:
            for leaf in subexpressions(part):
                if isinstance(leaf, lang.Matrix | lang.Symbol) and leaf not in self.let and not _is_index(leaf):
                    self._named(leaf, {leaf: 0} if leaf in at else {})

    def _where(self, leaves):
        other = object.__new__(World)
        other.__dict__.update(self.__dict__)
        other.leaves, other.worked_out = {**self.leaves, **leaves}, {}
        return other

    def _partial(self, e, at):
        body, v = e.args
        if isinstance(v, lang.Symbol):
            return self._derivative(body, v, None, at)
        return self._derivative(body, v.matrix, tuple(self._at(k, at) for k in v.args[1:]), at)

    def _grad(self, e, at):
        body, v = e.args
        return self._filled(v, lambda i, j: self._derivative(body, v, (i, j), at))

    def _jacobian(self, e, at):
        z, x = e.args
        along_column = x.cols == sympify(1)
        columns = [
            list(self._derivative(z, x, (k, 0) if along_column else (0, k), at).flat) for k in range(self.size(e.cols))
        ]
        return self._filled(e, lambda i, j: columns[j][i])

    # -- integrals and limits ------------------------------------------------------------------------

    def _integral(self, e, at):
        body, (x, low, high) = e.args
        ends = [float(real(self.value(end, at))) for end in (low, high)]
        # What lies beyond 40 is less than the tolerance for the densities of the course; a kink lies at 0.
        ends = [math.copysign(40.0, v) if math.isinf(v) else v for v in ends]
        cuts = [ends[0], *([0.0] if min(ends) < 0 < max(ends) else []), ends[1]]
        total = 0.0
        for a, b in pairwise(cuts):
            for left, right in zip(np.linspace(a, b, 41), np.linspace(a, b, 41)[1:], strict=False):
                middle, half = (left + right) / 2, (right - left) / 2
                for node, weight in zip(*GAUSS, strict=True):
                    total += half * weight * real(self.value(body, {**at, x: middle + half * node}))
        return total

    def _limit(self, e, at):
        body, x, point, direction = e.args
        point = float(real(self.value(point, at)))
        sides = []
        for sign in {"+": (1.0,), "-": (-1.0,), "+-": (1.0, -1.0)}[direction]:
            steps = [2.0**-k for k in range(2, 9)]
            points = [sign / h * math.copysign(1, point) if math.isinf(point) else point + sign * h for h in steps]
            row = [real(self.value(body, {**at, x: p})) for p in points]
            for k in range(1, len(row)):  # Richardson
                row = [(2.0**k * b - a) / (2.0**k - 1.0) for a, b in pairwise(row)]
            sides.append(row[0])
        if abs(sides[0] - sides[-1]) > 1e-4 * (1 + abs(sides[0])):
            raise Undefined(f"{e} differs from side to side")
        return sides[0]


GAUSS = tuple(map(tuple, np.polynomial.legendre.leggauss(16)))


def _is_index(leaf):
    return isinstance(leaf, lang.Symbol) and leaf.integer and not leaf.positive


def _boxed(number):
    """A dual number beside an array must not be taken apart by NumPy."""
    if not isinstance(number, Dual):
        return number
    box = np.empty((), dtype=object)
    box[()] = number
    return box


def _map(f, array):
    out = np.empty(array.shape, dtype=object)
    for place in np.ndindex(*array.shape):
        out[place] = f(array[place])
    return out


# -- comparing -----------------------------------------------------------------------------------------


def free_indices(e, bound=frozenset()):
    """The indices that stand free in an expression."""
    if isinstance(e, lang.Symbol):
        return {e} if _is_index(e) and e not in bound else set()
    if isinstance(e, lang.Sum):
        bound = bound | {k for k, *_ in e.limits}
    return set().union(*(free_indices(part, bound) for part in e.children())) if e.children() else set()


def index_sizes(world, *expressions):
    """The sizes of the ranges of free indices, read off the entries that they index, and then off deltas."""
    sizes = {}
    for e in expressions:
        for x, bound in _in_scope(e, frozenset()):
            if isinstance(x, lang.Entry):
                for k, d in zip(x.args[1:], x.matrix.shape, strict=True):
                    if isinstance(k, lang.Symbol) and k not in bound:
                        sizes.setdefault(k, world.size(d))
    for e in expressions:
        for x, bound in _in_scope(e, frozenset()):
            for a, b in (x.args, x.args[::-1]) if isinstance(x, lang.Delta) else ():
                if b in sizes and isinstance(a, lang.Symbol) and not {a, b} & bound:
                    sizes.setdefault(a, sizes[b])
    return sizes


def _in_scope(e, bound):
    """Every part of an expression with the indices that are summed over around it."""
    yield e, bound
    if isinstance(e, lang.Sum):
        bound = bound | {k for k, *_ in e.limits}
    for part in e.children():
        yield from _in_scope(part, bound)


def differ(world, left, right, relation="=", context=()):
    """Whether two expressions differ somewhere in one world (for "<=": whether the left is larger)."""
    left, right = sympify(left), sympify(right)
    free = sorted(free_indices(left) | free_indices(right), key=str)
    sizes = index_sizes(world, left, right, *context)
    # Nothing says how far an index runs that only a delta holds: the first two values are in any range here.
    for values in product(*(range(sizes.get(k, 2)) for k in free)):
        at = dict(zip(free, values, strict=True))
        a, b = (np.asarray(world.value(e, at), dtype=object) for e in (left, right))
        if a.shape != b.shape and 1 not in (a.size, b.size):
            return True
        a, b = a.reshape(()) if a.size == 1 else a, b.reshape(()) if b.size == 1 else b
        if a.shape != b.shape:
            return True
        for x, y in zip(a.flat, b.flat, strict=True):
            x, y = float(real(x)), float(real(y))
            if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y):
                raise Undefined("a value is not finite")
            slack = tolerance(left, right) * (1 + abs(x) + abs(y))
            if x > y + slack or (relation == "=" and x < y - slack):
                return True
    return False


def tolerance(*expressions):
    """How closely values of equal expressions agree: less where a limit is extrapolated."""
    loose = any(isinstance(x, lang.Limit) for e in expressions for x in subexpressions(e))
    return 3e-4 if loose else TOLERANCE


def worlds(identity, seed, number=4, below_one=False):
    """Worlds for an identity: sizes that differ, sizes that are equal, sizes of which some or all are 1."""
    for k in range(number):
        rng = np.random.default_rng([seed, k])
        world = World(rng, identity.let, identity.draw, SIZES[k % len(SIZES)], below_one)
        if identity.given and not identity.draw:
            from .hypotheses import meet

            meet(world, identity.given)
        yield world


def context(identity):
    """Every expression that says something about the ranges of indices."""
    pairs = [sides(h) for h in (identity.given.items() if isinstance(identity.given, dict) else identity.given)]
    lines = [line.expression for line in identity.lines]
    return [identity.start, *lines, *(sympify(x) for pair in (*identity.let.items(), *pairs) for x in pair)]


def sides(hypothesis):
    """The two sides of an equation or an inequality."""
    if isinstance(hypothesis, tuple):
        return hypothesis
    return (hypothesis.less, hypothesis.more) if hasattr(hypothesis, "less") else (hypothesis.left, hypothesis.right)


def is_equal(identity, left, right, relation="=", seed=0, number=4):
    """Whether two expressions agree in several random worlds of an identity, wherever both sides are defined."""

    def differ_somewhere(below_one):
        defined = 0
        for world in worlds(identity, seed, number, below_one):
            try:
                if differ(world, left, right, relation, context(identity)):
                    return True
                defined += 1
            except Undefined as nowhere:  # a division by a sum that is 0 where a size is 1, say
                undefined = nowhere
        if defined < 2:
            raise undefined
        return False

    try:
        return not differ_somewhere(below_one=False)
    except Undefined:  # the logarithm of a negative number, say
        return not differ_somewhere(below_one=True)


__all__ = ["Dual", "Expression", "Undefined", "World", "context", "differ", "is_equal", "real", "worlds"]
