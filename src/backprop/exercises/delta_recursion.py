"""Exercises of chapter 6, the delta recursion."""

from itertools import pairwise

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import (
    Derivation,
    Grad,
    Partial,
    column,
    dimensions,
    elementwise,
    functional,
    hadamard,
    indices,
    matrix,
)
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: which layer does a delta belong to --------------------------------------------------------------------


def delta_length(sizes, c):
    """How many numbers has the note's delta of layer c? sizes[0] counts the inputs."""
    return ...


def delta_length_solution(sizes, c):
    # The note's δᶜ is the gradient of aᶜ⁻¹, the input of layer c.
    return sizes[c - 1]


DELTA_LENGTH_MISTAKES = {
    "That is the usual delta, the gradient of z. The note's is the gradient of something else.": lambda sizes, c: sizes[
        c
    ],
    "That belongs to the layer above. On which side of layer c does the note's delta stand?": lambda sizes, c: sizes[
        c + 1
    ],
    "That is how many weights the layer has. A delta belongs to units.": lambda sizes, c: sizes[c - 1] * sizes[c],
}

DELTA_LENGTH = Exercise(
    id="delta-length",
    stub=delta_length,
    reference=delta_length_solution,
    judge=recalls(
        delta_length_solution,
        cases=[{"sizes": [7, 5, 4, 2], "c": 2}, {"sizes": [3, 8, 6], "c": 1}],
        mistakes=DELTA_LENGTH_MISTAKES,
    ),
    wrong=named(DELTA_LENGTH_MISTAKES),
)

# -- 2. implement: one step of the note's first recursion -------------------------------------------------------------


def bias_below(db_above, W_above, z):
    """dL/dbᶜ from dL/dbᶜ⁺¹, Wᶜ⁺¹ (out, in) and zᶜ, with tanh; all gradients are 1-D."""
    return ...


def bias_below_solution(db_above, W_above, z):
    # First down through the weights, a matrix product, then through the activation, entry by entry.
    delta = db_above @ W_above
    return delta * (1 - np.tanh(z) ** 2)


BIAS_BELOW = Exercise(
    id="delta-bias-below",
    stub=bias_below,
    reference=bias_below_solution,
    judge=computes(
        bias_below_solution,
        inputs=lambda rng: {
            "db_above": rng.normal(size=4),
            "W_above": rng.normal(size=(4, 3)),
            "z": rng.normal(size=3),
        },
        name="db",
        operands=lambda db_above, W_above, z: {"dA": db_above @ W_above, "Z": z},
    ),
    wrong={
        "the slope forgotten": Wrong(lambda db_above, W_above, z: db_above @ W_above, says="without the factor f′"),
        "the order exchanged": Wrong(
            lambda db_above, W_above, z: db_above * (W_above @ (1 - np.tanh(z) ** 2)), says="shape"
        ),
        "samples as rows, W as (in, out)": Wrong(
            lambda db_above, W_above, z: (db_above @ W_above.T) * (1 - np.tanh(z) ** 2), says="stopped with ValueError"
        ),
        "the sign of the update": Wrong(
            lambda db_above, W_above, z: -(db_above @ W_above) * (1 - np.tanh(z) ** 2), says="sign"
        ),
    },
)

# -- 3. implement: the recursion through any number of layers ---------------------------------------------------------


def down_to_the_input(weights, activations, y):
    """The note's delta of layer 1 for k tanh layers, under half the squared error.

    `weights`: (k, n, n), each (out, in). `activations`: (k + 1, n), the input first.
    """
    return ...


def down_to_the_input_solution(weights, activations, y):
    delta = activations[-1] - y
    for W, a in zip(weights[::-1], activations[:0:-1], strict=True):
        # tanh′(z) = 1 − a²: the activation of the layer itself is all that has to be kept.
        delta = (delta * (1 - a**2)) @ W
    return delta


def _stack(rng):
    weights = rng.normal(size=(4, 3, 3))
    activations = [rng.normal(size=3)]
    for W in weights:
        activations.append(np.tanh(W @ activations[-1]))
    return {"weights": weights, "activations": np.array(activations), "y": rng.normal(size=3)}


def _stops_early(weights, activations, y):
    delta = activations[-1] - y
    for W, a in zip(weights[:0:-1], activations[:1:-1], strict=True):
        delta = (delta * (1 - a**2)) @ W
    return delta


def _slope_of_the_input(weights, activations, y):
    delta = activations[-1] - y
    for W, a in zip(weights[::-1], activations[-2::-1], strict=True):
        delta = (delta * (1 - a**2)) @ W
    return delta


