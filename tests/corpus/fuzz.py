"""Random expressions of the whole language, and random ways to write one of them otherwise.

Pairs of them examine the normal form alone: whatever it calls equal must be equal in numbers. Half of the pairs are
equal by construction, others are nearly so, the rest are two expressions that have nothing to do with each other.
"""

from fractions import Fraction

from backprop.symbolic import (
    ExpressionError,
    Grad,
    Partial,
    absolute,
    column,
    delta,
    diag,
    dimensions,
    divide,
    elementwise,
    exp,
    functional,
    hadamard,
    identity,
    indices,
    inner,
    log,
    matrix,
    norm,
    ones,
    outer,
    relu,
    row,
    scalars,
    sigmoid,
    step,
    tanh,
    total,
    trace,
)
from backprop.symbolic import expressions as lang
from backprop.symbolic.expressions import substitute

from .identity import identity as named
from .mutants import _places, mutants

N, K, D = dimensions("N K D")
X, Y, W, S, V = matrix("X", N, K), matrix("Y", N, K), matrix("W", K, D), matrix("S", K, K), matrix("V", N, D)
x, y, b = column("x", K), column("y", K), row("b", D)
Z, H = matrix("Z", N, D), matrix("H", N, K)
s, t = scalars("s t")
r = scalars("r", positive=True)
i, j = indices("i j")
f, f_prime = elementwise("f")
LET = {Z: X * W + ones(N) * b, H: f(X) + X}
LOSS, OTHER = functional("L", Z), functional("R", H, x)
RANGES = {i: N, j: K}
LEAVES = [X, Y, W, S, V, x, y, b, Z, H, ones(N, K), ones(K), ones(N)]
# Names for indices that are summed over; two of them are also free elsewhere, which invites capture.
BOUND = indices("k l i j")
FUNCTIONS = [f, f_prime, sigmoid, tanh, exp, relu, step, absolute]


class Grammar:
    """Random expressions; `rng` is a `random.Random`."""

    def __init__(self, rng):
        self.rng = rng

    def pick(self, *makers):
        return self.rng.choice(makers)()

    def number(self):
        return lang.Number(Fraction(self.rng.choice([-2, -1, 1, 2, 3]), self.rng.choice([1, 1, 2])))

    def dimension(self):
        return self.rng.choice([N, K, D])

    def matrix(self, rows, cols, depth, scope):
        """A matrix of a given shape."""
        fitting = [m for m in LEAVES if m.shape == (rows, cols)]
        fitting += [m.T for m in LEAVES if m.shape == (cols, rows)]
        gradients = [m for m in (X, W, b, Z) if m.shape == (rows, cols)]
        if depth <= 0:
            return self.rng.choice(fitting or [ones(rows, cols)])

        def below(a=rows, c=cols):
            return self.matrix(a, c, depth - 1, scope)

        makers = [
            lambda: below() + below(),
            lambda: below() - below(),
            lambda: self.scalar(depth - 1, scope) * below(),
            lambda: self.product(rows, cols, depth, scope),
            lambda: self.product(rows, cols, depth, scope),
            lambda: hadamard(below(), below()),
            lambda: below(cols, rows).T,
            lambda: self.rng.choice(FUNCTIONS)(below()),
            lambda: below() / r,
        ]
        if gradients:
            makers.append(lambda: Grad(LOSS, self.rng.choice(gradients)))
        if (rows, cols) in ((N, K), (K, lang.ONE)):
            makers.append(lambda: Grad(OTHER, X if rows == N else x))
        if rows == cols:
            makers += [lambda: identity(rows), lambda: diag(below(rows, lang.ONE))]
        if fitting:
            makers.append(lambda: self.rng.choice(fitting))
        return self.pick(*makers)

    def product(self, rows, cols, depth, scope):
        between = self.rng.choice([N, K, D, lang.ONE])
        return self.matrix(rows, between, depth - 1, scope) * self.matrix(between, cols, depth - 1, scope)

    def scalar(self, depth, scope):
        """A scalar in which the indices of `scope` (index -> dimension) may stand."""
        if depth <= 0:
            return self.pick(self.number, lambda: s, lambda: t, lambda: r, *self.of_indices(scope))

        def below():
            return self.scalar(depth - 1, scope)

        rows, cols = self.dimension(), self.dimension()
        return self.pick(
            lambda: below() + below(),
            lambda: below() - below(),
            lambda: below() * below(),
            lambda: below() ** 2,
            lambda: below() / r,
            lambda: self.entry(depth - 1, scope),
            lambda: self.entry(depth - 1, scope),
            lambda: self.sum(depth, scope),
            lambda: self.sum(depth, scope),
            lambda: self.rng.choice(FUNCTIONS)(below()),
            lambda: inner(self.matrix(rows, cols, depth - 1, scope), self.matrix(rows, cols, depth - 1, scope)),
            lambda: trace(self.matrix(rows, rows, depth - 1, scope)),
            lambda: norm(self.matrix(rows, cols, depth - 1, scope)) ** 2,
            lambda: log(exp(below()) + r),
            lambda: self.delta(scope),
            lambda: Partial(LOSS, self.entry_of(self.rng.choice([X, W, Z]), scope)),
            lambda: Partial(below(), self.rng.choice([s, t])),
        )

    def of_indices(self, scope):
        """An entry, and an index that stands as a number."""
        return lambda: self.entry(0, scope), lambda: self.rng.choice(list(scope))

    def index(self, size, scope):
        fitting = [k for k, d in scope.items() if d == size]
        return self.rng.choice([*fitting, *fitting, 0])

    def entry_of(self, m, scope):
        return m[tuple(self.index(d, scope) for d in m.shape)]

    def entry(self, depth, scope):
        rows, cols = self.rng.choice([(N, K), (K, D), (N, D), (K, K), (K, lang.ONE)])
        return self.entry_of(self.matrix(rows, cols, depth, scope), scope)

    def delta(self, scope):
        size = self.rng.choice(list(scope.values()))
        return delta(self.index(size, scope), self.index(size, scope))

    def sum(self, depth, scope):
        k, size = self.rng.choice(BOUND), self.dimension()
        body = self.scalar(depth - 1, {**{a: d for a, d in scope.items() if a != k}, k: size})
        return total(body, (k, size))


