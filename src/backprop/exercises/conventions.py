"""Exercises of chapter 7, the conventions."""

import numpy as np

from backprop.course import Exercise, Wrong, computes, named, recalls
from backprop.exercises._derivations import tries, way
from backprop.symbolic import (
    Derivation,
    Grad,
    Partial,
    column,
    dimensions,
    functional,
    indices,
    matrix,
    ones,
    symbol,
    total,
)
from backprop.symbolic.expressions import subexpressions

# -- 1. recall: what a doubled batch says -----------------------------------------------------------------------------


def what_kind(dW_ratio, dZ_ratio):
    """Name the kind of backward pass from what a doubled batch does to dW and dZ."""
    return ...


def what_kind_solution(dW_ratio, dZ_ratio):
    # A mean does not notice the copies, a sum doubles, and a second division by m halves.
    if dW_ratio == 2:
        return "sum"
    if dW_ratio == 0.5:
        return "divided twice"
    return "per sample" if dZ_ratio == 1 else "true gradients"


WHAT_KIND_MISTAKES = {
    "This looks at dW alone. Two kinds agree there, and dZ tells them apart.": lambda dW_ratio, dZ_ratio: {
        2.0: "sum",
        0.5: "divided twice",
        1.0: "true gradients",
    }[dW_ratio],
    "What does a true dZ do, when each sample has half as much to say in the mean?": lambda dW_ratio, dZ_ratio: (
        "true gradients" if dZ_ratio == 1 else "per sample"
    ),
    "One of the four kinds is never said here. Which of them notices every copy?": lambda dW_ratio, dZ_ratio: (
        "divided twice" if dW_ratio != 1 else "per sample" if dZ_ratio == 1 else "true gradients"
    ),
}

WHAT_KIND = Exercise(
    id="convention-what-kind",
    stub=what_kind,
    reference=what_kind_solution,
    judge=recalls(
        what_kind_solution,
        cases=[
            {"dW_ratio": 1.0, "dZ_ratio": 0.5},
            {"dW_ratio": 1.0, "dZ_ratio": 1.0},
            {"dW_ratio": 0.5, "dZ_ratio": 0.5},
            {"dW_ratio": 2.0, "dZ_ratio": 1.0},
        ],
        mistakes=WHAT_KIND_MISTAKES,
    ),
    wrong=named(WHAT_KIND_MISTAKES),
)

# -- 2. implement: from note 003 to the course ------------------------------------------------------------------------


def input_gradient(dz, W):
    """dX of the mean loss, in rows, from note 003's dz = A − Y and its W (out, in)."""
    return ...


def input_gradient_solution(dz, W):
    # Note 003's dA is m times the gradient; transposed, its columns of samples become rows.
    return (W.T @ dz).T / dz.shape[1]


INPUT_GRADIENT = Exercise(
    id="convention-input-gradient",
    stub=input_gradient,
    reference=input_gradient_solution,
    judge=computes(
        input_gradient_solution,
        inputs=lambda rng: {"dz": rng.normal(size=(4, 5)), "W": rng.normal(size=(4, 3))},
        name="dX",
    ),
    wrong={
        "not divided": Wrong(lambda dz, W: (W.T @ dz).T, says="times 5"),
        "still in columns": Wrong(lambda dz, W: W.T @ dz / dz.shape[1], says="transpose"),
        "divided by the outputs": Wrong(lambda dz, W: (W.T @ dz).T / len(dz), says="1.25"),
    },
)

# -- 3. implement: from PyTorch to the course --------------------------------------------------------------------------


def from_pytorch(weight_grad):
    """dW of this course's squared error, from weight.grad after nn.MSELoss()."""
    return ...


def from_pytorch_solution(weight_grad):
    # weight.grad has shape (n_out, n_in), and its loss is the course's divided by n_out.
    return len(weight_grad) * weight_grad.T


FROM_PYTORCH = Exercise(
    id="convention-from-pytorch",
    stub=from_pytorch,
    reference=from_pytorch_solution,
    judge=computes(from_pytorch_solution, inputs=lambda rng: {"weight_grad": rng.normal(size=(4, 3))}, name="dW"),
    wrong={
        "the transpose alone": Wrong(lambda weight_grad: weight_grad.T, says="0.25"),
        "times the number of inputs": Wrong(lambda weight_grad: weight_grad.shape[1] * weight_grad.T, says="0.75"),
        "not transposed": Wrong(lambda weight_grad: len(weight_grad) * weight_grad, says="transpose"),
    },
)

# -- 4. implement: from note 004 to the course -------------------------------------------------------------------------


def from_note_004(db, a):
    """dW of the mean squared error, from note 004's dL/db and a, one sample a row."""
    return ...


def from_note_004_solution(db, a):
    # Σᵢ outer(dbᵢ, aᵢ)ᵀ is one product; each sample's loss was half of ‖ŷ − y‖², and the mean divides by m.
    return 2 * a.T @ db / len(a)


