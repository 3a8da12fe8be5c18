"""The usual suspects: what a wrong gradient looks like, computed from the right one and from what it is made of.

Each suspect is an array that a known mistake gives, with the name of the mistake and words for it. `diagnose` compares.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Suspect(NamedTuple):
    """The array that a mistake gives. `text` completes "your dW is …"."""

    fault: str
    array: np.ndarray
    text: str


def from_reference(reference: np.ndarray, gradient: np.ndarray) -> Iterator[Suspect]:
    """Mistakes that show against the reference alone. The gradient says which row could be the lost one."""
    if reference.ndim == 2:
        yield Suspect("transposed", reference.T, "the transpose of the reference: rows and columns are exchanged")
    kinds = {1: ("entry",), 2: ("row", "column")}.get(reference.ndim, ())
    for axis, kind in enumerate(kinds):
        if gradient.ndim == reference.ndim:
            yield from _lost(kind, np.moveaxis(reference, axis, 0), np.moveaxis(gradient, axis, 0), axis)
    for axis in (axis for axis, size in enumerate(reference.shape) if size > 1):
        yield Suspect(
            "wrong axis",
            reference.sum(axis=axis),
            f"the reference summed over its axis {axis}: one sum too many",
        )
    yield Suspect("wrong axis", reference.sum(), "the sum of all entries of the reference: one sum too many")
    for shape in {(1, *reference.shape), (*reference.shape, 1), tuple(n for n in reference.shape if n != 1)}:
        yield Suspect(
            "wrong shape",
            reference.reshape(shape),
            f"right in its numbers, but its shape is {shape}: expected {reference.shape}",
        )


def _lost(kind, reference, gradient, axis) -> Iterator[Suspect]:
    """One row lost, where rows run along the first axis; the arrays that come out have them back at their axis."""
    rest = reference.shape[1:]
    if gradient.shape == reference.shape:
        zero = [k for k in range(len(reference)) if reference[k].any() and not gradient[k].any()]
        if len(zero) == 1:
            zeroed = reference.copy()
            zeroed[zero[0]] = 0
            text = f"the reference but for {kind} {zero[0]}, which is zero in yours"
            yield Suspect(f"{kind} lost", np.moveaxis(zeroed, 0, axis), text)
    if gradient.shape == (len(reference) - 1, *rest):
        same = [close(row, right) for row, right in zip(gradient, reference, strict=False)]
        k = same.index(False) if False in same else len(same)
        without = np.moveaxis(np.delete(reference, k, 0), 0, axis)
        yield Suspect(f"{kind} lost", without, f"the reference without {kind} {k}: one {kind} is lost")


def from_operands(reference: np.ndarray, operands: dict[str, np.ndarray]) -> Iterator[Suspect]:
    """Mistakes that show only against what the gradient is made of, as far as that is given.

    X, W, dZ, dA, Z and A belong to the layer. dZ_above and W_above are what dA is made of.
    """
    X, W, dZ, dA = (operands.get(name) for name in ("X", "W", "dZ", "dA"))
    activation = _activation(reference, operands)
    if dZ is None and activation:
        dZ = dA * activation.slope
    products = [product for product in made_of_dZ(X, W) if dZ is None or close(product(dZ), reference)]
    for fault, wrong, text in _wrong_dZ(dZ, activation, operands):
        for product in products:
            made = product(wrong)
            if made is not None:
                yield Suspect(fault, made, text)
    if dZ is not None:
        yield from _wrong_sums(reference, dZ)
        yield from _wrong_products(reference, X, W, dZ)
        yield from _wrong_inputs(reference, dZ, operands)
        yield from _lost_samples(reference, X, dZ)
    for name, array in operands.items():
        if array.shape == reference.shape:
            mask = array > 0
            yield Suspect(
                "mask on the wrong array",
                reference * mask,
                f"the reference where {name} > 0 and zero elsewhere: a mask is applied that does not belong there",
            )
    if X is not None and dZ is not None and X.ndim == dZ.ndim == 2 and len(X) == len(dZ):
        yield Suspect(
            "mask on the wrong array",
            (X * (X > 0)).T @ dZ,
            "what comes out when a mask is applied to the layer's input X instead of to a gradient",
        )


def updated_too_early(reference: np.ndarray, operands: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """The weights that may have been updated too early, and what that moves the gradient by for a rate of 1.

    Either W, before dX goes down through it; or W_above, before the dA of this layer came down through it.
    """
    X, W, dZ = (operands.get(name) for name in ("X", "W", "dZ"))
    if X is not None and W is not None and dZ is not None and close(_matmul(dZ, W.T), reference):
        dW = _matmul(X.T, dZ)
        if dW is not None:
            yield "W", -_matmul(dZ, dW.T)
    above, W_above, activation = operands.get("dZ_above"), operands.get("W_above"), _activation(reference, operands)
    if activation is None or above is None or W_above is None or not close(_matmul(above, W_above.T), operands["dA"]):
        return
    moved = _matmul(above, _matmul(activation.A.T, above).T)
    slope = activation.slope
    for product in made_of_dZ(X, W)[:4]:
        if close(product(operands["dA"] * slope), reference):
            yield "W_above", -product(moved * slope)


def sample_axis(reference: np.ndarray, operands: dict[str, np.ndarray]) -> int:
    """1 where only samples in columns explain the reference, otherwise 0, the convention of the course."""
    X, W, dZ, dA = (operands.get(name) for name in ("X", "W", "dZ", "dA"))
    activation = _activation(reference, operands)
    if dZ is None:
        dZ = dA * activation.slope if activation else dA
    if dZ is None:
        return 0
    fits = [close(product(dZ), reference) for product in made_of_dZ(X, W)]
    return int(not any(fits[:4]) and any(fits[4:]))


def made_of_dZ(X, W):
    """What may be made of dZ: itself, dW, db and dX with samples in rows, then dW, db (two shapes), dX in columns."""
    return (
        lambda dZ: dZ,
        lambda dZ: None if X is None else _matmul(X.T, dZ),
        lambda dZ: dZ.sum(axis=0) if dZ.ndim == 2 else None,
        lambda dZ: None if W is None else _matmul(dZ, W.T),
        lambda dZ: None if X is None else _matmul(dZ, X.T),
        lambda dZ: dZ.sum(axis=1) if dZ.ndim == 2 else None,
        lambda dZ: dZ.sum(axis=1, keepdims=True) if dZ.ndim == 2 else None,
        lambda dZ: None if W is None else _matmul(W.T, dZ),
    )


def _wrong_dZ(dZ, activation, operands) -> Iterator[Suspect]:
    """Mistakes on the way from dA to dZ."""
    dA, Z = operands.get("dA"), operands.get("Z")
    if dA is None:
        return
    if dZ is None or not close(dA, dZ):
        yield Suspect("missing f'", dA, "what comes out without the factor f′(Z) between dA and dZ")
    if activation:
        yield from _wrong_slopes(dA, activation, operands)
        yield from _wrong_dA(dA, activation.slope, operands)
    values = [operands["A"]] if "A" in operands else []
    values += [activation.A] if activation else []
    for value in values:
        if value.shape == dA.shape:
            yield Suspect("f for f'", dA * value, "what comes out with f(Z) in the place of f′(Z)")
    for name, array in operands.items():
        if array.shape == dA.shape and name not in ("Z", "A"):
            yield Suspect(
                "mask on the wrong array",
                dA * (array > 0),
                f"what comes out when the mask is made from {name} > 0, not from the pre-activations",
            )
    if Z is not None and Z.shape == dA.shape:
        yield Suspect(
            "mask on the wrong array", dA * (Z <= 0), "what comes out when the mask is the wrong way round, Z ≤ 0"
        )


def _wrong_slopes(dA, activation, operands) -> Iterator[Suspect]:
    """A slope is there, but of the wrong function, at the wrong place, or once too often."""
    kind, A = activation.kind, activation.A
    yield Suspect(
        "f' at the wrong place", dA * kind.slope_at(A), "what comes out when f′ is taken at A instead of at Z"
    )
    yield Suspect("f' twice", dA * activation.slope**2, "what comes out when f′(Z) is multiplied in twice")
    for other in _ELEMENTWISE:
        if other is not kind:
            # From Z where it is there; where only A is kept, by the other function's formula in A.
            slope = other.slope_at(operands["Z"]) if "Z" in operands else other.slope_from(A)
            words = f"what comes out with the slope of {other.name}, where the activation is {kind.name}"
            yield Suspect("f' of another function", dA * slope, words)
            yield Suspect("f' of another function", dA * other.slope_from(A), words)
    for name, array in operands.items():
        if array.shape == dA.shape and name not in ("Z", "A", "dA", "dZ"):
            words = f"what comes out when f′ is taken from {name}, which belongs to another layer"
            yield Suspect("f' at the wrong place", dA * kind.slope_from(array), words)
            yield Suspect("f' at the wrong place", dA * kind.slope_at(array), words)


def _wrong_dA(dA, slope, operands) -> Iterator[Suspect]:
    """What came down from the layer above: by the wrong side of its weights, or without one of the ways down."""
    above, W = operands.get("dZ_above"), operands.get("W_above")
    if above is None or W is None:
        return
    made_of_both = [_matmul(above, W), _matmul(W, above), _matmul(above, W.T), _matmul(W.T, above)]
    made_of_both = [made for made in made_of_both if made is not None and made.shape == dA.shape]
    alone = any(close(made, dA) for made in made_of_both)
    rows = _matmul(above, W.T)
    # Where dA is more than what came down through W_above, a skip for one, the rest comes as it is. Samples are rows.
    if not alone and (rows is None or rows.shape != dA.shape):
        return
    rest = np.zeros_like(dA) if alone else dA - rows
    for made in made_of_both:
        if not close(made + rest, dA):
            text = "what comes out with another product of dZ_above and W_above: a transpose or the order is wrong"
            yield Suspect("wrong product", (made + rest) * slope, text)
    if not alone:
        text = "what comes down through W_above, alone: the other way down to this layer is missing"
        yield Suspect("path lost", rows * slope, text)
        yield Suspect("path lost", rest * slope, "what comes out when nothing comes down through W_above")
    if above.shape == dA.shape:
        text = "what comes out when dZ_above is taken as it is, and not through W_above"
        yield Suspect("wrong product", (above + rest) * slope, text)
        if rows is not None and close(rows + rest, dA):
            text = "what comes out when f′ is multiplied in before the weights W_above, not after them"
            yield Suspect("f' at the wrong place", _matmul(above * slope, W.T) + rest * slope, text)


def _wrong_sums(reference, dZ) -> Iterator[Suspect]:
    if dZ.ndim != 2:
        return
    for axis in (0, 1):
        if close(dZ.sum(axis=axis), reference.reshape(-1)) and reference.size == max(reference.shape):
            other = dZ.sum(axis=1 - axis)
            text = "dZ summed over the outputs, one number a sample: the wrong axis"
            for array in (other, other[:, np.newaxis], other[np.newaxis, :]):
                yield Suspect("wrong axis", array, text)
            yield Suspect("wrong axis", dZ.sum(), "dZ summed over both axes: one axis too many")
            yield Suspect(
                "wrong axis",
                np.full(reference.shape, dZ.sum()),
                "the sum of dZ over both axes, the same number in every entry: one axis too many",
            )
            yield Suspect("not summed", dZ, "dZ itself, one number a sample: the sum over the samples is missing")


def _wrong_products(reference, X, W, dZ) -> Iterator[Suspect]:
    """Every other product of the same two factors that conforms: with square matrices no shape refuses them."""
    pairs = []
    if X is not None and (close(_matmul(X.T, dZ), reference) or close(_matmul(dZ, X.T), reference)):
        pairs.append(("X", X))
    if W is not None and (close(_matmul(dZ, W.T), reference) or close(_matmul(W.T, dZ), reference)):
        pairs.append(("W", W))
    for name, array in pairs:
        for left, right in ((array, dZ), (dZ, array)):
            for p in (left, left.T):
                for q in (right, right.T):
                    made = _matmul(p, q)
                    if made is not None and not close(made, reference) and not close(made, reference.T):
                        yield Suspect(
                            "wrong product",
                            made,
                            f"another product of {name} and dZ: a transpose or the order of the factors is wrong",
                        )
        if array.shape == dZ.shape:
            yield Suspect("wrong product", array * dZ, f"the element-wise product of {name} and dZ")
    if X is not None and close(_matmul(X.T, dZ), reference):
        yield Suspect(
            "wrong product",
            np.repeat(X.T @ dZ.sum(axis=1, keepdims=True), dZ.shape[1], axis=1),
            "the same in every column: each output is given the sum of dZ over all outputs, not its own",
        )


def _wrong_inputs(reference, dZ, operands) -> Iterator[Suspect]:
    """dW is made from an array that is not the layer's input, or not the gradient of its pre-activations."""
    X = operands.get("X")
    if X is None or not close(_matmul(X.T, dZ), reference):
        return
    for name, array in operands.items():
        made = _matmul(array.T, dZ)
        if name not in ("X", "dZ") and made is not None and not close(made, reference):
            yield Suspect("wrong product", made, f"a product of {name} and dZ: X, the layer's input, belongs there")
        made = _matmul(X.T, array)
        if name.startswith("d") and name not in ("dZ", "dA") and made is not None and not close(made, reference):
            yield Suspect("wrong product", made, f"a product of X and {name}: dZ of this layer belongs there")


