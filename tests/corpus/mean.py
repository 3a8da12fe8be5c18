"""P2.4: where 1/m goes. A factor c at the start passes through; a factor kappa multiplies the parameters once."""

from backprop.symbolic import (
    Grad,
    dimensions,
    elementwise,
    functional,
    hadamard,
    indices,
    matrix,
    norm,
    ones,
    row,
    scalars,
    symbol,
    total,
)

from .identity import identity

m, n0, n1, n2 = dimensions("m n0 n1 n2")
i, k = indices("i k")
A0, A1 = matrix("A0", m, n0), matrix("A1", m, n1)
W1, W2, b1, b2 = matrix("W1", n0, n1), matrix("W2", n1, n2), row("b1", n1), row("b2", n2)
Z1, Z2, Y = matrix("Z1", m, n1), matrix("Z2", m, n2), matrix("Y", m, n2)
dZ1, dZ2, dA1 = matrix("dZ1", m, n1), matrix("dZ2", m, n2), matrix("dA1", m, n1)
c, kappa = scalars("c kappa")
f, f_prime = elementwise("f")
loss = symbol("loss", r"\mathcal{L}")
L = functional("L", Z2)
LAYERS = {Z1: A0 * W1 + ones(m) * b1, A1: f(Z1), Z2: A1 * W2 + ones(m) * b2}
SQUARED = {loss: total((Z2[i, k] - Y[i, k]) ** 2, i, k) / m}


def times_c(gradient):
    """An upstream quantity that is c times a gradient."""
    return lambda rng, world: world.value(c * gradient)


ABOVE = {"let": LAYERS, "given": {dZ2: c * Grad(L, Z2)}, "draw": {dZ2: times_c(Grad(L, Z2))}}
HERE = {"let": LAYERS, "given": {dZ1: c * Grad(L, Z1)}, "draw": {dZ1: times_c(Grad(L, Z1))}}
AFTER = {"let": LAYERS, "given": {dA1: c * Grad(L, A1)}, "draw": {dA1: times_c(Grad(L, A1))}}

IDENTITIES = [
    identity("mean-dA", "P2.4", dZ2 * W2.T, c * Grad(L, A1), **ABOVE),
    identity("mean-dZ", "P2.4", hadamard(dA1, f_prime(Z1)), c * Grad(L, Z1), **AFTER),
    identity("mean-induction", "P2.4", hadamard(dZ2 * W2.T, f_prime(Z1)), c * Grad(L, Z1), **ABOVE),
    identity("mean-dW", "P2.4", kappa * A1.T * dZ2, c * kappa * Grad(L, W2), **ABOVE),
    identity("mean-db", "P2.4", kappa * ones(m).T * dZ2, c * kappa * Grad(L, b2), **ABOVE),
    identity("mean-dW-below", "P2.4", kappa * A0.T * dZ1, c * kappa * Grad(L, W1), **HERE),
    identity("mean-db-below", "P2.4", kappa * ones(m).T * dZ1, c * kappa * Grad(L, b1), **HERE),
    identity("mean-dX", "P2.4", dZ1 * W1.T, c * Grad(L, A0), **HERE),
    identity(
        "mean-two-layers",
        "P2.4",
        kappa * A0.T * hadamard(dZ2 * W2.T, f_prime(Z1)),
        c * kappa * Grad(L, W1),
        **ABOVE,
    ),
    identity("mean-start-mse", "P2.4", Grad(loss, Z2), 2 * (Z2 - Y) / m, let=SQUARED),
    identity(
        "mean-per-sample-start",
        "P2.4",
        1 / m * A1.T * (2 * (Z2 - Y)),
        Grad(loss, W2),
        let={**SQUARED, Z2: A1 * W2 + ones(m) * b2},
    ),
    identity(
        "mean-relative-error",
        "P2.4",
        norm(m * A0 - A0) / (norm(m * A0) + norm(A0)),
        (m - 1) / (m + 1),
    ),
    identity(
        "mean-relative-error-squared",
        "P2.4",
        norm(m * A0 - A0) ** 2 / norm(m * A0 + A0) ** 2,
        (m - 1) ** 2 / (m + 1) ** 2,
    ),
]
