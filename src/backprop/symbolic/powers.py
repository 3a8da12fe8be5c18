"""Powers, roots and fractions.

A power of a sum stays an atom (of the kind "base") unless its exponent is a positive whole number. Before that,
the common factor of the terms comes out, fractions inside are brought to one denominator, and a perfect square
leaves its root.
"""

from fractions import Fraction
from math import isqrt

from .atoms import Polynomial, atom_not_negative, constant, exact, is_even
from .errors import ZeroDenominator

LARGEST_TRIAL_DIVISOR = 1000


class Powers:
    """Rational powers."""

    def power(self, poly, exponent):
        """A polynomial to a rational power."""
        exponent = exact(Fraction(exponent))
        if exponent == 0:
            return constant(1)
        if not poly.terms:
            if exponent < 0:
                raise ZeroDenominator("a denominator is zero")
            return poly
        if len(poly.terms) == 1:
            return self._power_of_monomial(*next(iter(poly.terms.items())), exponent)
        if isinstance(exponent, int) and exponent > 0:
            out = constant(1)
            for _ in range(exponent):
                out = self.multiply(out, poly)
            return out
        if isinstance(exponent, int):
            above, below = self.together(poly)
            if below:
                lifted = self.monomial({a: exact(-k * exponent) for a, k in below.items()})
                return self.multiply(self.power(above, exponent), lifted)
        content, coefficient, core = self.without_content(poly, anything if isinstance(exponent, int) else under_a_root)
        outside = self._power_of_monomial(content, coefficient, exponent)
        root = self._square_root(core) if exponent.denominator == 2 else None
        if root is not None:
            return self.multiply(outside, self._power_of_size(root, exact(2 * exponent)))
        base = self.over("base", "", core, "", self.is_positive(core))
        return self.multiply(outside, self.monomial({base: exponent}))

    def _power_of_monomial(self, monomial, coefficient, exponent):
        if isinstance(exponent, int):
            out = self.monomial({a: exact(e * exponent) for a, e in monomial})
            return self.scale(out, Fraction(coefficient) ** exponent)
        parts, others = [], []
        for a, e in monomial:
            if a.positive or (a.kind == "sum" and atom_not_negative(a)):
                parts.append(self.monomial({a: exact(e * exponent)}))
            elif is_even(e) and exponent.denominator == 2:
                parts.append(self._power_of_size(Polynomial({((a, 1),): 1}), exact(e * exponent)))
            else:
                others.append((a, e))
        size = Fraction(abs(coefficient))
        for number, e in ((size.numerator, exponent), (size.denominator, -exponent)):
            for prime in _prime_factors(number):
                parts.append(self.monomial({self.over("base", "", constant(prime), str(prime), True): e}))
        if others or coefficient < 0:
            inside = Polynomial({tuple(others): -1 if coefficient < 0 else 1})
            parts.append(self.monomial({self.over("base", "", inside, ""): exponent}))
        return self.multiply(*parts)

    def _power_of_size(self, poly, exponent):
        """|poly| to a whole power."""
        out = self.power(poly, exponent)
        return out if exponent % 2 == 0 or self.is_not_negative(poly) else self.multiply(out, self.sign(poly))

    def _square_root(self, poly):
        """A polynomial whose square this is, found term by term from the leading one; None if there is none."""
        lead, coefficient, _ = self.leading(poly)
        if any(not is_even(e) or e < 0 for _, e in lead) or not _is_square(coefficient):
            return None
        first = tuple((a, e // 2) for a, e in lead)
        root = Polynomial({first: exact(Fraction(isqrt(coefficient.numerator), isqrt(coefficient.denominator)))})
        for _ in range(len(poly.terms)):
            rest = self.subtract(poly, self.multiply(root, root))
            if not rest.terms:
                return root
            lead, coefficient, _ = self.leading(rest)
            quotient = {
                a: e - dict(first).get(a, 0) for a, e in {**dict.fromkeys(dict(first), 0), **dict(lead)}.items()
            }
            if any(not isinstance(e, int) or e < 0 for e in quotient.values()):
                return None
            term = self.monomial(quotient)
            root = self.add(root, self.scale(term, Fraction(coefficient) / (2 * root.terms[first])))
            if first not in root.terms:
                return None
        return None

    def without_content(self, poly, taken):
        """The common factor of all terms, its coefficient, and what remains; `taken` says what may come out."""
        least = None
        for m in poly.terms:
            here = dict(m)
            least = here if least is None else {a: min(least.get(a, 0), here.get(a, 0)) for a in {**least, **here}}
        content = {a: out for a, e in least.items() if e and (out := taken(a, e))}
        content = tuple(sorted(content.items(), key=lambda f: f[0].order))
        first = self.leading(poly)[0]
        coefficient = poly.terms[first] if taken is anything else abs(poly.terms[first])
        inverse = self.scale(self.monomial({a: -e for a, e in content}), 1 / Fraction(coefficient))
        return content, coefficient, self.multiply(poly, inverse)

    def together(self, poly):
        """Numerator and denominators: the polynomial is ``numerator · Π base⁻ᵏ`` for the ``{base: k}`` returned."""
        below = {}
        for m in poly.terms:
            for a, e in m:
                if a.kind == "base" and e < 0:
                    below[a] = max(below.get(a, 0), -e)
        parts = []
        for m, c in poly.terms.items():
            exponents = dict(m)
            for a, e in below.items():
                exponents[a] = exact(exponents.get(a, 0) + e)
            parts.append(self.scale(self.monomial(exponents), c))
        return (self.add(*parts), below) if below else (poly, below)

    def clear_denominators(self, poly):
        """A polynomial that is zero exactly where this one is, free of powers of sums (which are not zero)."""
        for _ in range(8):
            least = {}
            for m in poly.terms:
                for a, e in m:
                    if a.kind == "base":
                        least[a] = min(least.get(a, 0), e)
            shift = {a: e for a, e in least.items() if e}
            if not shift:
                return poly
            parts = []
            for m, c in poly.terms.items():
                exponents = dict(m)
                for a, e in shift.items():
                    exponents[a] = exact(exponents.get(a, 0) - e)
                parts.append(self.scale(self.monomial(exponents), c))
            poly = self.add(*parts)
        return poly


def _prime_factors(number):
    """The prime factors, so that the root of 8 is twice the root of 2; what is left of a large number stays whole."""
    out, p = [], 2
    while p * p <= number and p < LARGEST_TRIAL_DIVISOR:
        while number % p == 0:
            out.append(p)
            number //= p
        p += 1
    return [*out, number] if number > 1 else out


def _is_square(value):
    return value > 0 and all(isqrt(n) ** 2 == n for n in (value.numerator, value.denominator))


def anything(a, exponent):
    return exponent


def positive_factors(a, exponent):
    return exponent if a.positive else 0


def under_a_root(a, exponent):
    if a.positive or (a.kind == "sum" and atom_not_negative(a)):
        return exponent
    return exponent - exponent % 2 if isinstance(exponent, int) else 0
