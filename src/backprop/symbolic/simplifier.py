"""The fourth rung: SymPy's simplifier, with entries, sums and undefined functions as unknowns."""

import sympy


def simplifies_to_zero(poly):
    """Whether SymPy reduces a polynomial of our algebra to zero."""
    unknowns = {}
    e = to_sympy(poly, unknowns)
    return e == 0 or sympy.simplify(e) == 0 or sympy.simplify(e.rewrite(sympy.exp)) == 0


def to_sympy(poly, unknowns):
    """A polynomial as a SymPy expression; `unknowns` remembers which symbol stands for which atom."""
    return sympy.Add(
        *(
            sympy.Mul(_rational(c), *(sympy.Pow(_atom(a, unknowns), _rational(e)) for a, e in m))
            for m, c in poly.terms.items()
        )
    )


def _rational(value):
    return sympy.Rational(value.numerator, value.denominator)


def _atom(a, unknowns):
    if a.kind in ("exp", "log"):
        return getattr(sympy, a.kind)(to_sympy(a.data[1], unknowns))
    if a.kind == "base":
        return to_sympy(a.data[1], unknowns)
    if a.kind == "named":
        return getattr(sympy, a.data[0])(to_sympy(a.data[1], unknowns))
    if a.kind == "symbol" and a.data == "pi":
        return sympy.pi
    if a not in unknowns:
        unknowns[a] = sympy.Symbol(f"u{len(unknowns)}", real=True, positive=a.positive or None)
    return unknowns[a]
