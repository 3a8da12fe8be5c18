"""Integrals and limits of one variable.

A function with a kink at 0 is taken apart there first: below 0 it is one formula, above 0 another. The rest is
SymPy's work; what SymPy cannot do stays an integral, equal to itself only. A limit lim g(h)/hᵏ at 0 is g⁽ᵏ⁾(0)/k!
where g and its first k - 1 derivatives vanish at 0 (Taylor), which also serves undefined smooth functions.
"""

import math
from fractions import Fraction

from .atoms import constant
from .differentiation import differentiate, map_atoms
from .errors import ExpressionError

MOST_DERIVATIVES = 6


def integrate(algebra, body, name, low, high):
    """∫ body d(name); the ends are polynomials, or the texts "oo" and "-oo"."""
    pieces = []
    for a, b, side in _sides(algebra, body, name, low, high):
        part = _one_sided(algebra, body, name, side) if side else body
        found = _closed_form(algebra, part, name, a, b)
        pieces.append(found if found is not None else _opaque(algebra, part, name, a, b))
    return algebra.add(*pieces)


def _sides(algebra, body, name, low, high):
    if not _kinks(algebra, body, name):
        return [(low, high, 0)]
    zero = constant(0)
    below, above = _sign(algebra, low), _sign(algebra, high)
    if below is None or above is None:
        raise ExpressionError("an integral over a kink needs ends whose signs are known")
    if below * above > 0:
        return [(low, high, below)]
    return [part for part in ((low, zero, below), (zero, high, above)) if part[2]]


def _sign(algebra, end):
    """The sign of an end of an integral where it is known."""
    if end in ("oo", "-oo"):
        return 1 if end == "oo" else -1
    if end.number is not None:
        return (end.number > 0) - (end.number < 0)
    for sign in (1, -1):
        if algebra.is_positive(algebra.scale(end, sign)):
            return sign
    return None


def _kinks(algebra, body, name):
    """The steps in `body` whose argument is `name` or its negative."""
    return [a for a in algebra.atoms_of(body) if a.kind == "step" and name in a.indices]


def _one_sided(algebra, body, name, side):
    """`body` where `name` has the given sign."""
    variable = algebra.symbol(name)
    known = {variable: constant(int(side > 0)), algebra.scale(variable, -1): constant(int(side < 0))}
    out = map_atoms(algebra, body, lambda a: known.get(a.data[1]) if a.kind == "step" else None)
    if _kinks(algebra, out, name):
        raise ExpressionError("an integral or a limit takes kinks at 0 only, such as relu(x) has")
    return out


def _closed_form(algebra, body, name, low, high):
    from .simplifier import integral

    algebra.asked_sympy = True
    return integral(algebra, body, name, low, high)


def _opaque(algebra, body, name, low, high):
    """An integral that is equal to itself only."""
    taken = {a.data for a in algebra.atoms_of(body) if a.kind == "symbol"}
    variable = next(v for v in (f"$x{n}" for n in range(len(taken) + 1)) if v not in taken)
    return algebra.integral(low, high, variable, algebra.rename(body, {name: variable}))


def limit(algebra, body, name, point, direction):
    """The limit of `body` as `name` goes to `point`: a polynomial, or the texts "oo" and "-oo"."""
    sides = {"+": (1,), "-": (-1,), "+-": (1, -1)}[direction]
    found = [_one_sided_limit(algebra, body, name, point, side) for side in sides]
    if len(found) == 2 and found[0] != found[1]:
        raise ExpressionError("the limit from above differs from the limit from below: give a direction, '+' or '-'")
    return found[0]


def _one_sided_limit(algebra, body, name, point, side):
    from .simplifier import limit as closed_form

    at_zero = point not in ("oo", "-oo") and not point.terms
    if _kinks(algebra, body, name):
        if not at_zero:
            raise ExpressionError("a limit of a function with kinks is taken at 0 only")
        body = _one_sided(algebra, body, name, side)
    out = _by_taylor(algebra, body, name) if at_zero else None
    if out is None:
        algebra.asked_sympy = True
        out = closed_form(algebra, body, name, point, "+" if side > 0 else "-")
    if out is None:
        raise ExpressionError("the limit has no closed form that the engine can find")
    return out


def _by_taylor(algebra, body, name):
    """lim g(h)/hᵏ = g⁽ᵏ⁾(0)/k! where the lower derivatives vanish at 0, else None."""
    k = max([0, *(-e for m in body.terms for a, e in m if a.kind == "symbol" and a.data == name)])
    if not isinstance(k, int) or k > MOST_DERIVATIVES:
        return None
    g = algebra.multiply(body, algebra.power(algebra.symbol(name), k)) if k else body
    for n in range(k + 1):
        try:
            value = at_zero(algebra, g, name)
        except ExpressionError:
            return None
        if n < k:
            if value.terms:
                return None
            g = differentiate(algebra, g, name, ())
    return algebra.scale(value, Fraction(1, math.factorial(k)))


def at_zero(algebra, poly, name):
    """The polynomial with a symbol replaced by 0."""
    return map_atoms(algebra, poly, lambda a: constant(0) if a.kind == "symbol" and a.data == name else None)
