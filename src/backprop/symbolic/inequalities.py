"""Which inequalities count as proved: the rules, and nothing else.

A step ``a <= b`` is proved when one of these rules applies, in this order. What they do not cover is refused.

1. The two sides are equal.
2. It is a hypothesis (`given`), for some value of its free indices; with |x| <= c also x <= c, -x <= c and x² <= c².
3. The difference b - a is not negative: a hypothesis says so, or it is a sum of products of even powers, positive
   names, e^x, norms and 1[x > 0], or a polynomial in sizes that is not negative since sizes are at least 1.
4. Known bounds: σ(x) <= 1, tanh x <= 1, sin x <= 1, cos x <= 1, 1[x > 0] <= 1, the same for their sizes and squares,
   x <= |x|, x <= relu(x), relu(x) <= |x|, ln x <= x - 1 for x > 0.
5. Norms: ‖A + B‖ <= ‖A‖ + ‖B‖ (triangle), ‖A B‖ <= ‖A‖ ‖B‖ (submultiplicative), ⟨A, B⟩ <= ‖A‖ ‖B‖ (Cauchy-Schwarz),
   ‖A ⊙ F‖ <= c ‖A‖ where every |F[i, j]| <= c.
6. Terms that are not positive may be dropped on the left, and terms that are not negative on the right.
7. Term by term: a₁ + a₂ <= b₁ + b₂ if a₁ <= b₁ and a₂ <= b₂; for sums over one range, summand by summand.
8. Factor by factor: equal factors that are not negative cancel, and a₁ a₂ <= b₁ b₂ if 0 <= a₁ <= b₁ and 0 <= a₂ <= b₂.
9. a / c <= 1 if a <= c and c is positive.
10. exp, ln of positive numbers, square roots, tanh, σ and relu grow.
"""

from itertools import combinations

from .expressions import (
    Apply,
    Entry,
    Hadamard,
    Inner,
    Norm,
    Number,
    Plus,
    Power,
    Quotient,
    Sum,
    Symbol,
    Times,
    Transpose,
    substitute,
)
from .functions import absolute

DEEPEST = 6
_BOUNDED_BY_ONE = ("sigmoid", "tanh", "sin", "cos", "step", "sign")
_GROWING = ("exp", "sqrt", "tanh", "sigmoid", "relu", "softplus", "sinh")
_NEVER_NEGATIVE = ("exp", "sqrt", "sigmoid", "relu", "softplus", "step", "abs", "cosh")


def at_most(prover, left, right):
    """The rule by which left <= right, or None."""
    return _Comparison(prover).at_most(left, right, DEEPEST)


