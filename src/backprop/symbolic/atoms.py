"""What polynomials are made of: atoms, their exponents, and coefficients.

An atom is a factor that the algebra does not look into: an entry, a symbol, a Kronecker delta, a function of a
polynomial, or a connected sum. A monomial is a product of atoms with rational exponents, a polynomial a sum of
monomials with rational coefficients.

Indices are texts: ``n`` is free, ``0`` is a literal, ``~3`` is bound and temporary, ``#1`` is bound and canonical,
``$r0.1`` is the parameter of a functional's argument, and ``@1`` is a colour while names are being chosen.
"""

from fractions import Fraction


def exact(value):
    """A rational number, as an int where it is whole (ints are faster)."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


class Atom:
    """A factor that the algebra does not look into: `kind`, `data`, and the indices free in it."""

    __slots__ = ("data", "depth", "indices", "kind", "order", "positive")

    def __init__(self, kind, data, indices, depth, order, positive):
        self.kind, self.data, self.indices, self.depth = kind, data, indices, depth
        self.order, self.positive = order, positive

    def __repr__(self):
        return f"{self.kind}{self.data}"


class Polynomial:
    """A sum of monomials: ``{((atom, exponent), …): coefficient}``, never with a zero coefficient."""

    __slots__ = ("_key", "terms")

    def __init__(self, terms):
        self.terms, self._key = terms, None

    @property
    def key(self):
        """A hashable form, the same for equal polynomials."""
        if self._key is None:
            self._key = tuple(sorted(self.terms.items(), key=lambda t: [(a.order, e) for a, e in t[0]]))
        return self._key

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return isinstance(other, Polynomial) and self.terms == other.terms

    @property
    def number(self):
        """The value if it is a plain number, else None."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def indices(self):
        """All indices free in it."""
        return frozenset().union(*(a.indices for m in self.terms for a, _ in m))

    def __repr__(self):
        return f"Polynomial({self.terms})"


def constant(value):
    """The polynomial of a number."""
    return Polynomial({(): exact(value)} if value else {})


def is_literal(index):
    """Whether an index is a written number."""
    return index.isdigit()


def parts_of(a):
    """The polynomials that an atom is made of."""
    if a.kind in ("symbol", "entry", "delta"):
        return []
    if a.kind == "functional":
        return [p for _, p in a.data[3]]
    if a.kind == "integral":
        return [p for p in (*a.data[0], a.data[1]) if isinstance(p, Polynomial)]
    return [a.data[1]]


def depth_of(*indices):
    """The greatest number among canonical names; 0 if there are none."""
    return max((int(k[1:]) for k in indices if k.startswith("#")), default=0)


def all_positive(monomial):
    """Whether every factor is positive."""
    return all(a.positive for a, _ in monomial)


def is_even(exponent):
    """Whether an exponent is an even whole number."""
    return isinstance(exponent, int) and exponent % 2 == 0


def atom_not_negative(a):
    """Whether an atom is positive or zero by what it is made of."""
    if a.positive or a.kind in ("step", "delta"):
        return True
    if a.kind != "sum":
        return False
    return all(c > 0 and all(atom_not_negative(b) or is_even(e) for b, e in m) for m, c in a.data[1].terms.items())


def order_of(poly):
    """A form that can be compared: the least of several names is chosen by it."""
    return sorted(([(a.order, e) for a, e in m], c) for m, c in poly.terms.items())
