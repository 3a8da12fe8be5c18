"""Data-parallel training: each worker differentiates the loss of its own samples, and one weighted mean joins them.

Nothing here knows what runs the workers. A function that submits work is an argument: `at_once` does it on the spot,
``Client.submit`` of Dask distributed sends it to another process or another machine.
"""

import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backprop._arguments import function as callable_
from backprop._arguments import generator, having, real, sequence, shown, to_ndarray, whole
from backprop._arrays import refuse, to_array

# Losses that are means over the samples. The parts of a sum over samples are added, not averaged.
MEANS = ("cross_entropy", "binary_cross_entropy", "mean_squared_error")


class Part(NamedTuple):
    """What one worker sends back: how many samples, the mean of their losses, and its gradients, layer 1 first."""

    samples: int
    loss: float
    dW: list[np.ndarray]
    db: list[np.ndarray]


def part_of(network, shard: tuple[np.ndarray, np.ndarray], rows) -> Part:
    """The loss and the gradients of some samples of a shard: what runs on a worker.

    Parameters
    ----------
    network : MLP
        With a loss that is a mean over samples.
    shard : X, Y
        The samples that the worker holds.
    rows : array of int
        Which of them the batch has; there may be none.

    Returns
    -------
    Part

    Raises
    ------
    ValueError
        A loss that is a sum over samples; a shard that is not X and Y of as many samples; rows that it does not have;
        as `MLP.loss_and_gradients`.
    TypeError
        No network; rows that are not integers; as `MLP.loss_and_gradients`.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> network = MLP([[[1.0], [2.0]]], [[0.0]], loss="mean_squared_error")
    >>> X, Y = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 3.0]]), np.array([[3.0], [1.0], [7.0]])
    >>> part_of(network, (X, Y), rows=[1, 2])
    Part(samples=2, loss=1.0, dW=[array([[ 2.], [-3.]])], db=[array([0.])])
    """
    X, Y, rows = _read(network, shard, rows)
    if not len(rows):
        return Part(0, 0.0, [np.zeros_like(W) for W in network.weights], [np.zeros_like(b) for b in network.biases])
    loss, gradients = network.loss_and_gradients(X[rows], Y[rows])
    return Part(len(rows), loss, gradients.dW, gradients.db)


def weighted_mean(parts: Sequence[Part]) -> Part:
    """∂L/∂θ = Σᵣ (mᵣ/m) ∂Lᵣ/∂θ: the whole batch's loss and gradients, from those of its parts.

    Parameters
    ----------
    parts : sequence of Part
        Of one network, with different samples. Added in this order, so that the result is the same in every run.

    Returns
    -------
    Part

    Raises
    ------
    ValueError
        No samples; NaN or ±inf; parts whose gradients have different shapes.
    TypeError
        Not a sequence of parts; a number of samples that is not an integer; a dtype other than float32, float64,
        integers and bool.

    Examples
    --------
    >>> a = Part(2, 1.0, [np.array([[6.0]])], [np.array([3.0])])
    >>> b = Part(4, 4.0, [np.array([[0.0]])], [np.array([-3.0])])
    >>> weighted_mean([a, b])
    Part(samples=6, loss=3.0, dW=[array([[2.]])], db=[array([-1.])])
    """
    parts = _checked(parts)
    m = sum(part.samples for part in parts)
    if not m:
        raise ValueError("parts hold no samples: expected at least one")

    def mean(values):
        return sum(part.samples / m * value for part, value in zip(parts, values, strict=True))

    dW, db = (
        [mean(same) for same in zip(*(getattr(part, field) for part in parts), strict=True)] for field in ("dW", "db")
    )
    return Part(m, float(mean([part.loss for part in parts])), dW, db)


class Done(NamedTuple):
    """A result that is there already, with the method that a future has."""

    value: Any

    def result(self) -> Any:
        return self.value


def at_once(function: Callable, *arguments) -> Done:
    """Do the work here and now: the `submit` of a single process.

    Raises
    ------
    TypeError
        A function that is none.

    Examples
    --------
    >>> at_once(max, 3, 5).result()
    5
    """
    return Done(callable_("function", function)(*arguments))


