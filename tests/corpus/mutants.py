"""One small error at a time, planted in every place of an expression where it can be.

The kinds of errors are those that people make: a sign, a transpose, the order of factors, a factor or a term left
out, 1/m, f for f′, a sum that misses an end, one index for another, one name for another, a wrong number.
"""

from contextlib import contextmanager

from backprop.symbolic import ExpressionError, Refused, derivation, functions, relu, sigmoid, softplus, step, tanh
from backprop.symbolic import expressions as lang
from backprop.symbolic.errors import OutOfTime
from backprop.symbolic.expressions import rebuild, subexpressions

from . import numbers

CONFUSED = {
    "relu": step,
    "step": relu,
    "sigmoid": tanh,
    "tanh": sigmoid,
    "exp": softplus,
    "softplus": relu,
    "log": functions.exp,
}


def mutants(line, identity):
    """Pairs of the kind of error and the expression with the error, each expression once and none unchanged."""
    known = _Names(identity)
    seen = {line}
    for part, build, parent in _places(line, None):
        for kind, make in _errors(part, parent, known):
            try:
                wrong = build(make())
            except ExpressionError:
                continue  # it cannot even be written
            if wrong.shape == line.shape and wrong not in seen:
                seen.add(wrong)
                yield kind, wrong


def verdict(so_far, line, wrong):
    """What the engine says of a wrong line: "accepted", or by what it is refused."""
    try:
        so_far.then(wrong, because="an error was planted here", relation=line.relation)
    except Refused as refused:
        return refused.rung
    except OutOfTime:
        return "time"
    except ExpressionError:
        return "language"
    return "accepted"


@contextmanager
def without_hints():
    """The engine judges, but does not look for what could be wrong: that takes longer than the verdict."""
    found, derivation.what_is_wrong = derivation.what_is_wrong, lambda *_, **__: None
    try:
        yield
    finally:
        derivation.what_is_wrong = found


def examine(identity, so_far, line, wrong, seed=0):
    """The engine's verdict held against numbers: "refused", "equal" (accepted, and true), or what is wrong with it.

    "unsound" is an accepted line that differs somewhere. "contradicted" is a line that the engine claims to have
    refuted, although both sides agree wherever we look.
    """
    said = verdict(so_far, line, wrong)
    if said not in ("accepted", "refutation"):
        return "refused", said
    try:
        equal = numbers.is_equal(identity, so_far.result, wrong, line.relation, seed, 6 if said == "accepted" else 4)
    except numbers.Undefined:
        equal = None
    if said == "accepted":
        return ("equal" if equal else "unsound"), said
    return ("contradicted" if equal and line.relation == "=" else "refused"), said


# -- places ------------------------------------------------------------------------------------------


def _places(e, parent):
    """Every part of an expression, with a function that puts something else in its place, and with its parent."""
    yield e, lambda new: new, parent
    for place, child in enumerate(_parts(e)):
        for part, build, above in _places(child, e):
            yield part, lambda new, place=place, build=build: _with_part(e, place, build(new)), above


def _parts(e):
    if isinstance(e, lang.Sum):
        return (e.body,)
    if isinstance(e, lang.Matrix | lang.Functional | lang.Ones | lang.Identity):
        return ()
    return e.children()


def _with_part(e, place, new):
    """`e` with one of its parts replaced; the children of a sum begin with its body."""
    count = iter(range(len(e.children()) + 1))
    return rebuild(e, lambda child: new if next(count) == place else child)


class _Names:
    """The names that an error could put in another's place: all that the identity knows."""

    def __init__(self, identity):
        self.matrices, self.indices, self.scalars, self.sizes = {}, {}, {}, {}
        for e in numbers.context(identity):
            for x in subexpressions(e):
                if isinstance(x, lang.Matrix):
                    self.matrices[x] = None
                elif isinstance(x, lang.Symbol):
                    kind = self.scalars if not x.integer else self.sizes if x.positive else self.indices
                    kind[x] = None


# -- errors ------------------------------------------------------------------------------------------


def _errors(e, parent, known):
    at_root = parent is None
    term = isinstance(parent, lang.Plus)
    if at_root or term or isinstance(parent, lang.Apply):
        yield "sign", lambda: -e
    if e.is_matrix and not isinstance(parent, lang.Transpose | lang.Grad | lang.Jacobian):
        yield "transpose", lambda: e.args[0] if isinstance(e, lang.Transpose) else e.T
    if at_root or term:
        for size in known.sizes:
            yield "1/m", lambda size=size: e / size
            yield "1/m", lambda size=size: size * e
    yield from _errors_of_kind(e, known)


def _errors_of_kind(e, known):
    if isinstance(e, lang.Times | lang.Hadamard | lang.Plus) and len(e.args) > 1:
        for n in range(len(e.args)):
            yield "dropped", lambda n=n: _of(type(e), e.args[:n] + e.args[n + 1 :])
    if isinstance(e, lang.Times):
        for n in range(len(e.args) - 1):
            swapped = (*e.args[:n], e.args[n + 1], e.args[n], *e.args[n + 2 :])
            yield "swapped", lambda swapped=swapped: lang.Times(*swapped)
    if isinstance(e, lang.Quotient):
        yield "dropped", lambda: e.args[0]
        yield "swapped", lambda: e.args[1] / e.args[0]
    if isinstance(e, lang.Power):
        yield "dropped", lambda: e.args[0]
    if isinstance(e, lang.Apply):
        yield "dropped", lambda: e.argument
        yield from _wrong_functions(e)
    if isinstance(e, lang.Sum):
        yield from _wrong_ranges(e)
    if isinstance(e, lang.Entry | lang.Delta):
        yield from _wrong_indices(e, known)
    if isinstance(e, lang.Matrix | lang.Symbol):
        yield from _wrong_names(e, known)
    if isinstance(e, lang.Number):
        yield "number", lambda: lang.Number(e.value + 1)
        yield "number", lambda: lang.Number(e.value / 2)


def _of(kind, args):
    return args[0] if len(args) == 1 else kind(*args)


def _wrong_functions(e):
    f = e.function
    if not f.known:
        yield "slope", lambda: f.prime(e.argument)
        if f.order:
            yield "slope", lambda: functions.Function(f.name, f.latex, known=False, order=f.order - 1)(e.argument)
    elif f.name in CONFUSED:
        yield "slope", lambda: CONFUSED[f.name](e.argument)


def _wrong_ranges(e):
    for n, (k, low, high) in enumerate(e.limits):
        later = lang.Number(low.value + 1) if isinstance(low, lang.Number) else low + 1
        for shorter in ((k, later, high), (k, low, high - 1)):
            yield "range", lambda n=n, shorter=shorter: lang.Sum(e.body, *e.limits[:n], shorter, *e.limits[n + 1 :])


def _wrong_indices(e, known):
    # An index over one value only can have any name.
    places = [n for n, d in enumerate(e.matrix.shape, 1) if d != lang.ONE] if isinstance(e, lang.Entry) else (0, 1)
    for place in places:
        for k in known.indices:
            yield "index", lambda place=place, k=k: _with_part(e, place, k)
    if isinstance(e, lang.Entry):
        yield "index", lambda: lang.Entry(e.matrix, e.args[2], e.args[1]) if e.matrix.rows == e.matrix.cols else e


def _wrong_names(e, known):
    if isinstance(e, lang.Matrix):
        others = [x for x in known.matrices if x.shape == e.shape]
    else:
        others = known.scalars if e in known.scalars else ()
    for other in others:
        yield "name", lambda other=other: other
