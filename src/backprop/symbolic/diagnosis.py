"""What seems to be wrong with a refused step, judged by numbers."""

from .errors import ExpressionError
from .expressions import Delta, Entry, Sum, Symbol


def free_indices(*expressions):
    """The indices that stand free in the expressions, in the order of appearance."""
    out = {}
    for e in expressions:
        _collect(e, frozenset(), out)
    return list(out)


def _collect(e, bound, out):
    if isinstance(e, Symbol):
        if e.integer and not e.positive and e not in bound:
            out[e] = None
        return
    if isinstance(e, Sum):
        for _, low, high in e.limits:
            _collect(low, bound, out)
            _collect(high, bound, out)
        _collect(e.body, bound | {k for k, _, _ in e.limits}, out)
        return
    for part in e.children():
        _collect(part, bound, out)


def what_is_wrong(refuter, left, right, found):
    """A sentence about the right side, or None."""
    return None


__all__ = ["Delta", "Entry", "ExpressionError", "free_indices", "what_is_wrong"]
