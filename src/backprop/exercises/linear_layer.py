"""Exercises of chapter 1, the linear layer."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, derives, recalls
from backprop.symbolic import (
    Derivation,
    Grad,
    Partial,
    delta,
    dimensions,
    functional,
    indices,
    matrix,
    ones,
    row,
    total,
)

# -- 1. recall: who is connected to whom ------------------------------------------------------------------------------


def entries_moved(m, n_in, n_out):
    """How many entries of Z change when one entry of X changes?"""
    return ...


def entries_moved_solution(m, n_in, n_out):
    # X[i, p] is used once for every output, in row i only.
    return n_out


ENTRIES_MOVED = Exercise(
    id="linear-entries-moved",
    stub=entries_moved,
    reference=entries_moved_solution,
    judge=recalls(entries_moved_solution, cases=[{"m": 5, "n_in": 3, "n_out": 4}, {"m": 2, "n_in": 7, "n_out": 3}]),
    wrong={
        "one for every sample, as for a weight": Wrong(lambda m, n_in, n_out: m, says="your answer is 5"),
        "one for every input": Wrong(lambda m, n_in, n_out: n_in, says="your answer is 3"),
        "all of them": Wrong(lambda m, n_in, n_out: m * n_out, says="your answer is 20"),
    },
)

# -- 2. implement: weights stored as PyTorch stores them --------------------------------------------------------------


def stored_gradient(dZ, X):
    """The gradient of V in Z = X Vᵀ + b, where V has shape (n_out, n_in)."""
    return ...


def stored_gradient_solution(dZ, X):
    return dZ.T @ X


STORED_GRADIENT = Exercise(
    id="linear-stored-gradient",
    stub=stored_gradient,
    reference=stored_gradient_solution,
    judge=computes(
        stored_gradient_solution,
        inputs=lambda rng: {"dZ": rng.normal(size=(5, 4)), "X": rng.normal(size=(5, 3))},
        name="dV",
        m="X",
    ),
    wrong={
        "this course's layout": Wrong(lambda dZ, X: X.T @ dZ, says="transpose"),
        "averaged over the batch": Wrong(lambda dZ, X: dZ.T @ X / len(X), says="m = 5"),
        "the sign of the update": Wrong(lambda dZ, X: -dZ.T @ X, says="sign"),
    },
)

# -- 3. implement: the whole backward pass of two layers in a row ------------------------------------------------------


def first_layer_gradient(dZ2, X, W2):
    """The gradient of W1 in Z2 = (X W1 + b1) W2 + b2: two layers, nothing between."""
    return ...


def first_layer_gradient_solution(dZ2, X, W2):
    # What leaves the second layer through its input enters the first one through its output.
    dZ1 = dZ2 @ W2.T
    return X.T @ dZ1


FIRST_LAYER_GRADIENT = Exercise(
    id="linear-first-layer-gradient",
    stub=first_layer_gradient,
    reference=first_layer_gradient_solution,
    judge=computes(
        first_layer_gradient_solution,
        inputs=lambda rng: {
            "dZ2": rng.normal(size=(5, 2)),
            "X": rng.normal(size=(5, 3)),
            "W2": rng.normal(size=(4, 2)),
        },
        name="dW1",
        m="X",
    ),
    wrong={
        "divided by m in each layer": Wrong(lambda dZ2, X, W2: X.T @ dZ2 @ W2.T / len(X), says="m = 5"),
        "stopped one layer early": Wrong(lambda dZ2, X, W2: X.T @ dZ2, says="shape"),
        "W2 not transposed": Wrong(lambda dZ2, X, W2: X.T @ dZ2 @ W2, says="stopped with ValueError"),
        "transposed": Wrong(lambda dZ2, X, W2: (X.T @ dZ2 @ W2.T).T, says="transpose"),
    },
)

# -- 4. derive: the bias, with the engine as judge --------------------------------------------------------------------

m, n_in, n_out = dimensions("m n_in n_out")
i, j, k, q = indices("i j k q")
X, W, b = matrix("X", m, n_in), matrix("W", n_in, n_out), row("b", n_out)
Z = matrix("Z", m, n_out)
L = functional("L", Z)
LAYER = {Z: X * W + ones(m) * b}


def bias_derivation():
    """Derive ∂L/∂b for any loss, from Partial(L, b[q]) to a sum over samples."""
    return ...


def bias_derivation_solution():
    return (
        Derivation(Partial(L, b[q]), let=LAYER)
        .then(total(Partial(L, Z[i, k]) * Partial(Z[i, k], b[q]), i, k), because="chain rule over every entry of $Z$")
        .then(total(Partial(L, Z[i, k]) * delta(k, q), i, k), because="$b_k$ is $b_q$ only if $k = q$")
        .then(total(Partial(L, Z[i, q]), i), because="of the sum over $k$, column $q$ is left")
    )


def _reaches_the_bias_gradient(derivation):
    if not isinstance(derivation, Derivation):
        return f"Return the Derivation itself, not {type(derivation).__name__}."
    if len(derivation.steps) < 2:
        return "Every step holds. Show the way there in at least two steps: the chain rule, then the Jacobian."
    if derivation.start != Partial(L, b[q]):
        return "Every step holds, but start from Partial(L, b[q])."
    derivation.then(total(Partial(L, Z[i, q]), i), because="the goal")
    return ""


def _bias(*steps):
    def answer():
        derivation = Derivation(Partial(L, b[q]), let=LAYER)
        for step in steps:
            derivation = derivation.then(step, because="a try")
        return derivation

    return answer


BIAS_DERIVATION = Exercise(
    id="linear-bias-derivation",
    stub=bias_derivation,
    reference=bias_derivation_solution,
    judge=derives(_reaches_the_bias_gradient),
    wrong={
        "averaged over the batch": Wrong(_bias(total(Partial(L, Z[i, q]), i) / m), says="A step of yours is refused"),
        "the sum over samples forgotten": Wrong(
            _bias(total(Partial(L, Z[i, k]) * Partial(Z[i, k], b[q]), k)), says="A step of yours is refused"
        ),
        "in one leap": Wrong(_bias(total(Partial(L, Z[i, q]), i)), says="at least two steps"),
        "the whole matrix": Wrong(lambda: Derivation(Grad(L, b), let=LAYER), says="at least two steps"),
    },
)

# -- 5. debug: a published habit ---------------------------------------------------------------------------------------


def repaired_step(dZ, X, W, b, rate):
    """Return what the layer below needs: the gradient of the input, from the weights of the forward pass.

    As found, with its bug:

        W = W - rate * X.T @ dZ
        b = b - rate * dZ.sum(axis=0)
        return dZ @ W.T
    """
    return ...


def repaired_step_solution(dZ, X, W, b, rate):
    # All gradients first: dX belongs to the weights that the forward pass used.
    dX = dZ @ W.T
    W = W - rate * X.T @ dZ
    b = b - rate * dZ.sum(axis=0)
    return dX


def _as_found(dZ, X, W, b, rate):
    W = W - rate * X.T @ dZ
    b = b - rate * dZ.sum(axis=0)
    return dZ @ W.T


def _changed_in_place(dZ, X, W, b, rate):
    dX = dZ @ W.T
    W -= rate * X.T @ dZ
    return dX


REPAIRED_STEP = Exercise(
    id="linear-repaired-step",
    stub=repaired_step,
    reference=repaired_step_solution,
    judge=computes(
        repaired_step_solution,
        inputs=lambda rng: {
            "dZ": rng.normal(size=(5, 4)),
            "X": rng.normal(size=(5, 3)),
            "W": rng.normal(size=(3, 4)),
            "b": rng.normal(size=4),
            "rate": 0.1,
        },
        name="dX",
        m="X",
    ),
    wrong={
        "as found": Wrong(_as_found, says="already updated"),
        "the caller's W is changed": Wrong(_changed_in_place, says="changes its argument W"),
        "the gradient as a step": Wrong(lambda dZ, X, W, b, rate: -dZ @ W.T, says="sign"),
        "W not transposed": Wrong(lambda dZ, X, W, b, rate: dZ @ W, says="stopped with ValueError"),
    },
)

# -- 6. transfer: a layer without a batch ------------------------------------------------------------------------------


def one_sample_gradient(dz, x):
    """The gradient of W for one sample: x of shape (n_in,), dz of shape (n_out,)."""
    return ...


def one_sample_gradient_solution(dz, x):
    # The sum over samples has one term, Xᵢₚ dZᵢq: every input times every output.
    return np.outer(x, dz)


ONE_SAMPLE_GRADIENT = Exercise(
    id="linear-one-sample-gradient",
    stub=one_sample_gradient,
    reference=one_sample_gradient_solution,
    judge=computes(
        one_sample_gradient_solution,
        inputs=lambda rng: {"dz": rng.normal(size=4), "x": rng.normal(size=3)},
        name="dW",
    ),
    wrong={
        "transposed": Wrong(lambda dz, x: np.outer(dz, x), says="transpose"),
        "one number": Wrong(lambda dz, x: np.array(x.sum() * dz.sum()), says="one sum too many"),
        "the sign of the update": Wrong(lambda dz, x: -np.outer(x, dz), says="sign"),
    },
)
