"""The suspects at a softmax: its sum over the wrong axis, left out, or taken entry by entry.

They need operands: the gradient dA of the probabilities with P, or the logits Z (or P) with the labels Y.
"""

from collections.abc import Iterator

import numpy as np

from backprop._suspects import Suspect, close, made_of_dZ, sigmoid

WRONG_AXIS = "softmax over the wrong axis"
BY_ENTRY = "softmax entry by entry"


def from_softmax(reference: np.ndarray, operands: dict[str, np.ndarray]) -> Iterator[Suspect]:
    """Mistakes at a softmax, where the operands show that there is one: the right formula gives the reference."""
    products = made_of_dZ(operands.get("X"), operands.get("W"))
    for right, wrong in (*_backward(operands), *_log_backward(operands), *_with_labels(operands)):
        for product in products:
            if close(product(right), reference):
                for fault, array, text in wrong:
                    made = product(array)
                    if made is not None and not close(made, reference):
                        yield Suspect(fault, made, text)


def _backward(operands) -> Iterator[tuple[np.ndarray, list[Suspect]]]:
    """Through a softmax alone: for each axis that the classes may have, the right dZ and the wrong ones."""
    dA, P = operands.get("dA"), operands.get("P", operands.get("A"))
    if dA is None or P is None or dA.shape != P.shape or dA.ndim != 2:
        return
    for axis in (0, 1):
        yield (
            P * (dA - (P * dA).sum(axis=axis, keepdims=True)),
            [
                Suspect(
                    WRONG_AXIS,
                    P * (dA - (P * dA).sum(axis=1 - axis, keepdims=True)),
                    "what comes out when the sum inside softmax's Jacobian runs over the samples, not over the classes",
                ),
                Suspect(
                    WRONG_AXIS,
                    P * (dA - (P * dA).sum()),
                    "what comes out when the sum inside softmax's Jacobian runs over the whole batch",
                ),
                Suspect(
                    BY_ENTRY,
                    dA * P * (1 - P),
                    "what comes out when softmax is taken entry by entry, as if no class heard of the others",
                ),
                Suspect(BY_ENTRY, dA * P, "what comes out when the sum inside softmax's Jacobian is left out"),
                Suspect(
                    "averaged, not summed",
                    P * (dA - (P * dA).mean(axis=axis, keepdims=True)),
                    "what comes out when the sum inside softmax's Jacobian is taken as a mean over the classes",
                ),
            ],
        )


def _log_backward(operands) -> Iterator[tuple[np.ndarray, list[Suspect]]]:
    """Through the logarithm of a softmax, from dlogP, the gradient of ln P."""
    d, P = operands.get("dlogP"), operands.get("P")
    if d is None or P is None or d.shape != P.shape or d.ndim != 2:
        return
    for axis in (1, 0):
        yield (
            d - P * d.sum(axis=axis, keepdims=True),
            [
                Suspect(
                    WRONG_AXIS,
                    d - P * d.sum(axis=1 - axis, keepdims=True),
                    "what comes out when dlogP is summed over the samples, not over the classes",
                ),
                Suspect(WRONG_AXIS, d - P * d.sum(), "what comes out when dlogP is summed over the whole batch"),
                Suspect(BY_ENTRY, d * (1 - P), "what comes out when each class hears of its own logit only"),
                Suspect(
                    "label sum missing", d + P, "what is right where dlogP sums to −1 over the classes, and only there"
                ),
            ],
        )


def _with_labels(operands) -> Iterator[tuple[np.ndarray, list[Suspect]]]:
    """Through softmax and cross-entropy, summed or averaged over the samples."""
    Z, Y = _logits(operands), operands.get("Y")
    if Z is None or Y is None or Z.ndim != 2:
        return
    for axis in (1, 0):
        labels = _one_hot(Y, Z, axis)
        if labels is None:
            continue
        for scale in (1.0, 1 / Z.shape[1 - axis]):
            yield (
                _softmax(Z, axis) * labels.sum(axis=axis, keepdims=True) * scale - labels * scale,
                list(_wrong_starts(Z, labels, axis, scale)),
            )


def _wrong_starts(Z, labels, axis, scale) -> Iterator[Suspect]:
    P = _softmax(Z, axis)
    over_samples, over_all = _softmax(Z, 1 - axis), _softmax(Z, None)
    yield Suspect(
        WRONG_AXIS, (over_samples - labels) * scale, "what comes out when softmax runs over the samples of each class"
    )
    yield Suspect(WRONG_AXIS, (over_all - labels) * scale, "what comes out when one softmax runs over the whole batch")
    yield Suspect(
        BY_ENTRY,
        (P - labels) * P * (1 - P) * scale,
        "what comes out when P (1 − P) is multiplied in once more, as if softmax worked entry by entry",
    )
    yield Suspect(
        BY_ENTRY,
        -labels * (1 - P) * scale,
        "what comes out when cross-entropy's slope meets P (1 − P) alone: each class hears of its own logit only",
    )
    again = _softmax(P, axis) - labels
    yield Suspect(
        "softmax twice",
        P * (again - (P * again).sum(axis=axis, keepdims=True)) * scale,
        "the gradient of a softmax of a softmax: the loss was given probabilities and applied softmax again",
    )
    yield Suspect("softmax twice", again * scale, "what comes out when softmax is applied to its own result")
    if Z.shape[0] == Z.shape[1]:
        E = np.exp(Z - Z.max())
        yield Suspect(
            WRONG_AXIS,
            (E / np.moveaxis(E.sum(axis=axis, keepdims=True), 0, 1) - labels) * scale,
            "what comes out when softmax's sums lie along the other axis, and broadcasting does not mind",
        )
    yield Suspect("softmax missing", (Z - labels) * scale, "what comes out when the logits are taken for probabilities")
    yield Suspect(
        BY_ENTRY, (sigmoid(Z) - labels) * scale, "what comes out with the logistic function in the place of softmax"
    )
    yield Suspect(
        "label sum missing",
        (P - labels) * scale,
        "what is right for labels that sum to one: these do not",
    )


def _logits(operands):
    """Z, or logits that give the probabilities P: their logarithm."""
    if "Z" in operands:
        return operands["Z"]
    P = operands.get("P")
    return np.log(P) if P is not None and np.all(P > 0) else None


def _one_hot(Y, Z, axis):
    """Y as weights in the shape of Z, or None."""
    if Y.shape == Z.shape:
        return Y
    if Y.shape != (Z.shape[1 - axis],) or not np.all(np.isin(Y, np.arange(Z.shape[axis]))):
        return None
    rows = np.eye(Z.shape[axis])[Y.astype(int)]
    return rows if axis == 1 else rows.T


def _softmax(Z, axis):
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)