FROM_NOTE_004 = Exercise(
    id="convention-from-note-004",
    stub=from_note_004,
    reference=from_note_004_solution,
    judge=computes(
        from_note_004_solution,
        inputs=lambda rng: {"db": rng.normal(size=(5, 4)), "a": rng.normal(size=(5, 3))},
        name="dW",
        m="a",
    ),
    wrong={
        "a sum instead of a mean": Wrong(lambda db, a: 2 * a.T @ db, says="multiplied by m = 5"),
        "the half forgotten": Wrong(lambda db, a: a.T @ db / len(a), says="0.5"),
        "as the note stores it": Wrong(lambda db, a: 2 * db.T @ a / len(a), says="transpose"),
    },
)

# -- 5. derive: note 003's rule, with the engine as judge --------------------------------------------------------------

m, n_in, n_out = dimensions("m n_in n_out")
i, k, p, q = indices("i k p q")
A, W, b = matrix("A", n_in, m), matrix("W", n_out, n_in), column("b", n_out)
Z, R = matrix("Z", n_out, m), matrix("R", n_out, m)
S, L = functional("S", Z), symbol("L")
COLUMNS = {Z: W * A + b * ones(m).T, L: S / m}
RESIDUAL = {Grad(S, Z): R}


def bias_in_columns():
    """Derive note 003's db from Partial(L, b[q]): the mean loss, samples as columns."""
    return ...


def bias_in_columns_solution():
    return (
        Derivation(Partial(L, b[q]), let=COLUMNS, given=RESIDUAL)
        .then(
            total(Partial(S, Z[k, i]) * Partial(Z[k, i], b[q]), k, i) / m,
            because="chain rule over every entry of $Z$, and $L = S/m$",
        )
        .then(total(R[q, i], i) / m, because="$b_q$ is in row $q$ only, once for every sample")
    )


def _what_is_left(derivation):
    left = any(isinstance(part, Partial) for part in subexpressions(derivation.result))
    return ". Go on until no derivative is left, only R." if left else ""


_bias = tries(Partial(L, b[q]), let=COLUMNS, given=RESIDUAL)
_CHAIN = total(Partial(S, Z[k, i]) * Partial(Z[k, i], b[q]), k, i) / m

BIAS_IN_COLUMNS = Exercise(
    id="convention-bias-in-columns",
    stub=bias_in_columns,
    reference=bias_in_columns_solution,
    judge=way(
        Partial(L, b[q]),
        "Partial(L, b[q])",
        steps="the chain rule, then what is left of it",
        unfinished=_what_is_left,
        goal=total(R[q, i], i) / m,
    ),
    wrong={
        "not divided": Wrong(_bias(total(R[q, i], i)), says="step 1 is refused"),
        "divided by the outputs": Wrong(_bias(total(R[q, i], i) / n_out), says="step 1 is refused"),
        "nothing derived": Wrong(_bias(), says="at least two steps"),
        "in one leap": Wrong(_bias(total(R[q, i], i) / m), says="at least two steps"),
        "half way": Wrong(_bias(_CHAIN, total(Partial(S, Z[q, i]), i) / m), says="until no derivative is left"),
    },
)

# -- 6. debug: two conventions in one program --------------------------------------------------------------------------


def one_convention(X, A1, W2, b2, T):
    """dW1 of the mean squared error; A1 = relu(X W1 + b1), the output is A1 W2 + b2."""
    return ...


def one_convention_solution(X, A1, W2, b2, T):
    # The 1/m is in dZ2 already; dZ2 is in rows, so that W2 is turned; relu's slope is 1 where A1 is positive.
    dZ2 = 2 * (A1 @ W2 + b2 - T) / len(X)
    dZ1 = (dZ2 @ W2.T) * (A1 > 0)
    return X.T @ dZ1


def _as_found(X, A1, W2, b2, T):
    dZ2 = 2 * (A1 @ W2 + b2 - T) / len(X)
    return X.T @ ((dZ2 @ W2.T) * (A1 > 0)) / len(X)


def _note_004_in_the_end(X, A1, W2, b2, T):
    return X.T @ (((A1 @ W2 + b2 - T) @ W2.T) * (A1 > 0))


def _pytorch_in_the_end(X, A1, W2, b2, T):
    return one_convention_solution(X, A1, W2, b2, T) / T.shape[1]


def _hidden_layers(rng):
    A1 = np.maximum(rng.normal(size=(5, 4)), 0)
    return {
        "X": rng.normal(size=(5, 3)),
        "A1": A1,
        "W2": rng.normal(size=(4, 2)),
        "b2": rng.normal(size=2),
        "T": rng.normal(size=(5, 2)),
    }


def _inside(X, A1, W2, b2, T):
    return {"X": X, "A": A1, "dA": 2 * (A1 @ W2 + b2 - T) @ W2.T / len(X)}


ONE_CONVENTION = Exercise(
    id="convention-one-convention",
    stub=one_convention,
    reference=one_convention_solution,
    judge=computes(one_convention_solution, inputs=_hidden_layers, name="dW1", m="X", operands=_inside),
    wrong={
        "as found": Wrong(_as_found, says="m = 5"),
        "half a sum": Wrong(_note_004_in_the_end, says="2.5"),
        "averaged over the outputs": Wrong(_pytorch_in_the_end, says="0.5"),
        "the slope forgotten": Wrong(
            lambda X, A1, W2, b2, T: X.T @ (2 * (A1 @ W2 + b2 - T) @ W2.T) / len(X), says="without the factor f′"
        ),
    },
)
