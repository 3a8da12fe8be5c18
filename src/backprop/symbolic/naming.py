"""Canonical names for bound indices, so that sums that differ by names alone become one atom.

Indices are told apart by colours: at first by their ranges, then again and again by the factors in which they
stand and the colours of their neighbours there. Where colours cannot tell indices apart, every order is tried and
the least form is kept.
"""

from .atoms import Polynomial, all_positive, constant, order_of


class Naming:
    """Connected sums under canonical names."""

    def named_sum(self, names, factors):
        """The connected sum under the least of its canonical names, and the number that comes out of it."""
        base = 1 + max(a.depth for a, _ in factors)
        best = None
        for order in self._candidate_orders(names, factors):
            mapping = {k: f"#{base + n}" for n, k in enumerate(order)}
            body = self.multiply(*(self.rename_atom(a, e, mapping) for a, e in factors))
            key = order_of(body)
            if best is None or key < best[0]:
                best = key, body, tuple((mapping[k], *self.ranges[k]) for k in order)
        _, body, ranges = best
        coefficient = constant(1)
        if len(body.terms) == 1:
            ((m, c),) = body.terms.items()
            body, coefficient = Polynomial({m: 1}), constant(c)
        indices = frozenset(k for a, _ in factors for k in a.indices if k not in names)
        skeleton = " ".join(sorted(f"{a.order[0]}^{e}" for a, e in factors))
        some = all(self.is_positive(self.add(high, self.scale(low, -1), constant(1))) for _, low, high in ranges)
        positive = some and all(c > 0 and all_positive(m) for m, c in body.terms.items())
        depth = max(base + len(names) - 1, self.depth(body))
        return coefficient, self.atom("sum", (ranges, body), indices, depth, skeleton, positive)

    def _candidate_orders(self, names, factors):
        """Orders of the bound indices of which one gives the least form."""
        if len(names) == 1:
            return [names]
        colours = {k: repr([order_of(end) for end in self.ranges[k]]) for k in names}
        return list(self._told_apart(self._refine(colours, factors), factors))

    def _told_apart(self, colours, factors):
        """Every order in which the colours leave nothing open: of indices of one colour, each is put first in turn."""
        classes = {}
        for k, c in colours.items():
            classes.setdefault(c, []).append(k)
        open_class = next((classes[c] for c in sorted(classes) if len(classes[c]) > 1), None)
        if open_class is None:
            yield sorted(colours, key=colours.get)
            return
        for first in open_class:
            split = {k: 2 * c - (k == first) for k, c in colours.items()}
            yield from self._told_apart(self._refine(split, factors), factors)

    def _refine(self, colours, factors):
        """Colours that tell apart as many indices as their places in the factors and their neighbours allow."""
        while True:
            self.tick()
            ranked = {c: n for n, c in enumerate(sorted(set(colours.values())))}
            names = {k: f"@{ranked[c]}" for k, c in colours.items()}
            refined = {}
            for k in colours:
                marked = [(self.rename_atom(a, 1, {**names, k: "@self"}), e) for a, e in factors if k in a.indices]
                refined[k] = repr((ranked[colours[k]], sorted((order_of(p), e) for p, e in marked)))
            if len(set(refined.values())) == len(ranked):
                return {k: ranked[colours[k]] for k in colours}
            colours = refined
