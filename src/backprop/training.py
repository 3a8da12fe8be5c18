"""Training: mini-batch after mini-batch, until the epochs are done or something stops it. Nothing is ever lost.

A step is three lines, in this order: the loss and all gradients of one batch, then the optimiser's step, then the next
batch. Everything that a step makes is new, so that a training stopped anywhere still holds the last whole step.
"""

import math
from typing import Any

import numpy as np
from tqdm import tqdm

from backprop._arguments import having, shown, to_ndarray, whole
from backprop._run_files import load, save
from backprop._runs import History, Run, State, finite, like, numbers
from backprop.fast_step import FastStep
from backprop.metrics import accuracy, confusion_matrix, predict

__all__ = [
    "Diverged",
    "FastStep",
    "History",
    "Interrupted",
    "Run",
    "State",
    "accuracy",
    "confusion_matrix",
    "fit",
    "load",
    "predict",
    "save",
]


class Interrupted(KeyboardInterrupt):
    """Somebody stopped the training. `run` holds everything up to the last whole step, ready to go on from.

    It is a KeyboardInterrupt, so that a program that does not catch it stops as it always does.
    """

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


class Diverged(ArithmeticError):
    """The loss, a gradient or a parameter left the range of the numbers. `run` ends with the last whole step before."""

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


def fit(network, X, Y, optimizer, *, epochs, batch_size, rng=None, state=None, progress=False) -> Run:
    """Train a network: one optimiser's step for every mini-batch, the samples in a new order every epoch.

    For each batch: L, the loss over its samples, then all dW and db at the same parameters, then the optimiser's step.
    The last batch of an epoch is smaller if the batches do not come out even; its mean is over its own samples.

    Parameters
    ----------
    network : MLP
    X, Y : array
        As for `MLP.loss`. Checked as a whole before the first step.
    optimizer : GradientDescent, Momentum or Adam
        Anything with their ``init`` and ``step``.
    epochs : int
        How often the data have been gone through when the training is done, counted from its very beginning: to go
        on, make the same call with the network and the state where it stands.
    batch_size : int
        From 1 to m.
    rng : numpy.random.Generator
        Draws the order of every epoch, and moves on as it does. Needed for a new training; with a state it is not read.
    state : State, optional
        Where an earlier training stands: ``run.state`` of what it returned, of what was loaded, or of the exception
        that ended it.
    progress : bool
        Show a bar, on the error stream.

    Returns
    -------
    Run
        ``network, state, history``: the trained network, where the training stands, and the loss of every batch of
        this call, each before its step.

    Raises
    ------
    ValueError
        What `MLP.loss` refuses: shapes that do not fit, NaN, labels out of range. No epochs, a batch size out of range,
        a state that is damaged, or does not belong to this network, optimiser or number of batches.
    TypeError
        Numbers that are not integers, neither an rng that is a Generator nor a state that is a State, a network or an
        optimiser that is none; as `MLP.loss`.
    Diverged
        The loss, a gradient or a parameter became infinite or NaN, as it does when the learning rate is far too large.
    Interrupted
        Ctrl-C, or the stop button of a notebook. Both exceptions hold the `run` up to the last whole step.

    Notes
    -----
    All gradients of a batch exist before any parameter moves. A training that was stopped and resumed ends with the
    same numbers, bit for bit, as one that ran through: the state holds the optimiser's memory, the random generator's
    state at the start of the epoch under way, and the place in that epoch.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> from backprop.optimizers import GradientDescent
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(60, 2)), rng.integers(2, size=60)
    >>> X[:, 0] += 4 * Y
    >>> start, descent = MLP.initialize([2, 2], rng), GradientDescent(0.5)
    >>> run = fit(start, X, Y, descent, epochs=3, batch_size=20, rng=rng)
    >>> len(run.history.loss), run.state.epoch, accuracy(run.network, X, Y) > 0.9
    (9, 3, True)
    >>> longer = fit(run.network, X, Y, descent, epochs=5, batch_size=20, state=run.state)
    >>> len(longer.history.loss), longer.state.epoch
    (6, 5)
    """
    having("network", network, "loss loss_and_gradients with_parameters", "an MLP")
    having("optimizer", optimizer, "init step", "GradientDescent, Momentum or Adam")
    whole("epochs", epochs, 0)
    X, Y = to_ndarray("X", X), to_ndarray("Y", Y)
    network.loss(X, Y)  # refuses whatever no step could use, before the first one
    m = len(X)
    batches = math.ceil(m / whole("batch_size", batch_size, 1, m, "the number of samples"))
    generator = _generator(rng, state)
    if state is None:
        state = State(optimizer.init(network), generator.bit_generator.state, 0, 0, batches)
    state = _resumable(state, optimizer, network, batches)
    left = max(0, epochs * batches - state.epoch * batches - state.batch)
    done, losses = (network, state), []
    bar = tqdm(total=left, unit="batch", disable=not progress)
    try:
        for rows, place in _batches(generator, state, epochs, m, batch_size):
            loss, after, memory = _step(done[0], X[rows], Y[rows], optimizer, done[1].optimizer)
            losses.append(loss)
            # One assignment: an interruption comes before it or after it, never between the two parts.
            done = after, State(memory, *place, batches)
            bar.update()
    except KeyboardInterrupt as error:
        run = _run(done, state, losses)
        raise Interrupted(f"interrupted {_where(run, epochs)}", run) from error
    except _NotFinite as error:
        run = _run(done, state, losses)
        rate = getattr(optimizer, "learning_rate", None)
        raise Diverged(f"{error} {_where(run, epochs)}: the learning rate, {rate}, may be too large", run) from None
    finally:
        bar.close()
    return _run(done, state, losses)


