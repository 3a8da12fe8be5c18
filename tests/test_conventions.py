"""Each note's formulas, written out literally, against `to_note`; `from_note` against the round trip; bad input."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import activations, conventions
from backprop.conventions import CONVENTIONS, Pass, from_note, to_note
from backprop.datasets import running_example
from backprop.gradcheck import relative_error
from backprop.network import MLP

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)

# Which loss and which output each note is about; hidden layers may have any of these.
PROBLEMS = {
    "000": ("mean_squared_error", "tanh"),
    "001": ("mean_squared_error", "sigmoid"),
    "002-ce": ("cross_entropy", "softmax"),
    "002-mse": ("mean_squared_error", "identity"),
    "002-bce": ("binary_cross_entropy", "sigmoid"),
    "003": ("cross_entropy", "softmax"),
    "004": ("mean_squared_error", "tanh"),
    "pytorch": ("mean_squared_error", "identity"),
}
HIDDEN = ("relu", "sigmoid", "tanh", "selu")
widths = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def network_and_data(note, sizes, m, seed, hidden="tanh", loss=None, output=None):
    """Random parameters and data; 003 has ReLU in its hidden layers, 004 one activation for all layers."""
    loss, output = loss or PROBLEMS[note][0], output or PROBLEMS[note][1]
    rng = np.random.default_rng(seed)
    hidden = {"003": "relu", "004": output}.get(note, hidden)
    weights = [rng.normal(size=shape) for shape in itertools.pairwise(sizes)]
    names = [hidden] * (len(sizes) - 2) + [output]
    network = MLP(weights, [rng.normal(size=n) for n in sizes[1:]], names, loss)
    Y = rng.normal(size=(m, sizes[-1]))
    if loss == "cross_entropy":
        Y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], m)]
    if loss == "binary_cross_entropy":
        Y = rng.integers(0, 2, (m, sizes[-1])).astype(float)
    return network, rng.normal(size=(m, sizes[0])), Y


def slope(name, z):
    """f′, written here once more, so that nothing but the forward pass is shared with the package."""
    s, t = 1 / (1 + np.exp(-z)), np.tanh(z)
    if name == "selu":
        return activations.selu_derivative(z)
    return {"relu": (z > 0) * 1.0, "sigmoid": s * (1 - s), "tanh": 1 - t**2, "identity": np.ones_like(z)}[name]


# The notes, formula by formula ----------------------------------------------------------------------------------------


def note_000(network, X, Y):
    """Linear Backpropagation: Z = XW + b; dW = XᵀdZ, db = sum(dZ, axis=0), dX = dZ Wᵀ. It starts from a given dZ."""
    f = network.activations
    Z, A = [], [X]
    for W, b, name in zip(network.weights, network.biases, f, strict=True):
        Z.append(A[-1] @ W + b)
        A.append(activations.ACTIVATIONS[name].function(Z[-1]))
    loss = np.mean(np.sum((A[-1] - Y) ** 2, axis=1))
    dA, dZ, dW, db = [2 * (A[-1] - Y) / len(X)], [], [], []
    for l in reversed(range(len(f))):
        dZ.insert(0, dA[0] * slope(f[l], Z[l]))
        dW.insert(0, A[l].T @ dZ[0])
        db.insert(0, np.sum(dZ[0], axis=0))
        dA.insert(0, dZ[0] @ network.weights[l].T)
    return Pass(X, Y, network.weights, network.biases, Z, A[1:], loss, dZ, dA[1:], dW, db, dA[0])


def note_001(network, X, Y):
    """Matrix form: one sample as a column. z = Wx + b; dz = da ⊙ σ′(z), db = dz, dW = dz·xᵀ, dx = Wᵀ dz."""
    W, b = [w.T for w in network.weights], [b[:, None] for b in network.biases]
    passes = []
    for x, y in zip(X[:, :, None], Y[:, :, None], strict=True):
        z, a = [], [x]
        for l, name in enumerate(network.activations):
            z.append(W[l] @ a[-1] + b[l])
            a.append(activations.ACTIVATIONS[name].function(z[-1]))
        L = float(np.sum((a[-1] - y) ** 2))
        da, dz, dW, db = [2 * (a[-1] - y)], [], [], []
        for l in reversed(range(len(W))):
            dz.insert(0, da[0] * slope(network.activations[l], z[l]))
            db.insert(0, dz[0])
            dW.insert(0, dz[0] @ a[l].T)
            da.insert(0, W[l].T @ dz[0])
        passes.append(Pass(x, y, W, b, z, a[1:], L, dz, da[1:], dW, db, da[0]))
    return passes


def note_002(network, X, Y, start, loss, from_A=None):
    """Mathematical foundations, steps 1 to 4, with the 1/m of its steps 2 and 3, from what it says to start with.

    The note does not say what dA of the output is where it starts from Z: `from_A` fills the place.
    """
    m, f = len(X), network.activations
    b = [b[None, :] for b in network.biases]
    Z, A = [], [X]
    for l, W in enumerate(network.weights):
        Z.append(A[-1] @ W + b[l])
        A.append(activations.ACTIVATIONS[f[l]].function(Z[-1]))
    dA, dZ, dW, db = [from_A(A[-1])], [start(A[-1])], [], []
    for l in reversed(range(len(f))):
        dW.insert(0, 1 / m * A[l].T @ dZ[0])
        db.insert(0, 1 / m * np.sum(dZ[0], axis=0, keepdims=True))
        dA.insert(0, dZ[0] @ network.weights[l].T)
        if l:
            dZ.insert(0, dA[0] * slope(f[l - 1], Z[l - 1]))
    return Pass(X, Y, network.weights, b, Z, A[1:], loss(A[-1]), dZ, dA[1:], dW, db, dA[0])


def note_002_ce(network, X, Y):
    return note_002(
        network, X, Y,
        start=lambda P: P - Y,
        loss=lambda P: -1 / len(X) * np.sum(Y * np.log(P)),
        from_A=lambda P: -Y / P,
    )  # fmt: skip


def note_002_mse(network, X, Y):
    def gradient(Y_hat):
        return 2 / len(X) * (Y_hat - Y)

    return note_002(
        network, X, Y, start=gradient, loss=lambda Y_hat: 1 / len(X) * np.sum((Y_hat - Y) ** 2), from_A=gradient
    )


def note_002_bce(network, X, Y):
    return note_002(
        network, X, Y,
        start=lambda A: A - Y,
        loss=lambda A: -1 / len(X) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)),
        from_A=lambda A: (A - Y) / (A * (1 - A)),
    )  # fmt: skip


def note_003(network, X, Y):
    """Output and hidden layers: columns are samples. dz = A − Y; dW = (1/m) dz Aᵀ, db = (1/m) Σ dz, dA = Wᵀ dz."""
    W, b, m = [w.T for w in network.weights], [b[:, None] for b in network.biases], len(X)
    z, A, labels = [], [X.T], Y.T
    for l in range(len(W)):
        z.append(W[l] @ A[-1] + b[l])
        hidden = l < len(W) - 1
        A.append(np.maximum(0, z[l]) if hidden else np.exp(z[l]) / np.sum(np.exp(z[l]), axis=0))
    loss = -1 / m * np.sum(labels * np.log(A[-1]))
    dA, dz, dW, db = [-labels / A[-1]], [A[-1] - labels], [], []
    for l in reversed(range(len(W))):
        dW.insert(0, 1 / m * dz[0] @ A[l].T)
        db.insert(0, 1 / m * np.sum(dz[0], axis=1, keepdims=True))
        dA.insert(0, W[l].T @ dz[0])
        if l:
            dz.insert(0, dA[0] * (z[l - 1] > 0))
    return Pass(X.T, labels, W, b, z, A[1:], loss, dz, dA[1:], dW, db, dA[0])


def note_004(network, X, Y):
    """Delta recursion: L = ½‖ŷ − y‖²; rows dL/db = δ ⊙ σ′(z) and δ = (dL/db) W, one layer lower; outer(dL/db, a)."""
    W, b, k = [w.T for w in network.weights], [b[:, None] for b in network.biases], len(network.weights)
    passes = []
    for x, y in zip(X[:, :, None], Y[:, :, None], strict=True):
        z, a = [], [x]
        for l in range(k):
            z.append(W[l] @ a[-1] + b[l])
            a.append(activations.ACTIVATIONS[network.activations[l]].function(z[-1]))
        L = float(np.sum((a[-1] - y) ** 2)) / 2
        delta, db, dW = [(a[-1] - y).T], [], []
        for c in reversed(range(k)):
            db.insert(0, delta[0] * slope(network.activations[c], z[c]).T)
            dW.insert(0, np.outer(db[0], a[c]))
            delta.insert(0, db[0] @ W[c])
        passes.append(Pass(x, y, W, b, z, a[1:], L, db, delta[1:], dW, db, delta[0]))
    return passes


def pytorch(network, X, Y):
    """weight of shape (out, in), X @ weight.T + b; the mean squared error over every entry; weight.grad = dZᵀ X."""
    V, f = [w.T for w in network.weights], network.activations
    Z, A = [], [X]
    for l, b in enumerate(network.biases):
        Z.append(A[-1] @ V[l].T + b)
        A.append(activations.ACTIVATIONS[f[l]].function(Z[-1]))
    dA, dZ, dV, db = [2 * (A[-1] - Y) / Y.size], [], [], []
    for l in reversed(range(len(V))):
        dZ.insert(0, dA[0] * slope(f[l], Z[l]))
        dV.insert(0, dZ[0].T @ A[l])
        db.insert(0, np.sum(dZ[0], axis=0))
        dA.insert(0, dZ[0] @ V[l])
    return Pass(X, Y, V, network.biases, Z, A[1:], np.mean((A[-1] - Y) ** 2), dZ, dA[1:], dV, db, dA[0])


LITERAL = {
    "000": note_000, "001": note_001, "002-ce": note_002_ce, "002-mse": note_002_mse, "002-bce": note_002_bce,
    "003": note_003, "004": note_004, "pytorch": pytorch,
}  # fmt: skip


def assert_same(left, right, rtol=1e-9):
    """Every field, with its shape; a list of passes one by one."""
    if not isinstance(left, Pass):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other, rtol)
        return
    for field in Pass._fields:
        one, other = getattr(left, field), getattr(right, field)
        one, other = (one, other) if isinstance(one, list | tuple) else ([one], [other])
        assert len(one) == len(other), field
        for mine, its in zip(one, other, strict=True):
            assert np.shape(mine) == np.shape(its), field
            scale = np.max(np.abs(its), initial=1e-300)
            np.testing.assert_allclose(mine, its, rtol=rtol, atol=rtol * scale, err_msg=field)


@pytest.mark.parametrize("note", CONVENTIONS)
@given(sizes=widths, m=st.integers(1, 7), seed=st.integers(0, 10**6), hidden=st.sampled_from(HIDDEN))
@quick
def test_the_note_s_own_formulas_give_the_same_pass(note, sizes, m, seed, hidden):
    network, X, Y = network_and_data(note, sizes, m, seed, hidden)
    literal = LITERAL[note](network, X, Y)
    pass_ = Pass.of(network, X, Y)
    assert_same(to_note(note, pass_), literal)
    assert_same(from_note(note, literal), pass_)


@pytest.mark.parametrize("note", CONVENTIONS)
@given(sizes=widths, m=st.integers(1, 7), seed=st.integers(0, 10**6), hidden=st.sampled_from(HIDDEN))
@quick
def test_there_and_back(note, sizes, m, seed, hidden):
    pass_ = Pass.of(*network_and_data(note, sizes, m, seed, hidden))
    assert_same(from_note(note, to_note(note, pass_)), pass_, rtol=1e-13)


@pytest.mark.parametrize("note", CONVENTIONS)
def test_each_factor_and_each_layout_is_seen(note):
    """With m, the widths and n_out all different, a wrong entry in the table of conventions cannot pass."""
    network, X, Y = network_and_data(note, [2, 4, 3], 5, 0)
    literal, pass_ = LITERAL[note](network, X, Y), Pass.of(network, X, Y)
    right = CONVENTIONS[note]
    wrong = {
        "samples": "rows" if right.samples == "columns" else "columns",
        "weights": "in, out" if right.weights == "out, in" else "out, in",
        "bias": "flat" if right.bias != "flat" else "column",
        "gradients": "rows" if right.gradients != "rows" and right.samples == "columns" else "like the variable",
        "loss_factor": lambda loss, n_out: 2 * right.loss_factor(loss, n_out),
        "c": lambda m: 7 * right.c(m),
        "kappa": lambda m: 7 * right.kappa(m),
    }
    for field, value in wrong.items():
        if value == getattr(right, field):
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(conventions.CONVENTIONS, note, dataclasses.replace(right, **{field: value}))
            with pytest.raises((AssertionError, ValueError)):
                assert_same(to_note(note, pass_), literal)


# What the table says --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "output"), [("cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid")])
def test_pytorch_averages_cross_entropy_over_samples_and_binary_cross_entropy_over_everything(loss, output):
    pass_ = Pass.of(*network_and_data("pytorch", [2, 5, 3], 4, 1, loss=loss, output=output))
    in_pytorch = to_note("pytorch", pass_)
    factor = 1 if loss == "cross_entropy" else 3
    assert in_pytorch.loss * factor == pytest.approx(pass_.loss, rel=1e-14)
    np.testing.assert_allclose(factor * in_pytorch.dW[0].T, pass_.dW[0], rtol=1e-14)
    assert_same(from_note("pytorch", in_pytorch), pass_, rtol=1e-13)


@pytest.mark.parametrize("loss", ["half_squared_error", "mean_squared_error"])
def test_a_single_sample_s_loss_has_the_batch_s_as_its_mean(loss):
    network, X, Y = network_and_data("001", [2, 4, 3], 5, 2, loss=loss)
    pass_ = Pass.of(network, X, Y)
    parts = to_note("001", pass_)
    assert np.mean([part.loss for part in parts]) == pytest.approx(pass_.loss, rel=1e-14)
    assert_same(from_note("001", parts), pass_, rtol=1e-13)


def test_a_single_sample_s_gradients_are_those_of_its_own_loss():
    """Against the network itself, run on that sample alone."""
    network, X, Y = network_and_data("001", [2, 4, 3], 5, 3)
    for i, part in enumerate(to_note("001", Pass.of(network, X, Y))):
        alone = Pass.of(network, X[[i]], Y[[i]])
        assert part.loss == pytest.approx(alone.loss, rel=1e-14)
        assert relative_error(part.dW[0].T, alone.dW[0]) < 1e-14
        assert relative_error(part.dX.T, alone.dX) < 1e-14


def test_classes_become_columns_with_a_single_one():
    X, Y, weights, biases = running_example()
    pass_ = Pass.of(MLP(weights, biases), X, Y)
    with_classes = pass_._replace(Y=Y)
    assert to_note("003", with_classes).Y.tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]
    assert [part.Y.ravel().tolist() for part in to_note("001", with_classes)] == [[0, 1], [1, 0], [1, 0], [0, 1]]
    assert to_note("pytorch", with_classes).Y.tolist() == Y.tolist()
    assert_same(from_note("003", to_note("003", with_classes)), pass_, rtol=1e-14)


def test_float32_stays_float32():
    network, X, Y = network_and_data("003", [2, 4, 3], 5, 4)
    network = MLP([w.astype(np.float32) for w in network.weights], [b.astype(np.float32) for b in network.biases])
    pass_ = Pass.of(network, X.astype(np.float32), Y.astype(np.float32))
    for note in ("000", "001", "002-ce", "003", "pytorch"):
        found = to_note(note, pass_)
        parts = found if isinstance(found, list) else [found]
        for part in parts:
            arrays = [part.X, part.dX, *part.weights, *part.biases, *part.Z, *part.A, *part.dZ, *part.dA, *part.dW]
            assert {array.dtype for array in arrays} == {np.dtype(np.float32)}, note
        assert {w.dtype for w in from_note(note, found).dW} == {np.dtype(np.float32)}


@pytest.mark.parametrize("note", CONVENTIONS)
def test_nothing_is_shared_and_nothing_is_changed(note):
    network, X, Y = network_and_data(note, [2, 4, 3], 5, 5)
    pass_ = Pass.of(network, X, Y)
    before = [array.copy() for field in Pass._fields for array in _arrays(pass_, field)]
    found = to_note(note, pass_)
    for part in found if isinstance(found, list) else [found]:
        for field in Pass._fields:
            for array in _arrays(part, field):
                array += 1
    after = [array for field in Pass._fields for array in _arrays(pass_, field)]
    assert all(map(np.array_equal, before, after))


def _arrays(pass_, field):
    value = getattr(pass_, field)
    return value if isinstance(value, list) else [] if field == "loss" else [value]


@pytest.mark.parametrize("note", ["002-ce", "003", "pytorch"])
def test_a_saturated_prediction_translates_without_a_warning(note):
    """p rounds to 0 where y = 1: the loss is finite from the logits, dA is not."""
    network = MLP([np.array([[1000.0, -1000.0], [0.0, 1.0]])], [np.zeros(2)])
    pass_ = Pass.of(network, [[1.0, 2.0], [-2.0, 1.0], [0.5, 0.5]], [1, 0, 0])
    assert np.isinf(pass_.dA[0]).any()
    back = from_note(note, to_note(note, pass_))
    assert back.loss == pytest.approx(pass_.loss)
    np.testing.assert_allclose(back.dW[0], pass_.dW[0])


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pass_():
    return Pass.of(*network_and_data("003", [2, 4, 3], 5, 6))


@pytest.mark.parametrize("translate", [to_note, from_note])
def test_a_note_that_is_not_there(translate, pass_):
    with pytest.raises(ValueError, match="note is '002': expected one of 000, 001, 002-ce"):
        translate("002", pass_)


@pytest.mark.parametrize("note", ["002-mse", "002-bce", "004"])
def test_a_loss_that_the_note_does_not_have(note, pass_):
    with pytest.raises(ValueError, match=r"pass_ has the loss .*, but note .* expects (mean_sq|binary_cross_entropy)"):
        to_note(note, pass_)


def test_a_pass_that_is_read_in_the_wrong_convention(pass_):
    """The loss gives it away."""
    network, X, Y = network_and_data("002-mse", [2, 4, 3], 5, 6)
    with pytest.raises(ValueError, match="note_pass does not have the loss of note 002-ce: expected cross_entropy"):
        from_note("002-ce", to_note("002-mse", Pass.of(network, X, Y)))
    with pytest.raises(ValueError, match="of note 004: expected mean_squared_error"):
        from_note("004", [part._replace(loss=2 * part.loss) for part in to_note("004", Pass.of(network, X, Y))])
    with pytest.raises(ValueError, match=r"note_pass: db\[0\] has shape \(4, 1\): expected \(1, 4\)"):
        from_note("004", to_note("001", Pass.of(network, X, Y)))


def test_half_the_squared_error_is_not_canonical():
    half = Pass.of(*network_and_data("004", [2, 4, 3], 5, 7, loss="half_squared_error"))
    with pytest.raises(ValueError, match="note 004 expects mean_squared_error"):
        to_note("004", half)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (lambda p: {"X": p.X.T}, r"pass_.weights\[0\] has shape \(2, 4\) in rows of samples: expected \(5, 4\)"),
        (lambda p: {"Y": p.Y.T}, r"pass_.Y has shape \(3, 5\) in rows of samples: expected \(5, 3\)"),
        (lambda p: {"Y": np.full(5, np.nan)}, "pass_.Y is nan at index 0"),
        (lambda p: {"Y": np.array([0, 1])}, r"pass_.Y has shape \(2,\) in rows of samples: expected \(5,\)"),
        (lambda p: {"dW": [p.dW[0], p.dW[1].T]}, r"pass_.dW\[1\] has shape \(3, 4\) .*: expected \(4, 3\)"),
        (lambda p: {"biases": [p.biases[0][:, None], p.biases[1]]}, r"pass_.biases\[0\] has shape \(4, 1\)"),
        (
            lambda p: {"weights": [p.weights[0].ravel(), p.weights[1]]},
            r"pass_.weights\[0\] has shape \(8,\) .* \(2, 8\)",
        ),
        (
            lambda p: {"weights": [np.array(1.0), p.weights[1]]},
            r"pass_.weights\[0\] has shape \(\) .*: expected \(2, 0\)",
        ),
        (lambda p: {"dX": p.dX[:, :1]}, r"pass_.dX has shape \(5, 1\) in rows of samples: expected \(5, 2\)"),
        (lambda p: {"dZ": p.dZ[:1]}, "pass_.dZ has 1 arrays: expected one for each layer"),
        (lambda p: {"A": [p.A[0], np.full_like(p.A[1], np.nan)]}, r"pass_.A\[1\] is nan at index \(0, 0\)"),
    ],
)
def test_what_is_not_a_pass_in_rows(changes, message, pass_):
    with pytest.raises(ValueError, match=message):
        to_note("003", pass_._replace(**changes(pass_)))


def test_rows_of_integers_become_numbers_and_classes_stay_classes(pass_):
    for Y, kind in [(np.eye(3, dtype=int)[[0, 2, 1, 0, 1]], "f"), (np.array([0, 2, 1, 0, 1]), "i")]:
        found = to_note("000", pass_._replace(Y=Y)).Y
        assert found.dtype.kind == kind
        assert np.array_equal(found, Y)


def test_rows_where_the_note_has_columns(pass_):
    with pytest.raises(ValueError, match=r"note_pass: biases\[0\] has shape \(4,\): expected \(4, 1"):
        from_note("003", pass_)


def test_what_is_no_pass_at_all(pass_):
    with pytest.raises(TypeError, match="pass_ is a dict: expected a Pass"):
        to_note("003", pass_._asdict())
    with pytest.raises(TypeError, match="note_pass is a list: expected a Pass"):
        from_note("003", [pass_])
    with pytest.raises(TypeError, match="note_pass is a Pass, but note 001 has one sample: expected a list"):
        from_note("001", pass_)
    with pytest.raises(TypeError, match="note_pass is empty"):
        from_note("004", [])
    with pytest.raises(TypeError, match=r"note_pass\[1\] is a int: expected a Pass"):
        from_note("001", [to_note("001", pass_)[0], 3])


def test_samples_of_two_networks(pass_):
    parts = to_note("001", pass_)
    other = parts[1]._replace(weights=[2 * w for w in parts[1].weights])
    with pytest.raises(ValueError, match=r"note_pass\[1\] has other weights than note_pass\[0\]"):
        from_note("001", [parts[0], other])
