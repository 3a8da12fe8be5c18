"""The derivative of a polynomial by one entry or one symbol, atom by atom.

The rules, as a table:

| atom                  | its derivative by V[p, q]                                            |
|-----------------------|----------------------------------------------------------------------|
| V[i, j]               | δ(i, p) δ(j, q)                                                      |
| Σ body                | Σ of the derivative, under fresh index names                         |
| f(u)                  | f′(u) ∂u                                                             |
| e^u, ln u, uʳ         | e^u ∂u, ∂u / u, r uʳ⁻¹ ∂u                                            |
| 1[u > 0]              | 0 (away from the kink)                                               |
| L(A, …)               | Σᵢⱼ ∂L/∂A[i, j] ∂A[i, j], the chain rule over every entry (an axiom) |
"""

from .atoms import Polynomial, constant, exact
from .errors import ExpressionError


def differentiate(algebra, poly, name, at):
    """∂poly/∂name, or ∂poly/∂name[at]; `at` holds two indices of the algebra, or none for a symbol."""
    parts = []
    for monomial, coefficient in poly.terms.items():
        for a, e in monomial:
            inner = _of_atom(algebra, a, name, at)
            if inner.terms:
                rest = {f: k for f, k in monomial if f is not a}
                if e != 1:
                    rest[a] = exact(e - 1)
                parts.append(algebra.scale(algebra.multiply(algebra.monomial(rest), inner), coefficient * e))
    return algebra.add(*parts)


def _of_atom(algebra, a, name, at):
    if a.kind == "entry":
        if a.data[0] != name:
            return constant(0)
        return algebra.multiply(*(algebra.delta(i, p) for i, p in zip(a.data[1:], at, strict=True)))
    if a.kind == "symbol":
        return constant(int(a.data == name and not at))
    if a.kind in ("delta", "step"):
        return constant(0)
    if a.kind == "sum":
        names, body = algebra.open_sum(a)
        return algebra.sum_over(differentiate(algebra, body, name, at), names)
    if a.kind == "functional":
        return _chain_rule(algebra, a, name, at)
    tag, inside = a.data
    inner = differentiate(algebra, inside, name, at)
    if a.kind == "integral":
        return _of_integral(algebra, tag, inner, name, at)
    if not inner.terms:
        return inner
    return algebra.multiply(_OUTER[a.kind](algebra, tag, inside), inner)


def _of_integral(algebra, tag, inner, name, at):
    """The derivative under the integral sign, for ends that do not move."""
    *ends, variable = tag
    if any(isinstance(e, Polynomial) and differentiate(algebra, e, name, at).terms for e in ends):
        raise ExpressionError(f"an integral whose ends depend on {name} is not differentiated")
    return algebra.integral(*ends, variable, inner) if inner.terms else inner


def _chain_rule(algebra, a, name, at):
    parts = []
    for n, (i, j, inside) in enumerate(algebra.open_functional(a)):
        inner = differentiate(algebra, inside, name, at)
        if inner.terms:
            outer = algebra.functional(a.data[0], (*a.data[1], (n, i, j)), algebra.open_functional(a))
            parts.append(algebra.sum_over(algebra.multiply(outer, inner), [k for k in (i, j) if k != "0"]))
    return algebra.add(*parts)


def map_atoms(algebra, poly, replace):
    """The polynomial with atoms replaced; where `replace` gives None, the atom is rebuilt from its parts."""
    parts = []
    for monomial, coefficient in poly.terms.items():
        factors = []
        for a, e in monomial:
            new = replace(a)
            if new is None and a.kind not in ("entry", "symbol", "delta"):
                new = algebra.map_inside(a, lambda p: map_atoms(algebra, p, replace))
            factors.append(Polynomial({((a, e),): 1}) if new is None else algebra.power(new, e))
        parts.append(algebra.scale(algebra.multiply(*factors), coefficient))
    return algebra.add(*parts)


def replace_entries(algebra, poly, name, value):
    """The polynomial with every entry (or symbol) of this name replaced by its meaning, `value(i, j)` or `value()`."""

    def replace(a):
        if a.kind == "entry" and a.data[0] == name:
            return value(*a.data[1:])
        if a.kind == "symbol" and a.data == name:
            return value()
        return None

    return map_atoms(algebra, poly, replace)


def rebuilt(algebra, poly):
    """The polynomial made anew from its atoms, so that the hypotheses are applied to all of them."""
    leaf = ("entry", "symbol", "delta")
    return map_atoms(algebra, poly, lambda a: algebra.of(a) if a.kind in leaf else None)


def _derivative_of_named(algebra, tag, u):
    if tag == "sin":
        return algebra.named("cos", u)
    if tag == "cos":
        return algebra.scale(algebra.named("sin", u), -1)
    raise ExpressionError(f"no rule differentiates {tag}")


_OUTER = {
    "undefined": lambda algebra, tag, u: algebra.undefined(tag[0], tag[1] + 1, u),
    "exp": lambda algebra, tag, u: algebra.exp(u),
    "log": lambda algebra, tag, u: algebra.power(u, -1),
    "base": lambda algebra, tag, u: constant(1),
    "named": _derivative_of_named,
}
