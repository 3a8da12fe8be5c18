"""P2.2, P2.3, P3.1: softmax, its Jacobian, and cross-entropy for any labels."""

from backprop.symbolic import (
    Grad,
    Jacobian,
    Partial,
    column,
    delta,
    diag,
    dimensions,
    exp,
    functional,
    hadamard,
    indices,
    inner,
    log,
    matrix,
    ones,
    scalars,
    sigmoid,
    symbol,
    total,
    zeros,
)

from .identity import identity

m, K = dimensions("m K")
n, i, j, k, l = indices("n i j k l")
z, p, y, u = column("z", K), column("p", K), column("y", K), column("u", K)
Z, P, Y = matrix("Z", m, K), matrix("P", m, K), matrix("Y", m, K)
A, T, S = matrix("A", K, m), matrix("T", K, m), matrix("S", K, m)
c, s, t = scalars("c s t")
loss = symbol("loss", r"\mathcal{L}")
SOFTMAX = {p: exp(z) / total(exp(z[l]), l)}
LOSS = {**SOFTMAX, loss: -total(y[k] * log(p[k]), k)}
ROWS = {P[n, k]: exp(Z[n, k]) / total(exp(Z[n, l]), l), loss: -total(Y[n, k] * log(P[n, k]), n, k) / m}
COLUMNS = {A[k, n]: exp(S[k, n]) / total(exp(S[l, n]), l), loss: -total(T[k, n] * log(A[k, n]), k, n) / m}


def sums_to_one(rng, world):
    """Numbers of both signs whose sum is one."""
    out = rng.normal(size=(world.size(K), 1))
    return out + (1 - out.sum()) / len(out)


def rows_sum_to_one(rng, world):
    """Rows of numbers of both signs, each with the sum one."""
    out = rng.normal(size=(world.size(m), world.size(K)))
    return out + (1 - out.sum(1, keepdims=True)) / out.shape[1]


def columns_sum_to_one(rng, world):
    """Columns of numbers of both signs, each with the sum one."""
    return rows_sum_to_one(rng, world).T


ONE_LABEL = {"given": {total(y[k], k): 1}, "draw": {y: sums_to_one}}
ROW_LABELS = {"given": {total(Y[n, k], k): 1}, "draw": {Y: rows_sum_to_one}}
COLUMN_LABELS = {"given": {total(T[k, n], k): 1}, "draw": {T: columns_sum_to_one}}
DISTRIBUTION = {"given": {total(p[k], k): 1}, "draw": {p: sums_to_one}}

IDENTITIES = [
    identity(
        "softmax-jacobian-entry",
        "P2.2",
        Partial(p[i], z[j]),
        (delta(i, j) * exp(z[i]) * total(exp(z[l]), l) - exp(z[i]) * exp(z[j])) / total(exp(z[l]), l) ** 2,
        p[i] * (delta(i, j) - p[j]),
        let=SOFTMAX,
    ),
    identity("softmax-jacobian", "P2.2", Jacobian(p, z), diag(p) - p * p.T, let=SOFTMAX),
    identity("softmax-jacobian-symmetric", "P2.2", Jacobian(p, z), Jacobian(p, z).T, let=SOFTMAX),
    identity(
        "softmax-product",
        "P2.2",
        Jacobian(p, z).T * u,
        (diag(p) - p * p.T) * u,
        hadamard(p, u - inner(p, u) * ones(K)),
        let=SOFTMAX,
    ),
    identity("softmax-sum", "P2.2", total(p[k], k), 1, let=SOFTMAX),
    identity("softmax-kernel", "P2.2", Jacobian(p, z) * ones(K), zeros(K), let=SOFTMAX),
    identity(
        "softmax-variance",
        "P2.2",
        (u.T * (diag(p) - p * p.T) * u)[0, 0],
        total(p[i] * u[i] ** 2, i) - total(p[i] * u[i], i) ** 2,
        total(p[i] * p[j] * (u[i] - u[j]) ** 2, i, j) / 2,
        **DISTRIBUTION,
    ),
    identity(
        "softmax-variance-softmax",
        "P2.2",
        (u.T * Jacobian(p, z) * u)[0, 0],
        total(p[i] * p[j] * (u[i] - u[j]) ** 2, i, j) / 2,
        let=SOFTMAX,
    ),
    identity("softmax-shift", "P2.3", exp(z[i] - c) / total(exp(z[k] - c), k), p[i], let=SOFTMAX),
    identity("softmax-lse", "P2.3", log(total(exp(z[k]), k)), c + log(total(exp(z[k] - c), k))),
    identity("softmax-lse-gradient", "P2.3", Partial(log(total(exp(z[k]), k)), z[i]), p[i], let=SOFTMAX),
    identity("softmax-log", "P2.3", log(p[i]), z[i] - log(total(exp(z[k]), k)), let=SOFTMAX),
    identity(
        "softmax-loss-logits",
        "P2.3",
        loss,
        total(y[k], k) * log(total(exp(z[l]), l)) - total(y[k] * z[k], k),
        let=LOSS,
    ),
    identity("softmax-dp", "P2.3", Partial(loss, p[k]), -y[k] / p[k], let=LOSS),
    identity(
        "softmax-gradient",
        "P2.3",
        Partial(loss, z[j]),
        total(Partial(loss, p[k]) * Partial(p[k], z[j]), k),
        -total(y[k] / p[k] * p[k] * (delta(k, j) - p[j]), k),
        -total(y[k] * (delta(k, j) - p[j]), k),
        total(y[k], k) * p[j] - y[j],
        let=LOSS,
    ),
    identity("softmax-gradient-vector", "P2.3", Grad(loss, z), total(y[k], k) * p - y, let=LOSS),
    identity(
        "softmax-from-product",
        "P2.3",
        hadamard(p, Grad(loss, p) - inner(p, Grad(loss, p)) * ones(K)),
        Grad(loss, z),
        let=LOSS,
    ),
    identity("softmax-gradient-labels", "P2.3 P3.1", Grad(loss, z), p - y, let=LOSS, **ONE_LABEL),
    identity("softmax-zero-sum", "P2.3", total(Partial(loss, z[j]), j), 0, let=LOSS),
    identity(
        "softmax-hessian",
        "P2.3",
        Partial(Partial(loss, z[i]), z[j]),
        p[i] * (delta(i, j) - p[j]),
        let=LOSS,
        **ONE_LABEL,
    ),
    identity(
        "softmax-two-classes",
        "P2.3",
        exp(s) / (exp(s) + exp(t)),
        sigmoid(s - t),
    ),
    identity(
        "softmax-batch-any-labels",
        "P2.3",
        Grad(loss, Z),
        (hadamard(P, Y * ones(K, K)) - Y) / m,
        let=ROWS,
    ),
    identity("softmax-batch", "P2.3 P3.1", Grad(loss, Z), (P - Y) / m, let=ROWS, **ROW_LABELS),
    identity("softmax-batch-columns", "P3.1", Grad(loss, S), (A - T) / m, let=COLUMNS, **COLUMN_LABELS),
    identity(
        "softmax-batch-columns-entry",
        "P3.1",
        m * Partial(loss, S[k, n]),
        A[k, n] - T[k, n],
        let=COLUMNS,
        **COLUMN_LABELS,
    ),
    identity(
        "softmax-any-loss",
        "P2.2",
        Grad(functional("L", p), z),
        hadamard(p, Grad(functional("L", p), p) - inner(p, Grad(functional("L", p), p)) * ones(K)),
        let=SOFTMAX,
    ),
]
