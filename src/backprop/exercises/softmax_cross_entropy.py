"""Exercises of chapter 4: softmax, cross-entropy, and where 1/m goes."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, derives, recalls
from backprop.course.exercise import Feedback
from backprop.symbolic import Derivation, Partial, Sum, column, delta, dimensions, exp, indices, log, symbol, total
from backprop.symbolic.expressions import subexpressions


def naming(mistakes, reference, **how):
    """As `computes`, with the mistakes of one exercise named: `mistakes` maps what to say to what is then computed."""
    judge = computes(reference, **how)
    suspects = {words: computes(mistake, **how) for words, mistake in mistakes.items()}

    def named(answer):
        feedback = judge(answer)
        if feedback.passed:
            return feedback
        found = (words for words, suspect in suspects.items() if suspect(answer).passed)
        return Feedback(False, next(found, feedback.message))

    return named


# -- 1. recall: what a row adds up to ---------------------------------------------------------------------------------


def row_sum(s, m):
    """The sum of one row of dZ: labels sum to s, the batch has m samples."""
    return ...


def row_sum_solution(s, m):
    # The row is (s p − y)/m. The probabilities add up to 1 and the labels to s: s − s = 0.
    # Shorter: moving all logits of a row together does not change the loss.
    return 0


ROW_SUM = Exercise(
    id="softmax-row-sum",
    stub=row_sum,
    reference=row_sum_solution,
    judge=recalls(row_sum_solution, cases=[{"s": 2, "m": 5}, {"s": 1, "m": 4}, {"s": 0, "m": 3}]),
    wrong={
        "the label kept, the prediction forgotten": Wrong(lambda s, m: -s / m, says="your answer is -0.4"),
        "the probabilities not scaled by s": Wrong(lambda s, m: (1 - s) / m, says="your answer is -0.2"),
        "one sample's share of a mean": Wrong(lambda s, m: 1 / m, says="your answer is 0.2"),
    },
)

# -- 2. implement: the product without the matrix ---------------------------------------------------------------------


def softmax_product(dP, P):
    """dZ from dP, where P = softmax(Z) row by row, without a K × K matrix."""
    return ...


def softmax_product_solution(dP, P):
    # ⟨p, u⟩ is one number a row; keepdims keeps it beside its own row.
    return P * (dP - (P * dP).sum(axis=1, keepdims=True))


def _probabilities(rng, shape):
    E = np.exp(rng.normal(size=shape))
    return E / E.sum(axis=1, keepdims=True)


def _diagonal_only(dP, P):
    return dP * P * (1 - P)


def _one_sum(dP, P):
    return P * (dP - (P * dP).sum())


PRODUCT = Exercise(
    id="softmax-product",
    stub=softmax_product,
    reference=softmax_product_solution,
    judge=naming(
        {
            "This keeps the diagonal of the Jacobian, p(1 − p), and loses the rest of it.": _diagonal_only,
            "The inner product must be one number a row; here it is one for the whole batch.": _one_sum,
        },
        softmax_product_solution,
        inputs=lambda rng: {"dP": rng.normal(size=(5, 3)), "P": _probabilities(rng, (5, 3))},
        name="dZ",
        m="P",
    ),
    wrong={
        "element by element, as for the sigmoid": Wrong(_diagonal_only, says="keeps the diagonal"),
        "the sum without keepdims": Wrong(lambda dP, P: P * (dP - (P * dP).sum(axis=1)), says="ValueError"),
        "one sum for the whole batch": Wrong(_one_sum, says="one number a row"),
        "divided by m once more": Wrong(lambda dP, P: softmax_product_solution(dP, P) / len(P), says="m = 5"),
    },
)

# -- 3. implement: any labels, any logits -----------------------------------------------------------------------------


def any_labels_gradient(Z, Y):
    """dZ of L = −(1/m) Σ y ln p, for rows of Y of any sum, without overflow."""
    return ...


def any_labels_gradient_solution(Z, Y):
    # Subtracting the largest logit of each row changes no probability, and no exponential is above 1.
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    return (Y.sum(axis=1, keepdims=True) * P - Y) / len(Z)


def _without_the_sum(Z, Y):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return (E / E.sum(axis=1, keepdims=True) - Y) / len(Z)


def _overflowing(Z, Y):
    with np.errstate(all="ignore"):
        P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
        return (Y.sum(axis=1, keepdims=True) * P - Y) / len(Z)


def _large_logits(rng):
    # One row is far out: its largest logits are neighbours, so that the probabilities stay away from 0 and 1.
    Z = rng.normal(size=(5, 3))
    Z[2] += 800
    return {"Z": Z, "Y": rng.uniform(0.1, 2, size=(5, 3))}


ANY_LABELS = Exercise(
    id="softmax-any-labels",
    stub=any_labels_gradient,
    reference=any_labels_gradient_solution,
    judge=naming(
        {"This is right for labels that sum to one. These do not: see how s enters the formula.": _without_the_sum},
        any_labels_gradient_solution,
        inputs=_large_logits,
        name="dZ",
        m="Z",
    ),
    wrong={
        "prediction minus label": Wrong(_without_the_sum, says="right for labels that sum to one"),
        "the sum of the losses": Wrong(lambda Z, Y: any_labels_gradient_solution(Z, Y) * len(Z), says="m = 5"),
        "label minus prediction": Wrong(lambda Z, Y: -any_labels_gradient_solution(Z, Y), says="sign"),
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


def _reaches_the_cooled_gradient(derivation):
    if not isinstance(derivation, Derivation):
        return f"Return the Derivation itself, not {type(derivation).__name__}."
    if derivation.start != Partial(ell, z[q]):
        return "Every step holds, but start from Partial(ell, z[q])."
    if len(derivation.steps) < 2:
        return "Every step holds. Show the way there in at least two steps: the chain rule, then the Jacobian."
    if any(isinstance(part, Partial | Sum) for part in subexpressions(derivation.result)):
        return "Every step holds. Go on until no sum and no derivative is left: only p, y and tau."
    return ""


def _warm(*steps):
    def answer():
        derivation = Derivation(Partial(ell, z[q]), let=WARM, given=LABELS)
        for step in steps:
            derivation = derivation.then(step, because="a try")
        return derivation

    return answer


_CHAIN = -total(y[k] / p[k] * Partial(p[k], z[q]), k)

TEMPERATURE = Exercise(
    id="softmax-temperature",
    stub=temperature_derivation,
    reference=temperature_derivation_solution,
    judge=derives(_reaches_the_cooled_gradient),
    wrong={
        "the temperature forgotten": Wrong(_warm(_CHAIN, p[q] - y[q]), says="A step of yours is refused"),
        "multiplied by it": Wrong(_warm(_CHAIN, tau * (p[q] - y[q])), says="A step of yours is refused"),
        "the diagonal only": Wrong(_warm(_CHAIN, -y[q] * (1 - p[q]) / tau), says="A step of yours is refused"),
        "in one leap": Wrong(_warm((p[q] - y[q]) / tau), says="at least two steps"),
        "half way": Wrong(_warm(_CHAIN, (p[q] * total(y[k], k) - y[q]) / tau), says="Go on until"),
    },
)

# -- 5. recall: by what factor ----------------------------------------------------------------------------------------


def wrong_factor(c, kappa, N):
    """The computed dW of the first layer, as a multiple of the true one."""
    return ...


def wrong_factor_solution(c, kappa, N):
    # c travels through all layers unchanged; κ is applied once, where the gradient of W leaves.
    return c * kappa


WRONG_FACTOR = Exercise(
    id="softmax-wrong-factor",
    stub=wrong_factor,
    reference=wrong_factor_solution,
    judge=recalls(wrong_factor_solution, cases=[{"c": 6, "kappa": 0.5, "N": 4}, {"c": 1, "kappa": 0.25, "N": 3}]),
    wrong={
        "once a layer": Wrong(lambda c, kappa, N: c * kappa**N, says="your answer is 0.375"),
        "both once a layer": Wrong(lambda c, kappa, N: (c * kappa) ** N, says="your answer is 81.0"),
        "the start alone": Wrong(lambda c, kappa, N: c, says="your answer is 6"),
        "they always cancel": Wrong(lambda c, kappa, N: 1, says="your answer is 1"),
    },
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


WEIGHT_DECAY = Exercise(
    id="softmax-weight-decay",
    stub=decayed_gradient,
    reference=decayed_gradient_solution,
    judge=naming(
        {
            "The decay is divided by m as well, but its term is no mean over samples.": _decay_divided,
            "The first term is the gradient of a sum over samples; the loss is their mean.": _nothing_divided,
        },
        decayed_gradient_solution,
        inputs=lambda rng: {
            "A": rng.normal(size=(5, 3)),
            "E": rng.normal(size=(5, 4)),
            "W": rng.normal(size=(3, 4)),
            "decay": 0.7,
        },
        name="dW",
        m="A",
    ),
    wrong={
        "the decay divided too": Wrong(_decay_divided, says="no mean over samples"),
        "nothing divided": Wrong(_nothing_divided, says="gradient of a sum"),
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


TWO_BATCHES = Exercise(
    id="softmax-two-batches",
    stub=combined_gradient,
    reference=combined_gradient_solution,
    judge=naming(
        {
            "An average of averages gives every sample of the smaller part a larger say.": _average_of_averages,
            "These are two means added up. Which quantity adds up over parts of a batch?": _sum_of_averages,
            "This is the gradient of the sum over all samples; the mean is asked for.": _gradient_of_the_sum,
            "The weights are exchanged: the larger part has the smaller say.": _weights_exchanged,
        },
        combined_gradient_solution,
        inputs=lambda rng: {"g1": rng.normal(size=(3, 4)), "g2": rng.normal(size=(3, 4)), "m1": 6, "m2": 2},
        name="dW",
    ),
    wrong={
        "the average of averages": Wrong(_average_of_averages, says="average of averages"),
        "the sum of averages": Wrong(_sum_of_averages, says="two means added up"),
        "the gradient of the sum": Wrong(_gradient_of_the_sum, says="gradient of the sum"),
        "the weights exchanged": Wrong(_weights_exchanged, says="weights are exchanged"),
    },
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


REPAIRED_LAYER = Exercise(
    id="softmax-repaired-layer",
    stub=repaired_layer,
    reference=repaired_layer_solution,
    judge=naming(
        {
            "Nothing is divided yet, and the labels are taken to sum to one.": _as_found,
            "Divided once, as it should be. But these labels do not sum to one.": _divided_only,
        },
        repaired_layer_solution,
        inputs=_layer,
        name="dX",
        m="X",
    ),
    wrong={
        "as found": Wrong(_as_found, says="Nothing is divided yet"),
        "divided, but for labels of sum one": Wrong(_divided_only, says="Divided once"),
        "labels right, not divided": Wrong(
            lambda X, W, b, Y: repaired_layer_solution(X, W, b, Y) * len(X), says="m = 5"
        ),
        "divided twice": Wrong(lambda X, W, b, Y: repaired_layer_solution(X, W, b, Y) / len(X), says="m = 5"),
    },
)
