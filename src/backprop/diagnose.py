"""Says how a wrong gradient is wrong, without giving the right one away."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backprop._arguments import shown, to_ndarray, whole
from backprop._softmax_suspects import from_softmax
from backprop._suspects import Suspect, close, from_operands, from_reference, sample_axis, updated_too_early

# Equal up to rounding: relative, for the dtype that the gradient was computed in.
ROUNDING = {np.dtype(np.float32): 1e-4, np.dtype(np.float16): 1e-1}
NEARLY = 1e-5


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found. str() gives the message.

    Attributes
    ----------
    fault : str
        "right"; one of the usual suspects: "sign flipped", "divided by m", "multiplied by m", "constant factor",
        "bias averaged", "transposed", "row lost", "column lost", "entry lost", "wrong axis", "not summed",
        "missing f'", "f for f'", "f' at the wrong place", "f' twice", "f' of another function",
        "mask on the wrong array", "wrong product", "updated too early", "softmax over the wrong axis",
        "path lost", "softmax entry by entry", "softmax missing", "softmax twice", "averaged, not summed",
        "label sum missing",
        "imprecise"; something plain: "wrong shape", "all zero", "not finite", "not numbers"; or "unknown".
    message : str
    also : tuple of str
        Other faults that give the same numbers here.
    """

    fault: str
    message: str
    also: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the gradient is right, up to rounding."""
        return self.fault == "right"

    def __str__(self) -> str:
        return self.message


@np.errstate(over="ignore", invalid="ignore")  # a sum beyond the range of the numbers fits no suspect
def diagnose(
    gradient, reference, m: int | None = None, operands: Mapping | None = None, *, name: str = "gradient"
) -> Diagnosis:
    """Compare a gradient with the right one, and name the mistake where it is a usual one.

    Every suspect is an array that a known mistake gives. It is named only if the gradient equals that array up to
    rounding, so a mistake that is not there is not named.

    Parameters
    ----------
    gradient : array
        The gradient to judge. Anything is looked at: a wrong shape, NaN or no number at all is a diagnosis too.
    reference : array
        The right gradient.
    m : int, optional
        The number of samples. Without it, the length of an operand along the axis of the samples: axis 0, unless only
        samples in columns explain the reference.
    operands : mapping, optional
        What the gradient is made of, as far as there is: X, W, dZ, dA, Z, A of the layer; dZ_above and W_above, which
        dA came from; P and Y at a softmax. A missing f′, a mask on the wrong array, a lost sample, a wrong product or a
        softmax over the wrong axis show only against these. Z is not needed where A says the slope.
    name : str
        What to call the gradient: "dW".

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError
        The reference or an operand is not an array of real numbers, operands is no mapping, name is no text, or m is no
        integer.
    ValueError
        The reference or an operand has NaN or ±inf, or m is below 1.

    Examples
    --------
    >>> dW = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    >>> print(diagnose(dW / 5, dW, m=5, name="dW"))
    your dW is the reference divided by m = 5: is 1/m applied twice? It belongs in the loss's gradient, once
    >>> print(diagnose(-dW.T, dW, name="dW"))
    your dW is the transpose of the reference: rows and columns are exchanged; and its sign is flipped
    >>> print(diagnose(dW + [[0, 0.5, 0], [0, 1, 0]], dW, name="dW"))
    none of the usual suspects fits your dW: 2 of 6 entries differ, all in column 1; the largest difference is at
    [1, 1], where yours is 6 and the reference has 5
    >>> diagnose(dW, dW).right
    True
    """
    reference = _finite("reference", reference)
    if not isinstance(operands, Mapping | None):
        raise TypeError(f"operands is {shown(operands)}: expected a mapping of names to arrays")
    if not isinstance(name, str):
        raise TypeError(f"name is {shown(name)}: expected a text")
    operands = {key: _finite(f"operands[{key!r}]", value) for key, value in (operands or {}).items()}
    m = _samples(m, operands, reference)
    try:
        given = np.asarray(gradient)
    except ValueError:
        given = np.asarray(None)
    if given.dtype.kind not in "biuf":
        return Diagnosis("not numbers", f"your {name} is not an array of real numbers yet: it is {_what(gradient)}")
    rtol = ROUNDING.get(given.dtype, 1e-10)
    g = given.astype(np.float64)
    if not np.all(np.isfinite(g)):
        wrong = np.argwhere(~np.isfinite(g))
        place = f", first at {wrong[0].tolist()}" if g.ndim else ""
        return Diagnosis("not finite", f"your {name} has {len(wrong)} entries that are NaN or infinite{place}")
    if close(g, reference, rtol):
        exactly = np.array_equal(g, reference)
        return Diagnosis("right", f"your {name} is right" + (" up to rounding" * (not exactly)))
    if not g.any() and reference.any() and g.shape == reference.shape:
        return Diagnosis("all zero", f"your {name} is zero in every entry, and the reference is not")
    found = _named(g, reference, m, operands, name, rtol)
    if found:
        first, *others = found
        also = tuple(dict.fromkeys(fault for fault, _ in others if fault != first[0]))
        return Diagnosis(first[0], f"your {name} is {first[1]}", also)
    if g.shape != reference.shape:
        hint = _shape_hint(g, reference, operands)
        return Diagnosis(
            "wrong shape", f"your {name} has the wrong shape: {g.shape}, where {reference.shape} is expected{hint}"
        )
    return _nothing_usual(g, reference, name)


def _named(g, reference, m, operands, name, rtol) -> list[tuple[str, str]]:
    """The fault and the words of every suspect that fits."""
    found = []
    factor = _factor(g, reference, rtol)
    if factor is not None:
        found.append(_factor_fault(factor, reference, m, operands, name, rtol))
    for weights, move in updated_too_early(reference, operands):
        if _moved(g, reference, move, rtol):
            text = f"computed with a {weights} that was already updated: it needs the {weights} of the forward"
            found.append(("updated too early", text))
    for suspect in (
        *from_reference(reference, g),
        *from_operands(reference, operands),
        *from_softmax(reference, operands),
    ):
        words = _fits(g, suspect, m, rtol)
        if words:
            found.append((suspect.fault, words))
    return [pair for pair in found if pair]


def _fits(g, suspect: Suspect, m, rtol) -> str | None:
    """The words for a suspect, if the gradient is its array: possibly with the sign flipped, or m or 1/m in front."""
    if np.shape(suspect.array) != g.shape or not np.any(suspect.array):
        return None
    factors = {1.0: "", -1.0: "; and its sign is flipped"}
    if m is not None and m > 1:
        factors |= {float(m): f"; and it is multiplied by m = {m}", 1 / m: f"; and it is divided by m = {m}"}
    for factor, words in factors.items():
        if close(g, factor * suspect.array, rtol):
            return suspect.text + words
    return None


def _factor(g, array, rtol) -> float | None:
    """The c with g = c · array, if there is one."""
    if g.shape != np.shape(array) or not np.any(array) or not g.any():
        return None
    largest = np.unravel_index(np.argmax(np.abs(array)), array.shape)
    c = float(g[largest] / array[largest])
    return c if close(g, c * array, 10 * rtol) else None


def _factor_fault(c, reference, m, operands, name, rtol) -> tuple[str, str] | None:
    def is_near(value):
        return abs(c - value) <= 10 * rtol * abs(value)

    if m is not None and m > 1:
        if is_near(1 / m) and _is_bias(reference, operands, name):
            return "bias averaged", (
                f"the reference divided by m = {m}: it is averaged over the samples where it should be summed"
            )
        for sign, words in ((1, ""), (-1, ", and its sign is flipped")):
            if is_near(sign / m):
                return "divided by m", (
                    f"the reference divided by m = {m}{words}: is 1/m applied twice? It belongs in the loss's "
                    "gradient, once"
                )
            if is_near(sign * m):
                return "multiplied by m", (
                    f"the reference multiplied by m = {m}{words}: is the 1/m of a mean over the samples missing?"
                )
    if is_near(-1):
        return "sign flipped", "the reference with its sign flipped"
    # Any two numbers are in some proportion: a factor that is nothing special needs two entries to be seen.
    if np.count_nonzero(reference) < 2:
        return None
    return "constant factor", f"the reference times {c:g}, in every entry: a constant factor is wrong"


def _moved(g, reference, move, rtol) -> bool:
    """Whether g moved from the reference as an update moves it, with any learning rate above 0."""
    if g.shape != reference.shape or np.count_nonzero(move) < 2:
        return False  # one entry moves in proportion to anything
    rate = np.sum((g - reference) * move) / np.sum(move * move)
    return bool(rate > 0) and close(g, reference + rate * move, rtol)


def _is_bias(reference, operands, name) -> bool:
    dZ = operands.get("dZ")
    sums = () if dZ is None or dZ.ndim != 2 else (dZ.sum(axis=0), dZ.sum(axis=1), dZ.sum(axis=1, keepdims=True))
    return name.startswith("db") or any(close(summed, reference) for summed in sums)


def _shape_hint(g, reference, operands) -> str:
    """Which sum gives an array of the expected shape: the operands and the axis that they share, not the product."""
    if reference.ndim == 1 and "dZ" in operands and operands["dZ"].shape[1:] == reference.shape:
        return f": one number an output, so something is summed over the {len(operands['dZ'])} rows of dZ"
    if reference.ndim != 2 or g.ndim != 2:
        return ""
    sums = [
        (p, q, P.shape[a])
        for i, (p, P) in enumerate(operands.items())
        for q, Q in list(operands.items())[i + 1 :]
        if P.ndim == Q.ndim == 2
        for a in (0, 1)
        for b in (0, 1)
        if P.shape[a] == Q.shape[b] and (P.shape[1 - a], Q.shape[1 - b]) in (reference.shape, reference.shape[::-1])
    ]
    if len(sums) != 1:
        return ": that of the transpose" * (g.shape == reference.shape[::-1])
    p, q, size = sums[0]
    return f". A product of {p} and {q} has it, summed over the axis of size {size} that they share"


def _nothing_usual(g, reference, name) -> Diagnosis:
    """No suspect fits: say where the difference is."""
    difference = np.abs(g - reference)
    worst = tuple(map(int, np.unravel_index(np.argmax(difference), g.shape)))
    if np.sqrt(np.sum(difference**2)) < NEARLY * np.sqrt(np.sum(reference**2)):
        return Diagnosis(
            "imprecise",
            f"your {name} is nearly the reference, but further from it than rounding in float64: is it a finite "
            f"difference, or float32 on the way? The largest difference is at {list(worst)}",
        )
    differs = np.abs(g - reference) > 1e-10 * np.abs(reference).max()
    where = ""
    for axis, kind in enumerate(("row", "column")[: g.ndim] if g.ndim == 2 else ()):
        lines = np.unique(np.argwhere(differs)[:, axis])
        if len(lines) == 1 < np.count_nonzero(differs) and g.shape[axis] > 1:
            where = f", all in {kind} {lines[0]}"
    return Diagnosis(
        "unknown",
        f"none of the usual suspects fits your {name}: {np.count_nonzero(differs)} of {g.size} entries differ{where}; "
        f"the largest difference is at {list(worst)}, where yours is {g[worst]:.6g} and the reference has "
        f"{reference[worst]:.6g}",
    )


def _finite(name: str, value) -> np.ndarray:
    array = to_ndarray(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} has NaN or infinite entries: expected finite numbers")
    return array.astype(np.float64)


def _samples(m, operands, reference) -> int | None:
    if m is None:
        axis = sample_axis(reference, operands)
        given = (operands[name] for name in ("X", "dZ", "dA", "Z", "A", "P") if name in operands)
        return next((array.shape[axis] for array in given if array.ndim == 2 and array.shape[axis]), None)
    return whole("m", m, 1)


def _what(value) -> str:
    return repr(value) if value is None or value is ... else f"of type {type(value).__name__}"
