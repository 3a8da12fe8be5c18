"""Training: it is the loop that it says, it resumes bit for bit, and what stops it hands over the last whole step."""

import io
import re
import signal

import numpy as np
import pytest

from backprop import training
from backprop._runs import finite
from backprop.datasets import running_example
from backprop.network import MLP
from backprop.optimizers import Adam, GradientDescent, Momentum
from backprop.training import Diverged, Interrupted, State, fit, load, save

RULES = {"descent": GradientDescent(0.05), "momentum": Momentum(0.02), "adam": Adam(0.01)}


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(23, 4)), rng.integers(3, size=23)
    X[np.arange(23), Y] += 2
    return X, Y


@pytest.fixture
def start():
    return MLP.initialize([4, 6, 3], np.random.default_rng(1))


@pytest.fixture(autouse=True)
def ctrl_c_arrives():
    """A program that was started in the background ignores Ctrl-C, and so would its tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def tensors(network):
    return [*network.weights, *network.biases]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


def settings(**changed):
    return {"epochs": 4, "batch_size": 5, "rng": np.random.default_rng(8)} | changed


# What a training is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_it_is_the_loop_that_the_docstring_describes(rule, data, start):
    X, Y = data
    run = fit(start, X, Y, rule, **settings())
    rng, network, memory, losses = np.random.default_rng(8), start, rule.init(start), []
    for _ in range(4):
        order = rng.permutation(23)
        for rows in (order[:5], order[5:10], order[10:15], order[15:20], order[20:]):
            loss, gradients = network.loss_and_gradients(X[rows], Y[rows])
            network, memory = rule.step(network, gradients, memory)
            losses.append(loss)
    assert same(run.network, network)
    assert run.history.loss.tolist() == losses
    assert (run.state.epoch, run.state.batch, run.state.batches) == (4, 0, 5)


def test_every_sample_is_seen_once_an_epoch_in_a_new_order(data, start):
    seen = []

    class Watched(MLP):
        def loss_and_gradients(self, X, Y):
            seen.extend(X[:, 0].tolist())
            return super().loss_and_gradients(X, Y)

    X, Y = data
    fit(Watched(start.weights, start.biases), X, Y, RULES["descent"], **settings(epochs=2))
    first, second = seen[:23], seen[23:]
    assert sorted(first) == sorted(second) == sorted(X[:, 0].tolist())
    assert first != second


def test_it_learns(data, start):
    X, Y = data
    run = fit(start, X, Y, Adam(0.05), **settings(epochs=60))
    assert run.network.loss(X, Y) < 0.2 * start.loss(X, Y)
    assert training.accuracy(run.network, X, Y) > 0.9 > 0.6 > training.accuracy(start, X, Y)


def test_nothing_that_is_given_changes(data, start):
    X, Y = data
    before = [a.copy() for a in (X, Y, *tensors(start))]
    first = fit(start, X, Y, RULES["adam"], **settings(epochs=2))
    held = first.state.rng["state"].copy(), [a.copy() for a in first.state.optimizer.mean]
    fit(first.network, X, Y, RULES["adam"], **settings(state=first.state))
    assert all(np.array_equal(a, b) for a, b in zip(before, (X, Y, *tensors(start)), strict=True))
    assert first.state.rng["state"] == held[0]
    assert all(np.array_equal(a, b) for a, b in zip(first.state.optimizer.mean, held[1], strict=True))


def test_the_generator_moves_on_so_that_a_second_training_has_another_order(data, start):
    X, Y = data
    rng = np.random.default_rng(8)
    one, two = (fit(start, X, Y, RULES["descent"], **settings(rng=rng)) for _ in range(2))
    assert not same(one.network, two.network)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(dtype, data):
    network = MLP.initialize([4, 6, 3], np.random.default_rng(1), dtype=dtype)
    run = fit(network, data[0].astype(dtype), data[1], RULES["momentum"], **settings())
    assert {a.dtype for a in (*tensors(run.network), *run.state.optimizer)} == {np.dtype(dtype)}


def test_labels_may_be_rows_and_the_batch_may_be_everything(data, start):
    X, Y = data
    classes = fit(start, X, Y, RULES["momentum"], **settings(batch_size=23))
    rows = fit(start, X, np.eye(3)[Y], RULES["momentum"], **settings(batch_size=23))
    assert len(classes.history.loss) == 4
    for a, b in zip(tensors(classes.network), tensors(rows.network), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


# Stop and go on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_stopped_after_an_epoch_and_resumed_it_ends_with_the_same_bits(rule, data, start):
    X, Y = data
    through = fit(start, X, Y, rule, **settings())
    half = fit(start, X, Y, rule, **settings(epochs=1))
    on = fit(half.network, X, Y, rule, **settings(rng=None, state=half.state))
    assert same(on.network, through.network)
    assert np.array_equal(np.concatenate([half.history.loss, on.history.loss]), through.history.loss)


def at_step(rule, number, action):
    """The optimiser, with something that happens during one of its steps."""

    class Disturbed(type(rule)):
        def step(self, network, gradients, state):
            count["steps"] += 1
            if count["steps"] == number:
                action()
            return super().step(network, gradients, state)

    count = {"steps": 0}
    return Disturbed(**vars(rule))


@pytest.mark.parametrize("number", [1, 4, 5, 6, 13, 20])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_real_interruption_at_any_step_loses_nothing(rule, number, data, start):
    X, Y = data
    through = fit(start, X, Y, rule, **settings())
    with pytest.raises(Interrupted, match="in epoch") as caught:
        fit(start, X, Y, at_step(rule, number, lambda: signal.raise_signal(signal.SIGINT)), **settings())
    half = caught.value.run
    assert len(half.history.loss) == number - 1
    assert (half.state.epoch, half.state.batch) == divmod(number - 1, 5)
    on = fit(half.network, X, Y, rule, **settings(rng=None, state=half.state))
    assert same(on.network, through.network)
    assert np.array_equal(np.concatenate([half.history.loss, on.history.loss]), through.history.loss)


def test_a_step_that_was_not_finished_has_no_loss_in_the_history_of_a_resumed_training(data, start, monkeypatch):
    # Interrupted between the loss and the state, in a training that goes on from the middle of an epoch.
    with pytest.raises(Interrupted) as caught:
        fit(start, *data, at_step(RULES["adam"], 8, lambda: signal.raise_signal(signal.SIGINT)), **settings())
    half, made = caught.value.run, []

    class Unfinished(State):
        def __new__(cls, *fields):
            made.append(fields)
            if len(made) == 5:
                raise KeyboardInterrupt
            return super().__new__(cls, *fields)

    assert (half.state.epoch, half.state.batch) == (1, 2)
    monkeypatch.setattr(training, "State", Unfinished)
    with pytest.raises(Interrupted) as caught:
        fit(half.network, *data, RULES["adam"], **settings(state=Unfinished(*half.state)))
    assert len(made) == 5
    assert len(caught.value.run.history.loss) == 3
    assert (caught.value.run.state.epoch, caught.value.run.state.batch) == (2, 0)


def test_an_interruption_that_nobody_catches_stops_the_program_as_ever():
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert not issubclass(Interrupted, Exception)


def test_a_training_that_is_done_goes_nowhere(data, start):
    X, Y = data
    done = fit(start, X, Y, RULES["adam"], **settings())
    again = fit(done.network, X, Y, RULES["adam"], **settings(state=done.state))
    assert same(again.network, done.network)
    assert again.history.loss.size == 0
    assert fit(start, X, Y, RULES["adam"], **settings(epochs=0)).network is start


def test_after_a_whole_epoch_the_batch_size_may_change_but_not_within_one(data, start):
    X, Y = data
    whole = fit(start, X, Y, RULES["adam"], **settings(epochs=1))
    assert fit(whole.network, X, Y, RULES["adam"], **settings(batch_size=8, state=whole.state)).state.batches == 3
    with pytest.raises(Interrupted) as caught:
        fit(start, X, Y, at_step(RULES["adam"], 3, lambda: signal.raise_signal(signal.SIGINT)), **settings())
    half = caught.value.run
    with pytest.raises(ValueError, match=r"state is in the middle of an epoch of 5 batches.* make 3"):
        fit(half.network, X, Y, RULES["adam"], **settings(batch_size=8, state=half.state))


# A file ---------------------------------------------------------------------------------------------------------------

GENERATORS = [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]


@pytest.mark.parametrize("bits", GENERATORS, ids=lambda bits: bits.__name__)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_saved_loaded_and_resumed_it_ends_with_the_same_bits(rule, bits, data, start, tmp_path):
    X, Y = data
    through = fit(start, X, Y, rule, **settings(rng=np.random.Generator(bits(5))))
    disturbed = at_step(rule, 8, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted) as caught:
        fit(start, X, Y, disturbed, **settings(rng=np.random.Generator(bits(5))))
    save(tmp_path / "run.npz", caught.value.run)
    half = load(tmp_path / "run.npz")
    assert same(half.network, caught.value.run.network)
    assert type(half.state.optimizer) is type(caught.value.run.state.optimizer)
    on = fit(half.network, X, Y, rule, **settings(rng=None, state=half.state))
    assert same(on.network, through.network)
    assert np.array_equal(np.concatenate([half.history.loss, on.history.loss]), through.history.loss)


def test_everything_about_the_network_is_in_the_file(tmp_path):
    rng = np.random.default_rng(0)
    network = MLP.initialize([3, 12, 2], rng, ["tanh", "identity"], "half_squared_error", dtype=np.float32)
    X, Y = rng.normal(size=(7, 3)).astype(np.float32), rng.normal(size=(7, 2)).astype(np.float32)
    save(tmp_path / "a name without an ending", fit(network, X, Y, Momentum(0.01), epochs=1, batch_size=3, rng=rng))
    again = load(tmp_path / "a name without an ending").network
    assert (again.activations, again.loss_name) == (("tanh", "identity"), "half_squared_error")
    assert again.weights[0].dtype == np.float32
    assert again.loss(X, Y) < network.loss(X, Y)


def test_more_than_ten_layers_come_back_in_order(tmp_path, start):
    deep = MLP.initialize([2] * 13, np.random.default_rng(0))
    state = State(Momentum(0.1).init(deep), np.random.default_rng(0).bit_generator.state, 0, 0, 1)
    save(tmp_path / "deep", training.Run(deep, state, training.History(np.array([]))))
    assert same(load(tmp_path / "deep").network, deep)


def test_a_save_that_fails_leaves_the_file_of_before(tmp_path, data, start, monkeypatch):
    run = fit(start, *data, RULES["adam"], **settings(epochs=1))
    save(tmp_path / "run.npz", run)

    def full_disk(file, **arrays):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space"):
        save(tmp_path / "run.npz", run)
    assert same(load(tmp_path / "run.npz").network, run.network)
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("content", [b"", b"not an archive", "arrays"])
def test_a_file_that_is_none_of_ours_is_refused(content, tmp_path):
    if content == "arrays":
        buffer = io.BytesIO()
        np.savez(buffer, weights=np.ones(3))
        content = buffer.getvalue()
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(ValueError, match="expected a file that save has written"):
        load(tmp_path / "other")


def test_a_file_of_a_later_format_is_refused(tmp_path, data, start, monkeypatch):
    monkeypatch.setattr("backprop._run_files.FORMAT", 2)
    save(tmp_path / "run", fit(start, *data, RULES["adam"], **settings(epochs=1)))
    monkeypatch.undo()
    with pytest.raises(ValueError, match="of format 2: expected format 1"):
        load(tmp_path / "run")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda run: run.network, TypeError, "run is MLP: expected a Run"),
        (lambda run: run._replace(network=3), TypeError, "run.network is 3: expected MLP"),
        (lambda run: run._replace(state=(1, 2)), TypeError, "run.state is of type tuple: expected State"),
        (lambda run: run._replace(history=None), TypeError, "run.history is None: expected History"),
        (lambda run: placed(run, rng=None), TypeError, "run.state.rng is None: expected dict"),
        (lambda run: placed(run, epoch=1.5), TypeError, "run.state.epoch is 1.5: expected an integer"),
        (lambda run: placed(run, epoch=-1), ValueError, "run.state.epoch is -1: expected at least 0"),
        (lambda run: placed(run, batch=-1), ValueError, "run.state.batch is -1: expected at least 0"),
        (lambda run: placed(run, batches="5"), TypeError, "run.state.batches is '5': expected an integer"),
        (lambda run: placed(run, optimizer={"mine": 1}), TypeError, "run.state.optimizer is dict: expected a tuple"),
        (lambda run: placed(run, optimizer=[np.ones(3)]), TypeError, "run.state.optimizer is list: expected a tuple"),
        (lambda run: placed(run, optimizer=(1.0,)), TypeError, "run.state.optimizer is tuple: expected a tuple of arr"),
    ],
)
def test_only_runs_and_known_states_are_saved(spoil, error, message, tmp_path, start):
    run = training.Run(start, State((), {}, 0, 0, 1), training.History(np.array([])))
    with pytest.raises(error, match=re.escape(message)):
        save(tmp_path / "run", spoil(run))
    assert not list(tmp_path.iterdir())


def placed(run, **changed):
    return run._replace(state=run.state._replace(**changed))


# Numbers that leave the range -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e100, 1e155, 1e200, 1e308])
@pytest.mark.parametrize("make", [GradientDescent, Momentum, Adam])
def test_a_learning_rate_that_overflows_says_so_and_keeps_the_last_whole_step(make, rate, data):
    network = MLP.initialize([4, 6, 3], np.random.default_rng(1), loss="mean_squared_error")
    X, Y = data[0], np.eye(3)[data[1]]
    with pytest.raises(Diverged, match="the learning rate, 1e") as caught:
        fit(network, X, Y, make(rate), **settings(epochs=80))
    run = caught.value.run
    steps = run.state.epoch * 5 + run.state.batch
    assert len(run.history.loss) == steps
    assert np.isfinite(run.history.loss).all()
    assert all(np.isfinite(a).all() for a in tensors(run.network))
    assert finite(run.state.optimizer)
    # The state is that of the steps that were taken: with a smaller rate, the training goes on.
    again = fit(network, X, Y, make(1e-3), **settings(epochs=1))
    assert np.isfinite(again.history.loss).all()


@pytest.mark.parametrize(
    ("weight", "x", "rule", "message"),
    [(1e160, 1.0, GradientDescent(1e-300), "a pass overflowed"), (1.0, 1e100, Adam(1e-3), "the optimiser remembers")],
)
def test_what_is_not_finite_is_noticed_even_where_the_parameters_still_are(weight, x, rule, message):
    line = MLP([[[weight]]], [[0.0]], loss="mean_squared_error")
    with pytest.raises(Diverged, match=message) as caught:
        fit(line, [[x], [x]], [[0.0], [0.0]], rule, **settings(batch_size=2))
    assert caught.value.run.network is line
    assert caught.value.run.history.loss.size == 0


def test_softmax_diverges_in_words_too(data, start):
    with pytest.raises(Diverged, match="epoch 1 of 4") as caught:
        fit(start, *data, GradientDescent(1e200), **settings())
    assert len(caught.value.run.history.loss) >= 1


# What is refused ------------------------------------------------------------------------------------------------------


def spoilt(array, index, value):
    array = np.array(array, float) if value != value or np.isinf(value) else array.copy()
    array[index] = value
    return array


REFUSED = {
    "a label out of range": (lambda X, Y: (X, spoilt(Y, 21, 3)), ValueError, "Y is 3 at index 21: expected a class"),
    "a negative label": (lambda X, Y: (X, spoilt(Y, 4, -1)), ValueError, "Y is -1 at index 4"),
    "NaN in the data": (lambda X, Y: (spoilt(X, (20, 2), np.nan), Y), ValueError, r"X is nan at index \(20, 2\)"),
    "an infinity": (lambda X, Y: (spoilt(X, (20, 2), np.inf), Y), ValueError, r"X is inf at index \(20, 2\)"),
    "NaN in the labels": (lambda X, Y: (X, spoilt(np.eye(3)[Y], (9, 0), np.nan)), ValueError, "Y is nan at index"),
    "labels of another length": (lambda X, Y: (X, Y[:-1]), ValueError, r"Y has shape \(22,\)"),
    "labels that are no classes": (lambda X, Y: (X, Y / 2), TypeError, "expected integer classes"),
    "another number of features": (lambda X, Y: (X[:, :3], Y), ValueError, "X has shape"),
    "no samples": (lambda X, Y: (X[:0], Y[:0]), ValueError, "at least one sample"),
    "text": (lambda X, Y: (X.astype(str), Y), TypeError, "X has dtype"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_data_are_refused_before_the_first_step(name, data, start):
    spoil, error, message = REFUSED[name]
    steps = at_step(RULES["descent"], 1, lambda: pytest.fail("a step was taken"))
    with pytest.raises(error, match=message):
        fit(start, *spoil(*data), steps, **settings())


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "epochs is -1: expected at least 0"),
        ({"epochs": 1.5}, TypeError, "epochs is 1.5"),
        ({"epochs": True}, TypeError, "epochs is True"),
        ({"batch_size": 0}, ValueError, "batch_size is 0: expected 1 to 23"),
        ({"batch_size": 24}, ValueError, "batch_size is 24: expected 1 to 23"),
        ({"batch_size": "all"}, TypeError, "batch_size is 'all'"),
        ({"rng": None}, TypeError, "rng is None: expected a numpy.random.Generator"),
        ({"rng": 0}, TypeError, "rng is 0"),
        ({"state": ()}, TypeError, "state is of type tuple: expected a State"),
    ],
)
def test_bad_settings_are_refused(changed, error, message, data, start):
    with pytest.raises(error, match=message):
        fit(start, *data, RULES["descent"], **settings(**changed))


def test_settings_are_given_by_name(data, start):
    with pytest.raises(TypeError, match="positional argument"):
        fit(start, *data, RULES["descent"], 4, 5, np.random.default_rng(8))


def test_a_state_of_another_optimiser_or_network_is_refused(data, start):
    state = fit(start, *data, RULES["momentum"], **settings(epochs=1)).state
    wider = MLP.initialize([4, 7, 3], np.random.default_rng(1))
    for network, rule in ((start, RULES["adam"]), (start, RULES["descent"]), (wider, RULES["momentum"])):
        with pytest.raises(ValueError, match="state is of another optimiser or network"):
            fit(network, *data, rule, **settings(state=state))


def test_an_array_is_no_state_of_an_optimiser_that_remembers_nothing(data, start):
    state = fit(start, *data, RULES["descent"], **settings(epochs=1)).state
    assert state.optimizer == ()
    with pytest.raises(ValueError, match="state is of another optimiser or network"):
        fit(start, *data, RULES["descent"], **settings(state=state._replace(optimizer=np.array([]))))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epoch": -1}, "state.epoch is -1: expected at least 0"),
        ({"batch": -1}, "state.batch is -1: expected 0 to 4"),
        ({"batch": 5}, "state.batch is 5: expected 0 to 4"),
        ({"batches": 1, "batch": 1}, "state.batch is 1: expected 0 to 0"),
        ({"batches": 0}, "state.batches is 0: expected at least 1"),
    ],
)
def test_a_place_that_no_training_reaches_is_refused(changed, message, data, start):
    state = fit(start, *data, RULES["adam"], **settings(epochs=1)).state
    with pytest.raises(ValueError, match=f"^{message}$"):
        fit(start, *data, RULES["adam"], **settings(state=state._replace(**changed)))


# Progress -------------------------------------------------------------------------------------------------------------


def test_progress_is_shown_on_the_error_stream_when_asked_for(data, start, capsys):
    fit(start, *data, RULES["descent"], **settings())
    assert capsys.readouterr() == ("", "")
    fit(start, *data, RULES["descent"], **settings(progress=True))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "20/20" in shown.err


def test_the_bar_ends_where_the_training_was_stopped(data, start, capsys):
    stopping = at_step(RULES["descent"], 7, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted):
        fit(start, *data, stopping, **settings(progress=True))
    assert "6/20" in capsys.readouterr().err


def test_the_bar_of_a_resumed_training_counts_what_is_left(data, start, capsys):
    with pytest.raises(Interrupted) as caught:
        fit(start, *data, at_step(RULES["adam"], 14, lambda: signal.raise_signal(signal.SIGINT)), **settings())
    assert (caught.value.run.state.epoch, caught.value.run.state.batch) == (2, 3)
    fit(start, *data, RULES["adam"], **settings(state=caught.value.run.state, progress=True))
    assert "7/7" in capsys.readouterr().err
    done = fit(start, *data, RULES["adam"], **settings())
    fit(start, *data, RULES["adam"], **settings(epochs=2, state=done.state, progress=True))
    assert "0batch" in capsys.readouterr().err.replace(" ", "")


# Metrics --------------------------------------------------------------------------------------------------------------


def test_the_metrics_count_what_they_say():
    X, Y, weights, biases = running_example()
    network = MLP(weights, biases)
    assert training.predict(network, X).tolist() == [1, 1, 0, 0]
    assert training.confusion_matrix(network, X, Y).tolist() == [[1, 1], [1, 1]]
    assert training.accuracy(network, X, Y) == 0.5
    assert training.confusion_matrix(network, X, [1, 1, 1, 1]).tolist() == [[0, 0], [2, 2]]


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 2, 0], ValueError, "Y is 2 at index 2: expected a class from 0 to 1"),
        ([0, 1, -1, 0], ValueError, "Y is -1 at index 2"),
        ([0, 1], ValueError, "Y has shape"),
        ([[0], [1], [1], [0]], ValueError, "Y has shape"),
        ([0.0, 1.0, 1.0, 0.0], TypeError, "Y has dtype float64"),
    ],
)
def test_metrics_refuse_what_are_no_labels(labels, error, message):
    X, _, weights, biases = running_example()
    for metric in (training.accuracy, training.confusion_matrix):
        with pytest.raises(error, match=message):
            metric(MLP(weights, biases), X, labels)


def test_no_samples_have_no_accuracy():
    _, _, weights, biases = running_example()
    network = MLP(weights, biases)
    none = np.empty((0, 2)), np.empty(0, int)
    assert training.confusion_matrix(network, *none).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ValueError, match="X has no samples"):
        training.accuracy(network, *none)
