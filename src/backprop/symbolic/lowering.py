"""From the matrix language to sums over entries: what each expression means, entry by entry.

(AB)[i, j] = Σₖ A[i, k] B[k, j], tr A = Σₖ A[k, k], and so on. Definitions are unfolded on the way, and derivatives
are worked out: ∂e/∂v holds v as a variable of its own while everything else that depends on it unfolds.
"""

from typing import ClassVar

from . import analysis
from .atoms import constant
from .differentiation import differentiate, rebuilt, replace_entries
from .errors import ExpressionError, HypothesisError
from .expressions import (
    INFINITY,
    ONE,
    PI,
    Apply,
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
)


class Lowering:
    """Turns expressions into polynomials of an `Algebra`, with the given definitions."""

    def __init__(self, algebra, definitions):
        self.algebra, self.definitions = algebra, definitions
        self._memo, self._generic = {}, {}

    # -- scalars -----------------------------------------------------------------------------------

    def scalar(self, e, bound=None, held=frozenset()):
        """The normal form of a scalar.

        Parameters
        ----------
        e : scalar Expression
        bound : dict from index symbols to the algebra's bound indices
        held : names that are variables of their own here, although they have definitions
        """
        bound = bound or {}
        here = tuple((k, v) for k, v in bound.items())
        key = (e, here, held, self.algebra.rules_applied)
        if key not in self._memo:
            rule = self._SCALARS.get(type(e))
            if rule is None:
                raise ExpressionError(f"no rule turns {e} ({type(e).__name__}) into sums over entries")
            self._memo[key] = rule(self, e, bound, held)
        return self._memo[key]

    def _number(self, e, bound, held):
        return constant(e.value)

    def _constant(self, e, bound, held):
        if e != PI:
            raise ExpressionError(f"{e} is not a number; it may stand only at the end of an integral or a limit")
        return self.algebra.symbol("pi", positive=True)

    def _symbol(self, e, bound, held):
        if e in bound:
            return self.algebra.symbol(bound[e])
        if e in self.definitions and e not in held:
            return self.scalar(self.definitions[e].body, {}, held)
        return self._size(e) if e.integer and e.positive else self.algebra.symbol(e.name, e.positive)

    def _plus(self, e, bound, held):
        return self.algebra.add(*(self.scalar(t, bound, held) for t in e.args))

    def _times(self, e, bound, held):
        return self.algebra.multiply(*(self.scalar(f, bound, held) for f in e.args))

    def _quotient(self, e, bound, held):
        top, bottom = (self.scalar(x, bound, held) for x in e.args)
        return self.algebra.multiply(top, self.algebra.power(bottom, -1))

    def _power(self, e, bound, held):
        base, exponent = (self.scalar(x, bound, held) for x in e.args)
        if exponent.number is not None:
            return self.algebra.power(base, exponent.number)
        return self.algebra.exp(self.algebra.multiply(exponent, self.algebra.log(base)))

    def _sum(self, e, bound, held):
        inner = dict(bound)
        names = []
        for k, low, high in e.limits:
            ends = self.scalar(low, bound, held), self.scalar(high, bound, held)
            names.append(self.algebra.fresh(*ends))
            inner[k] = names[-1]
        return self.algebra.sum_over(self.scalar(e.body, inner, held), names)

    def _delta(self, e, bound, held):
        return self.algebra.delta(*(self._index(k, bound) for k in e.args))

    def _entry(self, e, bound, held):
        return self.entry(e.matrix, self._index(e.args[1], bound), self._index(e.args[2], bound), bound, held)

    def _apply(self, e, bound, held):
        return self._function(e.function, self.scalar(e.argument, bound, held))

    def _trace(self, e, bound, held):
        k = self._running(e.args[0].rows)
        return self._total(self.entry(e.args[0], k, k, bound, held), k)

    def _inner(self, e, bound, held):
        a, b = e.args
        i, j = self._running(a.rows), self._running(a.cols)
        body = self.algebra.multiply(self.entry(a, i, j, bound, held), self.entry(b, i, j, bound, held))
        return self._total(body, i, j)

    def _norm(self, e, bound, held):
        squared = self._inner(Inner(e.args[0], e.args[0]), bound, held)
        return self.algebra.power(squared, Number("1/2").value)

    def _functional(self, e, bound, held):
        arguments = []
        for a in e.arguments:
            i, j = (self._running(d) for d in a.shape) if a.is_matrix else ("0", "0")
            inside = self.entry(a, i, j, bound, held) if a.is_matrix else self.scalar(a, bound, held)
            arguments.append((i, j, inside))
        return self.algebra.functional(e.name, (), arguments)

    def _partial(self, e, bound, held):
        body, v = e.args
        if isinstance(v, Symbol):
            place, at = v, ()
        else:
            place, at = v.matrix, tuple(self._index(k, bound) for k in v.args[1:])
        return self.derivative(lambda: self.scalar(body, bound, held | {place}), place, at, held)

    def _integral(self, e, bound, held):
        body, (x, low, high) = e.args
        name = self.algebra.fresh(None, None)
        ends = [self._end(v, bound, held) for v in (low, high)]
        return analysis.integrate(self.algebra, self.scalar(body, {**bound, x: name}, held), name, *ends)

    def _limit(self, e, bound, held):
        body, x, point, direction = e.args
        name = self.algebra.fresh(None, None)
        end = self._end(point, bound, held)
        return analysis.limit(self.algebra, self.scalar(body, {**bound, x: name}, held), name, end, direction)

    def _end(self, e, bound, held):
        if e == INFINITY:
            return "oo"
        return "-oo" if e == -INFINITY else self.scalar(e, bound, held)

    def derivative(self, function, place, at, held):
        """The derivative by `place` (at the entry `at`) of what `function` lowers.

        A hypothesis holds at the point, not around it, so it is set aside until the derivative is taken. Then `place`
        takes its own meaning again.
        """
        with self.algebra.rules_set_aside():
            out = differentiate(self.algebra, function(), place.name, at)
            if place in self.definitions and place not in held:
                if isinstance(place, Symbol):
                    value = self.scalar(place, {}, held)
                    out = replace_entries(self.algebra, out, place.name, lambda: value)
                else:
                    out = replace_entries(self.algebra, out, place.name, lambda i, j: self.entry(place, i, j, {}, held))
        return rebuilt(self.algebra, out) if self.algebra.rules_applied else out

    _SCALARS: ClassVar = {
        Number: _number,
        Symbol: _symbol,
        type(PI): _constant,
        Plus: _plus,
        Times: _times,
        Quotient: _quotient,
        Power: _power,
        Sum: _sum,
        Delta: _delta,
        Entry: _entry,
        Apply: _apply,
        Trace: _trace,
        Inner: _inner,
        Norm: _norm,
        Functional: _functional,
        Partial: _partial,
        Integral: _integral,
        Limit: _limit,
    }

    # -- matrices, entry by entry ------------------------------------------------------------------

    def entry(self, m, i, j, bound, held):
        """The normal form of ``m[i, j]``; `i` and `j` are the algebra's indices."""
        rule = self._ENTRIES.get(type(m))
        if rule is None:
            raise ExpressionError(f"no rule gives the entries of {m} ({type(m).__name__})")
        return rule(self, m, i, j, bound, held)

    def _entry_of_name(self, m, i, j, bound, held):
        definition = self.definitions.get(m)
        if definition is None or m in held:
            return self.algebra.entry(m.name, i, j)
        key = (m, held, self.algebra.rules_applied)
        if key not in self._generic:
            p, q = (self._running(d) for d in m.shape)
            if definition.indices is None:
                value = self.entry(definition.body, p, q, {}, held)
            else:
                meant = {k: x for k, x in zip(definition.indices, (p, q), strict=True) if isinstance(k, Symbol)}
                value = self.scalar(definition.body, meant, held)
            self._generic[key] = p, q, value
        p, q, value = self._generic[key]
        return self.algebra.rename(value, {p: i, q: j})

    def _entry_of_plus(self, m, i, j, bound, held):
        return self.algebra.add(*(self.entry(t, i, j, bound, held) for t in m.args))

    def _entry_of_times(self, m, i, j, bound, held):
        scalars = [self.scalar(f, bound, held) for f in m.args if not f.is_matrix]
        matrices = [f for f in m.args if f.is_matrix]
        between = [self._running(f.cols) for f in matrices[:-1]]
        path = [i, *between, j]
        entries = [self.entry(f, a, b, bound, held) for f, a, b in zip(matrices, path, path[1:], strict=False)]
        out = entries[-1]
        for k, e in zip(reversed(between), reversed(entries[:-1]), strict=True):
            out = self._total(self.algebra.multiply(e, out), k)
        return self.algebra.multiply(*scalars, out)

    def _entry_of_quotient(self, m, i, j, bound, held):
        below = self.algebra.power(self.scalar(m.args[1], bound, held), -1)
        return self.algebra.multiply(self.entry(m.args[0], i, j, bound, held), below)

    def _entry_of_transpose(self, m, i, j, bound, held):
        return self.entry(m.args[0], j, i, bound, held)

    def _entry_of_hadamard(self, m, i, j, bound, held):
        return self.algebra.multiply(*(self.entry(f, i, j, bound, held) for f in m.args))

    def _entry_of_divide(self, m, i, j, bound, held):
        top, *below = (self.entry(f, i, j, bound, held) for f in m.args)
        return self.algebra.multiply(top, *(self.algebra.power(b, -1) for b in below))

    def _entry_of_apply(self, m, i, j, bound, held):
        return self._function(m.function, self.entry(m.argument, i, j, bound, held))

    def _entry_of_ones(self, m, i, j, bound, held):
        return constant(1)

    def _entry_of_zeros(self, m, i, j, bound, held):
        return constant(0)

    def _entry_of_identity(self, m, i, j, bound, held):
        return self.algebra.delta(i, j)

    def _entry_of_diagonal(self, m, i, j, bound, held):
        v = m.args[0]
        at = (i, "0") if v.cols == ONE else ("0", i)
        return self.algebra.multiply(self.algebra.delta(i, j), self.entry(v, *at, bound, held))

    def _entry_of_grad(self, m, i, j, bound, held):
        e, v = m.args
        return self.derivative(lambda: self.scalar(e, bound, held | {v}), v, (i, j), held)

    def _entry_of_jacobian(self, m, i, j, bound, held):
        z, x = m.args
        of = (i, "0") if z.cols == ONE else ("0", i)
        by = (j, "0") if x.cols == ONE else ("0", j)
        return self.derivative(lambda: self.entry(z, *of, bound, held | {x}), x, by, held)

    _ENTRIES: ClassVar = {
        Matrix: _entry_of_name,
        Plus: _entry_of_plus,
        Times: _entry_of_times,
        Quotient: _entry_of_quotient,
        Transpose: _entry_of_transpose,
        Hadamard: _entry_of_hadamard,
        Divide: _entry_of_divide,
        Apply: _entry_of_apply,
        Ones: _entry_of_ones,
        Zeros: _entry_of_zeros,
        Identity: _entry_of_identity,
        Diagonal: _entry_of_diagonal,
        Grad: _entry_of_grad,
        Jacobian: _entry_of_jacobian,
    }

    # -- indices and functions ---------------------------------------------------------------------

    def _index(self, k, bound):
        if isinstance(k, Number):
            return str(k.value.numerator)
        return bound.get(k, k.name)

    def _size(self, d):
        if isinstance(d, Number):
            return constant(d.value)
        self.algebra.sizes.add(d.name)
        return self.algebra.symbol(d.name, positive=True)

    def _running(self, d):
        """A fresh index over a dimension; a dimension of one has the index 0 only."""
        if d == ONE:
            return "0"
        return self.algebra.fresh(constant(0), self.algebra.subtract(self._size(d), constant(1)))

    def _total(self, poly, *indices):
        return self.algebra.sum_over(poly, [k for k in indices if k != "0"])

    def _function(self, f, x):
        if not f.known:
            return self.algebra.undefined(f.name, f.order, x)
        return _MEANINGS[f.name](self.algebra, x)

    # -- hypotheses --------------------------------------------------------------------------------

    def assume_inequality(self, h, free):
        """Take an inequality as a hypothesis about a sign, for every value of the indices that `free` has ranges of."""
        shaped = next((e for e in (h.less, h.more) if e.is_matrix), None)
        at = () if shaped is None else [self._running(d) for d in shaped.shape]
        less, more = (self.entry(e, *at, {}, frozenset()) if e.is_matrix else self.scalar(e) for e in (h.less, h.more))
        wildcards = {**free, **{k: self.algebra.ranges[k] for k in at if k != "0"}}
        self.algebra.assume_sign(self.algebra.subtract(more, less), wildcards, h.strict)

    def assume(self, left, right, free):
        """Take `left` = `right` as a hypothesis, for every value of the indices that `free` has ranges of."""
        if left.is_matrix:
            i, j = (self._running(d) for d in left.shape)
            difference = self.algebra.subtract(
                self.entry(left, i, j, {}, frozenset()), self.entry(right, i, j, {}, frozenset())
            )
            free = {k: self.algebra.ranges[k] for k in (i, j) if k != "0"}
        else:
            difference = self.algebra.subtract(self.scalar(left), self.scalar(right))
        if not difference.terms:
            return
        candidates = [m for m in difference.terms if len(m) == 1 and isinstance(m[0][1], int) and m[0][1] > 0]
        elsewhere = lambda m: sum(any(a is m[0][0] for a, _ in n) for n in difference.terms)  # noqa: E731
        usable = [m for m in candidates if elsewhere(m) == 1 or m[0][1] > 1]
        usable = [m for m in usable if all(k in m[0][0].indices for k in free if k in difference.indices)]
        if not usable:
            raise HypothesisError(
                f"the hypothesis {left} = {right} cannot be used: it has no entry or sum that stands alone on one side"
            )
        lead = max(usable, key=lambda m: (_WORTH.get(m[0][0].kind, 0), m[0][1], m[0][0].order))
        rest = {m: c for m, c in difference.terms.items() if m != lead}
        value = self.algebra.scale(type(difference)(rest), Number(-1).value / difference.terms[lead])
        ((atom, exponent),) = lead
        self.algebra.assume(atom, exponent, {k: limits for k, limits in free.items() if k in atom.indices}, value)


