"""Exercises of chapter 10, the museum of real bugs."""

import math

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.exhibits.checking import recurrent_backward
from backprop.exhibits.masks import through_dropout, through_relu
from backprop.symbolic import Derivation, Grad, Partial, dimensions, functional, indices, matrix, ones, row

# -- 1. diagnose: three gradients in numbers --------------------------------------------------------------------------

RIGHT = np.array([[2.0, -4.0, 6.0], [8.0, 10.0, -12.0]])
FOUND = {
    "A": np.array([[0.5, -1.0, 1.5], [2.0, 2.5, -3.0]]),
    "B": np.array([[2.0, -4.0, 6.0], [0.0, 0.0, 0.0]]),
    "C": np.array([[4.0, 4.0, 4.0], [6.0, 6.0, 6.0]]),
}


def three_faults():
    """For A, B and C in this order, one letter each: "mro" would be m, r, o."""
    return ...


def three_faults_solution():
    # A is the right one, divided by four everywhere: m. In B a row is zero. In C the columns are the same: each output
    # has been given the sum of its row, 2 − 4 + 6 = 4 and 8 + 10 − 12 = 6.
    return "mrs"


THREE_FAULTS_MISTAKES = {
    "A keeps its shape, and each entry its place: that is no transpose.": lambda: "trs",
    "A mask on the wrong array leaves zeros here and there. Those of B are not scattered.": lambda: "mos",
    "A and C are exchanged: divide each by the right one, entry by entry.": lambda: "srm",
}

THREE_FAULTS = Exercise(
    id="bugs-three-faults",
    stub=three_faults,
    reference=three_faults_solution,
    judge=recalls(three_faults_solution, cases=[{}], mistakes=THREE_FAULTS_MISTAKES),
    wrong=named(THREE_FAULTS_MISTAKES),
)

# -- 2. mend: back through dropout and relu ---------------------------------------------------------------------------


def back_through(dA, Z, keep):
    """dZ, where A = relu(Z) * keep * 2 and keep is a frozen mask of zeros and ones."""
    return ...


def back_through_solution(dA, Z, keep):
    # Every factor of the way forward comes again: the mask, the 2, and relu's slope, which is asked of Z.
    return dA * keep * 2 * (Z > 0)


def _dropout_arguments(rng):
    keep = rng.permutation([[1.0], [1], [0]] * 5).reshape(5, 3)
    return {"dA": rng.normal(size=(5, 3)), "Z": rng.normal(size=(5, 3)), "keep": keep}


def _dropout_operands(dA, Z, keep):
    return {"dA": dA * keep * 2, "Z": Z}


def _as_published(dA, Z, keep):
    A = np.maximum(Z, 0) * keep * 2
    return dA * (A >= 0) * keep


BACK_THROUGH = Exercise(
    id="bugs-back-through-dropout",
    stub=back_through,
    reference=back_through_solution,
    judge=computes(
        back_through_solution,
        inputs=_dropout_arguments,
        name="dZ",
        operands=_dropout_operands,
        mistakes={"Your dZ is as published: two factors of the way forward are not there.": _as_published},
    ),
    wrong={
        "as published": Wrong(_as_published, says="as published"),
        "the mask of the activation": Wrong(
            lambda dA, Z, keep: through_relu(dA, Z, np.maximum(Z, 0), keep), says="without the factor f′"
        ),
        "the 2 forgotten": Wrong(lambda dA, Z, keep: through_dropout(dA, Z, None, keep), says="times 0.5"),
        "the mask the wrong way round": Wrong(lambda dA, Z, keep: dA * keep * 2 * (Z <= 0), says="the wrong way round"),
        "relu for its slope": Wrong(
            lambda dA, Z, keep: dA * keep * 2 * np.maximum(Z, 0), says="f(Z) in the place of f′(Z)"
        ),
    },
)

# -- 3. quantify: softmax twice ---------------------------------------------------------------------------------------


def classes_behind(floor):
    """How many classes has a classifier whose loss, with a softmax of a softmax, comes down to this floor?"""
    return ...


def classes_behind_solution(floor):
    # floor = ln(e + K − 1) − 1, solved for K.
    return round(math.exp(floor + 1) - math.e + 1)


def _floor_of(K):
    return math.log(math.e + K - 1) - 1


FLOOR_MISTAKES = {
    "That is how many classes would be equally likely at this loss.": lambda floor: round(math.exp(floor)),
    "These are the other classes, without the right one.": lambda floor: round(math.exp(floor + 1) - math.e),
    "The 1 is missing: the loss subtracts the largest probability.": lambda floor: round(math.exp(floor) - math.e + 1),
}

FLOOR = Exercise(
    id="bugs-softmax-floor",
    stub=classes_behind,
    reference=classes_behind_solution,
    judge=recalls(
        classes_behind_solution, cases=[{"floor": _floor_of(K)} for K in (10, 3, 1000)], mistakes=FLOOR_MISTAKES
    ),
    wrong=named(FLOOR_MISTAKES),
)

# -- 4. quantify: the average of averages -----------------------------------------------------------------------------


def weight_of_a_token(short, long):
    """How many times as much does a token of the short part count, when the two parts' means are averaged?"""
    return ...


def weight_of_a_token_solution(short, long):
    # In the mean of the short part a token has the weight 1/short, in that of the long part 1/long.
    return long / short


WEIGHT_MISTAKES = {
    "That is the fraction upside down.": lambda short, long: short / long,
    "That is a difference. Asked for is how many times as much.": lambda short, long: float(long - short),
    "That compares with the right weight, not with a token of the long part.": lambda short, long: (
        (short + long) / (2 * short)
    ),
}

