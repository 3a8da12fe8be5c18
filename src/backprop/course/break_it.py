"""Break it: run every check on every wrong gradient, and see which check catches which bug.

A table of this kind is the honest answer to "is this check enough?". It is computed, never typed: the right gradient
must pass every check, and each cell is what happened when the check was run.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backprop.gradcheck import central_difference, relative_error

TABLE_MIME = "application/vnd.backprop.table+json"

CAUGHT, PASSES, STOPS, UNTRIED = "caught", "passes", "stops", "not tried"


@dataclass(frozen=True)
class Problem:
    r"""A scalar loss of named arrays, at one point: what a gradient is held against.

    Parameters
    ----------
    loss : callable
        ``loss(**arrays) -> float``.
    at : dict of str to ndarray
        The arrays, by the names that `loss` and every gradient function take.
    wrt : sequence of str
        The names of the arrays that are differentiated. A gradient function returns ``dW`` for ``W``.
    batch : sequence of str
        The names of the arrays that hold one row a sample; `duplicated` repeats these.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    >>> at = {"X": X, "w": np.array([1.0, -1.0])}
    >>> problem = Problem(loss=lambda X, w: (X @ w).mean(), at=at, wrt=["w"], batch=["X"])
    >>> problem.duplicated().at["X"].shape
    (6, 2)
    """

    loss: Callable
    at: Mapping[str, np.ndarray]
    wrt: Sequence[str]
    batch: Sequence[str] = ()

    def __post_init__(self):
        for argument in ("wrt", "batch"):
            if unknown := [name for name in getattr(self, argument) if name not in self.at]:
                raise ValueError(f"{argument} names {', '.join(unknown)}, but at holds {', '.join(self.at)}")
        if not self.wrt:
            raise ValueError("wrt is empty: expected the name of at least one array to differentiate")

    def duplicated(self):
        """The same problem with every sample taken twice. A mean over samples does not notice."""
        twice = {name: np.concatenate([array, array]) for name, array in self.at.items() if name in self.batch}
        return dataclasses.replace(self, at={**self.at, **twice})

    def gradients(self, gradient):
        """Run a gradient function here and return its arrays by name, refusing names that are not asked for."""
        result = gradient(**{name: array.copy() for name, array in self.at.items()})
        if hasattr(result, "_asdict"):
            result = result._asdict()
        wanted = [f"d{name}" for name in self.wrt]
        if not isinstance(result, Mapping) or not set(wanted) <= set(result):
            held = ", ".join(map(str, result)) if isinstance(result, Mapping) else type(result).__name__
            raise TypeError(
                f"the gradient function returned {held}: expected a dict or named tuple with {', '.join(wanted)}"
            )
        return {name: np.asarray(result[f"d{name}"]) for name in self.wrt}


@dataclass(frozen=True)
class Bug:
    """A wrong gradient, and optionally the derivation that would have to prove it.

    Parameters
    ----------
    gradient : callable
        ``gradient(**arrays) -> {"dW": …}``, wrong.
    proof : callable, optional
        Tries the wrong formula as a step of a `Derivation`. It must raise `Refused`.
    """

    gradient: Callable
    proof: Callable | None = None


@dataclass(frozen=True)
class Check:
    """A named way to judge a gradient: ``accepts(bug) -> bool``, or None where it cannot be tried."""

    name: str
    accepts: Callable[[Bug], bool | None]


def shapes(problem):
    """Check that every gradient has the shape of its array. It sees no value at all."""

    def accepts(bug):
        return all(
            gradient.shape == np.shape(problem.at[name]) for name, gradient in problem.gradients(bug.gradient).items()
        )

    return Check("shapes", accepts)


def finite_differences(problem, bound=1e-7):
    """Check every gradient against centred differences of the loss: the relative error must be below `bound`."""
    numeric = {
        name: central_difference(lambda value, name=name: problem.loss(**{**problem.at, name: value}), problem.at[name])
        for name in problem.wrt
    }
    return _agreement("finite differences", problem, numeric, bound)


def autodiff(problem, reference, bound=1e-12):
    """Check every gradient against another program's: ``reference(**arrays)`` returns ``{"dW": …}``.

    The relative error must be below `bound`.
    """
    return _agreement("autodiff", problem, problem.gradients(reference), bound)


def duplicated_batch(problem, bound=1e-12):
    """Check that nothing changes when every sample is taken twice, as for every mean over samples.

    The gradient of an array that holds a row a sample is split between the copies, so it must be their sum.
    """
    if not problem.batch:
        raise ValueError("problem has no batch: expected the names of the arrays that hold one row a sample")

    def accepts(bug):
        once, twice = problem.gradients(bug.gradient), problem.duplicated().gradients(bug.gradient)
        for name in problem.batch:
            if name in twice:
                half = len(twice[name]) // 2
                twice[name] = twice[name][:half] + twice[name][half:]
        return all(_agree(twice[name], once[name], bound) for name in problem.wrt)

    return Check("duplicated batch", accepts)


def loss_goes_down(problem, steps=20, learning_rate=0.01):
    """Check that some steps of gradient descent lower the loss: what most people look at, and the weakest of all."""

    def accepts(bug):
        here = problem
        for _ in range(steps):
            gradients = here.gradients(bug.gradient)
            here = dataclasses.replace(
                here, at={**here.at, **{name: here.at[name] - learning_rate * gradients[name] for name in here.wrt}}
            )
        return bool(here.loss(**here.at) < problem.loss(**problem.at))

    return Check("the loss went down", accepts)


def proof():
    """Check the formula itself: the derivation that each `Bug` brings must be refused."""

    def accepts(bug):
        if bug.proof is None:
            return None
        try:
            bug.proof()
        except ValueError as error:
            # The engine's own exception, recognised by name so that this module needs no computer algebra.
            if any(kind.__name__ == "Refused" for kind in type(error).__mro__):
                return False
            raise RuntimeError(f"the proof was not refused, it broke: {error}") from error
        return True

    return Check("symbolic proof", accepts)


@dataclass(frozen=True)
class BreakItTable:
    """Which check catches which bug."""

    checks: tuple[str, ...]
    outcomes: Mapping[str, tuple[str, ...]]

    def caught_by(self, bug):
        """The names of the checks that catch a bug."""
        return {
            name for name, outcome in zip(self.checks, self.outcomes[bug], strict=True) if outcome in (CAUGHT, STOPS)
        }

    def _rows(self):
        return [[name, *outcomes] for name, outcomes in self.outcomes.items()]

    def __str__(self):
        rows = [["bug", *self.checks], *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def markdown(self):
        """The same table as Markdown: what JupyterLab and Colab show."""
        line = "| {} |".format
        shown = [
            [row[0], *(f"**{cell}**" if cell in (CAUGHT, STOPS) else cell for cell in row[1:])] for row in self._rows()
        ]
        return "\n".join(
            line(" | ".join(row)) for row in [["bug", *self.checks], ["---"] * (len(self.checks) + 1), *shown]
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"kind": "break-it", "header": ["bug", *self.checks], "rows": self._rows()}
        return {TABLE_MIME: data, "text/markdown": self.markdown(), "text/plain": str(self)}


def break_it(correct, wrong, checks, expect=None):
    """Run every check on a right gradient and on wrong ones, and tabulate what each check sees.

    Parameters
    ----------
    correct : callable or Bug
        The right gradient function. A `Bug` brings the right formula's derivation as its `proof`.
    wrong : dict of str to callable or Bug
        The wrong versions, by the name that the table shows (plain text with ``$…$``).
    checks : sequence of Check
        The checks, such as ``shapes(problem)``.
    expect : dict of str to set of str, optional
        For some of the bugs, exactly which checks catch it. Stated where the prose around the table relies on it.

    Returns
    -------
    BreakItTable
        A cell is "caught", "passes", "stops" (the wrong version cannot even be run: NumPy refuses it) or "not tried".

    Raises
    ------
    AssertionError
        If a check rejects the right gradient, or an expectation is not met.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [3.0, -4.0], [5.0, 7.0]])
    >>> at = {"X": X, "w": np.array([1.0, -1.0])}
    >>> problem = Problem(loss=lambda X, w: (X @ w).mean(), at=at, wrt=["w"], batch=["X"])
    >>> print(break_it(
    ...     correct=lambda X, w: {"dw": X.mean(axis=0)},
    ...     wrong={"summed": lambda X, w: {"dw": X.sum(axis=0)}, "wrong axis": lambda X, w: {"dw": X.mean(axis=1)}},
    ...     checks=[shapes(problem), duplicated_batch(problem), loss_goes_down(problem)],
    ...     expect={"summed": {"duplicated batch"}},
    ... ))
    bug         shapes  duplicated batch  the loss went down
    summed      passes  caught            passes
    wrong axis  caught  caught            stops
    """
    names = [check.name for check in checks]
    if len(set(names)) < len(names) or not names:
        raise ValueError(f"checks are {', '.join(names) or 'empty'}: expected at least one, each name once")
    if not wrong:
        raise ValueError("wrong is empty: expected at least one wrong version")
    rejecting = [check.name for check in checks if check.accepts(_as_bug(correct)) is False]
    if rejecting:
        raise AssertionError(f"the right gradient is rejected by: {', '.join(rejecting)}")
    outcomes = {name: tuple(_outcome(check, _as_bug(bug)) for check in checks) for name, bug in wrong.items()}
    table = BreakItTable(tuple(names), outcomes)
    for name, expected in (expect or {}).items():
        _require_expected(table, name, set(expected))
    return table


def _require_expected(table, bug, expected):
    if bug not in table.outcomes or not expected <= set(table.checks):
        raise ValueError(f"expect names {bug!r} and {sorted(expected)}: no such bug or check in the table")
    if (caught := table.caught_by(bug)) != expected:
        raise AssertionError(f"{bug!r} is caught by {sorted(caught)}, but expect says {sorted(expected)}")


def _outcome(check, bug):
    try:
        # A wrong gradient may overflow on its way: that is part of what it does, and judged by its result.
        with np.errstate(all="ignore"):
            accepted = check.accepts(bug)
    except (ValueError, IndexError, FloatingPointError):
        return STOPS
    if accepted is None:
        return UNTRIED
    return PASSES if accepted else CAUGHT


def _as_bug(version):
    return version if isinstance(version, Bug) else Bug(version)


def _agreement(name, problem, reference, bound):
    def accepts(bug):
        return all(
            _agree(gradient, reference[name], bound) for name, gradient in problem.gradients(bug.gradient).items()
        )

    return Check(name, accepts)


def _agree(gradient, reference, bound):
    # NumPy would broadcast a (3, 1) against a (3,) to nine differences, and call most of them errors or none.
    if gradient.shape != np.shape(reference):
        return False
    return bool(relative_error(gradient, reference) < bound)