# Which atom of a hypothesis is rewritten: the largest thing that stands alone.
_WORTH = {"functional": 5, "sum": 4, "undefined": 3, "named": 3, "log": 3, "exp": 3, "entry": 2, "symbol": 1}


def _sigmoid(algebra, x):
    return algebra.power(algebra.add(constant(1), algebra.exp(algebra.scale(x, -1))), -1)


def _tanh(algebra, x):
    square = algebra.exp(algebra.scale(x, 2))
    below = algebra.power(algebra.add(square, constant(1)), -1)
    return algebra.multiply(algebra.subtract(square, constant(1)), below)


def _half_of_exponentials(sign):
    def meaning(algebra, x):
        both = algebra.add(algebra.exp(x), algebra.scale(algebra.exp(algebra.scale(x, -1)), sign))
        return algebra.scale(both, Number("1/2").value)

    return meaning


_MEANINGS = {
    "exp": lambda algebra, x: algebra.exp(x),
    "log": lambda algebra, x: algebra.log(x),
    "sqrt": lambda algebra, x: algebra.power(x, Number("1/2").value),
    "sin": lambda algebra, x: algebra.named("sin", x),
    "cos": lambda algebra, x: algebra.named("cos", x),
    "sinh": _half_of_exponentials(-1),
    "cosh": _half_of_exponentials(1),
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": lambda algebra, x: algebra.log(algebra.add(constant(1), algebra.exp(x))),
    "relu": lambda algebra, x: algebra.multiply(x, algebra.step(x)),
    "step": lambda algebra, x: algebra.step(x),
    "sign": lambda algebra, x: algebra.sign(x),
    "abs": lambda algebra, x: algebra.absolute(x),
}
