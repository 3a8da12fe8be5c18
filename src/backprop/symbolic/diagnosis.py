"""What seems to be wrong with a refused step, judged by numbers.

One thing about the right side is changed at a time; if the changed right side survives the refuter, that change is
the hint.
"""

import re
from fractions import Fraction

from .errors import ExpressionError, HypothesisError
from .expressions import (
    Apply,
    Functional,
    Grad,
    Hadamard,
    Jacobian,
    Matrix,
    Number,
    Partial,
    Quotient,
    Symbol,
    Times,
    Transpose,
    rebuild,
    subexpressions,
)
from .functions import sigmoid, step, tanh

MOST_CANDIDATES = 40


def what_is_wrong(left, right, definitions, survives):
    """A sentence about the right side, or None.

    Parameters
    ----------
    left, right : the two sides, whose shapes may differ
    definitions : dict from names to `Definition`
    survives : callable
        Whether ``left = candidate`` holds in every world that the refuter draws.
    """
    for tried, (sentence, build) in enumerate(_candidates(left, right, definitions)):
        if tried >= MOST_CANDIDATES:
            break
        try:
            candidate = build()
            if candidate.shape == left.shape and survives(candidate):
                return sentence
        except (ExpressionError, HypothesisError):
            continue  # this change has no meaning here, so it is not the hint
    return None


def _candidates(left, right, definitions):
    if left.shape != right.shape:
        yield "the right side is the transpose of the left", lambda: right.T
    else:
        yield "the sign is wrong: the right side is minus the left", lambda: -right
        if right.is_matrix and right.rows == right.cols:
            yield "the right side is the transpose of the left", lambda: right.T
        yield from _factors(left, right, definitions)
        yield from _masks(right, definitions)
    yield from _transposed_parts(right)
    yield from _neighbouring_layers(left, right, definitions)


def _factors(left, right, definitions):
    sizes = dict.fromkeys(
        x
        for e in (left, right, *(d.body for d in definitions.values()))
        for x in subexpressions(e)
        if isinstance(x, Symbol) and x.integer and x.positive
    )
    numbers = [Number(2), *sizes]
    for d in numbers:
        yield f"off by the factor {d}: the right side is {d} times the left", lambda d=d: Quotient(right, d)
        yield f"off by the factor {d}: the left side is {d} times the right", lambda d=d: Times(d, right)
    for d in sizes:
        yield f"off by the factor {d}/2: the left side is 2/{d} times the right", lambda d=d: Quotient(2 * right, d)
        yield (
            f"off by the factor 2/{d}: the left side is {d}/2 times the right",
            lambda d=d: Times(Number(Fraction(1, 2)), d, right),
        )


def _masks(right, definitions):
    """A missing derivative of an activation, or the activation in its place."""
    for e in [right, *(d.body for d in definitions.values())]:
        for x in subexpressions(e):
            if isinstance(x, Apply) and (slope := _slope(x)) is not None:
                if x.shape == right.shape:
                    factor = Hadamard(right, slope) if right.is_matrix else Times(right, slope)
                    yield f"the right side lacks the factor {slope}", lambda factor=factor: factor
                for changed in _changed_once(right, x, slope):
                    yield f"the right side has {x} where the derivative {slope} belongs", changed


def _slope(x):
    f, z = x.function, x.argument
    if not f.known:
        return f.prime(z)
    if f.name == "relu":
        return step(z)
    if x.is_matrix:
        return None
    return {"sigmoid": sigmoid(z) * (1 - sigmoid(z)), "tanh": 1 - tanh(z) ** 2}.get(f.name)


def _transposed_parts(right):
    """One factor of the right side transposed, or its transpose taken away."""
    for x in subexpressions(right):
        other = x.args[0] if isinstance(x, Transpose) else Transpose(x) if isinstance(x, Matrix) else None
        for changed in () if other is None else _changed_once(right, x, other):
            yield f"the right side has {x} where {other} belongs", changed


def _neighbouring_layers(left, right, definitions):
    """A matrix of the layer before or after."""
    known = {}
    for e in (left, right, *definitions, *(d.body for d in definitions.values())):
        known |= {x.name: x for x in subexpressions(e) if isinstance(x, Matrix)}
    for x in subexpressions(right):
        found = re.fullmatch(r"(\D+)(\d+)", x.name) if isinstance(x, Matrix) else None
        for other in () if found is None else (int(found[2]) - 1, int(found[2]) + 1):
            neighbour = known.get(f"{found[1]}{other}")
            for changed in () if neighbour is None else _changed_once(right, x, neighbour):
                yield f"off by one layer: the right side has {x} where {neighbour} belongs", changed


def _changed_once(e, part, new):
    """`e` with one occurrence of `part` replaced, in every way there is; not inside a derivative."""
    if e == part:
        yield lambda: new
    elif not isinstance(e, Grad | Partial | Jacobian | Functional | Matrix):
        for place, child in enumerate(e.children()):
            for changed in _changed_once(child, part, new):
                yield lambda place=place, changed=changed: _with_child(e, place, changed())


def _with_child(e, place, new):
    count = iter(range(len(e.children())))
    return rebuild(e, lambda child: new if next(count) == place else child)