def shard_sizes(m: int, workers: int) -> list[int]:
    """m samples for so many workers, as evenly as whole numbers allow, the larger shards first.

    Raises
    ------
    ValueError
        No sample, fewer than one worker, or fewer samples than workers.
    TypeError
        Numbers that are not integers.

    Examples
    --------
    >>> shard_sizes(1797, 4)
    [450, 449, 449, 449]
    """
    workers = whole("workers", workers, 1, whole("m", m, 1), "the number of samples m")
    return [m // workers + (r < m % workers) for r in range(workers)]


def rows_by_shard(rows: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """Which rows of each shard a batch has, given its rows of the whole set; a shard is a contiguous part of the set.

    Raises
    ------
    ValueError
        A size below 0, a row that no shard has.
    TypeError
        Sizes or rows that are not integers.

    Examples
    --------
    >>> rows_by_shard(np.array([5, 0, 3, 4]), sizes=[2, 2, 2])
    [array([0]), array([1]), array([1, 0])]
    """
    sizes = _sizes(sizes)
    rows = _rows(rows, sum(sizes))
    starts = np.cumsum([0, *sizes])
    return [rows[(rows >= a) & (rows < b)] - a for a, b in pairwise(starts)]


def fit(
    network, shards: Sequence, sizes: Sequence[int], optimizer, *, epochs: int, batch_size: int, rng, submit=at_once
) -> tuple[Any, np.ndarray]:
    """Train on shards that others hold: the batches of `training.fit`, each differentiated where its samples are.

    For each batch: the network goes to every shard, a `Part` comes back from each, and the optimiser takes one step
    with their weighted mean.

    Parameters
    ----------
    network : MLP
        With a loss that is a mean over samples.
    shards : sequence of (X, Y), or of futures of them
        Contiguous parts of the whole set, in order. What `submit` is given as an argument.
    sizes : sequence of int
        How many samples each has.
    optimizer : GradientDescent, Momentum or Adam
    epochs, batch_size : int
    rng : numpy.random.Generator
        Draws the order of every epoch, as for `training.fit`.
    submit : callable (function, *arguments) -> future
        Starts the work; ``.result()`` of what it returns waits for it.

    Returns
    -------
    network : MLP
    losses : array
        The loss of every batch, each before its step.

    Raises
    ------
    ValueError
        Another number of sizes than of shards, a negative size, a batch size out of range; as `part_of`, from the
        worker.
    TypeError
        Numbers that are not integers, an rng that is not a Generator, a network, an optimizer or a submit that is none.

    Notes
    -----
    Nothing but the shards lives on a worker, and a part depends on nothing but its arguments. So a part that was lost
    with its worker is computed again elsewhere, and is the same.

    Examples
    --------
    >>> from backprop.network import MLP
    >>> from backprop.optimizers import GradientDescent
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(60, 2)), rng.integers(2, size=60)
    >>> start, descent = MLP.initialize([2, 2], rng), GradientDescent(0.5)
    >>> halves = [(X[:20], Y[:20]), (X[20:], Y[20:])]
    >>> order = {"epochs": 2, "batch_size": 25}
    >>> split, _ = fit(start, halves, [20, 40], descent, rng=np.random.default_rng(1), **order)
    >>> whole, _ = fit(start, [(X, Y)], [60], descent, rng=np.random.default_rng(1), **order)
    >>> bool(np.allclose(split.weights[0], whole.weights[0], rtol=1e-12))
    True
    """
    shards, sizes = _read_plan(network, optimizer, shards, sizes, rng, submit)
    m = sum(sizes)
    if len(shards) != len(sizes):
        raise ValueError(f"sizes has {len(sizes)} numbers, but there are {len(shards)} shards")
    batch_size = whole("batch_size", batch_size, 1, m, "the number of samples")
    state, losses = optimizer.init(network), []
    for _ in range(whole("epochs", epochs, 0)):
        order = rng.permutation(m)
        for batch in range(math.ceil(m / batch_size)):
            rows = rows_by_shard(order[batch * batch_size : (batch + 1) * batch_size], sizes)
            # All are under way before the first is waited for.
            futures = [submit(part_of, network, shard, own) for shard, own in zip(shards, rows, strict=True)]
            part = weighted_mean([future.result() for future in futures])
            losses.append(part.loss)
            network, state = optimizer.step(network, part, state)
    return network, np.array(losses)


# What is accepted -----------------------------------------------------------------------------------------------------


def _read(network, shard, rows):
    """X, Y and the rows of a shard."""
    having("network", network, "loss_name weights biases loss_and_gradients", "an MLP")
    if network.loss_name not in MEANS:
        raise ValueError(f"the network's loss is {network.loss_name}, a sum over samples: expected {', '.join(MEANS)}")
    if any(tensor.dtype.kind == "c" for tensor in (*network.weights, *network.biases)):
        raise TypeError("network is complex: only its loss is defined, for the complex step")
    if not isinstance(shard, tuple | list) or len(shard) != 2:
        raise ValueError(f"shard is {shown(shard)}: expected X and Y")
    X, Y = to_ndarray("X of the shard", shard[0]), to_ndarray("Y of the shard", shard[1])
    if X.dtype.kind not in "biuf":
        raise TypeError(f"X of the shard has dtype {X.dtype}: expected float32, float64, integers or bool")
    if not X.ndim or X.shape[:1] != Y.shape[:1]:
        raise ValueError(f"Y of the shard has shape {Y.shape}, but X has {X.shape}: expected as many samples in both")
    return X, Y, _rows(rows, len(X))


def _rows(rows, m: int) -> np.ndarray:
    found = to_ndarray("rows", rows)
    if found.shape == (0,):
        return found.astype(np.intp)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise TypeError(f"rows has shape {found.shape} and dtype {found.dtype}: expected integers, one axis")
    refuse((found < 0) | (found >= m), "rows", found, f"expected a row from 0 to {m - 1}")
    return found.astype(np.intp, copy=False)  # NumPy would take signed from unsigned rows as floats


def _sizes(sizes) -> list[int]:
    found = sequence("sizes", sizes, "how many samples each shard has")
    return [whole(f"sizes[{r}]", size, 0) for r, size in enumerate(found)]


def _checked(parts) -> list[Part]:
    parts = sequence("parts", parts, "a list of Part")
    shapes = None
    for r, part in enumerate(parts):
        if not isinstance(part, Part):
            raise TypeError(f"parts[{r}] is {shown(part)}: expected a Part")
        whole(f"parts[{r}].samples", part.samples, 0)
        if not math.isfinite(real(f"parts[{r}].loss", part.loss)):
            raise ValueError(f"parts[{r}].loss is {part.loss}: expected a finite number")
        gradients = [
            to_array(f"parts[{r}].{field}[{l}]", each).shape
            for field in ("dW", "db")
            for l, each in enumerate(sequence(f"parts[{r}].{field}", getattr(part, field), "one array a layer"))
        ]
        if shapes not in (None, gradients) or len(part.dW) != len(part.db):
            raise ValueError(f"parts[{r}] has gradients of shapes {gradients}: expected those of one network")
        shapes = gradients
    return parts


def _read_plan(network, optimizer, shards, sizes, rng, submit):
    """The shards and their sizes as lists."""
    having("network", network, "loss_name weights biases loss_and_gradients", "an MLP")
    having("optimizer", optimizer, "init step", "GradientDescent, Momentum or Adam")
    generator("rng", rng)
    callable_("submit", submit)
    return sequence("shards", shards, "a list of (X, Y), or of futures of them"), _sizes(sizes)


@contextlib.contextmanager
def local_cluster(workers: int = 2) -> Iterator[Any]:
    """A Dask cluster of worker processes on this machine, each watched by a nanny that replaces it when it dies.

    A program that uses it runs unchanged on a real cluster, with ``Client("tcp://scheduler:8786")`` in the place of the
    client that this one yields.

    Parameters
    ----------
    workers : int
        How many processes.

    Yields
    ------
    distributed.Client

    Notes
    -----
    Needs the extra ``backprop-course[distributed]``. Ports are free ones, and only this machine can connect. A busy
    machine starts processes slowly: the limits are minutes.
    """
    import dask
    from distributed import Client, LocalCluster

    # Nobody waits long for a process that has died, and a task may lose its worker more often than three times.
    settings = {"distributed.comm.timeouts.connect": "20s", "distributed.scheduler.allowed-failures": 20}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            # Any free port: the usual one may be another cluster's.
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            # That a worker was lost is for the caller to say.
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, timeout=120) as client,
    ):
        client.wait_for_workers(workers, timeout=300)
        yield client


def process_ids(client, workers: int, seconds: float = 300) -> set[int]:
    """The processes of a client's workers, as soon as so many answer.

    A worker that has just died may still be on the scheduler's list, and its successor not yet: only answers count.

    Raises
    ------
    TimeoutError
        Fewer workers have answered after so many seconds.
    """
    last = time.monotonic() + seconds
    while True:
        answers = client.run(os.getpid, on_error="ignore")
        if len(answers) >= workers:
            return set(answers.values())
        if time.monotonic() > last:
            raise TimeoutError(f"{len(answers)} of {workers} workers have answered in {seconds:g} seconds")
        time.sleep(0.2)