def _batches(generator, state: State, epochs: int, m: int, batch_size: int):
    """The rows of each batch that is left, and where the training stands after it: the fields rng, epoch and batch."""
    done = state.batch
    for epoch in range(state.epoch, epochs):
        before = generator.bit_generator.state
        order = generator.permutation(m)
        for batch in range(done + 1, state.batches):
            yield order[(batch - 1) * batch_size : batch * batch_size], (before, epoch, batch)
        yield order[(state.batches - 1) * batch_size :], (generator.bit_generator.state, epoch + 1, 0)
        done = 0


class _NotFinite(Exception):
    """A step made something that is no finite number."""


def _step(network, X, Y, optimizer, memory) -> tuple[float, Any, Any]:
    """The loss and every gradient, then the update."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss, gradients = _all_gradients(network, X, Y)
        network, memory = _update(network, gradients, optimizer, memory)
    return loss, network, memory


def _all_gradients(network, X, Y):
    """As `MLP.loss_and_gradients`, where every number is finite."""
    try:
        loss, gradients = network.loss_and_gradients(X, Y)
    except ValueError as error:  # the data are known to be right, so that only the logits can be wrong
        raise _NotFinite(f"a pass overflowed ({error})") from None
    if not math.isfinite(loss):
        raise _NotFinite(f"the loss is {loss}")
    if not finite((*gradients.dW, *gradients.db)):
        raise _NotFinite("a gradient overflowed")
    return loss, gradients


def _update(network, gradients, optimizer, memory):
    """As the optimiser's step, where every number is finite."""
    try:
        network, memory = optimizer.step(network, gradients, memory)
    except ValueError as error:  # the gradients are known to be right, so that only the parameters can be wrong
        raise _NotFinite(f"the step overflowed ({error})") from None
    if not finite(memory):  # an optimiser that is not one of ours may not look
        raise _NotFinite("what the optimiser remembers overflowed")
    return network, memory


def _run(done, start: State, losses) -> Run:
    network, state = done
    steps = (state.epoch - start.epoch) * state.batches + state.batch - start.batch
    return Run(network, state, History(np.array(losses[:steps])))


def _where(run: Run, epochs: int) -> str:
    state = run.state
    return (
        f"in epoch {state.epoch + 1} of {epochs}, after {state.batch} of its {state.batches} batches "
        f"(all steps up to there are in this exception's .run; resume with fit(run.network, …, state=run.state))"
    )


def _generator(rng, state) -> np.random.Generator:
    if state is None:
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"rng is {shown(rng)}: expected a numpy.random.Generator, or a state to go on from")
        return rng
    if not isinstance(state, State):
        raise TypeError(f"state is {shown(state)}: expected a State, such as run.state")
    try:
        bits = getattr(np.random, state.rng["bit_generator"])()
        bits.state = state.rng
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError(f"state.rng is no state of a random generator: {error!r}") from None
    return np.random.Generator(bits)


def _resumable(state: State, optimizer, network, batches: int) -> State:
    """The state with this training's number of batches; refuse one that is of another training."""
    whole("state.epoch", state.epoch, 0)
    whole("state.batch", state.batch, 0, max(0, whole("state.batches", state.batches, 1) - 1))
    if not like(state.optimizer, optimizer.init(network)) or not numbers(state.optimizer):
        raise ValueError(
            f"state is of another optimiser or network: expected what {type(optimizer).__name__} holds for {network}"
        )
    if state.batch and state.batches != batches:
        raise ValueError(
            f"state is in the middle of an epoch of {state.batches} batches, but X and batch_size make {batches}: "
            "expected the same data and batch size until the epoch is over"
        )
    return state._replace(batches=batches)