def _not_transposed(weights, activations, y):
    delta = activations[-1] - y
    for W, a in zip(weights[::-1], activations[:0:-1], strict=True):
        delta = W @ (delta * (1 - a**2))
    return delta


DOWN_MISTAKES = {
    "Your delta is a delta still: the one of a layer further up. The recursion ends one layer early.": _stops_early,
    "Your delta is what comes out when each slope is taken at the layer's input, not at its own activation.": (
        _slope_of_the_input
    ),
    "Your delta is what comes out when each delta goes down through the wrong side of its weights.": _not_transposed,
}

DOWN_TO_THE_INPUT = Exercise(
    id="delta-down-to-the-input",
    stub=down_to_the_input,
    reference=down_to_the_input_solution,
    judge=computes(down_to_the_input_solution, inputs=_stack, name="delta", mistakes=DOWN_MISTAKES),
    wrong={
        **named(DOWN_MISTAKES),
        "y minus prediction": Wrong(
            lambda weights, activations, y: -down_to_the_input_solution(weights, activations, y), says="sign"
        ),
    },
)

# -- 4. derive: a skip connection -------------------------------------------------------------------------------------

n, n_out = dimensions("n n_out")
k, p, q = indices("k p q")
W, b, x = matrix("W", n, n), column("b", n), column("x", n)
z, a = column("z", n), column("a", n)
f, f_prime = elementwise("f")
L = functional("L", a)
SKIP = {z: W * x + b, a: f(z) + x}
GOAL = Grad(L, a) + W.T * hadamard(Grad(L, a), f_prime(z))


def skip_derivation():
    """Derive ∂L/∂x of a = f(z) + x, from Grad(L, x) to ∂L/∂a, W and f′."""
    return ...


def skip_derivation_solution():
    return (
        Derivation(Grad(L, x), let=SKIP)
        .then(Grad(L, a) + W.T * Grad(L, z), because="two uses of $x$: their gradients add")
        .then(Grad(L, a) + W.T * hadamard(Grad(L, a), f_prime(z)), because="through $f$, entry by entry")
    )


def _what_is_left(derivation):
    left = {Grad(L, z), Grad(L, x)} & set(subexpressions(derivation.result))
    return ". One is missing: go on until only ∂L/∂a is left." if left else ""


_skip = tries(Grad(L, x), let=SKIP)

SKIP_DERIVATION = Exercise(
    id="delta-skip-derivation",
    stub=skip_derivation,
    reference=skip_derivation_solution,
    judge=way(
        Grad(L, x),
        "Grad(L, x)",
        steps="the two uses, then the activation",
        unfinished=_what_is_left,
        goal=GOAL,
    ),
    wrong={
        "the skip forgotten": Wrong(_skip(W.T * Grad(L, z)), says="A step of yours is refused"),
        "the skip alone": Wrong(_skip(Grad(L, a)), says="A step of yours is refused"),
        "the slope on both roads": Wrong(
            _skip(hadamard(Grad(L, a), f_prime(z)) + W.T * hadamard(Grad(L, a), f_prime(z))),
            says="A step of yours is refused",
        ),
        "stopped at the pre-activation": Wrong(
            _skip(Grad(L, a) + W.T * Grad(L, z), W.T * Grad(L, z) + Grad(L, a)),
            says="until only ∂L/∂a is left",
        ),
        "in one leap": Wrong(_skip(GOAL), says="at least two steps"),
        "one entry": Wrong(lambda: Derivation(Partial(L, x[p]), let=SKIP), says="start from Grad"),
    },
)

# -- 5. implement: tied weights ---------------------------------------------------------------------------------------


def tied_gradient(dOut, X, W):
    """The gradient of W in Out = tanh(X W) Wᵀ, where samples are rows."""
    return ...


def tied_gradient_solution(dOut, X, W):
    H = np.tanh(X @ W)
    # W as the decoder, where it stands transposed, and W as the encoder: two uses, two gradients, added.
    decoder = dOut.T @ H
    encoder = X.T @ ((dOut @ W) * (1 - H**2))
    return decoder + encoder


def _encoder(dOut, X, W):
    return X.T @ ((dOut @ W) * (1 - np.tanh(X @ W) ** 2))


def _decoder(dOut, X, W):
    return dOut.T @ np.tanh(X @ W)


