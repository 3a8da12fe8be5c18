"""P2.1, P2.5, P2.6: the slopes of activations, squared error in four normalisations, binary cross-entropy."""

from fractions import Fraction

from backprop.symbolic import (
    Grad,
    Limit,
    Partial,
    absolute,
    dimensions,
    exp,
    indices,
    inner,
    log,
    matrix,
    norm,
    relu,
    scalars,
    sigmoid,
    softplus,
    step,
    symbol,
    tanh,
    total,
)

from .identity import identity

m, K = dimensions("m K")
i, k = indices("i k")
t, h, y, a = scalars("t h y a")
loss = symbol("loss", r"\mathcal{L}")
A, Y, Z, P = matrix("A", m, K), matrix("Y", m, K), matrix("Z", m, K), matrix("P", m, K)
HALF = Fraction(1, 2)


def squared(scale):
    """Squared error, with a factor in front."""
    return {loss: scale * total((A[i, k] - Y[i, k]) ** 2, i, k)}


def probability(rng, world):
    """A number between 0 and 1."""
    return rng.uniform(0.05, 0.95)


def probabilities(rng, world):
    """Numbers between 0 and 1, as a matrix."""
    return rng.uniform(0.05, 0.95, (world.size(m), world.size(K)))


BCE = {loss: -(y * log(a) + (1 - y) * log(1 - a))}
LOGIT = {**BCE, a: sigmoid(t)}
BATCH_BCE = {loss: -total(Y[i, k] * log(P[i, k]) + (1 - Y[i, k]) * log(1 - P[i, k]), i, k) / m}

IDENTITIES = [
    identity("relu-slope", "P2.1", Partial(relu(t), t), step(t)),
    identity("relu-slope-right", "P2.1", Limit((relu(h) - relu(0)) / h, h, 0, "+"), 1),
    identity("relu-slope-left", "P2.1", Limit((relu(h) - relu(0)) / h, h, 0, "-"), 0),
    identity("relu-parts", "P2.1", relu(t), t * step(t), (t + absolute(t)) / 2),
    identity("relu-difference", "P2.1", relu(t) - relu(-t), t),
    identity(
        "sigmoid-slope",
        "P2.1",
        Partial(sigmoid(t), t),
        exp(-t) / (1 + exp(-t)) ** 2,
        sigmoid(t) * (1 - sigmoid(t)),
        sigmoid(t) * sigmoid(-t),
    ),
    identity("sigmoid-symmetry", "P2.1", sigmoid(-t), 1 - sigmoid(t)),
    identity("tanh-sigmoid", "P2.1", tanh(t), 2 * sigmoid(2 * t) - 1),
    identity("tanh-slope", "P2.1", Partial(tanh(t), t), 1 - tanh(t) ** 2),
    identity("sigmoid-stable", "P2.1", sigmoid(t), exp(t) / (1 + exp(t))),
    identity("softplus-stable", "P2.1", softplus(t), relu(t) + log(1 + exp(-absolute(t)))),
    identity("softplus-slope", "P2.1", Partial(softplus(t), t), sigmoid(t)),
    identity("silu-slope", "P2.1", Partial(t * sigmoid(t), t), sigmoid(t) + t * sigmoid(t) * (1 - sigmoid(t))),
    identity(
        "activations-sigmoid-batch",
        "P2.1",
        Grad(inner(Y, sigmoid(Z)), Z)[i, k],
        Y[i, k] * sigmoid(Z[i, k]) * (1 - sigmoid(Z[i, k])),
    ),
    identity("activations-relu-batch", "P2.1", Grad(inner(Y, relu(Z)), Z)[i, k], Y[i, k] * step(Z[i, k])),
    identity("squared-sum", "P2.5", Grad(loss, A), 2 * (A - Y), let=squared(1)),
    identity("squared-mean", "P2.5", Grad(loss, A), Fraction(2) * (A - Y) / m, let=squared(1 / m)),
    identity("squared-mean-all", "P2.5", Grad(loss, A), 2 * (A - Y) / (m * K), let=squared(1 / (m * K))),
    identity("squared-half", "P2.5", Grad(loss, A), A - Y, let=squared(HALF)),
    identity("squared-norm", "P2.5", total((A[i, k] - Y[i, k]) ** 2, i, k), norm(A - Y) ** 2),
    identity(
        "bce-dy",
        "P2.6",
        Partial(loss, a),
        -y / a + (1 - y) / (1 - a),
        (a - y) / (a * (1 - a)),
        let=BCE,
        draw={a: probability},
    ),
    identity(
        "bce-dz",
        "P2.6",
        Partial(loss, t),
        Partial(loss, a) * Partial(a, t),
        (a - y) / (a * (1 - a)) * (a * (1 - a)),
        a - y,
        sigmoid(t) - y,
        let=LOGIT,
    ),
    identity(
        "bce-logits",
        "P2.6",
        -(y * log(sigmoid(t)) + (1 - y) * log(1 - sigmoid(t))),
        softplus(t) - y * t,
        relu(t) - t * y + log(1 + exp(-absolute(t))),
    ),
    identity("bce-batch", "P2.6", Grad(loss, Z), (P - Y) / m, let={**BATCH_BCE, P: sigmoid(Z)}),
    identity(
        "bce-batch-dP",
        "P2.6",
        Partial(loss, P[i, k]),
        (P[i, k] - Y[i, k]) / (m * P[i, k] * (1 - P[i, k])),
        let=BATCH_BCE,
        draw={P: probabilities},
    ),
]
