"""Exercises of chapter 5: hidden layers."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
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
)
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: how empty four indices are ----------------------------------------------------------------------------


def nonzero_entries(n_out, n_in, m):
    """How many entries of ∂z/∂W, z = W A + b, are not zero, if no entry of A is?"""
    return ...


def nonzero_entries_solution(n_out, n_in, m):
    # δ_kp A_qi: the delta leaves n_out pairs (k, p); q and i are free.
    return n_out * n_in * m


NONZERO_ENTRIES_MISTAKES = {
    "These are all entries. Most pair a unit with a weight of another one.": lambda n_out, n_in, m: (
        n_out * m * n_out * n_in
    ),
    "These are as many as A has, which is right for one unit.": lambda n_out, n_in, m: n_in * m,
    "These are as many as W has, which is right for one sample.": lambda n_out, n_in, m: n_out * n_in,
}

NONZERO_ENTRIES = Exercise(
    id="hidden-nonzero-entries",
    stub=nonzero_entries,
    reference=nonzero_entries_solution,
    judge=recalls(
        nonzero_entries_solution,
        cases=[{"n_out": 2, "n_in": 3, "m": 4}, {"n_out": 5, "n_in": 2, "m": 3}],
        mistakes=NONZERO_ENTRIES_MISTAKES,
    ),
    wrong=named(NONZERO_ENTRIES_MISTAKES),
)

# -- 2. implement: one layer down, in the note's columns ---------------------------------------------------------------


def layer_down(dz_up, W_up, z):
    """dz of a ReLU layer, from dz and W of the layer above. Samples are columns."""
    return ...


def layer_down_solution(dz_up, W_up, z):
    # The weights gather over the units above; then each unit lets its own entry through, or not.
    return (W_up.T @ dz_up) * (z > 0)


def _not_masked(dz_up, W_up, z):
    return W_up.T @ dz_up


def _masked_by_value(dz_up, W_up, z):
    return (W_up.T @ dz_up) * np.maximum(z, 0)


def _wrong_way_up(dz_up, W_up, z):
    return (W_up.T @ dz_up) * (z <= 0)


def _own_sign(dz_up, W_up, z):
    gathered = W_up.T @ dz_up
    return gathered * (gathered > 0)


LAYER_DOWN_MISTAKES = {
    "This is dA. It has not gone through ReLU yet.": _not_masked,
    "This multiplies by the value of ReLU. Its slope belongs there.": _masked_by_value,
    "The mask is upside down: it lets through where the unit is dead.": _wrong_way_up,
    "This looks at the sign of the gradient. ReLU looked at the sign of z.": _own_sign,
}

LAYER_DOWN = Exercise(
    id="hidden-layer-down",
    stub=layer_down,
    reference=layer_down_solution,
    judge=computes(
        layer_down_solution,
        inputs=lambda rng: {
            "dz_up": rng.normal(size=(2, 5)),
            "W_up": rng.normal(size=(2, 4)),
            "z": rng.normal(size=(4, 5)),
        },
        name="dz",
        mistakes=LAYER_DOWN_MISTAKES,
    ),
    wrong={
        **named(LAYER_DOWN_MISTAKES),
        "not transposed": Wrong(lambda dz_up, W_up, z: (W_up @ dz_up) * (z > 0), says="stopped with ValueError"),
    },
)

# -- 3. derive: the induction step, in rows, for any activation -------------------------------------------------------

m, n_l, n_above = dimensions("m n_l n_above")
Z, A = (matrix(f"{name}_l", m, n_l, latex=f"{name}^{{(l)}}") for name in "ZA")
W, b = matrix("W_up", n_l, n_above, latex="W^{(l+1)}"), row("b_up", n_above, latex="b^{(l+1)}")
Z_up = matrix("Z_up", m, n_above, latex="Z^{(l+1)}")
f, f_prime = elementwise("f")
L = functional("L", Z_up)
LAYER = {A: f(Z), Z_up: A * W + ones(m) * b}


def induction_derivation():
    """From Grad(L, Z) of a hidden layer to Grad(L, Z_up) of the layer above it."""
    return ...


def induction_derivation_solution():
    return (
        Derivation(Grad(L, Z), let=LAYER)
        .then(hadamard(Grad(L, A), f_prime(Z)), because="the Jacobian of $f$ is diagonal")
        .then(hadamard(Grad(L, Z_up) * W.T, f_prime(Z)), because="the input of the layer above")
    )


def _what_is_left(derivation):
    left = {part for part in subexpressions(derivation.result) if isinstance(part, type(Grad(L, Z)))}
    return "" if left == {Grad(L, Z_up)} else ". Go on until Grad(L, Z_up) is the only derivative that is left."


_down = tries(Grad(L, Z), let=LAYER)

_THROUGH_F = hadamard(Grad(L, A), f_prime(Z))

INDUCTION = Exercise(
    id="hidden-induction-derivation",
    stub=induction_derivation,
    reference=induction_derivation_solution,
    judge=way(
        Grad(L, Z),
        "Grad(L, Z)",
        steps="first through f, then through the weights",
        unfinished=_what_is_left,
    ),
    wrong={
        "the slope at A": Wrong(_down(hadamard(Grad(L, A), f_prime(A))), says="A step of yours is refused"),
        "the slope lost on the way": Wrong(_down(_THROUGH_F, Grad(L, Z_up) * W.T), says="A step of yours is refused"),
        "in one leap": Wrong(_down(hadamard(Grad(L, Z_up) * W.T, f_prime(Z))), says="at least two steps"),
        "half way": Wrong(_down(_THROUGH_F, hadamard(f_prime(Z), Grad(L, A))), says="Go on until"),
    },
)

# -- 4. translate: the note's layer, as this course has it ------------------------------------------------------------


def into_rows(dz, A_prev):
    """The true dW of this course, (n_in, n_out), from the note's dz and A: columns."""
    return ...


