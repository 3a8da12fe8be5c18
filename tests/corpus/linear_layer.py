"""P0: the linear layer, for any loss."""

from backprop.symbolic import (
    Grad,
    Partial,
    delta,
    dimensions,
    functional,
    indices,
    inner,
    matrix,
    ones,
    row,
    symbol,
    total,
    trace,
)

from .identity import identity

N, D_in, D_out = dimensions("N D_in D_out")
n, i, j, k, p, q = indices("n i j k p q")
X, W, b, Z = matrix("X", N, D_in), matrix("W", D_in, D_out), row("b", D_out), matrix("Z", N, D_out)
dZ, G = matrix("dZ", N, D_out), matrix("G", N, D_out)
stored = matrix("W_pt", D_out, D_in)
change_X, change_W, change_b = matrix("H", N, D_in), matrix("V", D_in, D_out), row("c", D_out)
eta, moved = symbol("eta"), matrix("M", D_in, D_out)
L = functional("L", Z)
LAYER = {Z: X * W + ones(N) * b}
UPSTREAM = {Grad(L, Z): dZ}
dLdZ = Partial(L, Z[n, j])


def upstream(rng, world):
    """dZ as the gradient of the loss that this world brings."""
    return world.value(Grad(L, Z))


IDENTITIES = [
    identity("linear-entry", "P0.1", Z[n, j], total(X[n, i] * W[i, j], i) + b[j], let=LAYER),
    identity("linear-matrix", "P0.1", total(X[n, i] * W[i, j], i) + b[j], (X * W + ones(N) * b)[n, j]),
    identity("linear-stored-forward", "P0.2", X * stored.T + ones(N) * b, X * W + ones(N) * b, let={stored: W.T}),
    identity(
        "linear-stored-transpose",
        "P0.2",
        Grad(L, stored),
        Grad(L, Z).T * X,
        (X.T * Grad(L, Z)).T,
        let={Z: X * stored.T + ones(N) * b},
    ),
    identity("linear-jacobian-W", "P0.3", Partial(Z[n, k], W[i, j]), X[n, i] * delta(k, j), let=LAYER),
    identity("linear-jacobian-b", "P0.3", Partial(Z[n, k], b[j]), delta(k, j), let=LAYER),
    identity("linear-jacobian-X", "P0.3", Partial(Z[p, k], X[n, i]), delta(n, p) * W[i, k], let=LAYER),
    identity(
        "linear-dW-entries",
        "P0.4",
        Partial(L, W[p, q]),
        total(dLdZ * Partial(Z[n, j], W[p, q]), n, j),
        total(dLdZ * X[n, p] * delta(j, q), n, j),
        total(X[n, p] * Partial(L, Z[n, q]), n),
        (X.T * Grad(L, Z))[p, q],
        let=LAYER,
    ),
    identity(
        "linear-db-entries",
        "P0.4",
        Partial(L, b[q]),
        total(dLdZ * Partial(Z[n, j], b[q]), n, j),
        total(dLdZ * delta(j, q), n, j),
        total(Partial(L, Z[n, q]), n),
        (ones(N).T * Grad(L, Z))[q],
        let=LAYER,
    ),
    identity(
        "linear-dX-entries",
        "P0.4",
        Partial(L, X[p, i]),
        total(dLdZ * Partial(Z[n, j], X[p, i]), n, j),
        total(dLdZ * delta(n, p) * W[i, j], n, j),
        total(Partial(L, Z[p, j]) * W[i, j], j),
        (Grad(L, Z) * W.T)[p, i],
        let=LAYER,
    ),
    identity("linear-dW", "P0.4", Grad(L, W), X.T * dZ, let=LAYER, given=UPSTREAM, draw={dZ: upstream}),
    identity("linear-db", "P0.4", Grad(L, b), ones(N).T * dZ, let=LAYER, given=UPSTREAM, draw={dZ: upstream}),
    identity("linear-dX", "P0.4", Grad(L, X), dZ * W.T, let=LAYER, given=UPSTREAM, draw={dZ: upstream}),
    identity(
        "linear-pairing",
        "P0.4",
        inner(G, change_X * W + X * change_W + ones(N) * change_b),
        inner(G, change_X * W) + inner(G, X * change_W) + inner(G, ones(N) * change_b),
        inner(G * W.T, change_X) + inner(X.T * G, change_W) + inner(ones(N).T * G, change_b),
    ),
    identity("linear-pairing-left", "P0.4", inner(G, X * W), inner(X.T * G, W)),
    identity("linear-pairing-right", "P0.4", inner(G, X * W), inner(G * W.T, X)),
    identity("linear-pairing-trace", "P0.4", inner(G, X * W), trace(G.T * X * W), trace(W * G.T * X)),
    identity(
        "linear-descent",
        "P0.6",
        Partial(functional("R", moved), eta),
        -inner(Grad(functional("R", moved), moved), change_W),
        let={moved: W - eta * change_W},
    ),
]
