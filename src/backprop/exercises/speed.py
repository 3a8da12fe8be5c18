"""Exercises of chapter 12: the same numbers in less time."""

from itertools import pairwise

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.course.exercise import Feedback
from backprop.exercises._derivations import tries, way
from backprop.symbolic import (
    Derivation,
    Grad,
    dimensions,
    elementwise,
    functional,
    hadamard,
    matrix,
    ones,
    row,
    symbol,
)
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: what the gradient of the data costs -------------------------------------------------------------------


def saved_share(sizes):
    """Which part of a step's multiplications dX of the first layer is, if it is computed."""
    return ...


def saved_share_solution(sizes):
    links = [n_in * n_out for n_in, n_out in pairwise(sizes)]
    # Forward, dW and dX: three products of the same size a layer, and the batch size cancels.
    return links[0] / (3 * sum(links))


SAVED_SHARE_MISTAKES = {
    "That is a share of the forward pass. The whole step is asked for.": lambda sizes: 3 * saved_share_solution(sizes),
    "That is a share of what is left. The step that has it is the whole.": lambda sizes: (
        saved_share_solution(sizes) / (1 - saved_share_solution(sizes))
    ),
    "That is the share of dX in all layers together.": lambda sizes: 1 / 3,
    "That is a share of the backward pass. The whole step is asked for.": lambda sizes: (
        1.5 * saved_share_solution(sizes)
    ),
}

SAVED_SHARE = Exercise(
    id="speed-saved-share",
    stub=saved_share,
    reference=saved_share_solution,
    judge=recalls(
        saved_share_solution, cases=[{"sizes": (6, 4, 3)}, {"sizes": (10, 2, 5, 5)}], mistakes=SAVED_SHARE_MISTAKES
    ),
    wrong=named(SAVED_SHARE_MISTAKES),
)

# -- 2. implement: probabilities minus labels, samples in columns -----------------------------------------------------


def columns_gradient(Z, y):
    """The gradient of the mean cross-entropy for logits Z (K, m) and integer classes y (m,): (K, m)."""
    return ...


def columns_gradient_solution(Z, y):
    m = Z.shape[1]
    P = np.exp(Z - Z.max(axis=0))
    P /= P.sum(axis=0)
    # One entry of each column is moved: row y, and the column of the sample.
    P[y, np.arange(m)] -= 1
    return P / m


def _gradient(Z, y, axis=0, divide=True, where=None):
    P = np.exp(Z - Z.max(axis=axis, keepdims=True))
    P = P / P.sum(axis=axis, keepdims=True)
    if where is not None:
        P[where(y, np.arange(len(y)))] -= 1
    return P / Z.shape[1] if divide else P


COLUMNS_GRADIENT_MISTAKES = {
    "This is P/m. The labels are missing.": lambda Z, y: _gradient(Z, y),
    "This is P − Y. The loss is a mean over the samples, and their number is in no later line.": lambda Z, y: _gradient(
        Z, y, divide=False, where=lambda y, i: (y, i)
    ),
    "These probabilities add up to 1 over the samples. Here a sample is a column.": lambda Z, y: _gradient(
        Z, y, axis=1, where=lambda y, i: (y, i)
    ),
    "This takes 1 from whole rows. P[y] selects row y of every column, not one entry a sample.": lambda Z, y: _gradient(
        Z, y, where=lambda y, i: y
    ),
}

COLUMNS_GRADIENT = Exercise(
    id="speed-columns-gradient",
    stub=columns_gradient,
    reference=columns_gradient_solution,
    judge=computes(
        columns_gradient_solution,
        inputs=lambda rng: {"Z": rng.normal(size=(4, 7)), "y": rng.integers(0, 4, 7)},
        name="dZ",
        mistakes=COLUMNS_GRADIENT_MISTAKES,
    ),
    wrong=named(COLUMNS_GRADIENT_MISTAKES),
)

# -- 3. types: what a step of float32 becomes -------------------------------------------------------------------------


def masked(dA, A):
    """dA where A > 0 and 0 elsewhere, as an array of dA's own type."""
    return ...


