"""Proof by cases: an identity of functions with kinks holds if it holds on both sides of every kink, and at it."""

from fractions import Fraction
from itertools import product

from .atoms import constant
from .differentiation import map_atoms
from .errors import ZeroDenominator

MOST_KINKS = 4


def zero_in_all_cases(algebra, poly, is_zero):
    """Whether the polynomial is zero whatever the signs of the arguments of its steps are."""
    arguments = _arguments(algebra, poly)
    if not arguments or len(arguments) > MOST_KINKS:
        return False
    cases = product((1, -1, 0), repeat=len(arguments))
    return all(_holds(algebra, poly, dict(zip(arguments, signs, strict=True)), is_zero) for signs in cases)


def _holds(algebra, poly, signs, is_zero):
    try:
        return is_zero(_in_case(algebra, poly, signs))
    except ZeroDenominator:
        return True  # nothing is claimed where the expression has no value


def _arguments(algebra, poly):
    """What the steps depend on, each once up to its sign.

    Steps that depend on the bound index of a sum, or on a functional's parameter, have no single sign: they stay.
    """
    out = []
    for a in algebra.atoms_of(poly):
        if a.kind == "step" and all(k[0].isalpha() for k in a.indices):
            inside = a.data[1]
            if inside not in out and algebra.scale(inside, -1) not in out:
                out.append(inside)
    return out


def _in_case(algebra, poly, signs):
    known = {}
    for inside, sign in signs.items():
        known[inside] = constant(int(sign > 0))
        known[algebra.scale(inside, -1)] = constant(int(sign < 0))
    vanishing = dict(filter(None, (_where_zero(algebra, inside) for inside, sign in signs.items() if sign == 0)))

    def replace(a):
        if a in vanishing:
            return vanishing[a]
        return known.get(a.data[1]) if a.kind == "step" else None

    return map_atoms(algebra, poly, replace)


def _where_zero(algebra, poly):
    """An atom and its value where the polynomial is zero: x - 1 gives x = 1; None if no atom stands alone in it."""
    for monomial, coefficient in poly.terms.items():
        if len(monomial) == 1 and monomial[0][1] == 1 and monomial[0][0].kind in ("symbol", "entry", "undefined"):
            atom = monomial[0][0]
            rest = algebra.subtract(poly, algebra.scale(algebra.of(atom), coefficient))
            if atom not in algebra.atoms_of(rest):
                return atom, algebra.scale(rest, -1 / Fraction(coefficient))
    return None
