"""What a training is made of: the network, where it stands, and what has happened."""

from typing import Any, NamedTuple

import numpy as np

from backprop._arguments import all_finite


class State(NamedTuple):
    """Where a training stands: all that it needs beside the network to go on as if it had never stopped.

    Parameters
    ----------
    optimizer : tuple
        The optimiser's own state.
    rng : dict
        The random generator's state at the start of the epoch under way, from which its order is drawn again.
    epoch : int
        How many epochs are complete.
    batch : int
        How many batches of the epoch under way are done.
    batches : int
        How many batches an epoch has.
    """

    optimizer: Any
    rng: dict
    epoch: int
    batch: int
    batches: int


class History(NamedTuple):
    """What happened: the loss of every batch, in order, each before its step."""

    loss: np.ndarray


class Run(NamedTuple):
    """What `fit` returns: the network as it is now, where the training stands, and what happened in this call."""

    network: Any
    state: State
    history: History


def like(one: Any, other: Any) -> bool:
    """Whether two states of optimisers have the same build: nested tuples of the same types, arrays of equal shapes.

    Examples
    --------
    >>> like((np.zeros(3), 1), (np.ones(3), 7)), like((np.zeros(3),), (np.zeros(4),)), like((), (1,))
    (True, False, False)
    """
    if isinstance(one, tuple) or isinstance(other, tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(like, one, other))
    return np.shape(one) == np.shape(other)


def numbers(state: Any) -> bool:
    """Whether an optimiser's state holds finite, real numbers and nothing else.

    Examples
    --------
    >>> numbers((1, (np.zeros(3),))), numbers((np.array([np.nan]),)), numbers((np.zeros(3, complex),)), numbers("a")
    (True, False, False, False)
    """
    if isinstance(state, tuple):
        return all(map(numbers, state))
    return isinstance(state, np.ndarray | float | int) and np.asarray(state).dtype.kind in "iuf" and finite(state)


def finite(state: Any) -> bool:
    """Whether every number in an optimiser's state is finite.

    Examples
    --------
    >>> finite((1, (np.zeros(3),))), finite((1, (np.array([1.0, np.inf]),)))
    (True, False)
    """
    return all(map(finite, state)) if isinstance(state, tuple) else all_finite(np.asarray(state))