class _Comparison:
    def __init__(self, prover):
        self.prover, self.algebra = prover, prover.algebra

    def at_most(self, a, b, depth):
        self.prover.tick()
        if depth == 0:
            return None
        rules = (
            self._equal,
            self._hypothesis,
            self._not_negative_difference,
            self._known_bound,
            self._norm_rule,
            self._dropped_terms,
            self._term_by_term,
            self._factor_by_factor,
            self._fraction,
            self._growing,
        )
        return next((word for rule in rules if (word := rule(a, b, depth - 1))), None)

    # -- rules ---------------------------------------------------------------------------------------

    def _equal(self, a, b, depth):
        return "equal sides" if self.prover.by_normal_form(a, b) else None

    def _not_negative_difference(self, a, b, depth):
        if a == Number(0) and self._not_negative(b):
            return "the right side is not negative"
        difference = self.prover.difference(b, a)
        return "a sum of terms that are not negative" if self._poly_not_negative(difference) else None

    def _hypothesis(self, a, b, depth):
        difference = self.prover.difference(b, a)
        for h in self.prover.inequalities:
            for less, more in self._forms(h):
                if self.prover.matches(difference, less, more):
                    return "a hypothesis"
        return None

    def _forms(self, h):
        """The hypothesis itself, and what |x| <= c says besides."""
        yield h.less, h.more
        if isinstance(h.less, Apply) and h.less.function == absolute:
            x, c = h.less.argument, h.more
            yield from ((x, c), (-x, c), (Power(x, Number(2)), Power(c, Number(2))))

    def _known_bound(self, a, b, depth):
        bare = a.args[0] if isinstance(a, Power) and a.args[1] == Number(2) else a
        bare = bare.argument if isinstance(bare, Apply) and bare.function == absolute else bare
        if bare != a and isinstance(bare, Apply) and bare.function.name in _BOUNDED_BY_ONE and bare.function.known:
            return f"{bare.function.name} is at most 1 in size" if self._same(b, Number(1)) else None
        if isinstance(a, Apply) and a.function.known:
            name, x = a.function.name, a.argument
            if name in _BOUNDED_BY_ONE and self._same(b, Number(1)):
                return f"{name} is at most 1"
            if name == "relu" and self._same(b, absolute(x)):
                return "relu(x) is at most |x|"
            if name == "log" and self._positive(x) and self._same(b, x - 1):
                return "ln x is at most x - 1"
        if (
            isinstance(b, Apply)
            and b.function.known
            and b.function.name in ("abs", "relu")
            and self._same(a, b.argument)
        ):
            return f"x is at most {b.function.name}(x)"
        return None

    def _norm_rule(self, a, b, depth):
        if isinstance(a, Inner) and self._same(b, Norm(a.args[0]) * Norm(a.args[1])):
            return "Cauchy-Schwarz"
        if not isinstance(a, Norm):
            return None
        m = a.args[0]
        if isinstance(m, Plus):
            parts = [Norm(_without_sign(t)) for t in m.args]
            if self._same(b, Plus(*parts)):
                return "triangle inequality"
        if isinstance(m, Times):
            factors = [Norm(f) if f.is_matrix else absolute(f) for f in m.args]
            if self._same(b, Times(*factors)):
                return "the norm of a product is at most the product of the norms"
        if isinstance(m, Hadamard) and len(m.args) == 2:
            for kept, bounded in (m.args, m.args[::-1]):
                bound = self._cofactor(b, Norm(kept))
                if bound is not None and self._entries_bounded(bounded, bound):
                    return "every entry of one factor is bounded"
        return None

    def _cofactor(self, b, norm):
        """c, where b is written as c · norm."""
        factors = _factors(b)
        if norm not in factors or len(factors) < 2:
            return None
        rest = list(factors)
        rest.remove(norm)
        return _product(rest)

    def _entries_bounded(self, m, bound):
        i, j = Symbol("row of any entry", integer=True), Symbol("column of any entry", integer=True)
        at = [k if d != Number(1) else Number(0) for k, d in zip((i, j), m.shape, strict=True)]
        self.prover.let_range(dict(zip((i, j), m.shape, strict=True)))
        return self.at_most(absolute(_entry_of(m, *at)), bound, 2)

    def _dropped_terms(self, a, b, depth):
        for whole, sign, rest in ((a, -1, lambda kept: (kept, b)), (b, 1, lambda kept: (a, kept))):
            terms = whole.args if isinstance(whole, Plus) else ()
            free = [t for t in terms if self._not_negative(t if sign > 0 else -t)]
            for count in range(1, min(len(free), 3) + 1):
                for dropped in combinations(free, count):
                    kept = [t for t in terms if t not in dropped]
                    remaining = kept[0] if len(kept) == 1 else Plus(*kept) if kept else Number(0)
                    if self.at_most(*rest(remaining), min(depth, 2)):
                        return "a dropped term is not positive" if sign < 0 else "an added term is not negative"
        return None

    def _term_by_term(self, a, b, depth):
        if isinstance(a, Plus) and isinstance(b, Plus) and len(a.args) == len(b.args):
            both = zip(a.args, b.args, strict=True)
            return "term by term" if all(self.at_most(x, y, depth) for x, y in both) else None
        if isinstance(a, Sum) and isinstance(b, Sum) and [x[1:] for x in a.limits] == [y[1:] for y in b.limits]:
            # Both sums get indices that occur nowhere else, so that none is captured.
            new = [Symbol(f"summand {depth} {n}", integer=True) for n in range(len(a.limits))]
            x, y = (substitute(e.body, {limit[0]: k for limit, k in zip(e.limits, new, strict=True)}) for e in (a, b))
            return "summand by summand" if self.at_most(x, y, depth) else None
        return None

    def _factor_by_factor(self, a, b, depth):
        left, right = _factors(a), _factors(b)
        if len(left) == len(right) == 1 or len(left) > 6 or len(right) > 6:
            return None
        for f in list(left):
            twin = next((g for g in right if self._same(f, g)), None)
            if twin is not None and self._not_negative(f):
                left.remove(f)
                right.remove(twin)
        if len(left) == len(_factors(a)) and len(left) != len(right):
            return None
        if len(left) != len(right) or len(left) < 2:
            found = self.at_most(_product(left), _product(right), depth)
            return f"equal factors cancel, and {found}" if found else None
        ordered = zip(left, right, strict=True)
        if all(self._not_negative(x) for x in left) and all(self.at_most(x, y, depth) for x, y in ordered):
            return "factor by factor"
        return None

    def _fraction(self, a, b, depth):
        if not (isinstance(a, Quotient) and self._positive(a.args[1])):
            return None
        found = self.at_most(a.args[0], a.args[1] if b == Number(1) else b * a.args[1], depth)
        return f"multiplied by the positive denominator, {found}" if found else None

    def _growing(self, a, b, depth):
        if not (isinstance(a, Apply) and isinstance(b, Apply) and a.function == b.function and a.function.known):
            return None
        name = a.function.name
        grows = name in _GROWING or (name == "log" and self._positive(a.argument))
        return f"{name} grows" if grows and self.at_most(a.argument, b.argument, depth) else None

    # -- signs ---------------------------------------------------------------------------------------

    def _same(self, a, b):
        return a == b or (a.shape == b.shape and self.prover.by_normal_form(a, b))

    def _positive(self, e):
        normal = self.prover.normal(e)
        strict = [h for h in self.prover.inequalities if h.strict]
        return self.algebra.is_positive(normal) or any(self.prover.matches(normal, h.less, h.more) for h in strict)

    def _not_negative(self, e):
        if isinstance(e, Number):
            return e.value >= 0
        if isinstance(e, Norm) or (isinstance(e, Apply) and e.function.known and e.function.name in _NEVER_NEGATIVE):
            return True
        if isinstance(e, Power) and isinstance(e.args[1], Number) and e.args[1].value % 2 == 0:
            return True
        if isinstance(e, Inner) and e.args[0] == e.args[1]:
            return True
        if isinstance(e, Plus | Times | Quotient) and all(map(self._not_negative, e.args)):
            return True
        if isinstance(e, Times):
            signs = [f for f in e.args if not self._not_negative(f)]
            if len(signs) == 2 and all(isinstance(f, Number) for f in signs):
                return True
        if isinstance(e, Sum) and self._not_negative(e.body):
            return True
        if self._poly_not_negative(self.prover.normal(e)):
            return True
        return self._hypothesis(Number(0), e, 0) is not None

    def _poly_not_negative(self, poly):
        return self.algebra.is_not_negative(poly)


def _factors(e):
    """The factors of a scalar, and 1/c for each quotient by c."""
    if isinstance(e, Times):
        return [f for part in e.args for f in _factors(part)]
    if isinstance(e, Quotient):
        return [*_factors(e.args[0]), Quotient(Number(1), e.args[1])] if e.args[0] != Number(1) else [e]
    if isinstance(e, Power) and isinstance(e.args[1], Number) and e.args[1].value in (2, 3):
        return _factors(e.args[0]) * int(e.args[1].value) if isinstance(e.args[0], Times) else [e]
    return [e]


def _product(factors):
    if not factors:
        return Number(1)
    return factors[0] if len(factors) == 1 else Times(*factors)


def _without_sign(e):
    if isinstance(e, Times) and e.args[0] == Number(-1):
        return Times(*e.args[1:]) if len(e.args) > 2 else e.args[1]
    return e


def _entry_of(m, i, j):
    """``m[i, j]``, written out where that is a function of an entry."""
    if isinstance(m, Apply):
        return m.function(_entry_of(m.argument, i, j))
    if isinstance(m, Transpose):
        return _entry_of(m.args[0], j, i)
    return Entry(m, i, j)
