"""Exercises of chapter 14, reverse mode."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import Derivation, Grad, dimensions, functional, matrix
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: along the tape, and along every path ------------------------------------------------------------------


def visits(k):
    """For x ← x + x, k times: how many shares are sent along the tape, and along paths?

    Return a pair (along the tape, along every path from the end).
    """
    return ...


def visits_solution(k):
    # On the tape every addition has its turn once, and sends two shares. On paths it is entered once for every path
    # that leads to it: 2 + 4 + … + 2ᵏ shares.
    return 2 * k, 2 ** (k + 1) - 2


VISITS_MISTAKES = {
    "Along the tape: how many shares does an addition of two operands send?": lambda k: (k, 2 ** (k + 1) - 2),
    "Along paths, these are the last visits only. There were others before.": lambda k: (2 * k, 2**k),
    "This would make paths as cheap as the tape. On paths a number is visited again and again.": lambda k: (
        2 * k,
        2 * k,
    ),
    "This would make the tape as dear as the paths. On the tape every addition has one turn.": lambda k: (
        (2 ** (k + 1) - 2,) * 2
    ),
}

VISITS = Exercise(
    id="reverse-visits",
    stub=visits,
    reference=visits_solution,
    judge=recalls(visits_solution, cases=[{"k": 3}, {"k": 6}], mistakes=VISITS_MISTAKES),
    wrong=named(VISITS_MISTAKES),
)

# -- 2. implement: a rule whose Jacobian is not diagonal --------------------------------------------------------------


def log_softmax_vjp(v, c):
    """The gradient of A from v, the gradient of c = ln softmax(A), row by row."""
    return ...


def log_softmax_vjp_solution(v, c):
    # Each entry of a row enters the row's normalisation, so each gets a share of all the gradients of its row.
    return v - np.exp(c) * v.sum(axis=1, keepdims=True)


def _log_probabilities(rng):
    A = rng.normal(size=(5, 4))
    return {"v": rng.normal(size=(5, 4)), "c": A - np.log(np.exp(A).sum(axis=1, keepdims=True))}


LOG_SOFTMAX_MISTAKES = {
    "Your dA is right only where each row of v sums to −1, as under one-hot labels.": lambda v, c: v + np.exp(c),
    "Your dA is what comes out entry by entry, without what an entry does to its neighbours.": lambda v, c: (
        v * (1 - np.exp(c))
    ),
    "Your dA is what comes out when v is summed over the whole batch.": lambda v, c: v - np.exp(c) * v.sum(),
    "Your dA is what comes out when c is taken for a probability: it is the logarithm of one, already.": lambda v, c: (
        v - np.exp(np.exp(c)) * v.sum(axis=1, keepdims=True)
    ),
}

LOG_SOFTMAX_VJP = Exercise(
    id="reverse-log-softmax",
    stub=log_softmax_vjp,
    reference=log_softmax_vjp_solution,
    judge=computes(log_softmax_vjp_solution, inputs=_log_probabilities, name="dA", mistakes=LOG_SOFTMAX_MISTAKES),
    wrong=named(LOG_SOFTMAX_MISTAKES),
)

# -- 3. implement: what broadcasting owes -----------------------------------------------------------------------------


def scale_gradient(dC, A, s):
    """ds for C = A ⊙ s, where s, shape (n,), scales every row of A, shape (m, n)."""
    return ...


def scale_gradient_solution(dC, A, s):
    # Broadcasting has used s once in every row. What is used m times gathers m gradients.
    return (dC * A).sum(axis=0)


SCALE_MISTAKES = {
    "Your ds is what comes out when s takes the place of A: that sum belongs to another operand.": lambda dC, A, s: (
        dC * s
    ).sum(axis=0),
    "Your ds is the rule of a sum, C = A + s: a factor of the product is missing.": lambda dC, A, s: dC.sum(axis=0),
}

SCALE_GRADIENT = Exercise(
    id="reverse-scale-gradient",
    stub=scale_gradient,
    reference=scale_gradient_solution,
    judge=computes(
        scale_gradient_solution,
        inputs=lambda rng: {"dC": rng.normal(size=(5, 3)), "A": rng.normal(size=(5, 3)), "s": rng.normal(size=3)},
        name="ds",
        m="A",
        mistakes=SCALE_MISTAKES,
    ),
    wrong={
        "not gathered": Wrong(lambda dC, A, s: dC * A, says="shape"),
        "averaged": Wrong(lambda dC, A, s: (dC * A).mean(axis=0), says="divided by m = 5"),
        **named(SCALE_MISTAKES),
    },
)

# -- 4. derive: a primitive that the table does not have --------------------------------------------------------------

m, n, k = dimensions("m n k")
A, B = matrix("A", m, k), matrix("B", n, k)
C, V = matrix("C", m, n), matrix("V", m, n)
L = functional("L", C)
PRODUCT, ARRIVES = {C: A * B.T}, {Grad(L, C): V}
GOAL = V.T * A


def rule_derivation():
    """From Grad(L, B) to the rule of C = A Bᵀ for B, with V = ∂L/∂C."""
    return ...


def rule_derivation_solution():
    return (
        Derivation(Grad(L, B), let=PRODUCT, given=ARRIVES)
        .then((A.T * V).T, because="the rule of the product for $B^{\\top}$, then the rule of the transpose")
        .then(V.T * A, because="a transposed product is the product of the transposes, in reverse")
    )


def _what_is_left(derivation):
    left = {Grad(L, C), Grad(L, B)} & set(subexpressions(derivation.result))
    return ". Go on until no derivative is left: ∂L/∂C is called V." if left else ""


_steps = tries(Grad(L, B), let=PRODUCT, given=ARRIVES)
_of_the_other = tries(Grad(L, A), let=PRODUCT, given=ARRIVES)

RULE_DERIVATION = Exercise(
    id="reverse-rule-derivation",
    stub=rule_derivation,
    reference=rule_derivation_solution,
    judge=way(
        Grad(L, B),
        "Grad(L, B)",
        steps="two primitives, then one product",
        unfinished=_what_is_left,
        goal=GOAL,
    ),
    wrong={
        "in one leap": Wrong(_steps(GOAL), says="at least two steps"),
        "the other operand's rule": Wrong(_steps((A.T * V).T, (B.T * V.T).T), says="A step of yours is refused"),
        "divided by the batch": Wrong(_steps((A.T * V).T, V.T * A / m), says="A step of yours is refused"),
        "a derivative left": Wrong(_steps((A.T * V).T, Grad(L, C).T * A), says="until no derivative is left"),
        "the wrong start": Wrong(_of_the_other(V * B, V * B + 0 * V * B), says="start from Grad(L, B)"),
    },
)

# -- 5. debug: a sweep ------------------------------------------------------------------------------------------------


def repaired_sweep(operands, slopes):
    """The gradient of the tape's last number with respect to each number on it.

    Number k was made of two before it, at the places `operands[k]`, with the derivatives `slopes[k]`: 0 for a variable.
    """
    return ...


def repaired_sweep_solution(operands, slopes):
    gradient = np.zeros(len(operands))
    gradient[-1] = 1
    # From the end: only then is gradient[k] complete when its turn comes.
    for k in reversed(range(len(operands))):
        for j, slope in zip(operands[k], slopes[k], strict=True):
            gradient[j] += slope * gradient[k]
    return gradient


def _random_tape(rng, length=9, variables=3):
    operands, slopes = np.zeros((length, 2), int), np.zeros((length, 2))
    for k in range(variables, length):
        # The number just before is always used, so that every number on the tape matters to the last one.
        operands[k] = k - 1, rng.integers(k)
        slopes[k] = rng.uniform(0.5, 2, size=2) * rng.choice([-1, 1], size=2)
    return {"operands": operands, "slopes": slopes}


def _sweep(order, accumulate):
    def sweep(operands, slopes):
        gradient = np.zeros(len(operands))
        gradient[-1] = 1
        for k in order(range(len(operands))):
            for j, slope in zip(operands[k], slopes[k], strict=True):
                gradient[j] = accumulate * gradient[j] + slope * gradient[k]
        return gradient

    return sweep


def _forwards_its_running_total(operands, slopes):
    gradient = np.zeros(len(operands))

    def receive(k, share):
        gradient[k] += share
        for j, slope in zip(operands[k], slopes[k], strict=True):
            if slope:
                receive(j, slope * gradient[k])

    receive(len(operands) - 1, 1.0)
    return gradient


SWEEP_MISTAKES = {
    "Your gradient is what comes out from the front, where a number sends before anything has reached it.": _sweep(
        iter, accumulate=1
    ),
    "Your gradient is what comes out when a later share replaces the earlier ones.": _sweep(reversed, accumulate=0),
    "Your gradient is what comes out when a number sends its running total again with each share.": (
        _forwards_its_running_total
    ),
}

REPAIRED_SWEEP = Exercise(
    id="reverse-repaired-sweep",
    stub=repaired_sweep,
    reference=repaired_sweep_solution,
    judge=computes(repaired_sweep_solution, inputs=_random_tape, name="gradient", mistakes=SWEEP_MISTAKES),
    wrong={
        "as found": Wrong(_sweep(iter, accumulate=0), says="from the front"),
        **named(SWEEP_MISTAKES),
    },
)

# -- 6. choose: which mode --------------------------------------------------------------------------------------------


def cheapest_sweeps(n_in, n_out):
    """The mode and the fewest sweeps for a whole Jacobian, as ("…", number)."""
    return ...


def cheapest_sweeps_solution(n_in, n_out):
    # A forward sweep gives a column, one for each input; a backward sweep gives a row, one for each output.
    return ("forward", n_in) if n_in < n_out else ("reverse", n_out)


CHEAPEST_SWEEPS_MISTAKES = {
    "This always goes backward. What if there are few inputs?": lambda n_in, n_out: ("reverse", n_out),
    "A sweep gives one row or one column. A Jacobian has more.": lambda n_in, n_out: (
        "forward" if n_in < n_out else "reverse",
        1,
    ),
    "The modes are exchanged: which of them gives a column?": lambda n_in, n_out: (
        ("reverse", n_in) if n_in < n_out else ("forward", n_out)
    ),
    "One sweep gives more than one entry.": lambda n_in, n_out: (
        "forward" if n_in < n_out else "reverse",
        n_in * n_out,
    ),
}

CHEAPEST_SWEEPS = Exercise(
    id="reverse-cheapest-sweeps",
    stub=cheapest_sweeps,
    reference=cheapest_sweeps_solution,
    judge=recalls(
        cheapest_sweeps_solution,
        cases=[{"n_in": 2410, "n_out": 1}, {"n_in": 1, "n_out": 50}, {"n_in": 3, "n_out": 7}],
        mistakes=CHEAPEST_SWEEPS_MISTAKES,
    ),
    wrong=named(CHEAPEST_SWEEPS_MISTAKES),
)
