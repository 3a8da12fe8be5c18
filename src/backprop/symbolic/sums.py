"""Sums over ranges: deltas use up indices, and sums fall apart into connected ones.

- A sum that begins after 0 is the sum from 0 less its first terms; a short sum of known length is written out.
- Σₐ δ(a, b) f(a) = f(b), where b lies in the range of a.
- A sum of sums is one sum; then it falls apart where its factors share no bound index: Σₙₖ aₙ bₖ = (Σₙ aₙ)(Σₖ bₖ), and
  Σₙ 1 is the length of the range.
"""

from .atoms import Polynomial, constant, is_literal

LONGEST_EXPLICIT_SUM = 8  # sums over a range of known, short length are written out


class Sums:
    """Sums over bound indices."""

    def fresh(self, low, high):
        """A new bound index with its range."""
        index = f"~{next(self._fresh)}"
        self.ranges[index] = (low, high)
        return index

    def sum_over(self, poly, bound):
        """The sum of a polynomial over bound indices made by `fresh`."""
        for k in bound:
            low, high = (end.number for end in self.ranges[k])
            if low is not None and high is not None and high - low < LONGEST_EXPLICIT_SUM:
                rest = [b for b in bound if b != k]
                values = [self.rename(poly, {k: str(v)}) for v in range(int(low), int(high) + 1)]
                return self.sum_over(self.add(*values), rest)
            if low is not None and 0 < low < LONGEST_EXPLICIT_SUM:
                rest = [b for b in bound if b != k]
                whole = self.fresh(constant(0), self.ranges[k][1])
                missing = [self.rename(poly, {k: str(v)}) for v in range(int(low))]
                all_of_it = self.sum_over(self.rename(poly, {k: whole}), [*rest, whole])
                return self.subtract(all_of_it, self.sum_over(self.add(*missing), rest))
        return self.add(*(self.scale(self._sum_monomial(m, tuple(bound)), c) for m, c in poly.terms.items()))

    def _sum_monomial(self, monomial, bound):
        self.tick()
        if not bound:
            return Polynomial({monomial: 1})
        return self._contract(monomial, bound) or self._open_inner_sums(monomial, bound) or self._split(monomial, bound)

    def _contract(self, monomial, bound):
        for a, e in monomial:
            if a.kind != "delta" or e < 0:
                continue
            for k, other in (a.data, a.data[::-1]):
                if k in bound and self._within(other, k):
                    rest = Polynomial({tuple(f for f in monomial if f[0] is not a): 1})
                    return self.sum_over(self.rename(rest, {k: other}), [b for b in bound if b != k])
        return None

    def _within(self, index, k):
        """Whether every value of an index lies in the range of k."""
        low, high = self.ranges[k]
        if is_literal(index):
            value = int(index)
            return (
                low.number is not None
                and low.number <= value
                and (value <= high.number if high.number is not None else value == 0 == low.number)
            )
        return index in self.ranges and self.ranges[index] == (low, high)

    def _open_inner_sums(self, monomial, bound):
        for a, e in monomial:
            if a.kind == "sum" and isinstance(e, int) and e > 0 and a.indices & set(bound):
                rest = Polynomial({tuple(f for f in monomial if f[0] is not a): 1})
                opened, inner = [rest], []
                for _ in range(e):
                    names, body = self.open_sum(a)
                    inner += names
                    opened.append(body)
                return self.sum_over(self.multiply(*opened), [*bound, *inner])
        return None

    def open_sum(self, atom):
        """A connected sum's indices, made fresh, and its body."""
        ranges, body = atom.data
        names = [self.fresh(low, high) for _, low, high in ranges]
        return names, self.rename(body, {k: n for (k, _, _), n in zip(ranges, names, strict=True)})

    def _split(self, monomial, bound):
        groups, outside = _connected(monomial, bound)
        used = {k for names, _ in groups for k in names}
        parts = [Polynomial({outside: 1})]
        for k in bound:
            if k not in used:
                low, high = self.ranges[k]
                parts.append(self.add(high, self.scale(low, -1), constant(1)))
        parts += [self._connected_sum(names, factors) for names, factors in groups]
        return self.multiply(*parts)

    def _connected_sum(self, names, factors):
        """One connected sum; a part that cancels against a denominator or matches a hypothesis is summed first."""
        denominators = {a for a, e in factors if e < 0 and a.kind == "sum"}
        if len(names) > 1 and (self._rules or denominators):
            for k in names:
                inner = tuple(f for f in factors if k in f[0].indices)
                if len(inner) == len(factors):
                    continue
                coefficient, atom = self.named_sum([k], inner)
                value = self.of(atom)
                if atom in denominators or value != self.of_power(atom, 1):
                    rest = Polynomial({tuple(f for f in factors if f not in inner): 1})
                    whole = self.multiply(rest, coefficient, value)
                    return self.sum_over(whole, [b for b in names if b != k])
        coefficient, atom = self.named_sum(names, factors)
        return self.multiply(coefficient, self.of(atom))


def _connected(monomial, bound):
    """The factors grouped by shared bound indices, and the factors that have none."""
    groups, outside = [], []
    for f in monomial:
        here = [k for k in bound if k in f[0].indices]
        if not here:
            outside.append(f)
            continue
        touching = [g for g in groups if any(k in g[0] for k in here)]
        groups = [g for g in groups if g not in touching]
        names = list(dict.fromkeys([k for g in touching for k in g[0]] + here))
        groups.append((names, [x for g in touching for x in g[1]] + [f]))
    return groups, tuple(outside)
