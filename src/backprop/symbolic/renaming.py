"""Renaming indices, and walking through the atoms inside atoms."""

from .atoms import Polynomial, parts_of


class Renaming:
    """Indices renamed, atoms rebuilt."""

    def rename(self, poly, mapping):
        """The polynomial with free indices renamed; bound ones have names of another kind and are not captured."""
        parts = []
        for m, c in poly.terms.items():
            if any(k in mapping for a, _ in m for k in a.indices):
                parts.append(self.scale(self.multiply(*(self.rename_atom(a, e, mapping) for a, e in m)), c))
            else:
                parts.append(Polynomial({m: c}))
        return self.add(*parts)

    def rename_atom(self, a, exponent, mapping):
        """A power of an atom with indices renamed."""
        here = tuple(sorted((k, mapping[k]) for k in a.indices if k in mapping))
        if not here:
            return Polynomial({((a, exponent),): 1})
        found = self._renamed.get((a, exponent, here))
        if found is None:
            renamed = self._rebuild(a, dict(here))
            found = self._renamed[a, exponent, here] = self.power(renamed, exponent) if exponent != 1 else renamed
        return found

    def _rebuild(self, a, mapping):
        at = lambda k: mapping.get(k, k)  # noqa: E731
        if a.kind == "symbol":
            return self.symbol(at(a.data), a.positive)
        if a.kind == "entry":
            name, i, j = a.data
            return self.entry(name, at(i), at(j))
        if a.kind == "delta":
            return self.delta(*map(at, a.data))
        if a.kind == "functional":
            slots = tuple((n, at(i), at(j)) for n, i, j in a.data[1])
            arguments = [(i, j, self.rename(p, mapping)) for i, j, p in self.open_functional(a)]
            return self.functional(a.data[0], slots, arguments)
        return self.map_inside(a, lambda p: self.rename(p, mapping))

    def map_inside(self, a, change):
        """The atom, as a polynomial, with `change` applied to the polynomial that it is made of."""
        if a.kind == "functional":
            return self.functional(*a.data[:2], [(i, j, change(p)) for i, j, p in self.open_functional(a)])
        tag, inside = a.data
        if a.kind == "undefined":
            return self.undefined(*tag, change(inside))
        if a.kind == "sum":
            names, body = self.open_sum(a)
            return self.sum_over(change(body), names)
        if a.kind == "integral":
            *ends, variable = tag
            return self.integral(
                *(change(p) if isinstance(p, Polynomial) else p for p in ends), variable, change(inside)
            )
        if a.kind == "base":
            return change(inside)
        if a.kind == "named":
            return self.named(tag, change(inside))
        return {"exp": self.exp, "log": self.log, "step": self.step}[a.kind](change(inside))

    def atoms_of(self, poly):
        """All atoms, also those inside others, each once."""
        seen, waiting = {}, [poly]
        for p in waiting:
            for m in p.terms:
                for a, _ in m:
                    if a not in seen:
                        seen[a] = None
                        waiting += parts_of(a)
        return list(seen)
