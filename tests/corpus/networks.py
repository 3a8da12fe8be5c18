"""Whole networks: one layer of the induction, L = 2 … 5 layers unrolled, a skip connection, tied weights."""

from backprop.symbolic import (
    Grad,
    column,
    dimensions,
    elementwise,
    functional,
    hadamard,
    matrix,
    ones,
    relu,
    row,
    step,
)

from .identity import identity

N, D, K = dimensions("N D K")
f, f_prime = elementwise("f")
g, g_prime = elementwise("g")


def unrolled(depth):
    """A network of so many layers, from its first weights' gradient to the product of all its parts."""
    sizes = dimensions(" ".join(f"n{l}" for l in range(depth + 1)))
    A, Z, W, b, let = [matrix("A0", N, sizes[0])], [None], [None], [None], {}
    for l in range(1, depth + 1):
        W.append(matrix(f"W{l}", sizes[l - 1], sizes[l]))
        b.append(row(f"b{l}", sizes[l]))
        Z.append(matrix(f"Z{l}", N, sizes[l]))
        A.append(matrix(f"A{l}", N, sizes[l]))
        let[Z[l]] = A[l - 1] * W[l] + ones(N) * b[l]
        let[A[l]] = f(Z[l])
    loss = functional("L", A[depth])
    deltas = {depth: hadamard(Grad(loss, A[depth]), f_prime(Z[depth]))}
    for l in range(depth - 1, 0, -1):
        deltas[l] = hadamard(deltas[l + 1] * W[l + 1].T, f_prime(Z[l]))
    return [
        identity(f"network-{depth}-dW1", "P3.7 P4.8", Grad(loss, W[1]), A[0].T * deltas[1], let=let),
        identity(f"network-{depth}-db1", "P3.7 P4.8", Grad(loss, b[1]), ones(N).T * deltas[1], let=let),
        identity(f"network-{depth}-dX", "P3.7 P4.8", Grad(loss, A[0]), deltas[1] * W[1].T, let=let),
    ]


A0, A1, A2 = matrix("A0", N, D), matrix("A1", N, D), matrix("A2", N, D)
Z1, Z2, V1, V2 = matrix("Z1", N, D), matrix("Z2", N, D), matrix("V1", D, D), matrix("V2", D, D)
skipped = {Z1: A0 * V1, A1: f(Z1) + A0}
tied = {Z1: A0 * V1, A1: f(Z1), Z2: A1 * V1}
L1, L2 = functional("L", A1), functional("L", Z2)
X, V, H, G, S = matrix("X", N, D), matrix("V", D, K), matrix("H", N, K), matrix("G", N, D), matrix("S", N, D)
coded = {H: f(X * V), G: H * V.T}
reconstruction = functional("R", G)
x, u, U = column("x", D), column("u", D), matrix("U", D, D)

IDENTITIES = [
    identity(
        "network-skip", "P3.7", Grad(L1, A0), Grad(L1, A1) + hadamard(Grad(L1, A1), f_prime(Z1)) * V1.T, let=skipped
    ),
    identity("network-skip-dW", "P3.7", Grad(L1, V1), A0.T * hadamard(Grad(L1, A1), f_prime(Z1)), let=skipped),
    identity(
        "network-tied",
        "P3.7",
        Grad(L2, V1),
        A1.T * Grad(L2, Z2) + A0.T * hadamard(Grad(L2, Z2) * V1.T, f_prime(Z1)),
        let=tied,
    ),
    identity(
        "network-autoencoder",
        "P3.7",
        Grad(reconstruction, V),
        X.T * hadamard(Grad(reconstruction, G) * V, f_prime(X * V)) + Grad(reconstruction, G).T * H,
        let=coded,
    ),
    identity(
        "network-used-twice",
        "P1.5",
        Grad(functional("L", u), x),
        U.T * Grad(functional("L", u), u) + Grad(functional("L", u), u),
        let={u: U * x + x},
    ),
    identity(
        "network-relu-two",
        "P3.5",
        Grad(functional("Q", Z2), V1),
        A0.T * hadamard(Grad(functional("Q", Z2), Z2) * V2.T, step(Z1)),
        let={Z1: A0 * V1, A1: relu(Z1), Z2: A1 * V2},
    ),
    *(part for depth in (2, 3, 4, 5) for part in unrolled(depth)),
]
