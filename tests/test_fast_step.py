"""The fast step against the readable functions: every optimizer, loss, activation, dtype and kind of label."""

import itertools
import re
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import _in_place, fast_step, training
from backprop.activations import ACTIVATIONS
from backprop.datasets import running_example
from backprop.fast_step import FastStep
from backprop.losses import softmax_cross_entropy
from backprop.network import LOSSES, MLP
from backprop.optimizers import Adam, GradientDescent, Momentum

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)

# Adam divides by √v + ε. Where a gradient is nothing but rounding, a tiny ε would make a whole step of it.
OPTIMIZERS = [GradientDescent(0.1), Momentum(0.05, 0.8), Adam(0.02, 0.8, 0.9, 1e-2)]
PROBABILITIES = {"cross_entropy", "binary_cross_entropy"}
OUTPUTS = [(out, loss) for loss in LOSSES for out in ACTIVATIONS
           if loss not in PROBABILITIES or out in ("softmax", "sigmoid")]  # fmt: skip


def targets(kind, loss, m, K, rng):
    """Labels that the loss accepts: integer classes, one row with a single 1, or any weights."""
    if loss == "cross_entropy" and kind == "classes":
        return rng.integers(0, K, m)
    if loss in PROBABILITIES:
        return np.eye(K)[rng.integers(0, K, m)] if kind == "one-hot" else rng.random((m, K))
    return rng.standard_normal((m, K))


def network_of(sizes, activations, loss, rng, dtype=np.float64):
    weights = [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in itertools.pairwise(sizes)]
    biases = [0.5 * rng.standard_normal(n) for n in sizes[1:]]
    return MLP([W.astype(dtype) for W in weights], [b.astype(dtype) for b in biases], activations, loss)


def tensors(network):
    return [*network.weights, *network.biases]


class Readable:
    """The same step by the readable functions."""

    def __init__(self, network, optimizer):
        self.network, self.optimizer, self.state = network, optimizer, optimizer.init(network)
        self.scale = 1.0

    def step(self, X, Y):
        loss, gradients = self.network.loss_and_gradients(X, Y)
        self.network, self.state = self.optimizer.step(self.network, gradients, self.state)
        largest = max(np.abs(g).max() for g in (*gradients.dW, *gradients.db))
        self.scale = max(self.scale, largest, *(np.abs(t).max() for t in tensors(self.network)))
        return loss


def disagreement(network, optimizer, batches, batch_size):
    """The worst difference in a loss or a parameter, in units of rounding of the largest number in play."""
    fast, readable = FastStep(network, optimizer, batch_size), Readable(network, optimizer)
    unit, worst = np.finfo(network.weights[0].dtype).eps, 0.0
    for X, Y in batches:
        found, expected = fast.step(X, Y), readable.step(X, Y)
        pairs = zip(tensors(fast.network), tensors(readable.network), strict=True)
        errors = [abs(found - expected) / (1 + abs(expected)), *(np.abs(a - b).max() for a, b in pairs)]
        worst = max(worst, *(float(e) / unit / readable.scale for e in errors))
    return worst


# Three steps of a few layers: some hundred roundings, each at most one unit.
BOUND = 300


@quick
@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    output=st.sampled_from(OUTPUTS),
    hidden=st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=3, max_size=3),
    optimizer=st.sampled_from(OPTIMIZERS),
    dtype=st.sampled_from([np.float32, np.float64]),
    kind=st.sampled_from(["classes", "one-hot", "soft"]),
    samples=st.lists(st.integers(1, 7), min_size=3, max_size=3),
    large=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_it_agrees_with_the_readable_functions(sizes, output, hidden, optimizer, dtype, kind, samples, large, seed):
    rng = np.random.default_rng(seed)
    name, loss = output
    if name == "softmax":  # of a single class it is always 1
        sizes[-1] += 1
    network = network_of(sizes, [*hidden[: len(sizes) - 2], name], loss, rng, dtype)
    batches = [
        (rng.standard_normal((m, sizes[0])).astype(dtype), targets(kind, loss, m, sizes[-1], rng)) for m in samples
    ]
    batches = [(X, Y.astype(dtype) if Y.ndim == 2 else Y) for X, Y in batches]
    with pytest.MonkeyPatch.context() as patch:
        if large:  # the layout of a network of many parameters, in a small one
            patch.setattr(fast_step, "ALL_AT_ONCE", 0)
            patch.setattr(_in_place, "CONVERTED_AT_ONCE", 0)
            patch.setattr(_in_place, "BLOCK", 5)
        assert disagreement(network, optimizer, batches, max(samples)) < BOUND


