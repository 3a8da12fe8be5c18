"""Exercises of chapter 11: training."""

import math

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import Derivation, dimensions, symbol

# -- 1. recall: how many steps an epoch has ----------------------------------------------------------------------------


def updates(m, batch_size, epochs):
    """How many steps a training takes that goes through m samples a few times."""
    return ...


def updates_solution(m, batch_size, epochs):
    # One step a batch. What is left over at the end of an epoch is a batch too, a smaller one.
    return epochs * math.ceil(m / batch_size)


UPDATES_MISTAKES = {
    "What is left over at the end of an epoch is missing.": lambda m, batch_size, epochs: epochs * (m // batch_size),
    "These batches run on from one epoch into the next.": lambda m, batch_size, epochs: math.ceil(
        epochs * m / batch_size
    ),
    "That is one step for every sample.": lambda m, batch_size, epochs: epochs * m,
    "That is one step for every epoch.": lambda m, batch_size, epochs: epochs,
}

UPDATES = Exercise(
    id="training-updates",
    stub=updates,
    reference=updates_solution,
    judge=recalls(
        updates_solution,
        cases=[{"m": 100, "batch_size": 32, "epochs": 3}, {"m": 96, "batch_size": 32, "epochs": 2}],
        mistakes=UPDATES_MISTAKES,
    ),
    wrong=named(UPDATES_MISTAKES),
)

# -- 2. implement: a step of momentum ----------------------------------------------------------------------------------


def momentum_step(theta, g, v, eta, mu):
    """θ after one step of momentum, from θ, its gradient and the velocity so far."""
    return ...


def momentum_step_solution(theta, g, v, eta, mu):
    # First the new velocity, then the step with it.
    return theta - eta * (mu * v + g)


def _old_velocity(theta, g, v, eta, mu):
    return theta - eta * v


def _no_memory(theta, g, v, eta, mu):
    return theta - eta * g


def _dampened(theta, g, v, eta, mu):
    return theta - eta * (mu * v + (1 - mu) * g)


def _uphill(theta, g, v, eta, mu):
    return theta + eta * (mu * v + g)


def _only_the_step(theta, g, v, eta, mu):
    return -eta * (mu * v + g)


MOMENTUM_STEP_MISTAKES = {
    "This steps with the velocity of before. The gradient of now has to enter it first.": _old_velocity,
    "This is gradient descent: the velocity is not used.": _no_memory,
    "Here the gradient enters with 1 − μ. That is Adam's running mean; momentum adds all of g.": _dampened,
    "This goes uphill.": _uphill,
    "This is the change of θ. Asked for is θ after it.": _only_the_step,
}

MOMENTUM_STEP = Exercise(
    id="training-momentum-step",
    stub=momentum_step,
    reference=momentum_step_solution,
    judge=computes(
        momentum_step_solution,
        inputs=lambda rng: {
            "theta": rng.normal(size=(4, 3)),
            "g": rng.normal(size=(4, 3)),
            "v": rng.normal(size=(4, 3)),
            "eta": 0.1,
            "mu": 0.8,
        },
        name="θ",
        mistakes=MOMENTUM_STEP_MISTAKES,
    ),
    wrong=named(MOMENTUM_STEP_MISTAKES),
)

# -- 3. derive: what a running mean forgets, by induction -------------------------------------------------------------

beta, g = symbol("beta", r"\beta"), symbol("g")
mean = symbol("mean", "m_t")
t = dimensions("t")
AFTER_T_STEPS = {mean: (1 - beta**t) * g}


def bias_derivation():
    """From β m_t + (1 − β) g to the same sentence about t + 1."""
    return ...


def bias_derivation_solution():
    return (
        Derivation(beta * mean + (1 - beta) * g, let=AFTER_T_STEPS)
        .then(beta * (1 - beta**t) * g + (1 - beta) * g, because="what holds after $t$ steps")
        .then((1 - beta ** (t + 1)) * g, because="$\\beta g$ cancels")
    )


def _what_is_left(derivation):
    if derivation.result == (1 - beta ** (t + 1)) * g:
        return ""
    return ". Go on until it says (1 - beta ** (t + 1)) * g: the hypothesis, one step later."


_from_the_start = tries(beta * mean + (1 - beta) * g, let=AFTER_T_STEPS)

BIAS = Exercise(
    id="training-bias-derivation",
    stub=bias_derivation,
    reference=bias_derivation_solution,
    judge=way(
        beta * mean + (1 - beta) * g,
        "beta * mean + (1 - beta) * g",
        unfinished=_what_is_left,
    ),
    wrong={
        "as if nothing were missing": Wrong(_from_the_start(g), says="A step of yours is refused"),
        "one step behind": Wrong(_from_the_start((1 - beta**t) * g), says="A step of yours is refused"),
        "half way": Wrong(_from_the_start(beta * (1 - beta**t) * g + (1 - beta) * g), says="Go on until it says"),
        "another start": Wrong(
            lambda: Derivation((1 - beta ** (t + 1)) * g).then((1 - beta**t * beta) * g, because="a try"),
            says="start from",
        ),
    },
)

# -- 4. implement: Adam's step -----------------------------------------------------------------------------------------


def adam_change(mean, square, t, eta, beta1, beta2, epsilon):
    """The change of θ in Adam's step t = 1, 2, …, from the two means after it."""
    return ...


def adam_change_solution(mean, square, t, eta, beta1, beta2, epsilon):
    # Each mean is divided by the sum of its weights, 1 − βᵗ. ε stands outside the root.
    mean_hat, square_hat = mean / (1 - beta1**t), square / (1 - beta2**t)
    return -eta * mean_hat / (np.sqrt(square_hat) + epsilon)


def _uncorrected(mean, square, t, eta, beta1, beta2, epsilon):
    return -eta * mean / (np.sqrt(square) + epsilon)


def _one_beta(mean, square, t, eta, beta1, beta2, epsilon):
    return adam_change_solution(mean, square, t, eta, beta1, beta1, epsilon)


def _counts_from_zero(mean, square, t, eta, beta1, beta2, epsilon):
    return adam_change_solution(mean, square, t - 1, eta, beta1, beta2, epsilon)


def _no_root(mean, square, t, eta, beta1, beta2, epsilon):
    return -eta * (mean / (1 - beta1**t)) / (square / (1 - beta2**t) + epsilon)


def _epsilon_inside(mean, square, t, eta, beta1, beta2, epsilon):
    return -eta * (mean / (1 - beta1**t)) / np.sqrt(square / (1 - beta2**t) + epsilon)


def _means(rng):
    return {
        "mean": rng.normal(size=(3, 2)),
        "square": rng.uniform(0.5, 2, size=(3, 2)),
        "t": 4,
        "eta": 0.1,
        "beta1": 0.8,
        "beta2": 0.95,
        "epsilon": 0.01,
    }


ADAM_CHANGE_MISTAKES = {
    "The means are used as they are. After few steps their weights do not add up to 1 yet.": _uncorrected,
    "Each mean has its own β, and its own sum of weights.": _one_beta,
    "This corrects for one step less than were taken: t counts from 1.": _counts_from_zero,
    "Divided by the mean square, not by its root: this has the units of 1/g.": _no_root,
    "Here ε stands under the root. In Adam it is added to the root.": _epsilon_inside,
    "This goes uphill.": lambda **at: -adam_change_solution(**at),
}

ADAM_CHANGE = Exercise(
    id="training-adam-change",
    stub=adam_change,
    reference=adam_change_solution,
    judge=computes(adam_change_solution, inputs=_means, name="change of θ", mistakes=ADAM_CHANGE_MISTAKES),
    wrong=named(ADAM_CHANGE_MISTAKES),
)

# -- 5. predict: another convention's learning rate -------------------------------------------------------------------


def their_rate(eta, m):
    """The rate that gives a training by note 002 the steps that eta gives ours."""
    return ...


def their_rate_solution(eta, m):
    # Their dW and db are the true gradients divided by m once too often, so that the rate has to make up for m.
    return eta * m


THEIR_RATE_MISTAKES = {
    "With the same rate, their steps are shorter than yours.": lambda eta, m: eta,
    "That makes their steps shorter still.": lambda eta, m: eta / m,
    "That divides once for every layer. Is the factor of a dW another one in another layer?": lambda eta, m: eta * m**2,
    "The 2 of the square is in both gradients.": lambda eta, m: 2 * eta * m,
}

THEIR_RATE = Exercise(
    id="training-their-rate",
    stub=their_rate,
    reference=their_rate_solution,
    judge=recalls(
        their_rate_solution, cases=[{"eta": 0.5, "m": 32}, {"eta": 0.25, "m": 10}], mistakes=THEIR_RATE_MISTAKES
    ),
    wrong=named(THEIR_RATE_MISTAKES),
)

# -- 6. debug: a step in the wrong order -------------------------------------------------------------------------------


def repaired_step(X, W1, b1, W2, b2, Y, eta):
    """W1 after one step of gradient descent on the mean cross-entropy."""
    return ...


def repaired_step_solution(X, W1, b1, W2, b2, Y, eta):
    A1 = np.maximum(X @ W1 + b1, 0)
    E = np.exp(A1 @ W2 + b2)
    dZ2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    # All gradients first, with the weights that the forward pass used. Only then does anything move.
    dA1 = dZ2 @ W2.T
    return W1 - eta * X.T @ (dA1 * (A1 > 0))


def _step_with(X, W1, b1, W2, b2, Y, eta, early, divide):
    A1 = np.maximum(X @ W1 + b1, 0)
    E = np.exp(A1 @ W2 + b2)
    dZ2 = E / E.sum(axis=1, keepdims=True) - Y
    W2 = W2 - eta * A1.T @ dZ2 / len(X) if early else W2
    return W1 - eta * X.T @ ((dZ2 @ W2.T) * (A1 > 0)) / (len(X) if divide else 1)


def _as_found(**at):
    return _step_with(**at, early=True, divide=False)


def _order_only(**at):
    return _step_with(**at, early=False, divide=False)


def _mean_only(**at):
    return _step_with(**at, early=True, divide=True)


def _network(rng):
    at = {"X": rng.normal(size=(5, 3)), "W1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4)}
    at |= {"W2": rng.normal(size=(4, 2)), "b2": rng.normal(size=2)}
    return at | {"Y": np.eye(2)[rng.integers(2, size=5)], "eta": 0.5}


REPAIRED_STEP_MISTAKES = {
    "Both faults are still there. Which W2 does the error go down through?": _as_found,
    "The order is right now. The step of W1 is still m times too long.": _order_only,
    "The length is right now. The error still goes down through the new W2.": _mean_only,
    "This is W1 as it was: no step is taken.": lambda **at: at["W1"],
    "This climbs: the step goes against the gradient.": lambda **at: 2 * at["W1"] - repaired_step_solution(**at),
}

REPAIRED_STEP = Exercise(
    id="training-repaired-step",
    stub=repaired_step,
    reference=repaired_step_solution,
    judge=computes(repaired_step_solution, inputs=_network, name="W1", m="X", mistakes=REPAIRED_STEP_MISTAKES),
    wrong=named(REPAIRED_STEP_MISTAKES),
)
