"""SymPy's part of a proof: its simplifier, its integrals and its limits.

Entries, sums and undefined functions go to SymPy as unknown real numbers, so whatever it finds holds for all of
them.
"""

from fractions import Fraction

import sympy

from .atoms import constant
from .deadline import watched


def simplifies_to_zero(poly, tick):
    """Whether SymPy reduces a polynomial of our algebra to zero."""
    e = to_sympy(poly, {})
    with watched(tick):
        return bool(e == 0 or sympy.simplify(e) == 0 or sympy.simplify(e.rewrite(sympy.exp)) == 0)


def integral(algebra, body, name, low, high):
    """The closed form of ∫ body d(name) from low to high, or None if SymPy finds none that we can read.

    `low` and `high` are polynomials, or the texts "oo" and "-oo".
    """
    if any(name in a.indices and a.kind not in _READ for m in body.terms for a in _all_atoms(m)):
        return None
    unknowns = {}
    x = sympy.Symbol("x", real=True)
    e = to_sympy(body, unknowns, {name: x})
    ends = [_end(end, unknowns) for end in (low, high)]
    with watched(algebra.tick):
        found = sympy.integrate(e, (x, *ends))
    return _back(algebra, found, unknowns)


def limit(algebra, body, name, point, direction):
    """The closed form of the limit of `body` as `name` goes to `point` from one side, or None."""
    if any(name in a.indices and a.kind not in _READ for m in body.terms for a in _all_atoms(m)):
        return None
    unknowns = {}
    x = sympy.Symbol("x", real=True)
    e, end = to_sympy(body, unknowns, {name: x}), _end(point, unknowns)
    with watched(algebra.tick):
        found = sympy.limit(e, x, end, direction)
    return _back(algebra, found, unknowns)


def _end(end, unknowns):
    return {"oo": sympy.oo, "-oo": -sympy.oo}.get(end) if isinstance(end, str) else to_sympy(end, unknowns)


_READ = ("symbol", "exp", "log", "base", "named")  # the kinds of atoms that SymPy can look into


def _all_atoms(monomial):
    for a, _ in monomial:
        yield a
        if a.kind in ("exp", "log", "base", "named"):
            for m in a.data[1].terms:
                yield from _all_atoms(m)


def to_sympy(poly, unknowns, meanings=None):
    """A polynomial as a SymPy expression; `unknowns` remembers which symbol stands for which atom."""
    meanings = meanings or {}
    terms = []
    for m, c in poly.terms.items():
        factors = [sympy.Pow(_atom(a, unknowns, meanings), _rational(e)) for a, e in m]
        terms.append(sympy.Mul(_rational(c), *factors))
    return sympy.Add(*terms)


def _rational(value):
    return sympy.Rational(value.numerator, value.denominator)


def _atom(a, unknowns, meanings):
    if a.kind in ("exp", "log"):
        return getattr(sympy, a.kind)(to_sympy(a.data[1], unknowns, meanings))
    if a.kind == "base":
        return to_sympy(a.data[1], unknowns, meanings)
    if a.kind == "named":
        return getattr(sympy, a.data[0])(to_sympy(a.data[1], unknowns, meanings))
    if a.kind == "symbol" and a.data == "pi":
        return sympy.pi
    if a.kind == "symbol" and a.data in meanings:
        return meanings[a.data]
    if a not in unknowns:
        unknowns[a] = sympy.Symbol(f"u{len(unknowns)}", real=True, positive=a.positive or None)
    return unknowns[a]


def _back(algebra, e, unknowns):
    """SymPy's answer as a polynomial, or None if it holds what we do not know (conditions, special functions)."""
    meanings = {s: algebra.of(a) for a, s in unknowns.items()}
    meanings[sympy.pi] = algebra.symbol("pi", positive=True)

    def read(x):
        if x in meanings:
            return meanings[x]
        if isinstance(x, sympy.Rational):
            return constant(_fraction(x))
        if isinstance(x, sympy.Add):
            return algebra.add(*map(read, x.args))
        if isinstance(x, sympy.Mul):
            return algebra.multiply(*map(read, x.args))
        if isinstance(x, sympy.Pow) and isinstance(x.exp, sympy.Rational):
            return algebra.power(read(x.base), _fraction(x.exp))
        if isinstance(x, sympy.exp):
            return algebra.exp(read(x.args[0]))
        if isinstance(x, sympy.log):
            return algebra.log(read(x.args[0]))
        raise _UnreadableError

    try:
        return read(e)
    except _UnreadableError:
        return None


class _UnreadableError(Exception):
    """SymPy's answer holds something that our algebra has no rule for."""


def _fraction(x):
    return Fraction(int(x.p), int(x.q))
