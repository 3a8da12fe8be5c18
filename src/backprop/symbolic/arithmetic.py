"""Sums and products of polynomials."""

from fractions import Fraction

from .atoms import Polynomial, constant, exact


class Arithmetic:
    """Addition and multiplication, multiplied out."""

    def add(self, *polys):
        """The sum."""
        out = {}
        for p in polys:
            for m, c in p.terms.items():
                total = out.get(m, 0) + c
                if total:
                    out[m] = exact(total)
                else:
                    out.pop(m, None)
        return Polynomial(out)

    def scale(self, poly, factor):
        """A number times a polynomial."""
        return Polynomial({m: exact(c * factor) for m, c in poly.terms.items()} if factor else {})

    def subtract(self, a, b):
        """The difference."""
        return self.add(a, self.scale(b, -1))

    def multiply(self, *polys):
        """The product, multiplied out."""
        out = constant(1)
        for p in polys:
            if len(out.terms) == 1 and out.number is not None:
                out = self.scale(p, out.number)
                continue
            parts = []
            for m, c in out.terms.items():
                for n, d in p.terms.items():
                    parts.append(self.scale(self._multiply_monomials(m, n), c * d))
            out = self.add(*parts)
        return out

    def _multiply_monomials(self, m, n):
        if not m or not n:
            return Polynomial({m or n: 1})
        found = self._products.get((m, n))
        if found is None:
            self.tick()
            exponents = dict(m)
            for a, e in n:
                exponents[a] = exact(exponents.get(a, 0) + e)
            found = self._products[m, n] = self.monomial(exponents)
        return found

    def monomial(self, exponents):
        """The product of atoms with the given exponents, by the rules for each kind of atom."""
        plain, parts, coefficient = {}, [], 1
        for a, e in exponents.items():
            if a.kind in ("step", "delta") and e > 0:
                e = 1
            if a.kind == "base" and (e > 0 or a.data[1].number is not None):
                whole = e.numerator // e.denominator  # the floor
                if (number := a.data[1].number) is not None:
                    coefficient = coefficient * Fraction(number) ** whole
                elif whole:
                    parts.append(self.power(a.data[1], whole))
                e = exact(e - whole)
            if e:
                plain[a] = e
        for a, e in plain.items():
            if a.kind == "delta" and e > 0 and any(a.data[1] in f.indices for f in plain if f is not a):
                rest = self.multiply(*parts, *(self.of_power(f, k) for f, k in plain.items() if f is not a))
                renamed = self.rename(rest, {a.data[1]: a.data[0]})
                return self.scale(self.multiply(Polynomial({((a, 1),): 1}), renamed), coefficient)
        ordered = tuple(sorted(plain.items(), key=lambda f: f[0].order))
        out = self._divide_by_bases(ordered, exact(coefficient))
        return self.multiply(out, *parts) if parts else out

    @staticmethod
    def of_power(atom, exponent):
        """A power of an atom, as it stands."""
        return Polynomial({((atom, exponent),): 1})

    def _divide_by_bases(self, monomial, coefficient):
        """Rewrite lead·(lead + rest)⁻ᵏ as (lead + rest)⁻ᵏ⁺¹ - rest·(lead + rest)⁻ᵏ: one form for such fractions."""
        if monomial not in self._divided:
            self.tick()
            self._divided[monomial] = self._divided_once(monomial)
        divided = self._divided[monomial]
        return self.apply_rules(monomial, coefficient) if divided is None else self.scale(divided, coefficient)

    def _divided_once(self, monomial):
        exponents = dict(monomial)
        for base, e in monomial:
            if base.kind != "base" or e > -1:
                continue
            lead, lead_coefficient, rest = self.leading(base.data[1])
            if lead and all(exponents.get(a, 0) * k > 0 and abs(exponents[a]) >= abs(k) for a, k in lead):
                left = dict(monomial)
                for a, k in lead:
                    left[a] = exact(left[a] - k)
                raised = self.monomial({**left, base: exact(e + 1)})
                others = self.multiply(self.monomial(left), rest)
                return self.scale(self.subtract(raised, others), 1 / Fraction(lead_coefficient))
        return None

    def leading(self, poly):
        # The lexicographic order with the greatest atom first respects products, so the rewriting comes to an end.
        lead = max(poly.terms, key=lambda m: [(a.order, e) for a, e in reversed(m)])
        rest = Polynomial({m: c for m, c in poly.terms.items() if m != lead})
        return lead, poly.terms[lead], rest
