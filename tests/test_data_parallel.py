"""Data-parallel training: parts of any sizes make the whole, on this process and on two others, also when one dies."""

import os
import re
import signal
import sys
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import training
from backprop.data_parallel import (
    Done,
    Part,
    at_once,
    fit,
    local_cluster,
    part_of,
    process_ids,
    rows_by_shard,
    shard_sizes,
    weighted_mean,
)
from backprop.gradcheck import relative_error
from backprop.network import MLP
from backprop.optimizers import Adam, GradientDescent, Momentum

LOSSES = ("cross_entropy", "binary_cross_entropy", "mean_squared_error")


def problem(seed=0, m=23, loss="cross_entropy"):
    rng = np.random.default_rng(seed)
    network = MLP.initialize([5, 4, 3], rng, loss=loss)
    X = rng.normal(size=(m, 5))
    Y = rng.integers(3, size=m) if loss == "cross_entropy" else rng.uniform(size=(m, 3))
    return network, X, Y


def cut(X, Y, sizes):
    ends = np.cumsum(sizes)
    return [(X[end - size : end], Y[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def parameters(network):
    return np.concatenate([array.ravel() for array in (*network.weights, *network.biases)])


def flat(part):
    return np.concatenate([array.ravel() for array in (*part.dW, *part.db)])


# A busy machine is slow, not wrong.
@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), st.sampled_from(LOSSES))
def test_parts_of_any_sizes_make_the_whole(sizes, loss):
    network, X, Y = problem(m=sum(sizes), loss=loss)
    parts = [part_of(network, shard, np.arange(len(shard[0]))) for shard in cut(X, Y, sizes)]
    whole, (value, gradients) = weighted_mean(parts), network.loss_and_gradients(X, Y)
    assert whole.samples == sum(sizes)
    assert np.isclose(whole.loss, value, rtol=1e-12)
    assert np.allclose(flat(whole), flat(gradients), rtol=1e-11, atol=1e-14)


def test_averaging_the_averages_is_seen_to_be_wrong():
    network, X, Y = problem()
    parts = [part_of(network, shard, np.arange(len(shard[0]))) for shard in cut(X, Y, [2, 21])]
    naive = np.mean([flat(part) for part in parts], axis=0)
    assert relative_error(naive, flat(network.loss_and_gradients(X, Y)[1])) > 0.1


@pytest.mark.parametrize("optimizer", [GradientDescent(0.3), Momentum(0.1), Adam(0.01)])
@pytest.mark.parametrize("sizes", [[23], [12, 11], [2, 20, 1]])
def test_the_training_is_that_of_a_single_process(optimizer, sizes):
    network, X, Y = problem()
    settings = {"epochs": 3, "batch_size": 5}
    run = training.fit(network, X, Y, optimizer, rng=np.random.default_rng(7), **settings)
    trained, losses = fit(network, cut(X, Y, sizes), sizes, optimizer, rng=np.random.default_rng(7), **settings)
    assert np.allclose(parameters(trained), parameters(run.network), rtol=1e-10, atol=1e-12)
    assert np.allclose(losses, run.history.loss, rtol=1e-10)


def test_a_batch_may_be_a_single_sample():
    network, X, Y = problem()
    settings = {"epochs": 1, "batch_size": 1}
    run = training.fit(network, X, Y, Adam(0.01), rng=np.random.default_rng(7), **settings)
    trained, losses = fit(network, cut(X, Y, [9, 14]), [9, 14], Adam(0.01), rng=np.random.default_rng(7), **settings)
    assert losses.shape == (23,)
    assert np.allclose(losses, run.history.loss, rtol=1e-10)
    assert np.allclose(parameters(trained), parameters(run.network), rtol=1e-10, atol=1e-12)


def test_no_epochs_leave_the_network_as_it_is():
    network, X, Y = problem()
    settings = {"epochs": 0, "batch_size": 5, "rng": np.random.default_rng(0)}
    trained, losses = fit(network, [(X, Y)], [23], GradientDescent(0.1), **settings)
    assert trained is network
    assert losses.shape == (0,)


def test_every_part_is_under_way_before_one_is_waited_for():
    network, X, Y = problem()
    events = []

    class Waiting(Done):
        def result(self):
            events.append("waited")
            return super().result()

    def submit(function, *arguments):
        events.append("sent")
        return Waiting(function(*arguments))

    sizes = [12, 11]
    settings = {"epochs": 1, "batch_size": 23, "rng": np.random.default_rng(0)}
    fit(network, cut(X, Y, sizes), sizes, GradientDescent(0.1), submit=submit, **settings)
    assert events == ["sent", "sent", "waited", "waited"]


# A busy machine is slow, not wrong.
@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 40))
def test_shards_differ_by_one_sample_at_most_and_lose_none(m, workers):
    if workers > m:
        with pytest.raises(ValueError, match=f"workers is {workers}: expected 1 to {m}"):
            shard_sizes(m, workers)
        return
    sizes = shard_sizes(m, workers)
    assert sum(sizes) == m
    assert len(sizes) == workers
    assert max(sizes) - min(sizes) <= 1


