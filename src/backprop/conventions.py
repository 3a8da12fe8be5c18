"""The Rosetta stone: a whole forward and backward pass in each note's convention, and in the canonical one.

A convention is a *layout* (samples as rows or columns, weights as (in, out) or (out, in), gradients as columns or rows)
and *factors* (what its loss, its dZ and its dW are multiples of). `CONVENTIONS` is the table; the functions apply it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop._arguments import choice
from backprop._passes import LISTS, Pass, checked, one_hot, scaled, typed
from backprop.activations import ACTIVATIONS
from backprop.network import FUSED, LOSSES


@dataclass(frozen=True)
class Convention:
    """What a note or a library writes, seen from the canonical convention.

    Parameters
    ----------
    samples : "rows" or "columns"
    weights : "in, out" or "out, in"
    bias : "flat", "row" or "column"
    gradients : "like the variable", or "rows" where dz, da and db are rows although z, a and b are columns
    one_sample : bool
        Whether a pass is of a single sample; a batch is then a list of passes, and its loss their mean.
    losses : tuple of str
        The canonical losses that it can hold; none named means any.
    loss_factor : callable (loss name, n_out) -> float
        Its loss as a multiple of the canonical one. Its gradients are those of its own loss, except for the next two.
    c : callable (m) -> float
        Its dZ, dA and dX as multiples of the gradients of its own loss.
    kappa : callable (m) -> float
        The factor in its rule for dW and db: these are c κ times the gradients of its own loss.
    """

    samples: str = "rows"
    weights: str = "in, out"
    bias: str = "flat"
    gradients: str = "like the variable"
    one_sample: bool = False
    losses: tuple[str, ...] = ()
    loss_factor: Callable[[str, int], float] = lambda loss, n_out: 1
    c: Callable[[int], float] = lambda m: 1
    kappa: Callable[[int], float] = lambda m: 1


_COLUMNS = {"samples": "columns", "weights": "out, in", "bias": "column"}
_DIVIDED_LATE = {"c": lambda m: m, "kappa": lambda m: 1 / m}

CONVENTIONS = {
    "000": Convention(),
    "001": Convention(**_COLUMNS, one_sample=True),
    "002-ce": Convention(bias="row", losses=("cross_entropy",), **_DIVIDED_LATE),
    "002-mse": Convention(bias="row", losses=("mean_squared_error",), kappa=lambda m: 1 / m),
    # The note gives no gradient for this loss. Started from A − Y, it follows the convention of 002-ce.
    "002-bce": Convention(bias="row", losses=("binary_cross_entropy",), **_DIVIDED_LATE),
    "003": Convention(**_COLUMNS, losses=("cross_entropy",), **_DIVIDED_LATE),
    "004": Convention(
        **_COLUMNS,
        gradients="rows",
        one_sample=True,
        losses=("mean_squared_error",),
        loss_factor=lambda loss, n_out: 1 / 2,
    ),
    # reduction="mean" averages over every entry of the loss: over m for cross-entropy, over m n_out for the other two.
    "pytorch": Convention(
        weights="out, in",
        losses=("cross_entropy", "binary_cross_entropy", "mean_squared_error"),
        loss_factor=lambda loss, n_out: 1 if loss == "cross_entropy" else 1 / n_out,
    ),
}


def to_note(note: str, pass_: Pass):
    """A canonical pass, as the note (or PyTorch, with its default reduction) writes it.

    Parameters
    ----------
    note : str
        A name of `CONVENTIONS`.
    pass_ : Pass

    Returns
    -------
    Pass, or a list of Pass
        For 001 and 004, which have one sample, a list with one entry a sample, whose losses have the batch's as their
        mean (004: half of it). Labels that are classes become one-hot, except where rows stay rows.

    Raises
    ------
    ValueError
        A note that is not there; shapes that do not fit; NaN; a loss that the note does not have.
    TypeError
        pass_ is not a Pass of arrays of numbers.

    Notes
    -----
    With factors c and κ as in `Convention`: dZ, dA, dX are c times, dW, db are cκ times the gradients of the note's own
    loss. In a single sample's pass dW = dz aᵀ, because a batch keeps only the sum of these.

    Examples
    --------
    >>> from backprop.datasets import running_example
    >>> from backprop.network import MLP
    >>> X, Y, weights, biases = running_example()
    >>> pass_ = Pass.of(MLP(weights, biases), X, Y)
    >>> in_003 = to_note("003", pass_)
    >>> in_003.weights[0].shape, in_003.Z[0].shape, bool(np.allclose(in_003.dZ[1], (pass_.A[1] - pass_.Y).T))
    ((3, 2), (3, 4), True)
    >>> [each.dW[0].shape for each in to_note("001", pass_)]
    [(3, 2), (3, 2), (3, 2), (3, 2)]
    """
    convention = _convention(note)
    pass_ = checked("pass_", pass_)
    loss = _loss_name(note, convention, pass_)
    parts = _samples(pass_, loss) if convention.one_sample else [pass_]
    parts = [_laid_out(convention, scaled(part, *_factors(convention, part, loss))) for part in parts]
    return parts if convention.one_sample else parts[0]


def from_note(note: str, note_pass) -> Pass:
    """The canonical pass that a note (or PyTorch) writes as `note_pass`: the inverse of `to_note`.

    Parameters
    ----------
    note : str
        A name of `CONVENTIONS`.
    note_pass : Pass, or for 001 and 004 a sequence of Pass, one a sample

    Returns
    -------
    Pass

    Raises
    ------
    ValueError
        A note that is not there; shapes that do not fit; NaN; samples with different weights; a loss that the note does
        not have.
    TypeError
        note_pass is not a Pass of arrays of numbers, or not a sequence of them.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0, -1.0], [2.0, 1.0]]], [[0.5, 0.0]], loss="mean_squared_error")
    >>> pass_ = Pass.of(network, [[1, 1], [0, 1], [2, 0]], [[3, 1], [2, 0], [3, 2]])
    >>> in_004 = to_note("004", pass_)
    >>> in_004[0].dZ[0], in_004[0].Z[0] - in_004[0].Y
    (array([[ 0.5, -1. ]]), array([[ 0.5],
           [-1. ]]))
    >>> bool(np.allclose(from_note("004", in_004).dW[0], pass_.dW[0]))
    True
    """
    convention = _convention(note)
    parts = _entries(note, note_pass) if convention.one_sample else [note_pass]
    names = [f"note_pass[{i}]" if convention.one_sample else "note_pass" for i in range(len(parts))]
    parts = [checked(name, _in_rows(convention, typed(name, part))) for name, part in zip(names, parts, strict=True)]
    for loss in convention.losses or ("",):
        back = [[1 / factor for factor in _factors(convention, part, loss)] for part in parts]
        found = _joined([scaled(part, *factors) for part, factors in zip(parts, back, strict=True)])
        # Where a note has a loss of its own, the numbers must be those of that loss.
        if not convention.losses or _has_loss(found, loss):
            return found
    raise ValueError(f"note_pass does not have the loss of note {note}: expected {' or '.join(convention.losses)}")


# Layout ---------------------------------------------------------------------------------------------------------------

BIAS = {"flat": np.ravel, "row": lambda b: b.reshape(1, -1), "column": lambda b: b.reshape(-1, 1)}


def _laid_out(convention: Convention, pass_: Pass) -> Pass:
    """The same numbers, in the shapes of a convention."""
    Y = one_hot(pass_.Y, pass_.A[-1]) if convention.samples == "columns" else pass_.Y
    gradient_of_bias = "row" if convention.gradients == "rows" else convention.bias
    return _turned(convention, pass_._replace(Y=Y), BIAS[convention.bias], BIAS[gradient_of_bias])


def _in_rows(convention: Convention, pass_: Pass) -> Pass:
    """The inverse of `_laid_out`: a transpose undoes itself, and a bias becomes flat."""
    gradient_of_bias = "row" if convention.gradients == "rows" else convention.bias
    for field, kind in (("biases", convention.bias), ("db", gradient_of_bias)):
        for l, b in enumerate(getattr(pass_, field)):
            if BIAS[kind](b).shape != b.shape:
                raise ValueError(f"note_pass: {field}[{l}] has shape {b.shape}: expected {BIAS[kind](b).shape}")
    return _turned(convention, pass_, np.ravel, np.ravel)


def _turned(convention: Convention, pass_: Pass, bias, gradient_of_bias) -> Pass:
    forward = np.transpose if convention.samples == "columns" else np.asarray
    backward = np.asarray if convention.gradients == "rows" else forward
    stored = np.transpose if convention.weights == "out, in" else np.asarray
    turns = {"X": forward, "Y": forward, "Z": forward, "A": forward, "dZ": backward, "dA": backward, "dX": backward,
             "weights": stored, "dW": stored, "biases": bias, "db": gradient_of_bias}  # fmt: skip
    arrays = {}
    for field, turn in turns.items():
        value = getattr(pass_, field)
        # Copies: the numbers of one convention must not change under those of another.
        arrays[field] = [np.array(turn(np.asarray(v))) for v in value] if field in LISTS else np.array(turn(value))
    return pass_._replace(**arrays)


# Factors --------------------------------------------------------------------------------------------------------------


def _factors(convention: Convention, pass_: Pass, loss: str) -> tuple[float, float, float]:
    """What the loss, dZ and dW of a canonical pass are multiplied by."""
    m, n_out = pass_.A[-1].shape
    s, c = convention.loss_factor(loss, n_out), convention.c(m)
    return s, s * c, s * c * convention.kappa(m)


# One sample at a time -------------------------------------------------------------------------------------------------


def _samples(pass_: Pass, loss: str) -> list[Pass]:
    """The canonical pass of each sample's own loss ℓᵢ, where L is the mean of all ℓᵢ: dzᵢ is m times row i of dZ."""
    m, Y = len(pass_.X), one_hot(pass_.Y, pass_.A[-1])
    parts = []
    for i in range(m):
        X, Z, A = pass_.X[[i]], [z[[i]] for z in pass_.Z], [a[[i]] for a in pass_.A]
        dZ, dA = [m * dz[[i]] for dz in pass_.dZ], [m * da[[i]] for da in pass_.dA]
        dW = [a.T @ dz for a, dz in zip([X, *A[:-1]], dZ, strict=True)]
        # Half the squared error is a sum over the samples, so that its share of a mean is m times as much.
        own = _loss_value(loss, Z[-1], A[-1], Y[[i]]) * (m if loss == "half_squared_error" else 1)
        db, dX = [dz[0] for dz in dZ], m * pass_.dX[[i]]
        parts.append(Pass(X, Y[[i]], pass_.weights, pass_.biases, Z, A, own, dZ, dA, dW, db, dX))
    return parts


