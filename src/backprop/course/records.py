"""Records that a notebook leaves in its outputs: what was checked, how tightly, and which claim it settles.

The ledger of the book is gathered from these records, so nothing in it is typed. A record holds no time, no address and
no raw error: only what is the same on every machine.
"""

import math
import re
import sys
from dataclasses import dataclass

from backprop.course._inputs import as_number

DERIVATION_MIME = "application/vnd.backprop.derivation+json"
REFUSAL_MIME = "application/vnd.backprop.refusal+json"
CHECK_MIME = "application/vnd.backprop.check+json"
CLAIM_MIME = "application/vnd.backprop.claim+json"
KINDS = ("numpy", "finite difference", "complex step", "autodiff")

_LABEL = re.compile(r"eq:[a-z0-9]+(-[A-Za-z0-9]+)+")
_CLAIM = re.compile(r"[LMFSDX][1-9][0-9]?")


@dataclass(frozen=True)
class Check:
    """A labelled result agreed with an independent computation to within `bound`."""

    label: str
    kind: str
    bound: str

    def __str__(self):
        return f"{self.label} agrees with {_WITNESS[self.kind]}: error < {self.bound}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"label": self.label, "kind": self.kind, "bound": self.bound}
        return {CHECK_MIME: data, "text/plain": str(self)}


_WITNESS = {
    "numpy": "its NumPy implementation",
    "finite difference": "finite differences",
    "complex step": "the complex step",
    "autodiff": "automatic differentiation",
}


@dataclass(frozen=True)
class Claims:
    """The claims of the notes whose verdict this cell has established."""

    ids: tuple[str, ...]

    def __str__(self):
        return f"settles {'claim' if len(self.ids) == 1 else 'claims'} {', '.join(self.ids)}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {CLAIM_MIME: {"ids": list(self.ids)}, "text/plain": str(self)}


def check(label, kind, error, bound):
    """Assert that a labelled result agrees with an independent computation, and record it for the ledger.

    Parameters
    ----------
    label : str
        The label of a derivation of the book, ``eq:<chapter word>-<result>``.
    kind : {"numpy", "finite difference", "complex step", "autodiff"}
        What the result was compared with.
    error : float
        The worst error that was seen. It is compared and then forgotten: its last digits differ between machines.
    bound : float
        What the error must stay below. This is what the page and the ledger show.

    Raises
    ------
    AssertionError
        If `error` is not below `bound`; an `error` of NaN never is.
    ValueError, TypeError
        If an argument is not what is described above.

    Examples
    --------
    >>> check("eq:linear-dW", "numpy", error=2e-16, bound=1e-12)
    eq:linear-dW agrees with its NumPy implementation: error < 1e-12
    >>> check("eq:linear-dW", "autodiff", error=0.3, bound=1e-12)
    Traceback (most recent call last):
        ...
    AssertionError: eq:linear-dW does not agree with automatic differentiation: the error is 0.3, not below 1e-12
    """
    require_label(label)
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: expected one of {', '.join(map(repr, KINDS))}")
    error, bound = as_number("error", error), as_number("bound", bound)
    if not 0 < bound < math.inf:
        raise ValueError(f"bound is {bound}: expected a positive, finite number")
    if error < 0:
        raise ValueError(f"error is {error}: expected the size of an error, which is never negative")
    # Written so that NaN, which compares False with everything, fails.
    if not error < bound:
        raise AssertionError(
            f"{label} does not agree with {_WITNESS[kind]}: the error is {error:.3g}, not below {format_bound(bound)}"
        )
    show(Check(label, kind, format_bound(bound)))


def settle(*ids, holds):
    """Assert what settles one or more claims of the notes, and record it for the ledger.

    `holds` is the evidence for the verdict, not for the claim: a false claim is settled by a cell that shows it false.

    Parameters
    ----------
    *ids : str
        Ids of claims: a note's letter and a number (``"L17"``), or ``"X4"`` for a clash between notes. That the claim
        exists is checked with the whole book, by the tests.
    holds : bool
        One Boolean. An array is refused, because which of ``all`` and ``any`` was meant is the author's to say.

    Raises
    ------
    AssertionError
        If `holds` is False.
    ValueError, TypeError
        If an id or `holds` is not what is described above.

    Examples
    --------
    >>> settle("L2", "X4", holds=True)
    settles claims L2, X4
    >>> settle("L17", holds=False)
    Traceback (most recent call last):
        ...
    AssertionError: the evidence for claim L17 does not hold
    """
    if not ids:
        raise ValueError("ids is empty: expected at least one claim, such as 'L17'")
    for id in ids:
        if not isinstance(id, str) or not _CLAIM.fullmatch(id):
            raise ValueError(f"ids holds {id!r}: expected a letter of L, M, F, S, D, X and a number, such as 'L17'")
    if len(set(ids)) < len(ids):
        raise ValueError(f"ids names a claim twice: {', '.join(ids)}")
    # NumPy's Boolean is not a bool, but it is what a comparison of array elements gives.
    if type(holds).__name__ not in ("bool", "bool_"):
        raise TypeError(f"holds is {type(holds).__name__}: expected one bool (use .all() for an array)")
    if not holds:
        raise AssertionError(f"the evidence for claim {', '.join(ids)} does not hold")
    show(Claims(ids))


def require_label(label):
    """Raise ValueError unless `label` has the form of an equation's label, ``eq:<chapter word>-<result>``."""
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise ValueError(
            f"label is {label!r}: expected 'eq:<chapter word>-<result>' in letters, digits and hyphens, "
            "such as 'eq:linear-dW'"
        )


def mime_data(value, mime):
    """Return what `value` shows under a MIME type, or None if it shows nothing under it."""
    show_as = getattr(value, "_repr_mimebundle_", None)
    bundle = show_as() if callable(show_as) else {}
    # The protocol allows a bundle alone or with metadata.
    return (bundle[0] if isinstance(bundle, tuple) else bundle).get(mime)


def format_bound(bound):
    """Write a bound the same way on every system: ``1e-9``, not ``1e-09``.

    >>> format_bound(1e-9), format_bound(0.5), format_bound(2.5e-12)
    ('1e-9', '0.5', '2.5e-12')
    """
    return re.sub(r"e([+-])0+(?=\d)", r"e\1", f"{bound:g}").replace("e+", "e")


def show(record):
    """Show a record: as rich output in a notebook, as a line of text elsewhere."""
    # IPython is looked up, not imported: outside a notebook the package must work without it.
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(record)
    else:
        print(record)
