"""The first rung: which range each index runs over, and whether all its uses agree.

Shapes are checked when an expression is built. Index ranges can only be checked in the whole: ``X[n, p]`` says
that n runs over the rows of X, and a sum or another entry may say something else.
"""

from .errors import ShapeError
from .expressions import ONE, Delta, Entry, Number, Plus, Sum, Symbol, Times


def index_ranges(*expressions):
    """The size of the range of each free index: ``{index: dimension}``; the index runs from 0 to the size less 1.

    Raises
    ------
    ShapeError
        If one index runs over two different dimensions, or a sum leaves the matrix that it runs over.
    """
    free, deltas = {}, []
    for e in expressions:
        _visit(e, {}, free, deltas)
    for i, j, scope, delta in deltas:
        sizes = [_size_of(k, scope, free) for k in (i, j)]
        if None not in sizes and not isinstance(i, Number) and not isinstance(j, Number) and sizes[0] != sizes[1]:
            raise ShapeError(f"in {delta} the index {i} runs over {sizes[0]} values, but {j} over {sizes[1]}")
    for i, j, scope, _ in deltas:
        for a, b in ((i, j), (j, i)):
            if isinstance(a, Symbol) and a not in scope and a not in free and isinstance(b, Symbol):
                size = _size_of(b, scope, free)
                if size is not None:
                    free[a] = size
    return free


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
    elif isinstance(e, Sum):
        for _, low, high in e.limits:
            _collect(low, bound, out)
            _collect(high, bound, out)
        _collect(e.body, bound | {k for k, _, _ in e.limits}, out)
    else:
        for part in e.children():
            _collect(part, bound, out)


def _size_of(k, scope, free):
    if k in scope:
        low, high = scope[k]
        return plus_one(high) if low == Number(0) else None
    return free.get(k)


def _visit(e, scope, free, deltas):
    if isinstance(e, Entry):
        for k, size in zip(e.args[1:], e.matrix.shape, strict=True):
            if isinstance(k, Symbol):
                _use(k, size, scope, free, e)
    if isinstance(e, Delta):
        deltas.append((*e.args, scope, e))
    if isinstance(e, Sum):
        for k, low, high in e.limits:
            _refuse_backwards(k, low, high)
        scope = {**scope, **{k: (low, high) for k, low, high in e.limits}}
    for part in e.children():
        if not (isinstance(part, Symbol) and part.integer):
            _visit(part, scope, free, deltas)


def _refuse_backwards(k, low, high):
    """Refuse a range that may hold less than nothing at some sizes, such as 2 to N - 1 at N = 0 or 1."""
    length = linear(Plus(high, Times(Number(-1), low)))
    least = None if length is None else sum(length.values()) + 1  # at the smallest sizes, all of them 1
    if least is None or least < 0 or any(c < 0 for s, c in length.items() if s is not None):
        raise ShapeError(f"the index {k} runs from {low} to {high}, which is backwards at some sizes")


def _use(k, size, scope, free, where):
    if k not in scope:
        known = free.setdefault(k, size)
        if known != size:
            raise ShapeError(f"the index {k} runs over {known} values elsewhere, but over {size} in {where}")
        return
    low, high = scope[k]
    below, above = linear(low), linear(high, minus=size)
    if above is not None:
        above = {**above, None: above.get(None, 0) + 1}
    inside = below is not None and above is not None and _only_constant(below) >= 0 and _only_constant(above, 1) <= 0
    if not inside:
        raise ShapeError(
            f"the index {k} runs from {low} to {high}, but {where.matrix} has {size} entries in that direction "
            f"(expected 0 to {plus_one(size, -1)})"
        )


def _only_constant(form, otherwise=-1):
    return form.get(None, 0) if not any(c for k, c in form.items() if k is not None) else otherwise


def linear(e, minus=None):
    """``{symbol: coefficient, None: constant}`` of a linear expression, or None."""
    if minus is not None:
        return linear(Plus(e, Times(Number(-1), minus)))
    if isinstance(e, Number):
        return {None: e.value}
    if isinstance(e, Symbol):
        return {e: 1}
    if isinstance(e, Plus):
        parts = [linear(t) for t in e.args]
        if None in parts:
            return None
        return {k: sum(p.get(k, 0) for p in parts) for p in parts for k in p}
    if isinstance(e, Times):
        forms = [linear(f) for f in e.args]
        if None in forms or sum(set(f) != {None} for f in forms) > 1:
            return None
        out = {None: 1}
        for f in forms:
            out = f if set(out) == {None} and out[None] == 1 else _scaled(out, f)
        return out
    return None


def _scaled(a, b):
    form, number = (a, b) if set(b) == {None} else (b, a)
    return {k: c * number[None] for k, c in form.items()}


def plus_one(e, step=1):
    """``e + 1`` with the numbers in it added up: N - 1 becomes N."""
    form = linear(e)
    if form is None:
        return Plus(e, Number(step))
    form = {**form, None: form.get(None, 0) + step}
    terms = [k if c == 1 else Times(Number(c), k) for k, c in form.items() if k is not None and c]
    if form[None] or not terms:
        terms.append(Number(form[None]))
    return terms[0] if len(terms) == 1 else Plus(*terms)


def natural_limits(body, k):
    """``(k, 0, size - 1)`` where the size is read off the entries of `body` that k indexes.

    Raises
    ------
    ShapeError
        If `body` has no entry with the index k.
    """
    size = index_ranges(body).get(k)
    if size is None:
        raise ShapeError(f"{body} does not say which range {k} runs over: write ({k}, N) or ({k}, 0, N - 1)")
    return k, Number(0), plus_one(size, -1)


def is_natural(limit, body):
    """Whether a sum's limit is the whole range that its body implies."""
    k, low, high = limit
    try:
        size = index_ranges(body).get(k)
    except ShapeError:
        return False
    return size is not None and size != ONE and low == Number(0) and plus_one(high) == size