class Rewriter:
    """Ways to write an expression otherwise that keep its value."""

    def __init__(self, rng):
        self.rng, self._fresh = rng, 0

    def fresh(self):
        self._fresh += 1
        return indices(f"v{self._fresh}")

    def rewritten(self, e, times):
        """`e`, rewritten at so many places."""
        for _ in range(times):
            part, build, parent = self.rng.choice(list(_places(e, None)))
            if isinstance(parent, lang.Grad | lang.Partial | lang.Entry | lang.Delta) and part in parent.args[1:]:
                continue
            ways = list(self._ways(part))
            if ways:
                try:
                    e = build(self.rng.choice(ways)())
                except ExpressionError:
                    continue
        return e

    def _ways(self, e):
        if e.is_matrix:
            yield lambda: e.T.T
            yield lambda: hadamard(e, ones(*e.shape))
            yield lambda: identity(e.rows) * e
            yield lambda: e + e - e
            yield lambda: diag(ones(e.rows)) * e
            yield lambda: 2 * e - e
            yield lambda: (r * e) / r
        elif not (isinstance(e, lang.Symbol) and e.integer):
            yield lambda: e + s - s
            yield lambda: e * r / r
            yield lambda: trace(ones(1) * e)
            yield lambda: log(exp(e))
        rule = getattr(self, f"_{type(e).__name__.lower()}", None)
        if rule:
            yield from rule(e)

    def _shuffled(self, e):
        args = list(e.args)
        self.rng.shuffle(args)
        return type(e)(*args)

    def _plus(self, e):
        yield lambda: self._shuffled(e)
        yield lambda: lang.Plus(e.args[0], lang.Plus(*e.args[1:])) if len(e.args) > 2 else e

    def _hadamard(self, e):
        yield lambda: self._shuffled(e)

    def _times(self, e):
        if not any(f.is_matrix for f in e.args):
            yield lambda: self._shuffled(e)
        for n, part in enumerate(e.args):
            if isinstance(part, lang.Plus):
                yield lambda n=n, part=part: lang.Plus(
                    *(lang.Times(*e.args[:n], term, *e.args[n + 1 :]) for term in part.args)
                )

    def _transpose(self, e):
        inside = e.args[0]
        if isinstance(inside, lang.Times):
            parts = [part.T if part.is_matrix else part for part in reversed(inside.args)]
            yield lambda: lang.Times(*parts)
        if isinstance(inside, lang.Plus | lang.Hadamard):
            yield lambda: type(inside)(*(part.T for part in inside.args))

    def _entry(self, e):
        m, a, c = e.args
        k = self.fresh()
        if isinstance(m, lang.Times) and len(m.args) == 2 and all(part.is_matrix for part in m.args):
            left, right = m.args
            yield lambda: total(left[a, k] * right[k, c], (k, left.cols))
        if isinstance(m, lang.Transpose):
            yield lambda: m.args[0][c, a]
        if isinstance(m, lang.Plus):
            yield lambda: lang.Plus(*(part[a, c] for part in m.args))
        if isinstance(m, lang.Hadamard):
            yield lambda: lang.Times(*(part[a, c] for part in m.args))
        if isinstance(m, lang.Apply):
            yield lambda: m.function(m.argument[a, c])
        if isinstance(a, lang.Symbol) and m.rows != lang.ONE:
            yield lambda: total(delta(k, a) * m[k, c], (k, m.rows))
        if isinstance(m, lang.Matrix) and m in LET:
            yield lambda: LET[m][a, c]

    def _matrix(self, e):
        if e in LET:
            yield lambda: LET[e]

    def _trace(self, e):
        m, k = e.args[0], self.fresh()
        yield lambda: total(m[k, k], (k, m.rows))
        yield lambda: trace(m.T)
        if isinstance(m, lang.Times) and len(m.args) == 2 and all(part.is_matrix for part in m.args):
            yield lambda: trace(m.args[1] * m.args[0])

    def _inner(self, e):
        a, c = e.args
        k, l = self.fresh(), self.fresh()
        yield lambda: inner(c, a)
        yield lambda: trace(a.T * c)
        yield lambda: total(a[k, l] * c[k, l], (k, a.rows), (l, a.cols))

    def _power(self, e):
        base, exponent = e.args
        if exponent == lang.Number(2):
            yield lambda: base * base
            if isinstance(base, lang.Norm):
                yield lambda: inner(base.args[0], base.args[0])

    def _sum(self, e):
        (k, low, high), *rest = e.limits
        new = self.fresh()
        yield lambda: lang.Sum(substitute(e.body, {k: new}), (new, low, high), *rest) if _plain(e.body) else e
        yield lambda: e.body * 0 + e if not _mentions_any(e.body, [a for a, *_ in e.limits]) else e
        if isinstance(e.body, lang.Plus):
            yield lambda: lang.Plus(*(lang.Sum(term, *e.limits) for term in e.body.args))
        if isinstance(e.body, lang.Times):
            out = [part for part in e.body.args if not _mentions_any(part, [a for a, *_ in e.limits])]
            kept = [part for part in e.body.args if part not in out]
            if out and kept:
                yield lambda: lang.Times(*out, lang.Sum(kept[0] if len(kept) == 1 else lang.Times(*kept), *e.limits))

    def _grad(self, e):
        body, v = e.args
        if body == LOSS and v == X:
            yield lambda: Grad(LOSS, Z) * W.T
        if body == LOSS and v == W:
            yield lambda: X.T * Grad(LOSS, Z)
        if body == LOSS and v == b:
            yield lambda: ones(N).T * Grad(LOSS, Z)
        if body == OTHER and v == X:
            yield lambda: hadamard(Grad(OTHER, H), f_prime(X)) + Grad(OTHER, H)

    def _partial(self, e):
        body, v = e.args
        if isinstance(v, lang.Entry):
            yield lambda: Grad(body, v.matrix)[v.args[1], v.args[2]]
        elif isinstance(body, lang.Plus):
            yield lambda: lang.Plus(*(Partial(term, v) for term in body.args))
        elif isinstance(body, lang.Times) and len(body.args) == 2:
            first, second = body.args
            yield lambda: Partial(first, v) * second + first * Partial(second, v)

    def _apply(self, e):
        u, name = e.argument, e.function.name
        if e.is_matrix or not e.function.known:
            return
        if name == "exp" and isinstance(u, lang.Plus):
            yield lambda: lang.Times(*(exp(term) for term in u.args))
        if name == "sigmoid":
            yield lambda: 1 - sigmoid(-u)
            yield lambda: (1 + tanh(u / 2)) / 2
        if name == "tanh":
            yield lambda: 2 * sigmoid(2 * u) - 1
        if name == "relu":
            yield lambda: u * step(u)
        if name == "abs":
            yield lambda: relu(u) + relu(-u)

    def _divide(self, e):
        first, *rest = e.args
        yield lambda: divide(first, hadamard(*rest, ones(*e.shape)))

    def _delta(self, e):
        yield lambda: delta(e.args[1], e.args[0])

    def _diagonal(self, e):
        v = e.args[0] if e.args[0].cols == lang.ONE else e.args[0].T
        yield lambda: hadamard(identity(e.rows), outer(v, ones(e.rows)))


def _plain(e):
    """Whether no sum inside binds an index again, so that a renaming by text is a renaming."""
    return not any(isinstance(part, lang.Sum) for part in lang.subexpressions(e))


def _mentions_any(e, names):
    return any(part in names for part in lang.subexpressions(e))


def pair(rng):
    """Two expressions of one shape, and how they were made: "rewritten", "mutated" or "unrelated"."""
    grammar, rewriter = Grammar(rng), Rewriter(rng)
    depth, kind = rng.choice([1, 2, 2, 3, 3]), rng.choice(["rewritten", "mutated", "mutated", "unrelated"])
    shape = rng.choice([(), (N, K), (K, K), (K, D)])

    def made():
        return grammar.scalar(depth, RANGES) if shape == () else grammar.matrix(*shape, depth, RANGES)

    left = made()
    if kind == "unrelated":
        return left, made(), kind
    right = rewriter.rewritten(left, rng.randint(1, 5))
    if kind == "mutated":
        wrong = [e for _, e in mutants(right, as_identity(left, right))]
        right = rng.choice(wrong) if wrong else right
    return left, right, kind


def as_identity(left, right):
    """The pair with its definitions, for `numbers`."""
    return named("pair", "", left, right, let=LET)