def steady(dtype=np.float64, optimizer=OPTIMIZERS[0], loss="cross_entropy", activations=None, sizes=(5, 4, 3, 2)):
    rng = np.random.default_rng(1)
    network = network_of(sizes, activations, loss, rng, dtype)
    batches = [
        (rng.standard_normal((m, sizes[0])).astype(dtype), targets("classes", loss, m, sizes[-1], rng))
        for m in (7, 7, 3)
    ]
    return network, optimizer, batches, 7


@pytest.mark.parametrize("sizes", [(784, 90, 10), (70, 300, 200, 10)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_a_network_of_many_parameters_agrees_too(sizes, dtype, optimizer):
    rng = np.random.default_rng(0)
    network = network_of(sizes, None, "cross_entropy", rng, dtype)
    batches = [(rng.standard_normal((m, sizes[0])).astype(dtype), rng.integers(0, 10, m)) for m in (80, 60, 80, 7)]
    assert disagreement(network, optimizer, batches, 80) < BOUND


# -- the comparison is seen to fail ------------------------------------------------------------------------------------


def everywhere(dA, A, zeros, s, t, out):
    np.multiply(dA, A >= 0, out=out)


def value_for_slope(dA, A, zeros, s, t, out):
    np.multiply(dA, A, out=out)


def nothing_kept(Z, zeros, s):
    pass


class TwiceTheRate(_in_place.Descent):
    """The learning rate in the gradient already, and once more in the step."""

    def update(self, theta, g):
        def move():
            np.subtract(theta, self.rate * g, out=theta)

        return move


class UpdatedTooEarly(fast_step.FastStep):
    """Each layer's update before its weights have passed the error on."""

    def _layer_backward(self, l, *arguments):
        layer, move = super()._layer_backward(l, *arguments), self._moves[l]

        def early(D):
            np.subtract(self._weights[l], 0.1, out=self._weights[l])
            out = layer(D)
            np.add(self._weights[l], 0.1, out=self._weights[l])
            return out

        return early if move is None else layer


class LeftOver(_in_place.SoftmaxCrossEntropy):
    """A buffer that is added to and never emptied: right the first time, wrong from then on."""

    def classes(self, Y):
        before = 0 if np.isnan(self.flat_E).any() and not hasattr(self, "used") else self.E.copy()
        self.used = True
        loss = super().classes(Y)
        self.E += before if self.steps else 0
        self.steps += 1
        return loss

    steps = 0


PLANTED = {
    "mask where A is not negative": ("ACTIVATIONS", {"relu": _in_place.InPlace(_in_place.relu, everywhere)}),
    "value for slope": ("ACTIVATIONS", {"relu": _in_place.InPlace(_in_place.relu, value_for_slope)}),
    "no activation": ("ACTIVATIONS", {"relu": _in_place.InPlace(nothing_kept, _in_place.relu_backward)}),
    "the rate twice": ("UPDATES", {GradientDescent: TwiceTheRate}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_is_seen(monkeypatch, name):
    table, entries = PLANTED[name]
    assert disagreement(*steady()) < BOUND
    monkeypatch.setattr(_in_place, table, {**getattr(_in_place, table), **entries})
    assert disagreement(*steady()) > 1e6


def test_an_update_before_the_error_went_down_is_seen(monkeypatch):
    monkeypatch.setitem(globals(), "FastStep", UpdatedTooEarly)
    assert disagreement(*steady()) > 1e6


def test_a_buffer_that_remembers_is_seen_only_from_the_second_step_on(monkeypatch):
    network, optimizer, batches, size = steady()
    monkeypatch.setattr(_in_place, "SoftmaxCrossEntropy", LeftOver)
    assert disagreement(network, optimizer, batches[:1], size) < BOUND
    assert disagreement(network, optimizer, batches, size) > 1e6


# -- the parts, one by one ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_in_place_is_the_readable_one(name, dtype):
    rng = np.random.default_rng(2)
    Z, dA = rng.normal(scale=3, size=(5, 4)).astype(dtype), rng.standard_normal((5, 4)).astype(dtype)
    Z[0] = [0, -0.0, 1000, -1000] if name != "identity" else Z[0]
    A, out, scratch = Z.copy(), np.full_like(Z, np.nan), [np.full_like(Z, np.nan) for _ in range(2)]
    part = _in_place.ACTIVATIONS[name]
    with np.errstate(over="ignore"):
        part.forward(A, np.zeros_like(Z), scratch[0])
    readable = ACTIVATIONS[name]
    eps = np.finfo(dtype).eps
    assert np.allclose(A, readable.function(Z), rtol=8 * eps, atol=8 * eps)
    part.backward(dA, A, np.zeros_like(Z), *scratch, out)
    assert np.allclose(out, readable.backward(dA, Z, readable.function(Z)), rtol=16 * eps, atol=16 * eps)
    assert out.dtype == A.dtype == dtype


@pytest.mark.parametrize("kind", ["classes", "one-hot", "soft"])
def test_the_fused_loss_is_the_readable_one_on_extreme_logits(kind):
    rng = np.random.default_rng(3)
    Z = rng.normal(scale=100, size=(6, 4))
    Z[0], Z[1] = [1e4, -1e4, 0, 0], [-1e4, -1e4, -1e4, -1e4]
    Y = targets(kind, "cross_entropy", 6, 4, rng)
    fused = _in_place.SoftmaxCrossEntropy(4, 6, 1 / 6, np.float64)
    fused.Z[...] = Z.T
    loss = fused.classes(Y) if kind == "classes" else fused.rows(Y)
    expected, dZ = softmax_cross_entropy(Z, Y)
    assert loss == pytest.approx(expected, rel=1e-14)
    assert np.allclose(fused.E.T, dZ, rtol=1e-14, atol=1e-15)


# -- what it keeps, and what it leaves alone ---------------------------------------------------------------------------


def test_arguments_and_the_network_never_change():
    X, Y, weights, biases = running_example()
    network = MLP(weights, biases)
    fast = FastStep(network, GradientDescent(0.1), 4)
    before = [t.copy() for t in tensors(network)]
    X0, Y0 = X.copy(), Y.copy()
    for labels in (Y, np.eye(2)[Y]):
        copy = labels.copy()
        fast.step(X, labels)
        assert np.array_equal(labels, copy)
    assert np.array_equal(X, X0)
    assert np.array_equal(Y, Y0)
    assert all(np.array_equal(a, b) for a, b in zip(tensors(network), before, strict=True))


def test_the_network_is_a_copy_that_later_steps_do_not_change():
    network, optimizer, batches, size = steady()
    fast = FastStep(network, optimizer, size)
    fast.step(*batches[0])
    held = fast.network
    kept = [t.copy() for t in tensors(held)]
    fast.step(*batches[1])
    assert all(np.array_equal(a, b) for a, b in zip(tensors(held), kept, strict=True))
    assert not np.array_equal(fast.network.weights[0], kept[0])
    assert held.activations == network.activations
    assert held.loss_name == network.loss_name


def test_two_of_them_do_not_share_anything():
    network, optimizer, batches, size = steady(optimizer=OPTIMIZERS[2])
    one, two, alone = (FastStep(network, optimizer, size) for _ in range(3))
    for batch in batches:
        one.step(*batches[0])
        assert two.step(*batch) == alone.step(*batch)
    assert all(np.array_equal(a, b) for a, b in zip(tensors(two.network), tensors(alone.network), strict=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("loss", "labels"), [("cross_entropy", "classes"), ("mean_squared_error", "rows")])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_a_step_allocates_nothing_that_grows(dtype, loss, labels, optimizer):
    sizes, m = (100, 300, 200, 64), 1024
    rng = np.random.default_rng(0)
    fast = FastStep(network_of(sizes, None, loss, rng, dtype), optimizer, m)
    X = rng.standard_normal((m, 100)).astype(dtype)
    Y = rng.integers(0, 64, m) if labels == "classes" else rng.standard_normal((m, 64)).astype(dtype)
    fast.step(X, Y)
    tracemalloc.start()
    fast.step(X, Y)
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    fast.step(X, Y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # NumPy converts the mask through a buffer of 8,192 numbers. The smallest activation takes 256 KiB.
    assert peak - before < 160 * 1024


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nbytes_counts_every_array_that_is_kept(dtype, monkeypatch):
    network, optimizer, _, size = steady(dtype)
    small = FastStep(network, optimizer, size)
    P = sum(t.size for t in tensors(network))
    units, widest = 4 + 3 + 2, 4
    item = np.dtype(dtype).itemsize
    assert small.nbytes == item * (2 * P + 7 * units + 4 * 7 * widest + 7)
    monkeypatch.setattr(fast_step, "ALL_AT_ONCE", 0)
    large, largest_layer = FastStep(network, optimizer, size), (5 + 1) * 4
    transposed = 7 * widest if dtype is np.float32 else 0
    assert large.nbytes == item * (P + largest_layer + 7 * units + 4 * 7 * widest + 7 + transposed)
    assert repr(small) == "FastStep(MLP(5-4-3-2, relu relu softmax, cross_entropy), GradientDescent(learning_rate=0.1), batch_size=7)"  # fmt: skip  # noqa: E501


def test_training_offers_it():
    assert training.FastStep is FastStep


# -- what comes in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "Y"),
    [
        ([[1, 2], [3, 4], [0, 1]], [0, 1, 1]),
        (np.asfortranarray([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]]), np.array([0, 1, 1], np.uint8)),
        (np.array([[1, 2], [3, 4], [0, 1]], np.float32), [[True, False], [False, True], [False, True]]),
        (np.arange(24.0).reshape(6, 4)[::2, ::2] / 8, np.array([[0.5, 0.5], [1, 2], [0, 0]], ">f8")),
    ],
    ids=["lists", "columns first", "narrower", "strided"],
)
def test_whatever_the_readable_functions_take(X, Y):
    _, _, weights, biases = running_example()
    assert disagreement(MLP(weights, biases), GradientDescent(0.01), [(X, Y)] * 2, 4) < BOUND


def test_a_float32_network_reads_float64_data_in_float32():
    network, optimizer, batches, size = steady(np.float32)
    wide = [(X.astype(np.float64), Y) for X, Y in batches]
    narrow, fast = FastStep(network, optimizer, size), FastStep(network, optimizer, size)
    assert [narrow.step(*b) for b in batches] == [fast.step(*b) for b in wide]
    assert fast.network.weights[0].dtype == np.float32


GOOD_X, GOOD_Y = np.array([[1.0, 2.0], [3.0, -4.0], [0.5, 1.0]]), np.array([0, 1, 1])


def with_entry(value):
    X = GOOD_X.copy()
    X[1, 0] = value
    return X


BAD = {
    "features": (GOOD_X[:, :1], GOOD_Y, ValueError, r"X has shape \(3, 1\), but weights\[0\] has 2 features"),
    "axes": (GOOD_X[0], GOOD_Y, ValueError, r"X has shape \(2,\)"),
    "nan": (with_entry(np.nan), GOOD_Y, ValueError, r"X is nan at index \(1, 0\)"),
    "inf": (with_entry(np.inf), GOOD_Y, ValueError, r"X is inf at index \(1, 0\)"),
    "-inf": (with_entry(-np.inf), GOOD_Y, ValueError, r"X is -inf at index \(1, 0\)"),
    "text": ([["a", "b"]] * 3, GOOD_Y, TypeError, "X has dtype"),
    "complex": (GOOD_X + 0j, GOOD_Y, TypeError, "X has dtype complex128"),
    "too many": (np.ones((5, 2)), np.zeros(5, int), ValueError, "X has 5 samples: expected 1 to 4, the batch size"),
    "none": (np.ones((0, 2)), np.zeros(0, int), ValueError, "X has 0 samples"),
    "class K": (GOOD_X, np.array([0, 2, 1]), ValueError, "Y is 2 at index 1: expected a class from 0 to 1"),
    "class -1": (GOOD_X, np.array([0, -1, 1]), ValueError, "Y is -1 at index 1"),
    "a huge class": (GOOD_X, np.array([0, 2**63 + 1, 1], np.uint64), ValueError, "Y is 9223372036854775809 at index 1"),
    "too few labels": (GOOD_X, GOOD_Y[:2], ValueError, r"Y has shape \(2,\)"),
    "floats as classes": (GOOD_X, GOOD_Y.astype(float), TypeError, "Y has one axis and dtype float64"),
    "negative weight": (GOOD_X, np.array([[0, 1], [1, -0.5], [0, 1]]), ValueError, "Y is -0.5 at index"),
    "nan weight": (GOOD_X, np.array([[0, 1], [1, np.nan], [0, 1]]), ValueError, "Y is nan at index"),
    "other rows": (GOOD_X, np.ones((3, 1)), ValueError, r"Y has shape \(3, 1\)"),
    "three axes": (GOOD_X, np.ones((3, 1, 2)), ValueError, r"Y has shape \(3, 1, 2\)"),
    "too large": (with_entry(1e308) * 1.7, GOOD_Y, ValueError, "beyond the range of float64: expected smaller numbers"),
}


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_and_nothing_has_moved(case, large, monkeypatch):
    if large:
        monkeypatch.setattr(fast_step, "ALL_AT_ONCE", 0)
    X, Y, error, message = BAD[case]
    _, _, weights, biases = running_example()
    fast = FastStep(MLP(weights, biases), Momentum(0.1), 4)
    twin = FastStep(MLP(weights, biases), Momentum(0.1), 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=message):
            fast.step(X, Y)
    assert fast.step(GOOD_X, GOOD_Y) == twin.step(GOOD_X, GOOD_Y)
    assert all(np.array_equal(a, b) for a, b in zip(tensors(fast.network), tensors(twin.network), strict=True))


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("X", [[[np.inf, 0.0], [1.0, 0.0]], [[np.inf, 0.0]]], ids=["two samples", "one sample"])
def test_an_infinite_input_behind_units_that_are_all_dead_is_refused(X, units, large, monkeypatch):
    if large:
        monkeypatch.setattr(fast_step, "ALL_AT_ONCE", 0)
    W1 = -np.ones((2, units))
    network = MLP([W1, np.array([[1.0, 2.0], [3.0, -1.0]])[:units]], [np.zeros(units), np.zeros(2)])
    fast = FastStep(network, GradientDescent(0.1), 2)
    fast.step([[1.0, 1.0], [2.0, 1.0]], [0, 1])
    before = fast.network
    # A list would be refused while it is read. This array is taken as it is.
    with pytest.raises(ValueError, match="X is inf"):
        fast.step(np.array(X), [0] * len(X))
    assert all(np.array_equal(a, b) for a, b in zip(tensors(before), tensors(fast.network), strict=True))


@pytest.mark.parametrize("shape", [(3, 1), (3, 4), (3, 5), (2, 4), (2, 1), (1, 2, 1), (2, 2, 2), (2,)])
def test_inputs_of_another_shape_are_refused_by_name(shape):
    network = network_of((2, 4, 1), ["relu", "identity"], "mean_squared_error", np.random.default_rng(0))
    fast = FastStep(network, GradientDescent(0.1), 3)
    with pytest.raises(ValueError, match=re.escape(f"X has shape {shape}")):
        fast.step(np.ones(shape), np.ones((shape[0], 1)))  # an array of the network's dtype: nothing else reads it


def test_a_loss_beyond_the_range_is_refused():
    network = MLP([np.full((1, 1), 1e20, np.float32)], [np.zeros(1, np.float32)], loss="mean_squared_error")
    fast = FastStep(network, GradientDescent(0.1), 2)
    with pytest.raises(ValueError, match="beyond the range of float32"):
        fast.step(np.array([[1.0], [2.0]], np.float32), np.zeros((2, 1), np.float32))
    with pytest.raises(ValueError, match=r"Y is nan at index \(0, 0\)"):
        fast.step([[0.0]], [[np.nan]])
    assert fast.network.weights[0][0, 0] == np.float32(1e20)


@pytest.mark.parametrize(
    ("W", "X", "message"),
    [(1e38, 1e-18, "the loss is inf, beyond the range"), (1e-20, 1e38, "a gradient is beyond the range")],
)
def test_what_is_beyond_the_range_is_named(W, X, message, monkeypatch):
    network = MLP([np.full((1, 1), W, np.float32)], [np.zeros(1, np.float32)], loss="mean_squared_error")
    fast = FastStep(network, GradientDescent(0.1), 1)
    monkeypatch.setattr(MLP, "loss_and_gradients", lambda *_: None)  # which would refuse a gradient in its own words
    with pytest.raises(ValueError, match=f"^{message} of the network's float32: expected smaller numbers"):
        fast.step(np.array([[X]], np.float32), np.zeros((1, 1), np.float32))
    assert fast.network.weights[0][0, 0] == np.float32(W)


def test_what_it_is_made_from_is_checked():
    _, _, weights, biases = running_example()
    network, descent = MLP(weights, biases), GradientDescent(0.1)
    for arguments, error, message in [
        (("net", descent, 4), TypeError, "network is 'net': expected an MLP"),
        ((network, "adam", 4), TypeError, "optimizer is 'adam': expected one of GradientDescent, Momentum, Adam"),
        ((network, descent, 0), ValueError, "batch_size is 0: expected at least 1"),
        ((network, descent, 2.0), TypeError, "batch_size is 2.0: expected an integer"),
        ((MLP([W + 0j for W in weights], biases), descent, 4), TypeError, "complex"),
    ]:
        with pytest.raises(error, match=message):
            FastStep(*arguments)