def _joined(parts: list[Pass]) -> Pass:
    """The canonical pass of the mean of the parts' losses; each part has one sample, or one is the whole batch."""
    if len(parts) == 1:
        return parts[0]
    m, layers = len(parts), range(len(parts[0].weights))
    rows = {field: np.concatenate([getattr(part, field) for part in parts]) for field in ("X", "Y", "dX")}
    rows["dX"] = rows["dX"] / m
    for field in ("Z", "A", "dZ", "dA"):
        factor = 1 / m if field.startswith("d") else 1
        rows[field] = [factor * np.concatenate([getattr(part, field)[l] for part in parts]) for l in layers]
    for field in ("dW", "db"):
        rows[field] = [sum(getattr(part, field)[l] for part in parts) / m for l in layers]
    return parts[0]._replace(loss=sum(part.loss for part in parts) / m, **rows)


# Which loss -----------------------------------------------------------------------------------------------------------


def _loss_name(note: str, convention: Convention, pass_: Pass) -> str:
    """The loss that a canonical pass has, of those that the note can hold; "" where it does not matter."""
    names = convention.losses or (tuple(LOSSES) if convention.one_sample else ())
    found = [loss for loss in names if _has_loss(pass_, loss)]
    if names and not found:
        raise ValueError(
            f"pass_ has the loss {pass_.loss:g}, but note {note} expects {' or '.join(names)} of its A and Y"
        )
    return found[0] if found else ""


