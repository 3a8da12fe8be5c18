"""P3.2 to P3.9: columns for samples and per-sample errors, which are m times the gradient of the mean loss."""

from backprop.symbolic import (
    Grad,
    Partial,
    column,
    delta,
    dimensions,
    elementwise,
    exp,
    functional,
    hadamard,
    indices,
    log,
    matrix,
    ones,
    relu,
    step,
    symbol,
    total,
    zeros,
)

from .identity import identity

m, n0, n1, n2 = dimensions("m n0 n1 n2")
i, k, l, p, q, r = indices("i k l p q r")
A0, A1, Y = matrix("A0", n0, m), matrix("A1", n1, m), matrix("Y", n2, m)
W1, W2, b1, b2 = matrix("W1", n1, n0), matrix("W2", n2, n1), column("b1", n1), column("b2", n2)
Z1, Z2, P = matrix("Z1", n1, m), matrix("Z2", n2, m), matrix("P", n2, m)
dz1, dz2, mask = matrix("dz1", n1, m), matrix("dz2", n2, m), matrix("mask", n1, m)
f, f_prime = elementwise("f")
L = functional("L", Z2)
H = functional("H", A1)
loss = symbol("loss", r"\mathcal{L}")
X, rows, V = matrix("X", m, n0), matrix("R", m, n1), matrix("V", n1, n0)
bias, dz = column("b", n1), matrix("dz", n1, m)
LAYER = {Z2: W2 * A1 + b2 * ones(m).T}
NET = {Z1: W1 * A0 + b1 * ones(m).T, A1: f(Z1), **LAYER}
RELU = {Z1: W1 * A0 + b1 * ones(m).T, A1: relu(Z1), **LAYER}
SOFTMAX = {P[k, i]: exp(Z2[k, i]) / total(exp(Z2[l, i]), l), loss: -total(Y[k, i] * log(P[k, i]), k, i) / m}


def m_times(gradient):
    """Per-sample errors."""
    return lambda rng, world: world.value(m * gradient)


def labels(rng, world):
    """Columns of numbers of both signs, each with the sum one."""
    out = rng.normal(size=(world.size(n2), world.size(m)))
    return out + (1 - out.sum(0)) / len(out)


def negative(rng, world):
    """Pre-activations of a dead layer."""
    return -rng.uniform(0.1, 1, (world.size(n1), world.size(m)))


TOP = {"given": {dz2: m * Grad(L, Z2)}, "draw": {dz2: m_times(Grad(L, Z2))}}
BELOW = {"given": {dz1: m * Grad(L, Z1)}, "draw": {dz1: m_times(Grad(L, Z1))}}
TRAINED = {"given": {total(Y[k, i], k): 1}, "draw": {Y: labels}}
ROWS = functional("S", rows)
TRANSPOSED = {rows: X * V.T + ones(m) * bias.T}
DEAD = {"given": [Z1[k, i] < 0], "draw": {Z1: negative}}
MASKED = {"given": {mask: zeros(n1, m)}, "draw": {mask: lambda rng, world: world.value(zeros(n1, m))}}

