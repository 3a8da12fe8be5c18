"""Exercises of chapter 2, the matrix form."""

import math

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import (
    Derivation,
    Grad,
    Partial,
    column,
    delta,
    dimensions,
    elementwise,
    functional,
    indices,
    matrix,
    total,
)
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: how many paths ----------------------------------------------------------------------------------------


def paths(n_in, n_1, n_2):
    """How many paths lead from one input through n_1 and n_2 units to the loss?"""
    return ...


def paths_solution(n_in, n_1, n_2):
    # From the input to each of the n_1 units, and from each of those to each of the n_2.
    return n_1 * n_2


PATHS_MISTAKES = {
    "These are added. Every way that has come to a layer branches there.": lambda n_in, n_1, n_2: n_1 + n_2,
    "These are the last layer's units. Several ways lead to each of them.": lambda n_in, n_1, n_2: n_2,
    "These are the paths from all inputs together.": lambda n_in, n_1, n_2: n_in * n_1 * n_2,
}

PATHS = Exercise(
    id="matrix-paths",
    stub=paths,
    reference=paths_solution,
    judge=recalls(
        paths_solution,
        cases=[{"n_in": 2, "n_1": 3, "n_2": 5}, {"n_in": 7, "n_1": 2, "n_2": 4}],
        mistakes=PATHS_MISTAKES,
    ),
    wrong=named(PATHS_MISTAKES),
)

# -- 2. implement: back through the activation and the weights, a batch of columns ------------------------------------


def gradient_of_input(dA, A, W):
    """The gradient of X in A = tanh(W X + b 1ᵀ), where samples are columns."""
    return ...


def gradient_of_input_solution(dA, A, W):
    # The slope of tanh is 1 − tanh², and tanh(Z) is A itself. Scale by it, then mix with the transposed weights.
    dZ = dA * (1 - A**2)
    return W.T @ dZ


def _input_arguments(rng):
    return {"dA": rng.normal(size=(4, 5)), "A": np.tanh(rng.normal(size=(4, 5))), "W": rng.normal(size=(4, 3))}


GRADIENT_OF_INPUT = Exercise(
    id="matrix-gradient-of-input",
    stub=gradient_of_input,
    reference=gradient_of_input_solution,
    judge=computes(gradient_of_input_solution, inputs=_input_arguments, name="dX"),
    wrong={
        "the slope forgotten": Wrong(lambda dA, A, W: W.T @ dA, says="without the factor f′"),
        "the slope taken at A": Wrong(
            lambda dA, A, W: W.T @ (dA * (1 - np.tanh(A) ** 2)), says="f′ is taken at A instead of at Z"
        ),
        "the logistic function's slope": Wrong(
            lambda dA, A, W: W.T @ (dA * A * (1 - A)), says="the slope of the logistic function"
        ),
        "W not transposed": Wrong(lambda dA, A, W: W @ (dA * (1 - A**2)), says="stopped with ValueError"),
        "samples as rows": Wrong(lambda dA, A, W: (dA * (1 - A**2)).T @ W, says="transpose"),
        "averaged over the batch": Wrong(
            lambda dA, A, W: W.T @ (dA * (1 - A**2)) / dA.shape[1], says="divided by m = 5"
        ),
    },
)

# -- 3. implement: back through softmax, a batch of columns -----------------------------------------------------------


def through_softmax(dA, P):
    """The gradient of Z, where column i of P is the softmax of column i of Z."""
    return ...


def through_softmax_solution(dA, P):
    # Jᵀ da with J = diag(p) − p pᵀ, multiplied out, in every column: pᵀ da is one number per sample.
    return P * (dA - (P * dA).sum(axis=0, keepdims=True))


def _softmax_arguments(rng):
    e = np.exp(rng.normal(size=(4, 6)))
    return {"dA": rng.normal(size=(4, 6)), "P": e / e.sum(axis=0)}


THROUGH_SOFTMAX = Exercise(
    id="matrix-through-softmax",
    stub=through_softmax,
    reference=through_softmax_solution,
    judge=computes(through_softmax_solution, inputs=_softmax_arguments, name="dZ"),
    wrong={
        "entry by entry, as for the logistic function": Wrong(lambda dA, P: dA * P * (1 - P), says="entry by entry"),
        "without what the other entries do": Wrong(lambda dA, P: dA * P, says="is left out"),
        "one number for the whole batch": Wrong(lambda dA, P: P * (dA - (P * dA).sum()), says="the whole batch"),
        "summed over the samples": Wrong(
            lambda dA, P: P * (dA - (P * dA).sum(axis=1, keepdims=True)), says="runs over the samples"
        ),
        "the mean of the entries": Wrong(
            lambda dA, P: P * (dA - (P * dA).mean(axis=0, keepdims=True)), says="a mean over the classes"
        ),
        "every sample with every other": Wrong(lambda dA, P: P * (dA - dA.T @ P), says="stopped with ValueError"),
        "the sign of the update": Wrong(lambda dA, P: -P * (dA - (P * dA).sum(axis=0)), says="sign"),
    },
)

# -- 4. derive: the whole way from the activation to the input --------------------------------------------------------

n_in, n_out = dimensions("n_in n_out")
k, p, q = indices("k p q")
W, b, x = matrix("W", n_out, n_in), column("b", n_out), column("x", n_in)
z, a = column("z", n_out), column("a", n_out)
f, f_prime = elementwise("f")
L = functional("L", a)
LAYER = {z: W * x + b, a: f(z)}
GOAL = total(Partial(L, a[q]) * f_prime(z[q]) * W[q, p], q)


