"""Errors that people make, planted by hand: over all chapters, each in a world of shapes of its own.

Every function takes the dimensions it needs, so that each error is tried twice: with all dimensions different, and
with one dimension in place of all of them, where shapes cannot help. Some errors can be written in the second world
only: there the products conform that do not otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from inspect import signature

from backprop.symbolic import (
    INFINITY,
    PI,
    Grad,
    Integral,
    Jacobian,
    Limit,
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
    softplus,
    sqrt,
    step,
    symbol,
    tanh,
    total,
    zeros,
)
from backprop.symbolic.expressions import Expression

n, i, j, k, l, p, q = indices("n i j k l p q")
t, h, y, a, c, kappa, z = scalars("t h y a c kappa z")
s, w, u_round, size, third = scalars("s w u A M", positive=True)
f, f_prime = elementwise("f")
loss = symbol("loss", r"\mathcal{L}")
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


@dataclass(frozen=True)
class Planted:
    """A start, and a line that does not follow from it; `wrong` writes the line, which may not even conform.

    `true_when_equal` marks an error that is none where all sizes are equal: K in the place of m.
    """

    name: str
    proves: str
    start: Expression
    wrong: Callable
    let: dict = field(default_factory=dict)
    given: dict | list = field(default_factory=dict)
    relation: str = "="
    true_when_equal: bool = False


def linear_layer(N, D, K):
    X, W, b, Z = matrix("X", N, D), matrix("W", D, K), row("b", K), matrix("Z", N, K)
    stored = matrix("W_pt", K, D)
    L, let = functional("L", Z), {Z: X * W + ones(N) * b}
    G = Grad(L, Z)
    dLdZ = Partial(L, Z[n, j])
    A, V, U = matrix("A", N, K), matrix("V", D, K), matrix("U", N, D)
    return [
        Planted("Z without its bias", "P0.1", Z[n, j], lambda: total(X[n, i] * W[i, j], i), let),
        Planted("Z with W transposed", "P0.1", Z[n, j], lambda: total(X[n, i] * W[j, i], i) + b[j], let),
        Planted("bias by row", "P0.1", Z[n, j], lambda: total(X[n, i] * W[i, j], i) + b[n], let),
        Planted("bias inside the sum", "P0.1", Z[n, j], lambda: total(X[n, i] * W[i, j] + b[j], i), let),
        Planted("stored weights not transposed", "P0.2", X * W, lambda: X * stored, {stored: W.T}),
        Planted("stored dW untransposed", "P0.2", Grad(L, stored), lambda: X.T * G, {Z: X * stored.T}),
        Planted("stored dW with the sides exchanged", "P0.2", Grad(L, stored), lambda: G * X.T, {Z: X * stored.T}),
        Planted("dZ/dW with the wrong delta", "P0.3", Partial(Z[n, k], W[i, j]), lambda: X[n, i] * delta(i, j), let),
        Planted("dZ/dW with no delta", "P0.3", Partial(Z[n, k], W[i, j]), lambda: X[n, i], let),
        Planted("dZ/dW by the output", "P0.3", Partial(Z[n, k], W[i, j]), lambda: X[n, j] * delta(k, j), let),
        Planted("dZ/db is always 1", "P0.3", Partial(Z[n, k], b[j]), lambda: 1, let),
        Planted("dZ/dX with no delta", "P0.3", Partial(Z[p, k], X[n, i]), lambda: W[i, k], let),
        Planted("dZ/dX transposed", "P0.3", Partial(Z[p, k], X[n, i]), lambda: delta(n, p) * W[k, i], let),
        Planted("chain rule over the samples only", "P0.4", Partial(L, W[p, q]),
                lambda: total(dLdZ * Partial(Z[n, j], W[p, q]), n), let),
        Planted("chain rule with the index captured", "P0.4", Partial(L, W[p, q]),
                lambda: total(X[n, n] * Partial(L, Z[n, q]), n), let),
        Planted("the delta keeps all columns", "P0.4", Partial(L, W[p, q]), lambda: total(dLdZ * X[n, p], n, j), let),
        Planted("one sample is missed", "P0.4", Partial(L, W[p, q]),
                lambda: total(X[n, p] * Partial(L, Z[n, q]), (n, 1, N - 1)), let),
        Planted("X dZ", "P0.5", Grad(L, W), lambda: X * G, let),
        Planted("dZ X", "P0.5", Grad(L, W), lambda: G * X, let),
        Planted("dZᵀ X", "P0.5", Grad(L, W), lambda: G.T * X, let),
        Planted("dZ Xᵀ", "P0.5", Grad(L, W), lambda: G * X.T, let),
        Planted("X dZᵀ", "P0.5", Grad(L, W), lambda: X * G.T, let),
        Planted("Xᵀ dZᵀ", "P0.5", Grad(L, W), lambda: X.T * G.T, let),
        Planted("dX with W untransposed", "P0.4", Grad(L, X), lambda: G * W, let),
        Planted("dX with the sides exchanged", "P0.4", Grad(L, X), lambda: W.T * G, let),
        Planted("dX with W from the left", "P0.4", Grad(L, X), lambda: W * G, let),
        Planted("dW divided by N", "P0.4", Grad(L, W), lambda: X.T * G / N, let),
        Planted("db summed over columns", "P0.4", Grad(L, b), lambda: (G * ones(K)).T, let),
        Planted("db is a mean", "P0.4", Grad(L, b), lambda: ones(N).T * G / N, let),
        Planted("db of the first sample only", "P0.4", Partial(L, b[q]), lambda: Partial(L, Z[0, q]), let),
        Planted("descent upwards", "P0.6", Partial(functional("R", U), t),
                lambda: inner(Grad(functional("R", U), U), X), {U: matrix("U0", N, D) - t * X}),
        Planted("pairing without a transpose", "P0.4", inner(A, X * V), lambda: inner(X * A, V)),
        Planted("pairing on the wrong side", "P0.4", inner(A, X * V), lambda: inner(V.T * A, X)),
    ]  # fmt: skip


def matrix_form(m, d, N, r):
    W, x, b, zc, ac = matrix("W", m, d), column("x", d), column("b", m), column("z", m), column("a", m)
    X, Z, V, g = matrix("X", d, N), matrix("Z", m, N), matrix("V", r, m), column("g", r)
    L, R, B = functional("L", zc), functional("R", ac), functional("B", Z)
    let, batch = {zc: W * x + b}, {Z: W * X + b * ones(N).T}
    softmax = {ac: exp(zc) / total(exp(zc[j]), j)}
    bound = symbol("C", positive=True)
    given = [absolute(f_prime(zc[i])) <= bound]
    slope, below = norm(hadamard(V.T * g, f_prime(zc))), norm(V.T * g)
    dz = Grad(L, zc)
    return [
        Planted("transposed without exchanging", "P1.1", zc.T, lambda: (W.T * x + b).T, let),
        Planted("x Wᵀ in rows, no transpose", "P1.1", zc.T, lambda: x.T * W + b.T, let),
        Planted("Jacobian of the value", "P1.2", Jacobian(ac, zc), lambda: diag(f(zc)), {ac: f(zc)}),
        Planted("Jacobian is an outer product", "P1.2", Jacobian(ac, zc), lambda: f_prime(zc) * ones(m).T, {ac: f(zc)}),
        Planted("f for f′", "P1.2", Grad(R, zc), lambda: hadamard(Grad(R, ac), f(zc)), {ac: f(zc)}),
        Planted("no slope", "P1.2", Grad(R, zc), lambda: Grad(R, ac), {ac: f(zc)}),
        Planted("slope at a", "P1.2", Grad(R, zc), lambda: hadamard(Grad(R, ac), f_prime(ac)), {ac: f(zc)}),
        Planted("Jacobian not transposed", "P1.2", Grad(R, zc), lambda: Jacobian(ac, zc) * Grad(R, ac),
                {ac: f(matrix("U", m, m) * zc)}),
        Planted("db summed for one sample", "P1.3", Partial(L, b[i]), lambda: total(Partial(L, zc[j]), j), let),
        Planted("dW = x dzᵀ", "P1.4", Grad(L, W), lambda: outer(x, dz), let),
        Planted("dW_ij = dz_j x_i", "P1.4", Partial(L, W[i, j]), lambda: Partial(L, zc[j]) * x[i], let),
        Planted("dx = W dz", "P1.5", Grad(L, x), lambda: W * dz, let),
        Planted("one path of all", "P1.5", Partial(L, x[j]), lambda: W[0, j] * Partial(L, zc[0]), let),
        Planted("dx by rows", "P1.5", Partial(L, x[j]), lambda: total(W[j, i] * Partial(L, zc[i]), i), let),
        Planted("bound without W", "P1.6", slope, lambda: bound * norm(g), given=given, relation="<="),
        Planted("bound without the slope", "P1.6", slope, lambda: below, given=given, relation="<="),
        Planted("bound by a half", "P1.6", Partial(sigmoid(t), t), lambda: Fraction(1, 5), relation="<="),
        Planted("bound of tanh", "P1.6", Partial(tanh(t), t), lambda: HALF, relation="<="),
        Planted("norms the other way round", "P1.6", norm(V) * norm(g), lambda: below, relation="<="),
        Planted("batch dW in rows", "P1.7", Grad(B, W), lambda: X.T * Grad(B, Z), batch),
        Planted("batch dW averaged", "P1.7", Grad(B, W), lambda: Grad(B, Z) * X.T / N, batch),
        Planted("batch db by units", "P1.7", Grad(B, b), lambda: (ones(m).T * Grad(B, Z)).T, batch),
        Planted("batch dX untransposed", "P1.7", Grad(B, X), lambda: W * Grad(B, Z), batch),
        Planted("batch bias as a row", "P1.7", Z, lambda: W * X + ones(m) * b.T, batch),
        Planted("softmax taken entry by entry", "P1.8", Grad(R, zc),
                lambda: hadamard(Grad(R, ac), hadamard(ac, ones(m) - ac)), softmax),
        Planted("softmax's Jacobian is diagonal", "P1.8", Partial(ac[i], zc[k]),
                lambda: ac[i] * (1 - ac[i]) * delta(i, k), softmax),
    ]  # fmt: skip


def activations_and_losses(m, K):
    A, Y, Z, P = matrix("A", m, K), matrix("Y", m, K), matrix("Z", m, K), matrix("P", m, K)
    squares = total((A[i, k] - Y[i, k]) ** 2, i, k)
    bce = {loss: -(y * log(a) + (1 - y) * log(1 - a))}
    logit = {**bce, a: sigmoid(t)}
    batch = {P: sigmoid(Z), loss: -total(Y[i, k] * log(P[i, k]) + (1 - Y[i, k]) * log(1 - P[i, k]), i, k) / m}
    return [
        Planted("relu′ = 1", "P2.1", Partial(relu(t), t), lambda: 1),
        Planted("relu′ is relu", "P2.1", Partial(relu(t), t), lambda: relu(t)),
        Planted("relu′ on the wrong side", "P2.1", Partial(relu(t), t), lambda: step(-t)),
        Planted("a slope of relu from the left", "P2.1", Limit(relu(h) / h, h, 0, "-"), lambda: 1),
        Planted("a half at the kink", "P2.1", Limit(relu(h) / h, h, 0, "+"), lambda: HALF),
        Planted("σ′ = σ(1 + σ)", "P2.1", Partial(sigmoid(t), t), lambda: sigmoid(t) * (1 + sigmoid(t))),
        Planted("σ′ = 1 − σ²", "P2.1", Partial(sigmoid(t), t), lambda: 1 - sigmoid(t) ** 2),
        Planted("σ is odd", "P2.1", sigmoid(-t), lambda: -sigmoid(t)),
        Planted("tanh z = 2σ(z) − 1", "P2.1", tanh(t), lambda: 2 * sigmoid(t) - 1),
        Planted("tanh z = σ(2z) − 1", "P2.1", tanh(t), lambda: sigmoid(2 * t) - 1),
        Planted("tanh′ = 1 − tanh", "P2.1", Partial(tanh(t), t), lambda: 1 - tanh(t)),
        Planted("tanh′ = tanh (1 − tanh)", "P2.1", Partial(tanh(t), t), lambda: tanh(t) * (1 - tanh(t))),
        Planted("softplus with e^z", "P2.1", softplus(t), lambda: relu(t) + log(1 + exp(t))),
        Planted("softplus′ = relu", "P2.1", Partial(softplus(t), t), lambda: step(t)),
        Planted("σ in its unstable form, wrong", "P2.1", sigmoid(t), lambda: exp(t) / (1 - exp(t))),
        Planted("MSE without the 2", "P2.5", Grad(loss, A), lambda: (A - Y) / m, {loss: squares / m}),
        Planted("MSE with the sign", "P2.5", Grad(loss, A), lambda: 2 * (Y - A) / m, {loss: squares / m}),
        Planted("MSE over all, 1/m only", "P2.5", Grad(loss, A), lambda: 2 * (A - Y) / m, {loss: squares / (m * K)}),
        Planted("half sum with the 2", "P2.5", Grad(loss, A), lambda: 2 * (A - Y), {loss: squares / 2}),
        Planted("sum over m", "P2.5", Grad(loss, A), lambda: 2 * (A - Y) / m, {loss: squares}),
        Planted("BCE's sign", "P2.6", Partial(loss, a), lambda: (y - a) / (a * (1 - a)), bce),
        Planted("BCE without the denominator", "P2.6", Partial(loss, a), lambda: a - y, bce),
        Planted("BCE with one factor", "P2.6", Partial(loss, a), lambda: (a - y) / a, bce),
        Planted("BCE through σ, twice the slope", "P2.6", Partial(loss, t), lambda: (a - y) * a * (1 - a), logit),
        Planted("BCE with z for σ(z)", "P2.6", Partial(loss, t), lambda: t - y, logit),
        Planted("BCE in logits without |z|", "P2.6", softplus(t) - y * t,
                lambda: relu(t) - t * y + log(1 + exp(-t))),
        Planted("BCE in logits, sign of y", "P2.6", softplus(t) - y * t,
                lambda: relu(t) + t * y + log(1 + exp(-absolute(t)))),
        Planted("BCE batch without 1/m", "P2.6", Grad(loss, Z), lambda: P - Y, batch),
        Planted("BCE batch by m K", "P2.6", Grad(loss, Z), lambda: (P - Y) / (m * K), batch),
    ]  # fmt: skip


def softmax_cross_entropy(m, K):
    zc, pc, yc, uc = column("z", K), column("p", K), column("y", K), column("u", K)
    Z, P, Y = matrix("Z", m, K), matrix("P", m, K), matrix("Y", m, K)
    softmax = {pc: exp(zc) / total(exp(zc[l]), l)}
    let = {**softmax, loss: -total(yc[k] * log(pc[k]), k)}
    rows = {P[n, k]: exp(Z[n, k]) / total(exp(Z[n, l]), l), loss: -total(Y[n, k] * log(P[n, k]), n, k) / m}
    one, every = {total(yc[k], k): 1}, {total(Y[n, k], k): 1}
    J = Jacobian(pc, zc)
    return [
        Planted("Jacobian with a plus", "P2.2", J, lambda: diag(pc) + pc * pc.T, softmax),
        Planted("Jacobian without its diagonal", "P2.2", J, lambda: -pc * pc.T, softmax),
        Planted("Jacobian of σ", "P2.2", Partial(pc[i], zc[j]), lambda: pc[i] * (delta(i, j) - pc[i]), softmax),
        Planted("Jacobian with the wrong entry", "P2.2", Partial(pc[i], zc[j]), lambda: pc[j] * (delta(i, j) - pc[j]),
                softmax),
        Planted("product without the mean", "P2.2", J.T * uc, lambda: hadamard(pc, uc), softmax),
        Planted("product with the sum for the mean", "P2.2", J.T * uc,
                lambda: hadamard(pc, uc - total(uc[k], k) * ones(K)), softmax),
        Planted("a kernel of eᵢ", "P2.2", J * pc, lambda: zeros(K), softmax),
        Planted("variance without the half", "P2.2", (uc.T * J * uc)[0, 0],
                lambda: total(pc[i] * pc[j] * (uc[i] - uc[j]) ** 2, i, j), softmax),
        Planted("a shift that does not cancel", "P2.3", exp(zc[i] - c) / total(exp(zc[k]), k), lambda: pc[i], softmax),
        Planted("log-sum-exp without c", "P2.3", log(total(exp(zc[k]), k)), lambda: log(total(exp(zc[k] - c), k))),
        Planted("log-sum-exp, the sign of c", "P2.3", log(total(exp(zc[k]), k)),
                lambda: log(total(exp(zc[k] - c), k)) - c),
        Planted("the logarithm of a sum is the sum", "P2.3", log(total(exp(zc[k]), k)), lambda: total(zc[k], k)),
        Planted("p − y for any labels", "P2.3", Grad(loss, zc), lambda: pc - yc, let),
        Planted("y − p", "P2.3", Grad(loss, zc), lambda: yc - pc, let, one),
        Planted("p − y, divided by K", "P2.3", Grad(loss, zc), lambda: (pc - yc) / K, let, one),
        Planted("−y/p for z", "P2.3", Partial(loss, zc[j]), lambda: -yc[j] / pc[j], let, one),
        Planted("−y/p with the Jacobian's diagonal only", "P2.3", Partial(loss, zc[j]),
                lambda: -yc[j] * (1 - pc[j]), let, one),
        Planted("Hessian is the diagonal", "P2.3", Partial(Partial(loss, zc[i]), zc[j]),
                lambda: pc[i] * (1 - pc[i]) * delta(i, j), let, one),
        Planted("batch without 1/m", "P3.1", Grad(loss, Z), lambda: P - Y, rows, every),
        Planted("batch with 1/m twice", "P3.1", Grad(loss, Z), lambda: (P - Y) / m / m, rows, every),
        Planted("batch by K", "P3.1", Grad(loss, Z), lambda: (P - Y) / K, rows, every,
                true_when_equal=True),
        Planted("batch for any labels", "P2.3", Grad(loss, Z), lambda: (P - Y) / m, rows),
        Planted("labels that sum over the samples", "P2.3", Grad(loss, Z), lambda: (P - Y) / m, rows,
                {total(Y[n, k], n): 1}),
    ]  # fmt: skip


def mean_and_checks(m, D, H, K):
    A0, A1, W1, W2 = matrix("A0", m, D), matrix("A1", m, H), matrix("W1", D, H), matrix("W2", H, K)
    Z1, Z2, dZ2, Y = matrix("Z1", m, H), matrix("Z2", m, K), matrix("dZ2", m, K), matrix("Y", m, K)
    L = functional("L", Z2)
    let = {Z1: A0 * W1, A1: f(Z1), Z2: A1 * W2}
    given = {dZ2: c * Grad(L, Z2)}
    squared = {Z2: A1 * W2, loss: total((Z2[i, k] - Y[i, k]) ** 2, i, k) / m}
    x, v = column("x", D), column("v", D)
    differences = u_round * size / s + s**2 * third / 6
    return [
        Planted("c is lost below", "P2.4", hadamard(dZ2 * W2.T, f_prime(Z1)), lambda: Grad(L, Z1), let, given),
        Planted("c twice", "P2.4", hadamard(dZ2 * W2.T, f_prime(Z1)), lambda: c**2 * Grad(L, Z1), let, given),
        Planted("κ in dZ", "P2.4", dZ2 * W2.T, lambda: c * kappa * Grad(L, A1), let, given),
        Planted("dW without κ", "P2.4", kappa * A1.T * dZ2, lambda: c * Grad(L, W2), let, given),
        Planted("1/m once a layer", "P2.4", A0.T * hadamard(dZ2 * W2.T, f_prime(Z1)) / m,
                lambda: c * Grad(L, W1), let, given),
        Planted("double division", "P2.4", Grad(loss, W2), lambda: A1.T * (2 * (Z2 - Y) / m) / m, squared),
        Planted("no division", "P2.4", Grad(loss, W2), lambda: A1.T * (2 * (Z2 - Y)), squared),
        Planted("centred error in h", "P2.7", Limit(((f(t + h) - f(t - h)) / (2 * h) - f_prime(t)) / h**2, h, 0),
                lambda: f_prime.prime(t) / 2),
        Planted("centred error with 1/3", "P2.7", Limit(((f(t + h) - f(t - h)) / (2 * h) - f_prime(t)) / h**2, h, 0),
                lambda: f_prime.prime.prime(t) / 3),
        Planted("forward error with 1", "P2.7", Limit(((f(t + h) - f(t)) / h - f_prime(t)) / h, h, 0),
                lambda: f_prime.prime(t)),
        Planted("centred without the 2", "P2.7", Limit((f(t + h) - f(t - h)) / h, h, 0), lambda: f_prime(t)),
        Planted("best step with a square root", "P2.7", Partial(differences, s), lambda: 0,
                {s: sqrt(3 * u_round * size / third)}),
        Planted("best step without the 3", "P2.7", Partial(differences, s), lambda: 0,
                {s: (u_round * size / third) ** Fraction(1, 3)}),
        Planted("triangle the other way round", "P2.8", norm(x) + norm(v), lambda: norm(x - v), relation="<="),
        Planted("relative error below a half", "P2.8", norm(x - v) / (norm(x) + norm(v)), lambda: HALF,
                given=[norm(x) + norm(v) > 0], relation="<="),
        Planted("relative error of a factor", "P2.8", norm(x - c * x) ** 2 / norm(x) ** 2, lambda: 1 - c**2),
        Planted("a half everywhere in the kink", "P2.9", (relu(z + s) - relu(z - s)) / (2 * s), lambda: HALF,
                given={step(z + s): 1, step(z - s): 0}),
        Planted("the kink's slope with h", "P2.9", (relu(z + s) - relu(z - s)) / (2 * s), lambda: (1 + z) / 2,
                given={step(z + s): 1, step(z - s): 0}),
    ]  # fmt: skip


def initialization(n_in, n_out):
    units, x = column("a", n_in), scalars("x")
    density = exp(-(x**2) / (2 * s**2)) / (sqrt(2 * PI) * s)
    whole = (x, -INFINITY, INFINITY)
    forward = total(units[i] * units[j] * w * delta(i, j), i, j)
    return [
        Planted("independent terms that add up in pairs", "P2.10", forward, lambda: w * total(units[i], i) ** 2),
        Planted("the variance squared", "P2.10", forward, lambda: w**2 * total(units[i] ** 2, i)),
        Planted("relu keeps everything", "P2.10", Integral(relu(x) ** 2 * density, whole), lambda: s**2),
        Planted("relu keeps a quarter", "P2.10", Integral(relu(x) ** 2 * density, whole), lambda: s**2 / 4),
        Planted("Var U = l²/2", "P2.10", Integral(x**2 / (2 * w), (x, -w, w)), lambda: w**2 / 2),
        Planted("Var U[0, l] for U[−l, l]", "P2.10", Integral(x**2 / (2 * w), (x, -w, w)), lambda: w**2 / 12),
        Planted("He uniform with 3", "P2.10", sqrt(3 / n_in) ** 2 / 3, lambda: 2 / n_in),
        Planted("Glorot with a product", "P2.10", sqrt(6 / (n_in + n_out)) ** 2 / 3, lambda: 2 / (n_in * n_out)),
        Planted("misread by the square", "P2.10", n_in * sqrt(2 / n_in) / 2, lambda: n_in / 2),
    ]  # fmt: skip


def hidden_layers(m, D, H, K):
    A0, A1, Y = matrix("A0", D, m), matrix("A1", H, m), matrix("Y", K, m)
    W1, W2, b2 = matrix("W1", H, D), matrix("W2", K, H), column("b2", K)
    Z1, Z2, dz2 = matrix("Z1", H, m), matrix("Z2", K, m), matrix("dz2", K, m)
    L, R = functional("L", Z2), functional("R", A1)
    layer = {Z2: W2 * A1 + b2 * ones(m).T}
    net = {Z1: W1 * A0, A1: f(Z1), **layer}
    masked = {Z1: W1 * A0, A1: relu(Z1), **layer}
    top = {dz2: m * Grad(L, Z2)}
    return [
        Planted("∂z/∂W without its delta", "P3.2", Partial(Z2[k, i], W2[p, q]), lambda: A1[q, i], layer),
        Planted("∂z/∂W with A transposed", "P3.2", Partial(Z2[k, i], W2[p, q]), lambda: delta(k, p) * A1[i, q], layer),
        Planted("dW without 1/m", "P3.2", Grad(L, W2), lambda: dz2 * A1.T, layer, top),
        Planted("dW with Aᵀ from the left", "P3.2", Grad(L, W2), lambda: A1.T * dz2 / m, layer, top),
        Planted("db without 1/m", "P3.3", Grad(L, b2), lambda: dz2 * ones(m), layer, top),
        Planted("db by the number of units", "P3.3", Grad(L, b2), lambda: dz2 * ones(m) / K, layer, top,
                true_when_equal=True),
        Planted("dA is the true gradient", "P3.4", W2.T * dz2, lambda: Grad(L, A1), layer, top),
        Planted("dA divided twice", "P3.4", W2.T * dz2, lambda: Grad(L, A1) / m, layer, top),
        Planted("dA without the transpose", "P3.4", m * Grad(L, A1), lambda: W2 * dz2, layer, top),
        Planted("no mask", "P3.5", Grad(R, Z1), lambda: Grad(R, A1), {A1: relu(Z1)}),
        Planted("the mask on the wrong side", "P3.5", Grad(R, Z1), lambda: hadamard(Grad(R, A1), step(-Z1)),
                {A1: relu(Z1)}),
        Planted("the mask of the layer above", "P3.5", Grad(L, Z1), lambda: hadamard(W2.T * Grad(L, Z2), step(A1 - A1)),
                masked),
        Planted("the mask is relu", "P3.5", Grad(R, Z1), lambda: hadamard(Grad(R, A1), relu(Z1)), {A1: relu(Z1)}),
        Planted("two layers without a mask", "P3.6", Grad(L, W1), lambda: W2.T * Grad(L, Z2) * A0.T, masked),
        Planted("mask before the weights", "P3.6", Grad(L, Z1), lambda: W2.T * hadamard(Grad(L, Z2), step(Z2)), masked),
        Planted("hidden dW with the wrong input", "P3.6", Grad(L, W1),
                lambda: hadamard(W2.T * Grad(L, Z2), f_prime(Z1)) * A1.T, net),
        Planted("hidden dz with 1/m", "P3.7", hadamard(W2.T * dz2, f_prime(Z1)), lambda: Grad(L, Z1), net, top),
        Planted("hidden dz with m²", "P3.7", hadamard(W2.T * dz2, f_prime(Z1)), lambda: m**2 * Grad(L, Z1), net, top),
        Planted("slope at the layer above", "P3.7", Grad(L, Z1),
                lambda: hadamard(W2.T * Grad(L, Z2), f_prime(A1)), net),
        Planted("f for f′ in the hidden layer", "P3.6", Grad(L, Z1), lambda: hadamard(W2.T * Grad(L, Z2), f(Z1)), net),
        Planted("rows: transposed factors in the old order", "P3.8", (W1 * A0).T, lambda: W1.T * A0.T),
        Planted("a dead layer passes", "P3.9", hadamard(W2.T * dz2, matrix("M", H, m)), lambda: W2.T * dz2,
                given={matrix("M", H, m): zeros(H, m)}),
        Planted("labels for the prediction", "P3.1", Grad(functional("Q", Z2, Y), Z2),
                lambda: Grad(functional("Q", Z2, Y), Y)),
    ]  # fmt: skip


def delta_recursion(d0, d1, d2, N):
    W1, W2, b1, b2 = matrix("W1", d1, d0), matrix("W2", d2, d1), column("b1", d1), column("b2", d2)
    a0, a1, z1, z2 = column("a0", d0), column("a1", d1), column("z1", d1), column("z2", d2)
    guess, yc = column("y_hat", d2), column("y", d2)
    half = {loss: norm(guess - yc) ** 2 / 2}
    net = {z1: W1 * a0 + b1, a1: f(z1), z2: W2 * a1 + b2, guess: f(z2)}
    trained = {**net, **half}
    L = functional("L", guess)
    X, A, Z, V, Q, T = (
        matrix("X", N, d0),
        matrix("A", N, d1),
        matrix("Z", N, d1),
        matrix("V", d0, d1),
        matrix("Q", N, d2),
        matrix("T", d1, d2),
    )
    S, rows = functional("S", Q), {Z: X * V, A: f(Z), Q: A * T}
    ins, outs = column("w_in", d1), column("w_out", d1)
    forward = total(2 * N * ins[l] * outs[l], l)
    return [
        Planted("half squared error with the 2", "P4.1", Grad(loss, guess), lambda: 2 * (guess - yc), half),
        Planted("the sign of dL/dŷ", "P4.1", Grad(loss, guess), lambda: yc - guess, half),
        Planted("no slope at the output", "P4.2", Grad(loss, b2), lambda: guess - yc, trained),
        Planted("σ for σ′ at the output", "P4.2", Grad(loss, b2), lambda: hadamard(guess - yc, f(z2)), trained),
        Planted("σ′ of the output", "P4.2", Grad(loss, b2), lambda: hadamard(guess - yc, f_prime(guess)), trained),
        Planted("δ with W transposed", "P4.3", Grad(loss, a1).T, lambda: Grad(loss, b2).T * W2.T, trained),
        Planted("δ with W of the layer below", "P4.3", Grad(loss, a1).T, lambda: Grad(loss, b2).T * W1, trained),
        Planted("outer in the wrong order", "P4.4", Grad(loss, W2), lambda: outer(a1, Grad(loss, b2)), trained),
        Planted("outer with z", "P4.4", Grad(loss, W2), lambda: outer(Grad(loss, b2), z1), trained),
        Planted("outer with δ", "P4.4", Grad(loss, W2), lambda: outer(Grad(loss, guess), a1), trained),
        Planted("key identity without the slope", "P4.5", Grad(L, b1), lambda: Grad(L, a1), net),
        Planted("key identity off by one layer", "P4.5", Grad(L, b1), lambda: hadamard(Grad(L, a1), f_prime(z2)), net),
        Planted("recursion with the slope outside", "P4.5", Grad(L, a0).T,
                lambda: hadamard(Grad(L, a1).T * W1, f_prime(a0.T)), net),
        Planted("usual recursion without the transpose", "P4.5", Grad(L, z1),
                lambda: hadamard(W2 * Grad(L, z2), f_prime(z1)), net),
        Planted("the chain in the wrong order", "P4.6", Jacobian(guess, a0),
                lambda: diag(f_prime(z2)) * W2 * W1 * diag(f_prime(a0)), net),
        Planted("the chain without its last slope", "P4.6", Jacobian(guess, a0),
                lambda: diag(f_prime(z2)) * W2 * W1, net),
        Planted("the chain backwards", "P4.6", Jacobian(guess, a0),
                lambda: W1 * diag(f_prime(z1)) * W2 * diag(f_prime(z2)), net),
        Planted("shape of W", "P4.7", Jacobian(z1, a0), lambda: W1.T, net),
        Planted("batch without the transpose", "P4.8", Grad(S, Z), lambda: hadamard(Grad(S, Q) * T, f_prime(Z)), rows),
        Planted("batch dW with A of the same layer", "P4.8", Grad(S, V), lambda: A.T * Grad(S, Z), rows),
        Planted("batch dW summed over units", "P4.8", Grad(S, T), lambda: Grad(S, Q).T * A, rows),
        Planted("backward costs one forward", "P4.9", forward + forward, lambda: forward),
        Planted("differences cost one pass each", "P4.9", total(2 * forward, (i, d2)), lambda: d2 * forward),
    ]  # fmt: skip


def networks(N, D, K):
    A0, A1, Z1, Z2 = matrix("A0", N, D), matrix("A1", N, D), matrix("Z1", N, D), matrix("Z2", N, D)
    V1, X, V, H, G = matrix("V1", D, D), matrix("X", N, D), matrix("V", D, K), matrix("H", N, K), matrix("G", N, D)
    L1, L2, R = functional("L", A1), functional("L", Z2), functional("R", G)
    skipped, tied, coded = (
        {Z1: A0 * V1, A1: f(Z1) + A0},
        {Z1: A0 * V1, A1: f(Z1), Z2: A1 * V1},
        {H: f(X * V), G: H * V.T},
    )
    branch = hadamard(Grad(L1, A1), f_prime(Z1)) * V1.T
    return [
        Planted("the skip is forgotten", "P3.7", Grad(L1, A0), lambda: branch, skipped),
        Planted("only the skip", "P3.7", Grad(L1, A0), lambda: Grad(L1, A1), skipped),
        Planted("the skip is masked too", "P3.7", Grad(L1, A0),
                lambda: branch + hadamard(Grad(L1, A1), f_prime(Z1)), skipped),
        Planted("tied weights, last use only", "P3.7", Grad(L2, V1), lambda: A1.T * Grad(L2, Z2), tied),
        Planted("tied weights, first use only", "P3.7", Grad(L2, V1),
                lambda: A0.T * hadamard(Grad(L2, Z2) * V1.T, f_prime(Z1)), tied),
        Planted("tied weights, averaged", "P3.7", Grad(L2, V1),
                lambda: (A1.T * Grad(L2, Z2) + A0.T * hadamard(Grad(L2, Z2) * V1.T, f_prime(Z1))) / 2, tied),
        Planted("decoder's gradient untransposed", "P3.7", Grad(R, V),
                lambda: X.T * hadamard(Grad(R, G) * V, f_prime(X * V)) + H.T * Grad(R, G), coded),
    ]  # fmt: skip


CHAPTERS = (
    linear_layer,
    matrix_form,
    activations_and_losses,
    softmax_cross_entropy,
    mean_and_checks,
    initialization,
    hidden_layers,
    delta_recursion,
    networks,
)


def planted(square=False):
    """All planted errors, with dimensions of their own or with one dimension in place of all."""
    out = []
    for chapter in CHAPTERS:
        names = list(signature(chapter).parameters)
        sizes = [dimensions("D" if square else name) for name in names]
        out += chapter(*sizes)
    return out