IDENTITIES = [
    identity("hidden-jacobian", "P3.2", Partial(Z2[k, i], W2[p, q]), delta(k, p) * A1[q, i], let=LAYER),
    identity(
        "hidden-dW-entry",
        "P3.2",
        Partial(L, W2[p, q]),
        total(Partial(L, Z2[k, i]) * Partial(Z2[k, i], W2[p, q]), k, i),
        total(Partial(L, Z2[k, i]) * delta(k, p) * A1[q, i], k, i),
        total(Partial(L, Z2[p, i]) * A1[q, i], i),
        let=LAYER,
    ),
    identity("hidden-dW", "P3.2", Grad(L, W2), 1 / m * dz2 * A1.T, let=LAYER, **TOP),
    identity("hidden-dW-softmax", "P3.2", Grad(loss, W2), 1 / m * (P - Y) * A1.T, let={**LAYER, **SOFTMAX}, **TRAINED),
    identity("hidden-db", "P3.3", Partial(L, b2[k]), 1 / m * total(dz2[k, i], i), let=LAYER, **TOP),
    identity("hidden-db-matrix", "P3.3", Grad(L, b2), dz2 * ones(m) / m, let=LAYER, **TOP),
    identity("hidden-db-softmax", "P3.3", Grad(loss, b2), (P - Y) * ones(m) / m, let={**LAYER, **SOFTMAX}, **TRAINED),
    identity("hidden-dA", "P3.4", W2.T * dz2, m * Grad(L, A1), let=LAYER, **TOP),
    identity("hidden-dA-softmax", "P3.4", W2.T * (P - Y), m * Grad(loss, A1), let={**LAYER, **SOFTMAX}, **TRAINED),
    identity(
        "hidden-mask-jacobian",
        "P3.5",
        Partial(A1[k, i], Z1[p, q]),
        delta(k, p) * delta(i, q) * step(Z1[p, q]),
        let={A1: relu(Z1)},
    ),
    identity(
        "hidden-mask-entry",
        "P3.5",
        Partial(H, Z1[p, q]),
        total(Partial(H, A1[k, i]) * Partial(A1[k, i], Z1[p, q]), k, i),
        total(Partial(H, A1[k, i]) * delta(k, p) * delta(i, q) * step(Z1[p, q]), k, i),
        Partial(H, A1[p, q]) * step(Z1[p, q]),
        let={A1: relu(Z1)},
    ),
    identity("hidden-mask", "P3.5", Grad(H, Z1), hadamard(Grad(H, A1), step(Z1)), let={A1: relu(Z1)}),
    identity("hidden-slope", "P3.5", Grad(H, Z1), hadamard(Grad(H, A1), f_prime(Z1)), let={A1: f(Z1)}),
    identity("hidden-hidden-dW", "P3.6", Grad(L, W1), 1 / m * dz1 * A0.T, let=NET, **BELOW),
    identity("hidden-hidden-db", "P3.6", Grad(L, b1), 1 / m * dz1 * ones(m), let=NET, **BELOW),
    identity("hidden-hidden-dA", "P3.6", W1.T * dz1, m * Grad(L, A0), let=NET, **BELOW),
    identity("hidden-induction", "P3.7", hadamard(W2.T * dz2, f_prime(Z1)), m * Grad(L, Z1), let=NET, **TOP),
    identity("hidden-induction-relu", "P3.7", hadamard(W2.T * dz2, step(Z1)), m * Grad(L, Z1), let=RELU, **TOP),
    identity(
        "hidden-induction-dW", "P3.7", 1 / m * hadamard(W2.T * dz2, f_prime(Z1)) * A0.T, Grad(L, W1), let=NET, **TOP
    ),
    identity(
        "hidden-softmax-dW",
        "P3.7",
        Grad(loss, W1),
        1 / m * hadamard(W2.T * (P - Y), f_prime(Z1)) * A0.T,
        let={**NET, **SOFTMAX},
        **TRAINED,
    ),
    identity("hidden-rows-forward", "P3.8", (V * X.T + bias * ones(m).T).T, X * V.T + ones(m) * bias.T),
    identity(
        "hidden-rows-dZ",
        "P3.8",
        1 / m * dz.T,
        Grad(ROWS, rows),
        let=TRANSPOSED,
        given={dz: m * Grad(ROWS, rows).T},
        draw={dz: lambda rng, world: world.value(m * Grad(ROWS, rows).T)},
    ),
    identity(
        "hidden-rows-dW",
        "P3.8",
        Grad(ROWS, V).T,
        X.T * Grad(ROWS, rows),
        1 / m * (dz * X).T,
        let=TRANSPOSED,
        given={dz: m * Grad(ROWS, rows).T},
        draw={dz: lambda rng, world: world.value(m * Grad(ROWS, rows).T)},
    ),
    identity("hidden-dead", "P3.9", Grad(L, Z1), zeros(n1, m), let={A1: relu(Z1), **LAYER}, **DEAD),
    identity("hidden-dead-mask", "P3.9", hadamard(W2.T * dz2, mask), zeros(n1, m), **MASKED),
    identity("hidden-dead-below", "P3.9", W1.T * hadamard(W2.T * dz2, mask), zeros(n0, m), **MASKED),
    identity("hidden-dead-dW", "P3.9", hadamard(W2.T * dz2, mask) * A0.T, zeros(n1, n0), **MASKED),
]