def masked_solution(dA, A):
    # A Boolean mask takes on the type of what it multiplies; a mask of float64 would widen it.
    return dA * (A > 0)


MASKED_MISTAKES = {
    "This lets everything through: an activation of ReLU is never below 0.": lambda dA, A: dA * (A >= 0),
    "This multiplies by the value of ReLU. Its slope belongs there.": lambda dA, A: dA * A,
}


def _judge_masked(answer):
    for dtype in (np.float32, np.float64):
        rng = np.random.default_rng(0)
        A = np.maximum(rng.normal(size=(5, 4)), 0).astype(dtype)
        dA = rng.normal(size=(5, 4)).astype(dtype)
        feedback = computes(
            masked_solution,
            inputs=lambda rng, dA=dA, A=A: {"dA": dA, "A": A},
            name="dZ",
            mistakes=MASKED_MISTAKES,
        )(answer)
        if not feedback.passed:
            return feedback
        if (found := np.asarray(answer(dA.copy(), A.copy())).dtype) != dtype:
            return Feedback(False, f"The numbers are right, but for {np.dtype(dtype)} your result has dtype {found}.")
    return Feedback(True, "Right numbers, and each type stays what it is.")


MASKED = Exercise(
    id="speed-masked",
    stub=masked,
    reference=masked_solution,
    judge=_judge_masked,
    wrong={
        "a mask of float64": Wrong(lambda dA, A: dA * np.where(A > 0, np.ones(1), np.zeros(1)), says="dtype float64"),
        "always float64": Wrong(lambda dA, A: (dA * (A > 0)).astype(float), says="dtype float64"),
        **named(MASKED_MISTAKES),
    },
)

# -- 4. count: what a step has to keep --------------------------------------------------------------------------------


def kept_numbers(sizes, m):
    """Numbers that a step must have in memory: parameters, all their gradients, hidden activations."""
    return ...


def kept_numbers_solution(sizes, m):
    parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    # The input is the caller's, and the logits become the gradient at once: the hidden layers are left.
    return 2 * parameters + m * sum(sizes[1:-1])


KEPT_NUMBERS_MISTAKES = {
    "The gradients are missing.": lambda sizes, m: sum((i + 1) * o for i, o in pairwise(sizes)) + m * sum(sizes[1:-1]),
    "The biases are missing.": lambda sizes, m: 2 * sum(i * o for i, o in pairwise(sizes)) + m * sum(sizes[1:-1]),
    "These are gradients for every sample. They are summed, and one set is enough.": lambda sizes, m: (
        (1 + m) * sum((i + 1) * o for i, o in pairwise(sizes)) + m * sum(sizes[1:-1])
    ),
    "These are the activations of one sample.": lambda sizes, m: (
        2 * sum((i + 1) * o for i, o in pairwise(sizes)) + sum(sizes[1:-1])
    ),
}

KEPT_NUMBERS = Exercise(
    id="speed-kept-numbers",
    stub=kept_numbers,
    reference=kept_numbers_solution,
    judge=recalls(
        kept_numbers_solution,
        cases=[{"sizes": (4, 3, 2), "m": 5}, {"sizes": (2, 3, 4, 3), "m": 10}],
        mistakes=KEPT_NUMBERS_MISTAKES,
    ),
    wrong=named(KEPT_NUMBERS_MISTAKES),
)

# -- 5. derive: the rate travels --------------------------------------------------------------------------------------

m, n_in, n_l, n_out = dimensions("m n_in n_l n_out")
A = matrix("A", m, n_in)
W, b = matrix("W", n_in, n_out), row("b", n_out)
Z = matrix("Z", m, n_out)
Z_below = matrix("Z_below", m, n_in, latex="Z^{(l-1)}")
f, f_prime = elementwise("f")
L = functional("L", Z)
eta = symbol("eta", r"\eta", positive=True)
LAYER = {A: f(Z_below), Z: A * W + ones(m) * b}


def rate_derivation():
    """From eta * Grad(L, Z_below) to an expression in which eta stands beside Grad(L, Z) only."""
    return ...


