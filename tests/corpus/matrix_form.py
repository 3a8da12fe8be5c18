"""P1: the layer in columns, one sample at a time and as a batch; any activation; how gradients shrink."""

from fractions import Fraction

from backprop.symbolic import (
    Grad,
    Jacobian,
    Partial,
    absolute,
    column,
    delta,
    diag,
    dimensions,
    elementwise,
    exp,
    functional,
    hadamard,
    indices,
    matrix,
    norm,
    ones,
    outer,
    scalars,
    sigmoid,
    symbol,
    tanh,
    total,
)

from .identity import at_most, identity

m, n, N, r = dimensions("m n N r")
i, j, k, p, q = indices("i j k p q")
W, x, b, z = matrix("W", m, n), column("x", n), column("b", m), column("z", m)
a, U, V = column("a", m), matrix("U", m, m), matrix("V", r, m)
X, Z, A = matrix("X", n, N), matrix("Z", m, N), matrix("A", m, N)
next_dz = column("dz", r)
t = scalars("t")
c = symbol("c", positive=True)
f, f_prime = elementwise("f")
g, g_prime = elementwise("g")
L, R, B = functional("L", z), functional("R", a), functional("B", Z)
SAMPLE = {z: W * x + b}
BATCH = {Z: W * X + b * ones(N).T}
SOFTMAX = {a: exp(z) / total(exp(z[j]), j)}


def slope_bound(rng, world):
    """A number that no slope in this world exceeds."""
    return max(abs(world.value(f_prime(z[i]), {i: row})) for row in range(world.size(m))) + rng.uniform(0.1, 1)


BOUNDED = {"given": [absolute(f_prime(z[i])) <= c], "draw": {c: slope_bound}}

IDENTITIES = [
    identity("matrix-rows", "P1.1", z.T, x.T * W.T + b.T, let=SAMPLE),
    identity("matrix-rows-batch", "P1.1", Z.T, X.T * W.T + ones(N) * b.T, let=BATCH),
    identity("matrix-rows-dW", "P1.1", Grad(B, W).T, X * Grad(B, Z).T, let=BATCH),
    identity("matrix-entry", "P1.1", z[i], total(W[i, j] * x[j], j) + b[i], let=SAMPLE),
    identity("matrix-jacobian", "P1.2", Jacobian(a, z), diag(f_prime(z)), let={a: f(z)}),
    identity("matrix-jacobian-entry", "P1.2", Partial(a[i], z[j]), f_prime(z[i]) * delta(i, j), let={a: f(z)}),
    identity("matrix-dz-general", "P1.2", Grad(R, z), Jacobian(a, z).T * Grad(R, a), let={a: f(U * g(z))}),
    identity(
        "matrix-dz-paths",
        "P1.2",
        Partial(R, z[j]),
        total(Partial(R, a[i]) * Partial(a[i], z[j]), i),
        let={a: f(U * g(z))},
    ),
    identity(
        "matrix-dz",
        "P1.2",
        Grad(R, z),
        Jacobian(a, z).T * Grad(R, a),
        diag(f_prime(z)) * Grad(R, a),
        hadamard(Grad(R, a), f_prime(z)),
        let={a: f(z)},
    ),
    identity("matrix-db", "P1.3", Grad(L, b), Grad(L, z), let=SAMPLE),
    identity("matrix-db-entry", "P1.3", Partial(L, b[i]), Partial(L, z[i]), let=SAMPLE),
    identity("matrix-batch-db-entry", "P1.3", Partial(B, b[i]), total(Partial(B, Z[i, k]), k), let=BATCH),
    identity("matrix-dW-entry", "P1.4", Partial(L, W[i, j]), Partial(L, z[i]) * x[j], let=SAMPLE),
    identity("matrix-dW", "P1.4", Grad(L, W), outer(Grad(L, z), x), Grad(L, z) * x.T, let=SAMPLE),
    identity(
        "matrix-dx-entry",
        "P1.5",
        Partial(L, x[j]),
        total(Partial(L, z[i]) * Partial(z[i], x[j]), i),
        total(W[i, j] * Partial(L, z[i]), i),
        let=SAMPLE,
    ),
    identity("matrix-dx", "P1.5", Grad(L, x), Jacobian(z, x).T * Grad(L, z), W.T * Grad(L, z), let=SAMPLE),
    identity(
        "matrix-sigmoid-slope",
        "P1.6",
        Partial(sigmoid(t), t),
        sigmoid(t) * (1 - sigmoid(t)),
        Fraction(1, 4) - (sigmoid(t) - Fraction(1, 2)) ** 2,
        at_most(Fraction(1, 4)),
    ),
    identity("matrix-tanh-slope", "P1.6", Partial(tanh(t), t), 1 - tanh(t) ** 2, at_most(1)),
    identity(
        "matrix-bound",
        "P1.6",
        norm(hadamard(V.T * next_dz, f_prime(z))),
        at_most(c * norm(V.T * next_dz)),
        at_most(c * norm(V) * norm(next_dz)),
        **BOUNDED,
    ),
    identity("matrix-bound-layers", "P1.6", Grad(R, z), hadamard(Grad(R, a), f_prime(z)), let={a: f(z)}),
    identity("matrix-batch-entry", "P1.7", Z[i, k], total(W[i, j] * X[j, k], j) + b[i], let=BATCH),
    identity("matrix-batch-dW", "P1.7", Grad(B, W), Grad(B, Z) * X.T, let=BATCH),
    identity("matrix-batch-db", "P1.7", Grad(B, b), Grad(B, Z) * ones(N), let=BATCH),
    identity("matrix-batch-dX", "P1.7", Grad(B, X), W.T * Grad(B, Z), let=BATCH),
    identity(
        "matrix-batch-dZ",
        "P1.7",
        Grad(functional("S", A), Z),
        hadamard(Grad(functional("S", A), A), f_prime(Z)),
        let={A: f(Z)},
    ),
    identity("matrix-softmax-jacobian", "P1.8", Partial(a[i], z[k]), a[i] * (delta(i, k) - a[k]), let=SOFTMAX),
    identity(
        "matrix-softmax-dz",
        "P1.8",
        Grad(R, z),
        Jacobian(a, z).T * Grad(R, a),
        (diag(a) - a * a.T) * Grad(R, a),
        let=SOFTMAX,
    ),
]