def into_rows_solution(dz, A_prev):
    # Rows are columns transposed, and the true dZ is dz/m. Then dW = (input)ᵀ dZ.
    m = dz.shape[1]
    return A_prev @ (dz.T / m)


def _undivided(dz, A_prev):
    return A_prev @ dz.T


def _note_layout(dz, A_prev):
    return dz @ A_prev.T / dz.shape[1]


def _over_units(dz, A_prev):
    return A_prev @ dz.T / len(dz)


INTO_ROWS_MISTAKES = {
    "The note's dz is m times the gradient. Nothing here is divided by m.": _undivided,
    "This is the note's dW, (n_out, n_in). Here it has the shape (n_in, n_out).": _note_layout,
    "Divided by the number of units. Which axis of dz counts the samples?": _over_units,
}

INTO_ROWS = Exercise(
    id="hidden-into-rows",
    stub=into_rows,
    reference=into_rows_solution,
    judge=computes(
        into_rows_solution,
        inputs=lambda rng: {"dz": rng.normal(size=(2, 5)), "A_prev": rng.normal(size=(3, 5))},
        name="dW",
        mistakes=INTO_ROWS_MISTAKES,
    ),
    wrong={
        **named(INTO_ROWS_MISTAKES),
        "divided twice": Wrong(lambda dz, A_prev: into_rows_solution(dz, A_prev) / 5, says="0.2"),
    },
)

# -- 5. recall: what a dead layer leaves ------------------------------------------------------------------------------


def zero_weight_gradients(N, d):
    """In N layers, all of hidden layer d < N is dead: how many dW are exactly 0?"""
    return ...


def zero_weight_gradients_solution(N, d):
    # Layers 1 … d get no error. Layer d + 1 gets one, but its input is 0: dW = Aᵀ dZ = 0 as well.
    return d + 1


ZERO_GRADIENTS_MISTAKES = {
    "One is missing. A weight gradient is error times input, and both can be zero.": lambda N, d: d,
    "These are the layers below. What do the weights of the dead layer itself get?": lambda N, d: d - 1,
    "That is all of them. An error arrives above the dead layer, and what is its input?": lambda N, d: N,
}

ZERO_GRADIENTS = Exercise(
    id="hidden-zero-gradients",
    stub=zero_weight_gradients,
    reference=zero_weight_gradients_solution,
    judge=recalls(
        zero_weight_gradients_solution, cases=[{"N": 6, "d": 3}, {"N": 4, "d": 1}], mistakes=ZERO_GRADIENTS_MISTAKES
    ),
    wrong=named(ZERO_GRADIENTS_MISTAKES),
)

# -- 6. debug: a mask that masks nothing ------------------------------------------------------------------------------


def repaired_backward(X, W1, b1, W2, b2, Y):
    """dW1 of the mean cross-entropy of softmax(relu(X W1 + b1) W2 + b2)."""
    return ...


def repaired_backward_solution(X, W1, b1, W2, b2, Y):
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    E = np.exp(A1 @ W2 + b2)
    dZ2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    # A1 >= 0 is always true. Z1 > 0 is the mask; A1 > 0 would be the same one.
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return X.T @ dZ1


def _backward(X, W1, b1, W2, b2, Y, mask, divide=True):
    Z1 = X @ W1 + b1
    E = np.exp(np.maximum(Z1, 0) @ W2 + b2)
    dZ2 = E / E.sum(axis=1, keepdims=True) - Y
    return X.T @ ((dZ2 @ W2.T) * mask(Z1)) / (len(X) if divide else 1)


def _as_found(X, W1, b1, W2, b2, Y):
    return _backward(X, W1, b1, W2, b2, Y, np.ones_like, divide=False)


def _mask_only(X, W1, b1, W2, b2, Y):
    return _backward(X, W1, b1, W2, b2, Y, lambda Z: Z > 0, divide=False)


def _mean_only(X, W1, b1, W2, b2, Y):
    return _backward(X, W1, b1, W2, b2, Y, np.ones_like)


def _network(rng):
    at = {"X": rng.normal(size=(5, 3)), "W1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4)}
    at |= {"W2": rng.normal(size=(4, 2)), "b2": rng.normal(size=2)}
    return at | {"Y": np.eye(2)[rng.integers(2, size=5)]}


REPAIRED_BACKWARD_MISTAKES = {
    "Both faults are still there. When is an activation of ReLU not ≥ 0?": _as_found,
    "The mask is right now. The loss is a mean over the samples.": _mask_only,
    "The mean is right now. The mask still lets everything through.": _mean_only,
}

REPAIRED_BACKWARD = Exercise(
    id="hidden-repaired-backward",
    stub=repaired_backward,
    reference=repaired_backward_solution,
    judge=computes(repaired_backward_solution, inputs=_network, name="dW1", m="X", mistakes=REPAIRED_BACKWARD_MISTAKES),
    wrong={
        **named(REPAIRED_BACKWARD_MISTAKES),
        "divided twice": Wrong(lambda **at: repaired_backward_solution(**at) / len(at["X"]), says="m = 5"),
    },
)