def _has_loss(pass_: Pass, loss: str) -> bool:
    """A pass does not name its loss. Its numbers do."""
    rounding = np.sqrt(np.finfo(pass_.A[-1].dtype).eps)
    value = _loss_value(loss, pass_.Z[-1], pass_.A[-1], pass_.Y)
    return bool(np.isclose(pass_.loss, value, rtol=rounding, atol=0))


def _loss_value(loss: str, Z, A, Y) -> float:
    """The loss of a prediction, from the logits where the pair is computed from them; NaN where it refuses the data."""
    try:
        for (activation, name), fused in FUSED.items():
            if name == loss and np.allclose(A, ACTIVATIONS[activation].function(Z)):
                return fused(Z, Y)[0]
        return LOSSES[loss](A, Y)[0]
    except (ValueError, TypeError):
        return float("nan")


# What is accepted -----------------------------------------------------------------------------------------------------


def _convention(note: str) -> Convention:
    return CONVENTIONS[choice("note", note, CONVENTIONS)]


def _entries(note: str, note_pass: Any) -> list[Pass]:
    """The passes of the samples, which share their weights."""
    if not isinstance(note_pass, list | tuple) or isinstance(note_pass, Pass) or not note_pass:
        found = "empty" if isinstance(note_pass, list | tuple) and not note_pass else f"a {type(note_pass).__name__}"
        raise TypeError(f"note_pass is {found}, but note {note} has one sample: expected a list with a Pass for each")
    for i, part in enumerate(note_pass):
        for field in ("weights", "biases") if isinstance(part, Pass) else ():
            first, its = getattr(note_pass[0], field), getattr(part, field)
            if len(first) != len(its) or not all(map(np.array_equal, first, its)):
                raise ValueError(f"note_pass[{i}] has other {field} than note_pass[0]: expected one network")
    return list(note_pass)