def _lost_samples(reference, X, dZ) -> Iterator[Suspect]:
    """Sums over the samples that leave one out, or take only one."""
    if dZ.ndim != 2:
        return
    if close(dZ.sum(axis=0), reference):
        parts = iter(dZ)
    elif X is not None and close(_matmul(X.T, dZ), reference):
        parts = (np.outer(x, dz) for x, dz in zip(X, dZ, strict=True))
    else:
        return
    for i, part in enumerate(parts):
        yield Suspect("row lost", reference - part, f"the reference without sample {i}: row {i} of the batch is lost")
        yield Suspect("row lost", part, f"what sample {i} alone gives: the other rows of the batch are lost")


class _Elementwise(NamedTuple):
    """An activation: f, its derivative from z, and its derivative from a = f(z)."""

    name: str
    f: object
    slope_at: object
    slope_from: object


class _Activation(NamedTuple):
    """The activation of this layer, with its value and its slope at the operands."""

    kind: _Elementwise
    A: np.ndarray
    slope: np.ndarray


def _activation(reference, operands) -> _Activation | None:
    """The activation for which dA ⊙ f′(Z) leads to the reference, if one does. Where Z is not given, A will do."""
    X, W, dA, Z, A = (operands.get(name) for name in ("X", "W", "dA", "Z", "A"))
    if dA is None or np.shape(A if Z is None else Z) != dA.shape:
        return None
    for kind in _ELEMENTWISE:
        value = A if Z is None else kind.f(Z)
        if A is not None and A.shape == value.shape and not close(value, A):
            continue
        slope = kind.slope_from(A) if Z is None else kind.slope_at(Z)
        if any(close(product(dA * slope), reference) for product in made_of_dZ(X, W)):
            return _Activation(kind, value, slope)
    return None


def sigmoid(z):
    """The logistic function, written out once more: a diagnosis must not rest on the code that the reader writes."""
    return (1 + np.tanh(z / 2)) / 2


_ELEMENTWISE = (
    _Elementwise("ReLU", lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float), lambda a: (a > 0).astype(float)),
    _Elementwise("the logistic function", sigmoid, lambda z: sigmoid(z) * sigmoid(-z), lambda a: a * (1 - a)),
    _Elementwise("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda a: 1 - a**2),
)


def _matmul(a, b):
    """a b, or None where the shapes do not conform."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        return None
    return a @ b


def close(a, b, rtol: float = 1e-10) -> bool:
    """Equal up to rounding; arrays of different shapes, and None, are not."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return False
    size = np.abs(b).max(initial=0.0)
    return bool(np.all(np.abs(np.subtract(a, b)) <= rtol * np.abs(b) + 1e-2 * rtol * size))
