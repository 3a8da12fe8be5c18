"""The value of an expression at given sizes and entries, straight from its meaning.

This is the refuter's half of the engine and the bridge to arrays. It shares nothing with the prover but the
expressions: sums are added up, products multiplied, and derivatives taken by centred differences.
"""

from itertools import product
from typing import ClassVar

from .errors import ExpressionError
from .expressions import (
    INFINITY,
    ONE,
    PI,
    Apply,
    Constant,
    Delta,
    Diagonal,
    Divide,
    Entry,
    Functional,
    Grad,
    Hadamard,
    Identity,
    Inner,
    Integral,
    Jacobian,
    Limit,
    Matrix,
    Norm,
    Number,
    Ones,
    Partial,
    Plus,
    Power,
    Quotient,
    Sum,
    Symbol,
    Times,
    Trace,
    Transpose,
    Zeros,
    subexpressions,
)


class OutsideDomain(ArithmeticError):
    """A logarithm, a root or a quotient met a number that it is not defined for."""

    def __init__(self, where):
        super().__init__(f"{where} is not defined here")
        self.where = where


class Values:
    """What the names mean in one world, and the numbers that are computed with.

    Parameters
    ----------
    numbers : the kind of numbers: see `high_precision.HighPrecision` and `bridge.Floats`
    leaves : dict from symbols to numbers and from matrices to two-dimensional arrays; dimensions are Python's int
    definitions : dict from names to `Definition`
    """

    def __init__(self, numbers, leaves, definitions, tick=lambda: None, signs=None, depth=0):
        self.numbers, self.leaves, self.definitions, self.tick = numbers, leaves, definitions, tick
        self.signs = {} if signs is None else signs  # which signs the argument of each kinked function had
        self.depth = depth  # of how many differences this world is one side
        self._perturbed_of, self._memo, self._mentions = {}, {}, {}

    # -- scalars and matrices ----------------------------------------------------------------------

    def of(self, e, at=None):
        """The value of `e`, where `at` gives the free indices their values: a number, or an array for a matrix."""
        at = at or {}
        indices = self._indices(e)
        key = (e, tuple(at.get(k) for k in indices))
        if key not in self._memo:
            self.tick()
            self._memo[key] = self._RULES[type(e)](self, e, at)
        return self._memo[key]

    def _indices(self, e):
        if e not in self._mentions:
            self._mentions[e] = tuple(k for k in subexpressions(e) if isinstance(k, Symbol))
        return self._mentions[e]

    def size(self, d):
        """A dimension as a whole number."""
        return self._whole(d, {})

    def _whole(self, e, at):
        """A size, an index or an end of a range, to count with."""
        if isinstance(e, Symbol):
            value = at[e] if e in at else self.leaves.get(e)
            if isinstance(value, int):
                return value
        if isinstance(e, Number) and e.value.denominator == 1:
            return e.value.numerator
        value = self.of(e, at)
        whole = self.numbers.nearest(value)
        if value != whole and not self.numbers.near(value, whole):
            raise OutsideDomain(f"{e} as a whole number")
        return whole

    def _number(self, e, at):
        return self.numbers.rational(e.value)

    def _constant(self, e, at):
        if e == PI:
            return self.numbers.pi()
        raise ExpressionError(f"{e} is not a number; it may stand only at the end of an integral or a limit")

    def _named(self, e, at):
        value = at[e] if isinstance(e, Symbol) and e in at else self.leaves.get(e)
        if value is not None:
            # Python divides two whole numbers as floats: of the refuter's 80 digits, 16 would be left.
            return self.numbers.rational(value) if isinstance(value, int) else value
        definition = self.definitions.get(e)
        if definition is None:
            raise ExpressionError(f"{e} has no value")
        if definition.indices is None:
            return self.of(definition.body)
        rows, cols = (self.size(d) for d in e.shape)
        i, j = definition.indices
        return self._array(rows, cols, lambda a, b: self.of(definition.body, {i: a, j: b}))

    def _array(self, rows, cols, entry):
        return self.numbers.array([[entry(i, j) for j in range(cols)] for i in range(rows)], (rows, cols))

    def _plus(self, e, at):
        out = self.of(e.args[0], at)
        for t in e.args[1:]:
            out = out + self.of(t, at)
        return out

    def _times(self, e, at):
        number, matrix = None, None
        for f in e.args:
            value = self.of(f, at)
            if f.is_matrix:
                matrix = value if matrix is None else self.numbers.dot(matrix, value)
            else:
                number = value if number is None else number * value
        return number if matrix is None else matrix if number is None else matrix * number

    def _quotient(self, e, at):
        below = self.of(e.args[1], at)
        if below == 0:
            raise OutsideDomain(e.args[1])
        return self.of(e.args[0], at) / below

    def _power(self, e, at):
        base, exponent = self.of(e.args[0], at), self.of(e.args[1], at)
        whole = exponent == int(exponent)
        if (base < 0 and not whole) or (base == 0 and exponent < 0):
            raise OutsideDomain(e.args[0])
        return base ** (int(exponent) if whole else exponent)

    def _sum(self, e, at):
        return self._sum_over(e.body, e.limits, at)

    def _sum_over(self, body, limits, at):
        ends = [(k, self._whole(low, at), self._whole(high, at)) for k, low, high in limits]
        total = self.numbers.rational(0)
        for values in product(*(range(low, high + 1) for _, low, high in ends)):
            total = total + self.of(body, {**at, **{k: v for (k, _, _), v in zip(ends, values, strict=True)}})
        return total

    def _delta(self, e, at):
        return self.numbers.rational(int(self._whole(e.args[0], at) == self._whole(e.args[1], at)))

    def _entry(self, e, at):
        i, j = (self._whole(k, at) for k in e.args[1:])
        definition = self.definitions.get(e.matrix)
        if definition is not None and definition.indices is not None and e.matrix not in self.leaves:
            return self.of(definition.body, dict(zip(definition.indices, (i, j), strict=True)))
        return self.of(e.matrix, at)[i, j]

    def _apply(self, e, at):
        x, f = self.of(e.argument, at), e.function
        if f.name in _KINKED and f.known:
            seen = self.signs.setdefault(e, set())
            seen.update(bool(v > 0) for v in (x.flat if e.is_matrix else [x]))

        def one(v):
            return self.numbers.function(f, v, e.argument)

        return self.numbers.map(one, x) if e.is_matrix else one(x)

    def _functional(self, e, at):
        values = [v for a in e.arguments for v in (self.of(a, at).flat if a.is_matrix else [self.of(a, at)])]
        return self.numbers.functional(e.name, values)

    def _transpose(self, e, at):
        return self.of(e.args[0], at).T

    def _hadamard(self, e, at):
        out = self.of(e.args[0], at)
        for f in e.args[1:]:
            out = out * self.of(f, at)
        return out

    def _divide(self, e, at):
        out = self.of(e.args[0], at)
        for f in e.args[1:]:
            below = self.of(f, at)
            if any(v == 0 for v in below.flat):
                raise OutsideDomain(f)
            out = out / below
        return out

    def _ones(self, e, at):
        return self._filled(e, lambda i, j: 1)

    def _zeros(self, e, at):
        return self._filled(e, lambda i, j: 0)

    def _identity(self, e, at):
        return self._filled(e, lambda i, j: int(i == j))

    def _filled(self, e, entry):
        rows, cols = (self.size(d) for d in e.shape)
        return self._array(rows, cols, lambda i, j: self.numbers.rational(entry(i, j)))

    def _diagonal(self, e, at):
        entries = list(self.of(e.args[0], at).flat)
        zero = self.numbers.rational(0)
        return self._array(len(entries), len(entries), lambda i, j: entries[i] if i == j else zero)

    def _trace(self, e, at):
        m = self.of(e.args[0], at)
        return sum((m[k, k] for k in range(len(m))), self.numbers.rational(0))

    def _inner(self, e, at):
        a, b = (self.of(x, at) for x in e.args)
        return sum((a * b).flat, self.numbers.rational(0))

    def _norm(self, e, at):
        return self.numbers.root(sum((v * v for v in self.of(e.args[0], at).flat), self.numbers.rational(0)))

    # -- derivatives -------------------------------------------------------------------------------

    def _partial(self, e, at):
        body, v = e.args
        if isinstance(v, Symbol):
            return self._difference(lambda values: values.of(body, at), v, None)
        place = tuple(self._whole(k, at) for k in v.args[1:])
        return self._difference(lambda values: values.of(body, at), v.matrix, place)

    def _grad(self, e, at):
        body, v = e.args
        rows, cols = (self.size(d) for d in v.shape)
        return self._array(rows, cols, lambda i, j: self._difference(lambda w: w.of(body, at), v, (i, j)))

    def _jacobian(self, e, at):
        z, x = e.args
        place = (lambda j: (j, 0)) if x.cols == ONE else (lambda j: (0, j))
        columns = [list(self._difference(lambda w: w.of(z, at), x, place(j)).flat) for j in range(self.size(e.cols))]
        return self._array(self.size(e.rows), len(columns), lambda i, j: columns[j][i])

    def _difference(self, f, name, place):
        """The centred difference of `f` by one entry of `name`, which is held as a variable of its own."""
        if self.depth == self.numbers.deepest:
            raise ExpressionError(
                f"derivatives of derivatives are put into numbers up to {self.numbers.deepest} deep, and no deeper: "
                "differences of differences run out of digits"
            )
        h = self.numbers.h
        ahead, behind = (f(self._perturbed(name, place, sign)) for sign in (1, -1))
        return (ahead - behind) / (2 * h)

    def _perturbed(self, name, place, sign):
        key = (name, place, sign)
        if key not in self._perturbed_of:
            value = self.of(name)
            if place is None:
                value = value + sign * self.numbers.h
            else:
                value = value.copy()
                value[place] = value[place] + sign * self.numbers.h
            leaves = {**self.leaves, name: value}
            self._perturbed_of[key] = Values(
                self.numbers, leaves, self.definitions, self.tick, self.signs, self.depth + 1
            )
        return self._perturbed_of[key]

    # -- integrals and limits ----------------------------------------------------------------------

    def _integral(self, e, at):
        body, (x, a, b) = e.args
        ends = self._end(a, at), self._end(b, at)
        return self.numbers.integral(lambda t: self.of(body, {**at, x: t}), *ends, self.depth)

    def _limit(self, e, at):
        body, x, point, direction = e.args
        return self.numbers.limit(lambda t: self.of(body, {**at, x: t}), self._end(point, at), direction)

    def _end(self, e, at):
        if e in (INFINITY, -INFINITY):
            return self.numbers.infinity() * (1 if e == INFINITY else -1)
        return self.of(e, at)

    _RULES: ClassVar = {
        Number: _number,
        Constant: _constant,
        Symbol: _named,
        Matrix: _named,
        Plus: _plus,
        Times: _times,
        Quotient: _quotient,
        Power: _power,
        Sum: _sum,
        Delta: _delta,
        Entry: _entry,
        Apply: _apply,
        Functional: _functional,
        Transpose: _transpose,
        Hadamard: _hadamard,
        Divide: _divide,
        Ones: _ones,
        Zeros: _zeros,
        Identity: _identity,
        Diagonal: _diagonal,
        Trace: _trace,
        Inner: _inner,
        Norm: _norm,
        Partial: _partial,
        Grad: _grad,
        Jacobian: _jacobian,
        Integral: _integral,
        Limit: _limit,
    }


_KINKED = ("relu", "step", "abs", "sign")