def input_derivation():
    """Derive ∂L/∂x: start from Partial(L, x[p]) and end with one sum."""
    return ...


def input_derivation_solution():
    return (
        Derivation(Partial(L, x[p]), let=LAYER)
        .then(total(Partial(L, z[q]) * Partial(z[q], x[p]), q), because="one path through every output")
        .then(total(Partial(L, z[q]) * W[q, p], q), because="the weight on the path")
        .then(total(Partial(L, a[q]) * f_prime(z[q]) * W[q, p], q), because="back through $f$, entry by entry")
    )


def _what_is_left(derivation):
    left = Partial(L, z[q]) in subexpressions(derivation.result)
    return ". One is missing: go on to ∂L/∂a, through the activation." if left else ""


_input = tries(Partial(L, x[p]), let=LAYER)

INPUT_DERIVATION = Exercise(
    id="matrix-input-derivation",
    stub=input_derivation,
    reference=input_derivation_solution,
    judge=way(
        Partial(L, x[p]),
        "Partial(L, x[p])",
        steps="the paths, then the activation",
        unfinished=_what_is_left,
        goal=GOAL,
    ),
    wrong={
        "the slope forgotten": Wrong(_input(total(Partial(L, a[q]) * W[q, p], q)), says="A step of yours is refused"),
        "the slope at the wrong place": Wrong(
            _input(total(Partial(L, a[q]) * f_prime(a[q]) * W[q, p], q)), says="A step of yours is refused"
        ),
        "stopped at the pre-activation": Wrong(
            _input(total(Partial(L, z[q]) * Partial(z[q], x[p]), q), total(Partial(L, z[q]) * W[q, p], q)),
            says="go on to ∂L/∂a",
        ),
        "in one leap": Wrong(_input(GOAL), says="at least two steps"),
        "the whole column": Wrong(lambda: Derivation(Grad(L, x), let=LAYER), says="start from Partial"),
        "one path only": Wrong(
            _input(total(Partial(L, z[k]) * W[k, p] * delta(k, q), k)), says="A step of yours is refused"
        ),
    },
)

# -- 5. quantify: when is nothing left --------------------------------------------------------------------------------


def depth_until(norm, tolerance):
    """How many sigmoid layers put the bound on a gradient of length 1 below tolerance?

    Every weight matrix has a spectral norm of at most `norm`, which is below 4.
    """
    return ...


def depth_until_solution(norm, tolerance):
    # A layer multiplies the bound by max σ′ ‖W‖ = norm / 4.
    return math.floor(math.log(tolerance) / math.log(norm / 4)) + 1


DEPTH_UNTIL_MISTAKES = {
    "One too few: so many layers are not enough yet.": lambda norm, tolerance: math.floor(
        math.log(tolerance) / math.log(norm / 4)
    ),
    "The weights are missing: they multiply the bound, too.": lambda norm, tolerance: (
        math.floor(math.log(tolerance) / math.log(1 / 4)) + 1
    ),
    "The slopes are missing: how steep can a sigmoid be?": lambda norm, tolerance: (
        math.floor(math.log(tolerance) / math.log(norm)) + 1
    ),
}

DEPTH_UNTIL = Exercise(
    id="matrix-depth-until",
    stub=depth_until,
    reference=depth_until_solution,
    judge=recalls(
        depth_until_solution,
        cases=[{"norm": 3.0, "tolerance": 0.01}, {"norm": 1.0, "tolerance": 1e-6}, {"norm": 2.0, "tolerance": 0.3}],
        mistakes=DEPTH_UNTIL_MISTAKES,
    ),
    wrong=named(DEPTH_UNTIL_MISTAKES),
)

# -- 6. debug: broadcasting does not sum ------------------------------------------------------------------------------


def repaired_bias(b, dZ, rate):
    """The bias after one step: b has shape (n_out, 1), dZ one column per sample."""
    return ...


def repaired_bias_solution(b, dZ, rate):
    # db = dZ 1: every sample uses the bias, so it gathers from every column. It stays a column.
    return b - rate * dZ.sum(axis=1, keepdims=True)


BIAS_MISTAKES = {
    "Your bias is moved by the mean over the samples: dZ holds the 1/m of the loss already.": lambda b, dZ, rate: (
        b - rate * dZ.mean(axis=1, keepdims=True)
    ),
    "Your bias is moved uphill: the sign of the step is wrong.": lambda b, dZ, rate: (
        b + rate * dZ.sum(axis=1, keepdims=True)
    ),
}

REPAIRED_BIAS = Exercise(
    id="matrix-repaired-bias",
    stub=repaired_bias,
    reference=repaired_bias_solution,
    judge=computes(
        repaired_bias_solution,
        inputs=lambda rng: {"b": rng.normal(size=(4, 1)), "dZ": rng.normal(size=(4, 6)), "rate": 0.1},
        name="bias",
        mistakes=BIAS_MISTAKES,
    ),
    wrong={
        "as found": Wrong(lambda b, dZ, rate: b - rate * dZ, says="shape"),
        "keepdims forgotten": Wrong(lambda b, dZ, rate: b - rate * dZ.sum(axis=1), says="shape"),
        "summed along the wrong axis": Wrong(lambda b, dZ, rate: b - rate * dZ.sum(axis=0), says="shape"),
        **named(BIAS_MISTAKES),
    },
)
