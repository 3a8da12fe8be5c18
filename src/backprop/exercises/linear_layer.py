"""Exercises of chapter 1, the linear layer."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import (
    Derivation,
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
    """How many entries of Z can change when one entry of X changes?"""
    return ...


def entries_moved_solution(m, n_in, n_out):
    # X[i, p] is used once for every output, in row i only.
    return n_out


ENTRIES_MOVED_MISTAKES = {
    "That is one for every sample, as of a weight. An entry of X belongs to one.": lambda m, n_in, n_out: m,
    "That is one for every input, and this entry is one of them.": lambda m, n_in, n_out: n_in,
    "That is all of Z. Its other rows belong to other samples.": lambda m, n_in, n_out: m * n_out,
}

ENTRIES_MOVED = Exercise(
    id="linear-entries-moved",
    stub=entries_moved,
    reference=entries_moved_solution,
    judge=recalls(
        entries_moved_solution,
        cases=[{"m": 5, "n_in": 3, "n_out": 4}, {"m": 2, "n_in": 7, "n_out": 3}],
        mistakes=ENTRIES_MOVED_MISTAKES,
    ),
    wrong=named(ENTRIES_MOVED_MISTAKES),
)

# -- 2. implement: samples in columns ----------------------------------------------------------------------------------


def column_gradient(dZ, X):
    """The gradient of V in Z = V X + b 1ᵀ, with samples in the columns of X and Z."""
    return ...


def column_gradient_solution(dZ, X):
    # The sum over samples runs over the second index of both, so the right factor is turned.
    return dZ @ X.T


COLUMN_GRADIENT = Exercise(
    id="linear-column-gradient",
    stub=column_gradient,
    reference=column_gradient_solution,
    judge=computes(
        column_gradient_solution,
        inputs=lambda rng: {"dZ": rng.normal(size=(4, 5)), "X": rng.normal(size=(3, 5))},
        name="dV",
    ),
    wrong={
        "transposed": Wrong(lambda dZ, X: X @ dZ.T, says="transpose"),
        "this chapter's formula": Wrong(lambda dZ, X: X.T @ dZ, says="stopped with ValueError"),
        "averaged over the batch": Wrong(lambda dZ, X: dZ @ X.T / X.shape[1], says="divided by m = 5"),
        "the sign of the update": Wrong(lambda dZ, X: -dZ @ X.T, says="sign"),
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

# -- 4. derive: weights stored as PyTorch stores them, with the engine as judge ----------------------------------------

m, n_in, n_out = dimensions("m n_in n_out")
i, k, p, q = indices("i k p q")
X, S, b = matrix("X", m, n_in), matrix("V", n_out, n_in), row("b", n_out)
Z = matrix("Z", m, n_out)
L = functional("L", Z)
stored = {Z: X * S.T + ones(m) * b}


def stored_derivation():
    """Derive ∂L/∂V[q, p] for any loss, down to one sum over samples."""
    return ...


def stored_derivation_solution():
    return (
        Derivation(Partial(L, S[q, p]), stored)
        .then(
            total(Partial(L, Z[i, k]) * Partial(Z[i, k], S[q, p]), i, k),
            because="chain rule over every entry of $Z$",
        )
        .then(
            total(Partial(L, Z[i, k]) * X[i, p] * delta(k, q), i, k),
            because="$V_{kj}$ is $V_{qp}$ only if both indices agree",
        )
        .then(
            total(Partial(L, Z[i, q]) * X[i, p], i),
            because="of the sum over $k$, column $q$ is left",
        )
    )


def _what_is_left(derivation):
    last = str(derivation.result)
    left = "δ" in last or "∂V" in last
    return ", but you are not there: a delta or a derivative of Z is left in the last line." if left else ""


_stored = tries(Partial(L, S[q, p]), let=stored)

_CHAIN_RULE = total(Partial(L, Z[i, k]) * Partial(Z[i, k], S[q, p]), i, k)
STORED_DERIVATION = Exercise(
    id="linear-stored-derivation",
    stub=stored_derivation,
    reference=stored_derivation_solution,
    judge=way(
        Partial(L, S[q, p]),
        "Partial(L, S[q, p])",
        steps="the chain rule, then the Jacobian",
        unfinished=_what_is_left,
        goal=total(Partial(L, Z[i, q]) * X[i, p], i),
    ),
    wrong={
        "averaged over the batch": Wrong(
            _stored(_CHAIN_RULE, total(Partial(L, Z[i, q]) * X[i, p], i) / m), says="A step of yours is refused"
        ),
        "one sample only": Wrong(_stored(Partial(L, Z[i, q]) * X[i, p]), says="A step of yours is refused"),
        "in one leap": Wrong(_stored(total(Partial(L, Z[i, q]) * X[i, p], i)), says="at least two steps"),
        "stopped at the delta": Wrong(
            _stored(_CHAIN_RULE, total(Partial(L, Z[i, k]) * X[i, p] * delta(k, q), i, k)), says="a delta"
        ),
    },
)

# -- 5. debug: a published habit ---------------------------------------------------------------------------------------


def repaired_step(dZ, X, W, b, rate):
    """Return dX and the updated W and b."""
    return ...


def repaired_step_solution(dZ, X, W, b, rate):
    # All gradients first: dX belongs to the weights that the forward pass used.
    dX = dZ @ W.T
    W = W - rate * X.T @ dZ
    b = b - rate * dZ.sum(axis=0)
    return dX, W, b


def _step_inputs(rng):
    sizes = {"dZ": (5, 4), "X": (5, 3), "W": (3, 4), "b": 4}
    return {name: rng.normal(size=size) for name, size in sizes.items()} | {"rate": 0.1}


def _all_three(answer):
    """Judge the three results one after the other, each under its own name."""

    def result(function, number):
        def one(**arguments):
            results = function(**arguments)
            if results is None or results is ...:
                return results
            if not (isinstance(results, tuple) and len(results) == 3):
                raise ValueError("three results were expected, dX, W and b")
            return results[number]

        return one

    for number, name in enumerate(("dX", "W", "b")):
        mistakes = {words: result(mistake, number) for words, mistake in REPAIRED_STEP_MISTAKES.items()}
        judge = computes(result(repaired_step_solution, number), _step_inputs, name, m="X", mistakes=mistakes)
        feedback = judge(result(answer, number))
        if not feedback.passed:
            return feedback
    return feedback


def _as_found(dZ, X, W, b, rate):
    W = W - rate * X.T @ dZ
    b = b - rate * dZ.sum(axis=0)
    return dZ @ W.T, W, b


def _changed_in_place(dZ, X, W, b, rate):
    dX = dZ @ W.T
    W -= rate * X.T @ dZ
    return dX, W, b - rate * dZ.sum(axis=0)


def _step_of(factor):
    def step(dZ, X, W, b, rate):
        return dZ @ W.T, W - factor(X) * rate * X.T @ dZ, b - factor(X) * rate * dZ.sum(axis=0)

    return step


REPAIRED_STEP_MISTAKES = {
    "This climbs: the step goes against the gradient.": _step_of(lambda X: -1),
    "The step is m times too short: dZ holds the 1/m of a mean already.": _step_of(lambda X: 1 / len(X)),
    "The weights are as they were: no step is taken.": _step_of(lambda X: 0),
}

REPAIRED_STEP = Exercise(
    id="linear-repaired-step",
    stub=repaired_step,
    reference=repaired_step_solution,
    judge=_all_three,
    wrong={
        "as found": Wrong(_as_found, says="already updated"),
        "the caller's W is changed": Wrong(_changed_in_place, says="changes its argument W"),
        "dX alone": Wrong(lambda dZ, X, W, b, rate: dZ @ W.T, says="three results"),
        **named(REPAIRED_STEP_MISTAKES),
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
