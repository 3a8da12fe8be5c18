"""P4: one sample in columns, gradients as rows, half squared error; the three recursions are one."""

from backprop.symbolic import (
    Grad,
    Jacobian,
    Partial,
    column,
    diag,
    dimensions,
    elementwise,
    functional,
    hadamard,
    indices,
    matrix,
    norm,
    ones,
    outer,
    row,
    symbol,
    total,
)

from .identity import identity

d0, d1, d2, N, P = dimensions("d0 d1 d2 N P")
i, j, l, p, q = indices("i j l p q")
W1, W2, b1, b2 = matrix("W1", d1, d0), matrix("W2", d2, d1), column("b1", d1), column("b2", d2)
a0, a1, z1, z2 = column("a0", d0), column("a1", d1), column("z1", d1), column("z2", d2)
guess, y = column("y_hat", d2), column("y", d2)
loss = symbol("loss", r"\mathcal{L}")
sigma, sigma_prime = elementwise("act", r"\sigma")
HALF = {loss: norm(guess - y) ** 2 / 2}
LAST = {z2: W2 * a1 + b2, guess: sigma(z2), **HALF}
NET = {z1: W1 * a0 + b1, a1: sigma(z1), **LAST}
ANY = functional("L", guess)
CHAIN = {z1: W1 * a0 + b1, a1: sigma(z1), z2: W2 * a1 + b2, guess: sigma(z2)}
UPPER = functional("U", a1)
STEP = {z1: W1 * a0 + b1, a1: sigma(z1)}
X, A, Z, V, c = matrix("X", N, d0), matrix("A", N, d1), matrix("Z", N, d1), matrix("V", d0, d1), row("c", d1)
Z_next, V_next = matrix("Q", N, d2), matrix("T", d1, d2)
ROWS = functional("S", Z_next)
BATCH = {Z: X * V + ones(N) * c, A: sigma(Z), Z_next: A * V_next}
width_in, width_out = column("w_in", P), column("w_out", P)
forward = total(2 * N * width_in[l] * width_out[l], l)

IDENTITIES = [
    identity("delta-half", "P4.1", Grad(loss, guess), guess - y, let=HALF),
    identity("delta-half-entry", "P4.1", Partial(total((guess[i] - y[i]) ** 2, i) / 2, guess[j]), guess[j] - y[j]),
    identity(
        "delta-last",
        "P4.2",
        Grad(loss, b2),
        Grad(loss, z2),
        hadamard(guess - y, sigma_prime(z2)),
        let=LAST,
    ),
    identity("delta-below-last", "P4.3", Grad(loss, a1).T, Grad(loss, b2).T * W2, let=LAST),
    identity("delta-usual", "P4.3", Grad(loss, a1), W2.T * Grad(loss, z2), let=LAST),
    identity("delta-dW", "P4.4", Grad(loss, W2), outer(Grad(loss, b2), a1), let=LAST),
    identity("delta-dW-hidden", "P4.4", Grad(loss, W1), outer(Grad(loss, b1), a0), let=NET),
    identity("delta-key", "P4.5", Grad(UPPER, b1), hadamard(Grad(UPPER, a1), sigma_prime(z1)), let=STEP),
    identity("delta-key-row", "P4.5", Grad(UPPER, b1).T, Grad(UPPER, a1).T * diag(sigma_prime(z1)), let=STEP),
    identity("delta-recursion", "P4.5", Grad(UPPER, a0).T, Grad(UPPER, b1).T * W1, let=STEP),
    identity(
        "delta-usual-recursion",
        "P4.5",
        Grad(ANY, z1),
        hadamard(W2.T * Grad(ANY, z2), sigma_prime(z1)),
        let=CHAIN,
    ),
    identity(
        "delta-note-recursion",
        "P4.5",
        Grad(ANY, a0).T,
        hadamard(Grad(ANY, a1), sigma_prime(z1)).T * W1,
        let=CHAIN,
    ),
    identity("delta-base", "P4.5", Grad(loss, b2), hadamard(Grad(loss, guess), sigma_prime(z2)), let=LAST),
    identity(
        "delta-chain",
        "P4.6",
        Grad(ANY, a0).T,
        Grad(ANY, guess).T * Jacobian(guess, z2) * Jacobian(z2, a1) * Jacobian(a1, z1) * Jacobian(z1, a0),
        Grad(ANY, guess).T * diag(sigma_prime(z2)) * W2 * diag(sigma_prime(z1)) * W1,
        let=CHAIN,
    ),
    identity(
        "delta-chain-jacobian",
        "P4.6",
        Jacobian(guess, a0),
        diag(sigma_prime(z2)) * W2 * diag(sigma_prime(z1)) * W1,
        let=CHAIN,
    ),
    identity("delta-chain-link", "P4.6", Jacobian(a1, a0), Jacobian(a1, z1) * Jacobian(z1, a0), let=STEP),
    identity("delta-shapes", "P4.7", Jacobian(z1, a0), W1, let=STEP),
    identity("delta-batch", "P4.8", Grad(ROWS, Z), hadamard(Grad(ROWS, Z_next) * V_next.T, sigma_prime(Z)), let=BATCH),
    identity("delta-batch-dW", "P4.8", Grad(ROWS, V), X.T * Grad(ROWS, Z), let=BATCH),
    identity("delta-batch-dW-next", "P4.8", Grad(ROWS, V_next), A.T * Grad(ROWS, Z_next), let=BATCH),
    identity("delta-batch-db", "P4.8", Grad(ROWS, c), ones(N).T * Grad(ROWS, Z), let=BATCH),
    identity(
        "cost-backward",
        "P4.9",
        total(2 * N * width_in[l] * width_out[l] + 2 * N * width_in[l] * width_out[l], l),
        2 * forward,
    ),
    identity(
        "cost-differences",
        "P4.9",
        total(2 * forward, (i, P)),
        2 * P * forward,
    ),
]
