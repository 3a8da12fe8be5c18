"""Hypotheses: equations that rewrite atoms, and what is known about signs."""

from contextlib import contextmanager

from .atoms import Polynomial, all_positive, atom_not_negative, constant, exact, is_even, is_literal
from .errors import HypothesisError
from .powers import positive_factors


class Assumptions:
    """Equations and signs that hold by hypothesis."""

    def assume(self, pattern, exponent, wildcards, value):
        """From now on, `pattern` to the power `exponent` is `value`, whatever its wildcard indices are.

        `wildcards` has the range of each by its name: it stands for indices of this range, and for no other number.

        Raises
        ------
        HypothesisError
            If the value holds the pattern again, so that the rewriting would not end.
        """
        again = [a for m in value.terms for a, e in m if e >= exponent] if exponent > 1 else self.atoms_of(value)
        if any(self._match(pattern, wildcards, a) is not None for a in again):
            raise HypothesisError("a hypothesis whose one side holds the other again, such as A = Aᵀ, cannot be used")
        self._rules.append((pattern, exponent, dict(wildcards), value))
        for memo in (self._renamed, self._products, self._divided):
            memo.clear()

    def apply_rules(self, monomial, coefficient):
        if self._rules:
            for a, e in monomial:
                for pattern, exponent, wildcards, value in self._rules:
                    whole = isinstance(e, int) and e >= exponent if e > 0 else isinstance(e, int) and exponent == 1
                    mapping = self._match(pattern, wildcards, a) if whole else None
                    if mapping is not None:
                        renamed = self.rename(value, mapping) if mapping else value
                        rest = {f: k for f, k in monomial if f is not a}
                        taken = e if exponent == 1 else exponent
                        factor = self.power(renamed, e) if exponent == 1 else renamed
                        if e != taken:
                            rest[a] = e - taken
                        return self.scale(self.multiply(self.monomial(rest), factor), coefficient)
        return Polynomial({monomial: exact(coefficient)} if coefficient else {})

    def _match(self, pattern, wildcards, a):
        """The values of the wildcards that make the pattern this atom, or None."""
        if a is pattern and all(self.ranges.get(w) == limits for w, limits in wildcards.items()):
            return {}
        if a.order[0] != pattern.order[0] or not wildcards:
            return None
        with self.rules_set_aside():
            return self._search(pattern, wildcards, a)

    @property
    def rules_applied(self):
        """How many equations are applied now; what was made with fewer of them may have another form."""
        return len(self._rules)

    @contextmanager
    def rules_set_aside(self):
        """Work without the equations for a while; what is remembered with them and without them is kept apart."""
        if not self._rules:
            yield
            return
        rules, memos = self._rules, (self._renamed, self._products, self._divided)
        self._rules, (self._renamed, self._products, self._divided) = [], self._without_rules
        try:
            yield
        finally:
            self._rules, (self._renamed, self._products, self._divided) = rules, memos

    def _search(self, pattern, wildcards, a):
        targets = sorted(a.indices) + [k for k in _literals(a) if k not in a.indices]
        for c in self.choices(wildcards, targets):
            renamed = self.rename_atom(pattern, 1, c)
            if renamed == Polynomial({((a, 1),): 1}):
                return c
        return None

    def choices(self, wildcards, targets):
        """All ways to put a target in the place of each wildcard: a written number, or an index of the same range."""
        ways = [{}]
        for w, limits in wildcards.items():
            fitting = [t for t in targets if is_literal(t) or self.ranges.get(t) == limits]
            ways = [{**way, w: t} for way in ways for t in fitting]
        return ways

    def assume_sign(self, poly, wildcards, strict):
        """From now on the polynomial is positive (or not negative), whatever its wildcard indices are."""
        self._signs.append((poly, dict(wildcards), strict))

    def is_positive(self, poly):
        """Whether it is known to be positive: by its factors, by a hypothesis, or because sizes are at least 1."""
        if not poly.terms:
            return False
        if all(c > 0 and all_positive(m) for m, c in poly.terms.items()):
            return True
        above_one = self._from_one(poly)
        if above_one is not None and above_one.terms.get((), 0) > 0 and min(above_one.terms.values()) > 0:
            return True
        return any(strict and self._same_sign(poly, p, wildcards) for p, wildcards, strict in self._signs)

    def is_not_negative(self, poly):
        """Whether it is known to be positive or zero."""
        if all(c > 0 and all(atom_not_negative(a) or is_even(e) for a, e in m) for m, c in poly.terms.items()):
            return True
        above_one = self._from_one(poly)
        if above_one is not None and min(above_one.terms.values(), default=0) >= 0:
            return True
        return any(self._same_sign(poly, p, wildcards) for p, wildcards, _ in self._signs)

    def _from_one(self, poly):
        """A polynomial of sizes alone, in terms of how much each exceeds 1; None if it holds anything else."""
        sizes = [
            a.kind == "symbol" and a.data in self.sizes and isinstance(e, int) and e > 0
            for m in poly.terms
            for a, e in m
        ]
        if not sizes or not all(sizes):
            return None
        parts = []
        for m, c in poly.terms.items():
            shifted = [self.power(self.add(constant(1), Polynomial({((a, 1),): 1})), e) for a, e in m]
            parts.append(self.scale(self.multiply(*shifted), c))
        return self.add(*parts)

    def _same_sign(self, poly, pattern, wildcards):
        """Whether a polynomial is a positive multiple of a pattern, or exceeds it by what is not negative."""
        signs, self._signs = self._signs, []
        try:
            core = self.without_content(poly, positive_factors)[2]
            for known in (self.rename(pattern, c) for c in self.choices(wildcards, ["0", *sorted(poly.indices)])):
                if self.is_not_negative(self.subtract(poly, known)):
                    return True
                if known.terms and self.without_content(known, positive_factors)[2] == core:
                    return True
            return False
        finally:
            self._signs = signs


def _literals(a):
    if a.kind == "entry":
        return [k for k in a.data[1:] if is_literal(k)]
    return ["0"]