def rate_derivation_solution():
    return (
        Derivation(eta * Grad(L, Z_below), let=LAYER)
        .then(eta * hadamard(Grad(L, Z) * W.T, f_prime(Z_below)), because="one layer down")
        .then(hadamard((eta * Grad(L, Z)) * W.T, f_prime(Z_below)), because="every rule on the way is linear")
    )


_GOAL = hadamard((eta * Grad(L, Z)) * W.T, f_prime(Z_below))


def _what_is_left(derivation):
    derivatives = {part for part in subexpressions(derivation.result) if isinstance(part, type(Grad(L, Z)))}
    if derivatives != {Grad(L, Z)}:
        return ". Go on until Grad(L, Z) is the only derivative that is left."
    if derivation.result != _GOAL:
        return ". Now eta has to move: write eta * Grad(L, Z) in the place of Grad(L, Z)."
    return ""


_moving = tries(eta * Grad(L, Z_below), let=LAYER)

_DOWN = eta * hadamard(Grad(L, Z) * W.T, f_prime(Z_below))

RATE = Exercise(
    id="speed-rate-derivation",
    stub=rate_derivation,
    reference=rate_derivation_solution,
    judge=way(
        eta * Grad(L, Z_below),
        "eta * Grad(L, Z_below)",
        steps="first down through the layer, then the rate",
        unfinished=_what_is_left,
    ),
    wrong={
        "the rate inside the slope": Wrong(
            _moving(_DOWN, hadamard(Grad(L, Z) * W.T, f_prime(eta * Z_below))), says="A step of yours is refused"
        ),
        "the rate twice": Wrong(
            _moving(_DOWN, eta * hadamard((eta * Grad(L, Z)) * W.T, f_prime(Z_below))),
            says="A step of yours is refused",
        ),
        "in one leap": Wrong(_moving(_GOAL), says="at least two steps"),
        "half way": Wrong(_moving(_DOWN, eta * hadamard(f_prime(Z_below), Grad(L, Z) * W.T)), says="eta has to move"),
    },
)

# -- 6. debug: in the right order -------------------------------------------------------------------------------------


def repaired_step(X, W1, W2, D2, eta):
    """W1 after a step of gradient descent on relu(X W1) W2, from D2 = dZ of the output."""
    return ...


def repaired_step_solution(X, W1, W2, D2, eta):
    A1 = np.maximum(X @ W1, 0)
    # The error goes down through the weights of the forward pass. Only then may they change.
    D1 = (D2 @ W2.T) * (A1 > 0)
    return W1 - eta * X.T @ D1


def _stepped(X, W1, W2, D2, eta, early=True, rates=2):
    A1 = np.maximum(X @ W1, 0)
    W2 = W2 - eta * A1.T @ D2 if early else W2
    return W1 - eta**rates * X.T @ ((D2 @ W2.T) * (A1 > 0))


REPAIRED_STEP_MISTAKES = {
    "Both faults are still there. Which W2 made the logits, and how often does the rate come in?": _stepped,
    "The rate is right now. The error still goes down through weights that have changed already.": (
        lambda **at: _stepped(**at, rates=1)
    ),
    "The order is right now. The rate comes in twice: once in D2, once in the update.": (
        lambda **at: _stepped(**at, early=False)
    ),
    "This climbs: the step goes against the gradient.": lambda **at: 2 * at["W1"] - repaired_step_solution(**at),
    "This is W1 as it was: no step is taken.": lambda **at: at["W1"],
}

REPAIRED_STEP = Exercise(
    id="speed-repaired-step",
    stub=repaired_step,
    reference=repaired_step_solution,
    judge=computes(
        repaired_step_solution,
        inputs=lambda rng: {
            "X": rng.normal(size=(5, 3)),
            "W1": rng.normal(size=(3, 4)),
            "W2": rng.normal(size=(4, 2)),
            "D2": rng.normal(size=(5, 2)),
            "eta": 0.3,
        },
        name="W1",
        mistakes=REPAIRED_STEP_MISTAKES,
    ),
    wrong=named(REPAIRED_STEP_MISTAKES),
)