def test_rows_reach_the_shard_that_has_them():
    X = np.arange(23)
    rows = np.random.default_rng(0).permutation(23)[:9]
    sizes = [2, 20, 1]
    own = rows_by_shard(rows, sizes)
    shards = cut(X, X, sizes)
    found = np.concatenate([shard[0][r] for shard, r in zip(shards, own, strict=True)])
    assert sorted(found) == sorted(rows)


def test_a_shard_may_hold_no_sample_at_all():
    assert [own.tolist() for own in rows_by_shard(np.array([1, 0]), [0, 2, 0])] == [[], [1, 0], []]


def test_a_shard_without_samples_in_the_batch_adds_nothing():
    network, X, Y = problem()
    empty, full = part_of(network, (X, Y), np.array([], int)), part_of(network, (X, Y), np.arange(23))
    assert (empty.samples, empty.loss) == (0, 0.0)
    assert np.array_equal(flat(weighted_mean([empty, full])), flat(full))


RNG = np.random.default_rng(0)


@pytest.mark.parametrize("nothing", [[], (), np.array([]), np.array([], int)])
def test_rows_of_nothing_have_no_dtype_that_matters(nothing):
    network, X, Y = problem()
    assert part_of(network, (X, Y), nothing).samples == 0
    assert [own.tolist() for own in rows_by_shard(nothing, [12, 11])] == [[], []]


def trained(network, shard, **changed):
    settings = {"epochs": 1, "batch_size": 5, "rng": np.random.default_rng(0)} | changed
    return fit(network, [shard], [23], GradientDescent(1.0), **settings)


def part(samples=2, dW=((1, 2),), db=((2,),)):
    """A part whose gradients have these shapes."""
    return Part(samples, 1.0, [np.ones(shape) for shape in dW], [np.ones(shape) for shape in db])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda n, s: part_of(MLP(n.weights, n.biases, loss="half_squared_error"), s, [0]),
            "half_squared_error, a sum",
        ),
        (lambda n, s: part_of(n, (*s, s[1]), [0]), "shard is of type tuple: expected X and Y"),
        (lambda n, s: part_of(n, s[0][:2], [0]), "shard is an array of shape (2, 5): expected X and Y"),
        (lambda n, s: part_of(n, (s[0], s[1][1:]), [0]), "Y of the shard has shape (22,), but X has (23, 5)"),
        (lambda n, s: part_of(n, (1.0, 2.0), [0]), "Y of the shard has shape (), but X has ()"),
        (lambda n, s: part_of(n, s, [23]), "rows is 23 at index 0: expected a row from 0 to 22"),
        (lambda n, s: part_of(n, s, [0, -1]), "rows is -1 at index 1: expected a row from 0 to 22"),
        (lambda n, s: rows_by_shard([0, 6], [2, 2, 2]), "rows is 6 at index 1: expected a row from 0 to 5"),
        (lambda n, s: rows_by_shard([0], [2, -1]), "sizes[1] is -1: expected at least 0"),
        (lambda n, s: shard_sizes(0, 1), "m is 0: expected at least 1"),
        (lambda n, s: weighted_mean([Part(0, 0.0, [], [])]), "parts hold no samples"),
        (lambda n, s: weighted_mean([part(-1)]), "parts[0].samples is -1: expected at least 0"),
        (lambda n, s: weighted_mean([part(), part(dW=[(2, 2)])]), "parts[1] has gradients of shapes [(2, 2), (2,)]"),
        (lambda n, s: weighted_mean([part(db=[])]), "parts[0] has gradients of shapes [(1, 2)]"),
        (
            lambda n, s: fit(n, [s], [12, 11], GradientDescent(1.0), epochs=1, batch_size=5, rng=RNG),
            "sizes has 2 numbers, but there are 1",
        ),
        (lambda n, s: trained(n, s, batch_size=0), "batch_size is 0: expected 1 to 23, the number of samples"),
        (lambda n, s: trained(n, s, batch_size=24), "batch_size is 24: expected 1 to 23, the number of samples"),
        (lambda n, s: trained(n, s, epochs=-1), "epochs is -1: expected at least 0"),
    ],
)
def test_bad_input_is_refused_by_name(call, words):
    network, X, Y = problem()
    with pytest.raises(ValueError, match=re.escape(words)):
        call(network, (X, Y))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda n, s: part_of(n, s, [[0]]), "rows has shape (1, 1) and dtype int64: expected integers, one axis"),
        (lambda n, s: part_of(n, s, [0.5]), "rows has shape (1,) and dtype float64: expected integers, one axis"),
        (lambda n, s: part_of(n, s, [True] * 23), "rows has shape (23,) and dtype bool: expected integers, one axis"),
        (lambda n, s: weighted_mean([part(), 3]), "parts[1] is 3: expected a Part"),
        (lambda n, s: fit(n, [s], [23], GradientDescent(1.0), 1, 5, RNG), "fit() takes 4 positional arguments"),
    ],
)
def test_what_is_of_another_kind_is_refused_too(call, words):
    network, X, Y = problem()
    with pytest.raises(TypeError, match=re.escape(words)):
        call(network, (X, Y))