WEIGHT = Exercise(
    id="bugs-token-weight",
    stub=weight_of_a_token,
    reference=weight_of_a_token_solution,
    judge=recalls(
        weight_of_a_token_solution, cases=[{"short": 2, "long": 50}, {"short": 3, "long": 3}], mistakes=WEIGHT_MISTAKES
    ),
    wrong=named(WEIGHT_MISTAKES),
)

# -- 5. prove: the 1/C of a mean --------------------------------------------------------------------------------------

C, d = dimensions("C d")
c, q = indices("c q")
V, h = matrix("V", C, d), row("h", d)
L = functional("L", h)
MEAN = {h: ones(C).T * V / C}


def context_derivation():
    """For h, the mean of the rows of V: from Partial(L, V[c, q]) to a formula in Partial(L, h[q])."""
    return ...


def context_derivation_solution():
    return (
        Derivation(Partial(L, V[c, q]), let=MEAN)
        .then(Partial(L, h[q]) * Partial(h[q], V[c, q]), because="only entry $q$ of the mean hears of it")
        .then(Partial(L, h[q]) / C, because="a mean of $C$ numbers moves by a $C$-th of one of them")
    )


def _what_is_left(derivation):
    return "" if derivation.result == Partial(L, h[q]) / C else ". Go on to Partial(L, h[q]) and a factor."


_context = tries(Partial(L, V[c, q]), let=MEAN)

CONTEXT = Exercise(
    id="bugs-context-derivation",
    stub=context_derivation,
    reference=context_derivation_solution,
    judge=way(
        Partial(L, V[c, q]),
        "Partial(L, V[c, q])",
        unfinished=_what_is_left,
    ),
    wrong={
        "as word2vec has it": Wrong(_context(Partial(L, h[q])), says="A step of yours is refused"),
        "divided twice": Wrong(_context(Partial(L, h[q]) / C**2), says="A step of yours is refused"),
        "no step": Wrong(_context(), says="add a step"),
        "the whole matrix": Wrong(lambda: Derivation(Grad(L, V), let=MEAN), says="start from Partial"),
        "stopped on the way": Wrong(_context(Partial(L, h[q]) * Partial(h[q], V[c, q])), says="Go on to"),
    },
)

# -- 6. mend: one step back in time -----------------------------------------------------------------------------------


def delta_before(delta, W, s, s_next):
    """The delta of step k from that of step k + 1, where s is tanh's output at step k and s_next at step k + 1."""
    return ...


def delta_before_solution(delta, W, s, s_next):
    # Down through the weights that led from s to step k + 1, then through the tanh that made s.
    return (delta @ W.T) * (1 - s**2)


def _states(rng):
    s = np.tanh(rng.normal(size=(4, 3)))
    W = rng.normal(size=(3, 3))
    return {"delta": rng.normal(size=(4, 3)), "W": W, "s": s, "s_next": np.tanh(s @ W + rng.normal(size=(4, 3)))}


def _in_time(delta, W, s, s_next):
    return {"dA": delta @ W.T, "A": s, "dZ_above": delta, "W_above": W, "s_next": s_next}


def _published_delta(delta, W, s, s_next):
    return recurrent_backward(delta, (None, s, s_next), 1, W)


DELTA_BEFORE = Exercise(
    id="bugs-delta-before",
    stub=delta_before,
    reference=delta_before_solution,
    judge=computes(
        delta_before_solution,
        inputs=_states,
        name="delta",
        operands=_in_time,
        mistakes={
            "Your delta is as published: multiplied by the state of the next step, and by no slope.": _published_delta
        },
    ),
    wrong={
        "as published": Wrong(_published_delta, says="as published"),
        "the state for its slope": Wrong(lambda delta, W, s, s_next: (delta @ W.T) * s, says="f(Z) in the place of f′"),
        "the slope of the next step": Wrong(
            lambda delta, W, s, s_next: (delta @ W.T) * (1 - s_next**2), says="f′ is taken from s_next"
        ),
        "no slope": Wrong(lambda delta, W, s, s_next: delta @ W.T, says="without the factor f′"),
        "the transpose lost": Wrong(
            lambda delta, W, s, s_next: (delta @ W) * (1 - s**2), says="another product of dZ_above and W_above"
        ),
    },
)

# -- 7. mend: columns and targets -------------------------------------------------------------------------------------


def gradient_of_line(X, w, t):
    """dw of the mean over samples of the squared error of X w; X is (n, d), w (d, 1), and t, as it came, (n,)."""
    return ...


def gradient_of_line_solution(X, w, t):
    # One difference a sample: the targets become a column, too.
    difference = X @ w - t[:, np.newaxis]
    return 2 * X.T @ difference / len(X)


def _broadcast(X, w, t):
    return 2 * X.T @ (X @ w - t).mean(axis=1, keepdims=True) / len(X)


LINE = Exercise(
    id="bugs-silent-square",
    stub=gradient_of_line,
    reference=gradient_of_line_solution,
    judge=computes(
        gradient_of_line_solution,
        inputs=lambda rng: {"X": rng.normal(size=(6, 3)), "w": rng.normal(size=(3, 1)), "t": rng.normal(size=6)},
        name="dw",
        m="X",
        mistakes={"Your dw is as published: each prediction meets every target, and so their mean.": _broadcast},
    ),
    wrong={
        "as published": Wrong(_broadcast, says="every target"),
        "n differences for each sample": Wrong(lambda X, w, t: 2 * X.T @ (X @ w - t) / len(X), says="wrong shape"),
        "a row": Wrong(lambda X, w, t: gradient_of_line_solution(X, w, t)[:, 0], says="its shape is (3,)"),
        "the mean forgotten": Wrong(lambda X, w, t: len(X) * gradient_of_line_solution(X, w, t), says="m = 6"),
    },
)