TIED_GRADIENT = Exercise(
    id="delta-tied-gradient",
    stub=tied_gradient,
    reference=tied_gradient_solution,
    judge=computes(
        tied_gradient_solution,
        inputs=lambda rng: {
            "dOut": rng.normal(size=(5, 4)),
            "X": rng.normal(size=(5, 4)),
            "W": rng.normal(size=(4, 3)),
        },
        name="dW",
        m="X",
        mistakes={
            "Your dW is what the use of W as the encoder gives, alone: W is used twice.": _encoder,
            "Your dW is what the use of W as the decoder gives, alone: W is used twice.": _decoder,
        },
    ),
    wrong={
        "the encoder's use only": Wrong(_encoder, says="as the encoder gives, alone"),
        "the decoder's use only": Wrong(_decoder, says="as the decoder gives, alone"),
        "the decoder's use transposed": Wrong(
            lambda dOut, X, W: np.tanh(X @ W).T @ dOut + _encoder(dOut, X, W), says="stopped with ValueError"
        ),
        "the average of the two": Wrong(
            lambda dOut, X, W: tied_gradient_solution(dOut, X, W) / 2, says="the reference times 0.5"
        ),
    },
)

# -- 6. quantify: what a check by differences costs -------------------------------------------------------------------


def check_cost(sizes, m):
    """How many multiplications of inputs by weights do centred differences take?

    All weights and biases are checked on m samples. sizes[0] counts the inputs.
    """
    return ...


def _weights(sizes):
    return sum(n_in * n_out for n_in, n_out in pairwise(sizes))


def check_cost_solution(sizes, m):
    weights = sum(n_in * n_out for n_in, n_out in pairwise(sizes))
    parameters = weights + sum(sizes[1:])
    # Two forward passes for every parameter; each sample meets each weight once in a pass.
    return 2 * parameters * m * weights


CHECK_COST_MISTAKES = {
    "That is one pass for each parameter. Centred differences go to both sides.": lambda sizes, m: (
        check_cost_solution(sizes, m) // 2
    ),
    "The biases are not moved here. They are parameters, too.": lambda sizes, m: 2 * m * _weights(sizes) ** 2,
    "That is for one sample. The loss is one of m.": lambda sizes, m: check_cost_solution(sizes, 1),
    "That is what a backward pass costs. Differences take the loss anew for every parameter.": lambda sizes, m: (
        2 * m * _weights(sizes)
    ),
}

CHECK_COST = Exercise(
    id="delta-check-cost",
    stub=check_cost,
    reference=check_cost_solution,
    judge=recalls(
        check_cost_solution,
        cases=[{"sizes": [2, 3, 2], "m": 4}, {"sizes": [5, 4], "m": 3}],
        mistakes=CHECK_COST_MISTAKES,
    ),
    wrong=named(CHECK_COST_MISTAKES),
)

# -- 7. debug: the slope of the wrong layer ---------------------------------------------------------------------------


def repaired_delta(dZ_above, W_above, A, A_above):
    """dZ of a tanh layer with output A, from dZ above it, where samples are rows."""
    return ...


def repaired_delta_solution(dZ_above, W_above, A, A_above):
    # What comes down through the weights meets the activation between the two layers, whose output is A.
    return (dZ_above @ W_above.T) * (1 - A**2)


def _layers(rng):
    A = np.tanh(rng.normal(size=(5, 4)))
    W_above = rng.normal(size=(4, 4))
    return {"dZ_above": rng.normal(size=(5, 4)), "W_above": W_above, "A": A, "A_above": np.tanh(A @ W_above)}


def _came_from(dZ_above, W_above, **arrays):
    return {"dZ_above": dZ_above, "W_above": W_above, "dA": dZ_above @ W_above.T} | arrays


REPAIRED_DELTA = Exercise(
    id="delta-repaired",
    stub=repaired_delta,
    reference=repaired_delta_solution,
    judge=computes(repaired_delta_solution, inputs=_layers, name="dZ", operands=_came_from),
    wrong={
        "as found": Wrong(
            lambda dZ_above, W_above, A, A_above: (dZ_above @ W_above.T) * (1 - A_above**2),
            says="f′ is taken from A_above",
        ),
        "the activation for its slope": Wrong(
            lambda dZ_above, W_above, A, A_above: (dZ_above @ W_above.T) * A, says="f(Z) in the place of f′(Z)"
        ),
        "tanh′ at the activation": Wrong(
            lambda dZ_above, W_above, A, A_above: (dZ_above @ W_above.T) * (1 - np.tanh(A) ** 2),
            says="f′ is taken at A",
        ),
        "the transpose lost": Wrong(
            lambda dZ_above, W_above, A, A_above: (dZ_above @ W_above) * (1 - A**2),
            says="another product of dZ_above and W_above",
        ),
    },
)
