"""Exercises of chapter 4: softmax, cross-entropy, and where 1/m goes."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import Derivation, Partial, Sum, column, delta, dimensions, exp, indices, log, symbol, total
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: what the bias learns ----------------------------------------------------------------------------------


def mean_probability(n, m):
    """The mean probability of a class with n of the m labels, once its entry of db is zero."""
    return ...


def mean_probability_solution(n, m):
    # db adds up the rows of dZ: its entry is (Σ p − Σ y)/m over the samples, and Σ y is n. Zero means Σ p = n.
    return n / m


MEAN_PROBABILITY_MISTAKES = {
    "That is the sum over the samples. The mean is asked for.": lambda n, m: n,
    "That is one sample's share, whatever the class.": lambda n, m: 1 / m,
    "A mean of 1 needs every sample to be in this class.": lambda n, m: 1,
    "Divided by m twice.": lambda n, m: n / m**2,
}

MEAN_PROBABILITY = Exercise(
    id="softmax-mean-probability",
    stub=mean_probability,
    reference=mean_probability_solution,
    judge=recalls(
        mean_probability_solution,
        cases=[{"n": 6, "m": 8}, {"n": 1, "m": 5}, {"n": 3, "m": 7}],
        mistakes=MEAN_PROBABILITY_MISTAKES,
    ),
    wrong=named(MEAN_PROBABILITY_MISTAKES),
)

# -- 2. implement: back through the logarithm of softmax --------------------------------------------------------------


def log_softmax_backward(dlogP, P):
    """dZ from the gradient with respect to ln P, where P = softmax(Z) row by row."""
    return ...


def log_softmax_backward_solution(dlogP, P):
    # ∂ ln p_k/∂z_q = δ_kq − p_q: the delta keeps u_q, and p_q leaves the sum over k. keepdims keeps each row's sum.
    return dlogP - P * dlogP.sum(axis=1, keepdims=True)


def _probabilities(rng, shape):
    E = np.exp(rng.normal(size=shape))
    return E / E.sum(axis=1, keepdims=True)


def _through_softmax(dlogP, P):
    return P * (dlogP - (P * dlogP).sum(axis=1, keepdims=True))


def _transposed(dlogP, P):
    return dlogP - (P * dlogP).sum(axis=1, keepdims=True)


def _one_sum(dlogP, P):
    return dlogP - P * dlogP.sum()


LOG_PRODUCT_MISTAKES = {
    "This goes back through softmax. The logarithm of softmax has another Jacobian.": _through_softmax,
    "This is J u. A gradient is carried back by the transpose, and this J is not symmetric.": _transposed,
    "The sum must be one number per row; here it is one for the whole batch.": _one_sum,
}

LOG_PRODUCT = Exercise(
    id="softmax-log-product",
    stub=log_softmax_backward,
    reference=log_softmax_backward_solution,
    judge=computes(
        log_softmax_backward_solution,
        inputs=lambda rng: {"dlogP": rng.normal(size=(5, 3)), "P": _probabilities(rng, (5, 3))},
        name="dZ",
        m="P",
        mistakes=LOG_PRODUCT_MISTAKES,
    ),
    wrong={
        **named(LOG_PRODUCT_MISTAKES),
        "the sum without keepdims": Wrong(lambda dlogP, P: dlogP - P * dlogP.sum(axis=1), says="ValueError"),
        "divided by m once more": Wrong(
            lambda dlogP, P: log_softmax_backward_solution(dlogP, P) / len(P), says="m = 5"
        ),
    },
)

# -- 3. transfer: samples that do not count ---------------------------------------------------------------------------


def masked_gradient(Z, Y, w):
    """dZ of L = Σ w ℓ / Σ w over the samples: w is 1 for a sample that counts, and 0 for one that does not."""
    return ...


def masked_gradient_solution(Z, Y, w):
    # Subtracting the largest logit of each row changes no probability, and no exponential is above 1.
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    # The mean is over Σ w samples, so that is what divides; an ignored sample has a row of zeros.
    return w[:, np.newaxis] * (P - Y) / w.sum()


def _divided_by_all(Z, Y, w):
    return masked_gradient_solution(Z, Y, w) * w.sum() / len(Z)


def _not_divided(Z, Y, w):
    return masked_gradient_solution(Z, Y, w) * w.sum()


def _not_masked(Z, Y, w):
    return masked_gradient_solution(Z, Y, np.ones_like(w)) * len(Z) / w.sum()


def _mask_ignored(Z, Y, w):
    return masked_gradient_solution(Z, Y, np.ones_like(w))


def _label_erased(Z, Y, w):
    return _not_masked(Z, w[:, np.newaxis] * Y, w)


def _overflowing(Z, Y, w):
    with np.errstate(all="ignore"):
        P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
        return w[:, np.newaxis] * (P - Y) / w.sum()


def _masked_batch(rng):
    # One row that counts is far out: its logits are neighbours, so that the probabilities stay away from 0 and 1.
    Z, w = rng.normal(size=(5, 3)), np.ones(5)
    Z[2] += 800
    w[rng.choice([0, 1, 3, 4], size=rng.integers(1, 4), replace=False)] = 0
    return {"Z": Z, "Y": _probabilities(rng, (5, 3)), "w": w}


MASKED_MISTAKES = {
    "Divided by the number of all samples. The mean of this loss is over those that count.": _divided_by_all,
    "This is the gradient of the sum over the samples that count; the loss is their mean.": _not_divided,
    "Samples that do not count still have a gradient here.": _not_masked,
    "The weights w do not enter. Which samples count, and how many are they?": _mask_ignored,
    "Erasing a label leaves the row p, since p − y needs labels that sum to one.": _label_erased,
}

MASKED = Exercise(
    id="softmax-masked",
    stub=masked_gradient,
    reference=masked_gradient_solution,
    judge=computes(masked_gradient_solution, inputs=_masked_batch, name="dZ", m="Z", mistakes=MASKED_MISTAKES),
    wrong={
        **named(MASKED_MISTAKES),
        "label minus prediction": Wrong(lambda Z, Y, w: -masked_gradient_solution(Z, Y, w), says="sign"),
        "overflows": Wrong(_overflowing, says="NaN or infinite"),
    },
)

# -- 4. derive: temperature, with the engine as judge -----------------------------------------------------------------

K = dimensions("K")
j, k, q = indices("j k q")
z, p, y = column("z", K), column("p", K), column("y", K)
ell, tau = symbol("ell", r"\ell"), symbol("tau", positive=True)
WARM = {p[k]: exp(z[k] / tau) / total(exp(z[j] / tau), j), ell: -total(y[k] * log(p[k]), k)}
LABELS = {total(y[k], k): 1}


def temperature_derivation():
    """From Partial(ell, z[q]), for softmax(z/τ), to a formula in p, y and tau."""
    return ...


def temperature_derivation_solution():
    return (
        Derivation(Partial(ell, z[q]), let=WARM, given=LABELS)
        .then(-total(y[k] / p[k] * Partial(p[k], z[q]), k), because="chain rule over the classes")
        .then(
            -total(y[k] / p[k] * (delta(k, q) * p[k] - p[k] * p[q]) / tau, k),
            because="the Jacobian of softmax, and $1/\\tau$ from the inside",
        )
        .then((p[q] * total(y[k], k) - y[q]) / tau, because="$p_k$ cancels, the delta removes a sum")
        .then((p[q] - y[q]) / tau, because="the labels add up to one")
    )


def _what_is_left(derivation):
    left = any(isinstance(part, Partial | Sum) for part in subexpressions(derivation.result))
    return ". Go on until no sum and no derivative is left: only p, y and tau." if left else ""


_warm = tries(Partial(ell, z[q]), let=WARM, given=LABELS)

_CHAIN = -total(y[k] / p[k] * Partial(p[k], z[q]), k)

TEMPERATURE = Exercise(
    id="softmax-temperature",
    stub=temperature_derivation,
    reference=temperature_derivation_solution,
    judge=way(
        Partial(ell, z[q]),
        "Partial(ell, z[q])",
        steps="the chain rule, then the Jacobian",
        unfinished=_what_is_left,
    ),
    wrong={
        "the temperature forgotten": Wrong(_warm(_CHAIN, p[q] - y[q]), says="A step of yours is refused"),
        "multiplied by it": Wrong(_warm(_CHAIN, tau * (p[q] - y[q])), says="A step of yours is refused"),
        "the diagonal only": Wrong(_warm(_CHAIN, -y[q] * (1 - p[q]) / tau), says="A step of yours is refused"),
        "in one leap": Wrong(_warm((p[q] - y[q]) / tau), says="at least two steps"),
        "half way": Wrong(_warm(_CHAIN, (p[q] * total(y[k], k) - y[q]) / tau), says="Go on until"),
    },
)

# -- 5. transfer: a factor that travels -------------------------------------------------------------------------------


def travelling_factor(c, kappa, N):
    """The computed dW of the first of N layers, as a multiple of the true one, if dA is multiplied too."""
    return ...


def travelling_factor_solution(c, kappa, N):
    # On the way down κ acts once for each of the N − 1 layers above the first, and once more in the rule for dW.
    return c * kappa**N


TRAVELLING_FACTOR_MISTAKES = {
    "That is the factor of the theorem, in which no dA is multiplied.": lambda c, kappa, N: c * kappa,
    "That is the factor with which dZ arrives. The rule for dW multiplies once more.": lambda c, kappa, N: (
        c * kappa ** (N - 1)
    ),
    "Here the factor of the start comes in at every layer.": lambda c, kappa, N: (c * kappa) ** N,
    "That is the factor of the start alone.": lambda c, kappa, N: c,
}

TRAVELLING_FACTOR = Exercise(
    id="softmax-travelling-factor",
    stub=travelling_factor,
    reference=travelling_factor_solution,
    judge=recalls(
        travelling_factor_solution,
        cases=[{"c": 6, "kappa": 0.5, "N": 4}, {"c": 1, "kappa": 0.25, "N": 3}],
        mistakes=TRAVELLING_FACTOR_MISTAKES,
    ),
    wrong=named(TRAVELLING_FACTOR_MISTAKES),
)

# -- 6. transfer: a term that is no mean ------------------------------------------------------------------------------


def decayed_gradient(A, E, W, decay):
    """The gradient of mean cross-entropy + (decay/2) Σ W², with E = P − Y."""
    return ...


def decayed_gradient_solution(A, E, W, decay):
    # Only the first term is a mean over samples, so only it is divided by their number.
    return A.T @ E / len(A) + decay * W


def _decay_divided(A, E, W, decay):
    return (A.T @ E + decay * W) / len(A)


def _nothing_divided(A, E, W, decay):
    return A.T @ E + decay * W


WEIGHT_DECAY_MISTAKES = {
    "The decay is divided by m as well, but its term is no mean over samples.": _decay_divided,
    "The first term is the gradient of a sum over samples; the loss is their mean.": _nothing_divided,
}

WEIGHT_DECAY = Exercise(
    id="softmax-weight-decay",
    stub=decayed_gradient,
    reference=decayed_gradient_solution,
    judge=computes(
        decayed_gradient_solution,
        inputs=lambda rng: {
            "A": rng.normal(size=(5, 3)),
            "E": rng.normal(size=(5, 4)),
            "W": rng.normal(size=(3, 4)),
            "decay": rng.uniform(0.2, 0.9),
        },
        name="dW",
        m="A",
        mistakes=WEIGHT_DECAY_MISTAKES,
    ),
    wrong={
        **named(WEIGHT_DECAY_MISTAKES),
        "all divided, as a mean": Wrong(
            lambda A, E, W, decay: decayed_gradient_solution(A, E, W, decay) / len(A), says="m = 5"
        ),
        "the sign of the update": Wrong(lambda A, E, W, decay: -decayed_gradient_solution(A, E, W, decay), says="sign"),
    },
)

# -- 7. transfer: the average of averages -----------------------------------------------------------------------------


def combined_gradient(g1, g2, m1, m2):
    """The gradient of the mean over m1 + m2 samples, from those of two means."""
    return ...


def combined_gradient_solution(g1, g2, m1, m2):
    # m₁ g₁ is the gradient of the first part's sum. Sums add; the mean comes last.
    return (m1 * g1 + m2 * g2) / (m1 + m2)


def _average_of_averages(g1, g2, m1, m2):
    return (g1 + g2) / 2


def _sum_of_averages(g1, g2, m1, m2):
    return g1 + g2


def _gradient_of_the_sum(g1, g2, m1, m2):
    return m1 * g1 + m2 * g2


def _weights_exchanged(g1, g2, m1, m2):
    return (m2 * g1 + m1 * g2) / (m1 + m2)


def _two_parts(rng):
    sizes = {"m1": int(rng.integers(5, 9)), "m2": int(rng.integers(2, 5))}
    return {"g1": rng.normal(size=(3, 4)), "g2": rng.normal(size=(3, 4)), **sizes}


TWO_BATCHES_MISTAKES = {
    "An average of averages gives every sample of the smaller part a larger say.": _average_of_averages,
    "These are two means added up. Which quantity adds up over parts of a batch?": _sum_of_averages,
    "This is the gradient of the sum over all samples; the mean is asked for.": _gradient_of_the_sum,
    "The weights are exchanged: the larger part has the smaller say.": _weights_exchanged,
}

TWO_BATCHES = Exercise(
    id="softmax-two-batches",
    stub=combined_gradient,
    reference=combined_gradient_solution,
    judge=computes(combined_gradient_solution, inputs=_two_parts, name="dW", mistakes=TWO_BATCHES_MISTAKES),
    wrong=named(TWO_BATCHES_MISTAKES),
)

# -- 8. debug: what travels -------------------------------------------------------------------------------------------


def repaired_layer(X, W, b, Y):
    """dX of the mean cross-entropy of softmax(X W + b), for labels of any sum."""
    return ...


def repaired_layer_solution(X, W, b, Y):
    E = np.exp(X @ W + b)
    P = E / E.sum(axis=1, keepdims=True)
    # Once, at the start, and for labels of any sum; now dW = X.T @ dZ and db = dZ.sum(axis=0) divide by nothing.
    dZ = (Y.sum(axis=1, keepdims=True) * P - Y) / len(X)
    return dZ @ W.T


def _as_found(X, W, b, Y):
    E = np.exp(X @ W + b)
    dZ = E / E.sum(axis=1, keepdims=True) - Y
    return dZ @ W.T


def _divided_only(X, W, b, Y):
    return _as_found(X, W, b, Y) / len(X)


def _layer(rng):
    return {
        "X": rng.normal(size=(5, 3)),
        "W": rng.normal(size=(3, 4)),
        "b": rng.normal(size=4),
        "Y": rng.uniform(0.1, 1, size=(5, 4)),
    }


REPAIRED_LAYER_MISTAKES = {
    "Nothing is divided yet, and the labels are taken to sum to one.": _as_found,
    "Divided once, as it should be. But these labels do not sum to one.": _divided_only,
}

REPAIRED_LAYER = Exercise(
    id="softmax-repaired-layer",
    stub=repaired_layer,
    reference=repaired_layer_solution,
    judge=computes(repaired_layer_solution, inputs=_layer, name="dX", m="X", mistakes=REPAIRED_LAYER_MISTAKES),
    wrong={
        **named(REPAIRED_LAYER_MISTAKES),
        "labels right, not divided": Wrong(
            lambda X, W, b, Y: repaired_layer_solution(X, W, b, Y) * len(X), says="m = 5"
        ),
        "divided twice": Wrong(lambda X, W, b, Y: repaired_layer_solution(X, W, b, Y) / len(X), says="m = 5"),
    },
)