def test_the_cluster_has_two_processes_of_one_thread_that_only_this_machine_reaches(monkeypatch):
    distributed = MagicMock()
    monkeypatch.setitem(sys.modules, "dask", MagicMock())
    monkeypatch.setitem(sys.modules, "distributed", distributed)
    with local_cluster() as client:
        assert client is distributed.Client.return_value.__enter__.return_value
    asked = distributed.LocalCluster.call_args.kwargs
    assert (asked["n_workers"], asked["threads_per_worker"], asked["host"]) == (2, 1, "127.0.0.1")
    assert client.wait_for_workers.call_args.args == (2,)


def first(shard):
    return shard


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("distributed")
    with local_cluster(2) as client:
        yield client


@pytest.mark.processes
@pytest.mark.parametrize("unlucky", [None, 5])
def test_two_processes_train_as_one_also_when_one_of_them_dies(client, unlucky):
    network, X, Y = problem()
    sizes, settings = [9, 14], {"epochs": 2, "batch_size": 6}
    before = process_ids(client, 2)
    sent = []

    def submit(function, *arguments):
        future = client.submit(function, *arguments, pure=False)
        sent.append(future)
        if len(sent) == unlucky:
            os.kill(min(before), signal.SIGKILL)
        return future

    # Shards are results of tasks, not data sent once: what is lost with a worker can be made again.
    shards = [client.submit(first, shard, pure=False) for shard in cut(X, Y, sizes)]
    trained, losses = fit(network, shards, sizes, Adam(0.01), rng=np.random.default_rng(3), submit=submit, **settings)
    run = training.fit(network, X, Y, Adam(0.01), rng=np.random.default_rng(3), **settings)
    assert np.allclose(parameters(trained), parameters(run.network), rtol=1e-10, atol=1e-12)
    assert np.allclose(losses, run.history.loss, rtol=1e-10)
    # Whether its successor is up already makes no difference.
    killed = before - process_ids(client, 1)
    assert len(killed) == (unlucky is not None)


def test_workers_that_do_not_answer_are_not_waited_for_without_end():
    class Silent:
        def run(self, function, on_error):
            return {}

    with pytest.raises(TimeoutError, match="0 of 2 workers have answered in 0 seconds"):
        process_ids(Silent(), 2, seconds=0)


def test_a_worker_that_answers_late_is_waited_for():
    answers = [{"a": 1}, {"a": 1, "b": 2}]

    class Slow:
        def run(self, function, on_error):
            return answers.pop(0)

    assert process_ids(Slow(), 2) == {1, 2}


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_rows_of_any_integers_stay_integers(dtype):
    first, second, third = rows_by_shard(np.array([5, 0, 3], dtype), [2, 2, 2])
    assert (first.tolist(), second.tolist(), third.tolist()) == ([0], [1], [1])
    assert {own.dtype for own in (first, second, third)} == {np.dtype(np.intp)}


def test_a_part_without_layers_beside_one_with_layers_is_refused_by_name():
    with pytest.raises(ValueError, match=r"parts\[1\] has gradients of shapes"):
        weighted_mean([Part(0, 0.0, [], []), Part(2, 1.0, [np.ones((1, 2))], [np.ones(2)])])


def test_at_once_is_a_submit():
    assert at_once(divmod, 7, 2).result() == (3, 1)
