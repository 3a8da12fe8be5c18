"""The linear layer: by hand, by index sums, by three independent kinds of derivative, and on bad input."""

import inspect

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop._arrays import promoted
from backprop.datasets import running_example
from backprop.layers import LinearGradients, linear_backward, linear_forward

quick = settings(max_examples=40, deadline=None, derandomize=True, database=None)

# All dimensions different, m ≥ 3, no zero, no symmetry: nothing for an error to hide behind. The square case shows
# that a check does not live on shapes alone.
SIZES = [(5, 3, 4), (3, 3, 3)]


def operands(m, n_in, n_out, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, n_in)), rng.normal(size=(n_in, n_out)), rng.normal(size=n_out)


def integers(*shape, seed=0):
    """From 1 to 9 with alternating signs. Two arrays of one shape need two seeds, or XᵀdZ is symmetric."""
    size = np.random.default_rng([seed, *shape]).integers(1, 10, size=shape)
    return size * (-1) ** np.arange(size.size).reshape(shape)


# The loss of the checks: not linear in Z, and it couples all entries, so that no shortcut passes.
def loss_of(Z, xp=np):
    return xp.sum(xp.sin(Z)) ** 2 + xp.sum(Z[0] * Z[-1] ** 2)


def loss_gradient(Z):
    return autograd.grad(lambda Z: loss_of(Z, anp))(Z)


# By hand --------------------------------------------------------------------------------------------------------------


def test_forward_by_hand_on_the_running_example():
    X, _, (W1, _), (b1, _) = running_example()
    Z = linear_forward(X, W1, b1)
    assert Z[0, 2] == (-3) * 1 + 1 * (-2) + 2 == -3
    assert Z.tolist() == [[3, 4, -3], [-3, 2, -7], [-2, -6, 2], [7, 2, 3]]


def test_backward_by_hand():
    X, W, dZ = [[1, 2], [3, 4], [5, 6]], [[1, 0, -1], [2, 1, 0]], [[1, 0, 2], [0, 1, 0], [-1, 0, 1]]
    dX, dW, db = linear_backward(dZ, X, W)
    assert dW[0, 2] == 1 * 2 + 3 * 0 + 5 * 1 == 7  # column 0 of X with column 2 of dZ: a sum over the samples
    assert dX[0, 1] == 1 * 2 + 0 * 1 + 2 * 0 == 2  # row 0 of dZ with row 1 of W: a sum over the outputs
    assert db[2] == 2 + 0 + 1 == 3
    assert dX.tolist() == [[-1, 2], [0, 1], [-2, -2]]
    assert dW.tolist() == [[-4, 3, 7], [-4, 4, 10]]
    assert db.tolist() == [0, 1, 3]


def test_one_sample_has_db_equal_to_dz_and_dw_an_outer_product():
    dX, dW, db = linear_backward([[3, 4]], [[5, 6, 7]], [[1, 2], [0, 1], [2, 2]])
    assert dW.tolist() == np.outer([5, 6, 7], [3, 4]).tolist()
    assert db.tolist() == [3, 4]
    assert dX.tolist() == [[3 + 8, 4, 6 + 8]]


# The checks that a backward pass must survive, and the wrong ones that must not ---------------------------------------


def check_index_sums(backward, sizes):
    """Note 000's sums over indices, in integers, so that equality is exact."""
    m, n_in, n_out = sizes
    dZ, X, W = integers(m, n_out, seed=1), integers(m, n_in, seed=2), integers(n_in, n_out, seed=3)
    dX, dW, db = backward(dZ, X, W)
    assert np.shape(dX) == (m, n_in)
    assert np.shape(dW) == (n_in, n_out)
    assert np.shape(db) == (n_out,)
    for j in range(n_out):
        assert db[j] == sum(dZ[n, j] for n in range(m))
        for i in range(n_in):
            assert dW[i, j] == sum(X[n, i] * dZ[n, j] for n in range(m))
    for n in range(m):
        for i in range(n_in):
            assert dX[n, i] == sum(dZ[n, j] * W[i, j] for j in range(n_out))


def check_autodiff(backward, sizes):
    X, W, b = operands(*sizes)
    got = backward(loss_gradient(X @ W + b), X, W)
    want = autograd.grad(lambda v: loss_of(anp.dot(v[0], v[1]) + v[2], anp))((X, W, b))
    for gradient, reference in zip(got, want, strict=True):
        assert np.shape(gradient) == reference.shape
        np.testing.assert_allclose(gradient, reference, rtol=1e-11, atol=1e-11)


def check_centred_differences(backward, sizes):
    h = 1e-5
    values = operands(*sizes)
    X, W, b = values
    got = backward(loss_gradient(X @ W + b), X, W)
    for k, gradient in enumerate(got):
        assert np.shape(gradient) == values[k].shape
        for index in np.ndindex(values[k].shape):
            shifted = [[v.copy() for v in values] for _ in range(2)]
            shifted[0][k][index] += h
            shifted[1][k][index] -= h
            plus, minus = (loss_of(linear_forward(*v)) for v in shifted)
            np.testing.assert_allclose(gradient[index], (plus - minus) / (2 * h), rtol=1e-6, atol=1e-7)


def check_complex_step(backward, sizes):
    h = 1e-20
    values = operands(*sizes)
    X, W, b = values
    got = backward(loss_gradient(X @ W + b), X, W)
    for k, gradient in enumerate(got):
        assert np.shape(gradient) == values[k].shape
        for index in np.ndindex(values[k].shape):
            shifted = [v.astype(complex) for v in values]
            shifted[k][index] += 1j * h
            np.testing.assert_allclose(
                gradient[index], loss_of(linear_forward(*shifted)).imag / h, rtol=1e-11, atol=1e-11
            )


CHECKS = [check_index_sums, check_autodiff, check_centred_differences, check_complex_step]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("check", CHECKS)
def test_the_backward_pass_survives_every_check(check, sizes):
    check(linear_backward, sizes)


WRONG = {
    "dX = dZ W": lambda dZ, X, W: (dZ @ W, X.T @ dZ, dZ.sum(0)),
    "dX = (W dZᵀ) as it comes": lambda dZ, X, W: (W @ dZ.T, X.T @ dZ, dZ.sum(0)),
    "dX = −dZ Wᵀ": lambda dZ, X, W: (-dZ @ W.T, X.T @ dZ, dZ.sum(0)),
    "dX = dZ Wᵀ / m": lambda dZ, X, W: (dZ @ W.T / len(X), X.T @ dZ, dZ.sum(0)),
    "dW = dZᵀ X": lambda dZ, X, W: (dZ @ W.T, dZ.T @ X, dZ.sum(0)),
    "dW = X dZ": lambda dZ, X, W: (dZ @ W.T, X @ dZ, dZ.sum(0)),
    "dW = −Xᵀ dZ": lambda dZ, X, W: (dZ @ W.T, -X.T @ dZ, dZ.sum(0)),
    "dW = Xᵀ dZ / m": lambda dZ, X, W: (dZ @ W.T, X.T @ dZ / len(X), dZ.sum(0)),
    "dW from the last sample": lambda dZ, X, W: (dZ @ W.T, np.outer(X[-1], dZ[-1]), dZ.sum(0)),
    "db = mean of dZ": lambda dZ, X, W: (dZ @ W.T, X.T @ dZ, dZ.mean(0)),
    "db over the outputs": lambda dZ, X, W: (dZ @ W.T, X.T @ dZ, dZ.sum(1)),
    "db keeps its axis": lambda dZ, X, W: (dZ @ W.T, X.T @ dZ, dZ.sum(0, keepdims=True)),
    "db = −sum": lambda dZ, X, W: (dZ @ W.T, X.T @ dZ, -dZ.sum(0)),
    "db = dZ": lambda dZ, X, W: (dZ @ W.T, X.T @ dZ, dZ),
    "dW and dX exchanged": lambda dZ, X, W: (X.T @ dZ, dZ @ W.T, dZ.sum(0)),
}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_backward_pass_is_caught_by_every_check(wrong, check, sizes):
    # A shape that does not fit is a ValueError of NumPy's; with square matrices only the numbers are left.
    with pytest.raises((AssertionError, ValueError)):
        check(WRONG[wrong], sizes)


# Properties -----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
@quick
def test_backward_is_the_adjoint_of_the_forward_differential(m, n_in, n_out, seed):
    """⟨dZ, Ẋ W + X Ẇ + 1 ḃ⟩ = ⟨dX, Ẋ⟩ + ⟨dW, Ẇ⟩ + ⟨db, ḃ⟩ for every direction; integers, so exactly."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.integers(-9, 10, size=shape)  # noqa: E731
    X, W, dZ = draw(m, n_in), draw(n_in, n_out), draw(m, n_out)
    X_dot, W_dot, b_dot = draw(m, n_in), draw(n_in, n_out), draw(n_out)
    dX, dW, db = linear_backward(dZ, X, W)
    forward = np.sum(dZ * (X_dot @ W + X @ W_dot + b_dot))
    assert forward == np.sum(dX * X_dot) + np.sum(dW * W_dot) + np.sum(db * b_dot)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
@quick
def test_the_bias_is_the_weight_of_a_constant_feature(m, n_in, n_out, seed):
    rng = np.random.default_rng(seed)
    X, W, b, dZ = (rng.integers(-9, 10, size=s) for s in ((m, n_in), (n_in, n_out), n_out, (m, n_out)))
    X1, W1 = np.column_stack([X, np.ones(m)]), np.vstack([W, b])
    np.testing.assert_array_equal(linear_forward(X, W, b), linear_forward(X1, W1, np.zeros(n_out)))
    _, dW1, _ = linear_backward(dZ, X1, W1)
    _, dW, db = linear_backward(dZ, X, W)
    np.testing.assert_array_equal(dW1, np.vstack([dW, db]))


# Arrays: dtypes, layouts, empty ones ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtypes", "result"),
    [
        (("f4", "f4", "f4"), "f4"),
        (("f8", "f8", "f8"), "f8"),
        (("f4", "f8", "f4"), "f8"),
        (("i4", "i4", "i4"), "f8"),
        (("?", "?", "?"), "f8"),
        (("u1", "f4", "f4"), "f8"),
        ((">f8", ">f8", ">f8"), "f8"),
        ((">f4", "f4", "f4"), "f4"),
    ],
)
def test_dtypes(dtypes, result):
    X, W, b = (integers(*s).astype(t) for s, t in zip([(5, 3), (3, 4), (4,)], dtypes, strict=True))
    assert linear_forward(X, W, b).dtype == result
    dZ = integers(5, 4).astype(dtypes[0])
    assert all(g.dtype == result for g in linear_backward(dZ, X, W))


def test_complex_passes_forward_where_one_argument_is_complex():
    X, W, b = operands(5, 3, 4)
    for k in range(3):
        values = [X, W, b]
        values[k] = values[k] + 1e-20j
        assert linear_forward(*values).dtype == np.complex128


def layouts(array):
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]))
    wide[..., ::2] = array
    backwards = array[::-1].copy()[::-1]
    read_only = array.copy()
    read_only.flags.writeable = False
    return [np.asfortranarray(array), wide[..., ::2], backwards, read_only, array.tolist()]


def test_every_memory_layout_gives_the_same_numbers():
    X, W, b, dZ = integers(5, 3), integers(3, 4), integers(4), integers(5, 4)
    Z, gradients = linear_forward(X, W, b), linear_backward(dZ, X, W)
    for X2, W2, dZ2 in zip(layouts(X), layouts(W), layouts(dZ), strict=True):
        np.testing.assert_array_equal(linear_forward(X2, W2, b.tolist()), Z)
        for got, want in zip(linear_backward(dZ2, X2, W2), gradients, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arguments_stay_as_they_were_and_results_are_new_arrays(dtype):
    X, W, b, dZ = (integers(*s).astype(dtype) for s in ((5, 3), (3, 4), (4,), (5, 4)))
    before = [v.copy() for v in (X, W, b, dZ)]
    results = [linear_forward(X, W, b), *linear_backward(dZ, X, W)]
    for result in results:
        assert not any(np.shares_memory(result, v) for v in (X, W, b, dZ))
        result[...] = 99
    for v, old in zip((X, W, b, dZ), before, strict=True):
        np.testing.assert_array_equal(v, old)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_samples_give_zeros_of_the_right_shape(dtype):
    X, W, b = np.ones((0, 3), dtype), np.ones((3, 4), dtype), np.ones(4, dtype)
    assert linear_forward(X, W, b).shape == (0, 4)
    dX, dW, db = linear_backward(np.ones((0, 4), dtype), X, W)
    assert dX.shape == (0, 3)
    np.testing.assert_array_equal(dW, np.zeros((3, 4)))
    np.testing.assert_array_equal(db, np.zeros(4))
    assert dX.dtype == dW.dtype == db.dtype == dtype


def test_no_features_leave_the_bias():
    np.testing.assert_array_equal(linear_forward(np.ones((2, 0)), np.ones((0, 3)), [1, 2, 3]), [[1, 2, 3]] * 2)


def test_the_result_is_a_named_tuple_and_the_arguments_have_names():
    gradients = linear_backward(dZ=integers(5, 4), X=integers(5, 3), W=integers(3, 4))
    assert isinstance(gradients, LinearGradients)
    assert gradients._fields == ("dX", "dW", "db")
    assert list(inspect.signature(linear_forward).parameters) == ["X", "W", "b"]
    assert list(inspect.signature(linear_backward).parameters) == ["dZ", "X", "W"]
    assert "return X @ W + b" in inspect.getsource(linear_forward)


# Bad input ------------------------------------------------------------------------------------------------------------


def test_a_call_is_bound_as_python_binds_it():
    X, W, b = np.ones((5, 3)), np.ones((3, 2)), np.ones(2)
    with pytest.raises(TypeError, match="missing a required argument: 'b'"):
        linear_forward(X, W)
    with pytest.raises(TypeError, match="multiple values for argument 'b'"):
        linear_forward(X, W, b, b=b)
    with pytest.raises(TypeError, match="unexpected keyword argument 'bias'"):
        linear_forward(X, W, b, bias=b)
    assert np.array_equal(linear_forward(X, W, b=b), linear_forward(X, W, b))


def test_real_arrays_stay_real_beside_complex_ones():
    found = promoted({"Z": np.ones(2, np.complex128), "W": np.ones(3, np.float32), "b": np.ones(1)})
    assert {name: array.dtype for name, array in found.items()} == {
        "Z": np.complex128,
        "W": np.float64,
        "b": np.float64,
    }
    alike = {"Z": np.ones(2, np.float32), "W": np.ones(3, np.float32)}
    assert promoted(alike) is alike


X, W, B, DZ = np.ones((5, 3)), np.ones((3, 2)), np.ones(2), np.ones((5, 2))


def spoiled(array, value):
    bad = array.astype(complex if isinstance(value, complex) else float)
    bad[(-1,) * bad.ndim] = value
    return bad


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X, np.ones((4, 2)), B), ValueError, "W has shape (4, 2), but X has 3 features: expected (3, n_out)"),
        ((X, W, np.ones(3)), ValueError, "b has shape (3,), but W has 2 outputs: expected (2,)"),
        ((X, W, np.ones((2, 1))), ValueError, "b has shape (2, 1): expected 1 axis, (2,)"),
        ((X, W, np.ones((1, 2))), ValueError, "b has shape (1, 2): expected 1 axis, (2,)"),
        ((X, W, 1.0), ValueError, "b has shape (): expected 1 axis, (2,)"),
        ((X[0], W, B), ValueError, "X has shape (3,): expected 2 axes, (m, n_in)"),
        ((X[None], W, B), ValueError, "X has shape (1, 5, 3): expected 2 axes, (m, n_in)"),
        ((X, W[0], B), ValueError, "W has shape (2,): expected 2 axes, (3, n_out)"),
        ((spoiled(X, np.nan), W, B), ValueError, "X is nan at index (4, 2): expected finite numbers"),
        ((X, spoiled(W, np.inf), B), ValueError, "W is inf at index (2, 1): expected finite numbers"),
        ((X, W, spoiled(B, -np.inf)), ValueError, "b is -inf at index 1: expected finite numbers"),
        ((X, spoiled(W, complex(1, np.nan)), B), ValueError, "W is (1+nanj) at index (2, 1): expected finite numbers"),
        (
            (X.astype("f2"), W, B),
            TypeError,
            "X has dtype float16: expected float32, float64, complex128, integers or bool",
        ),
        (
            (X, W.astype("c8"), B),
            TypeError,
            "W has dtype complex64: expected float32, float64, complex128, integers or bool",
        ),
        ((X, W, ["a", "b"]), TypeError, "b has dtype <U1: expected float32, float64, complex128, integers or bool"),
        ((X, W, None), TypeError, "b has dtype object: expected float32, float64, complex128, integers or bool"),
        (([[1, 2], [3]], W, B), ValueError, "X is not a rectangular array of numbers"),
        ((np.ma.ones((5, 3)), W, B), TypeError, "X is a masked array: expected an array without a mask"),
    ],
)
def test_forward_refuses(arguments, error, message):
    with pytest.raises(error) as caught:
        linear_forward(*arguments)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((DZ, np.ones((4, 3)), W), ValueError, "X has shape (4, 3), but dZ has 5 samples: expected (5, n_in)"),
        ((DZ, X, np.ones((4, 2))), ValueError, "W has shape (4, 2), but X has 3 features: expected (3, 2)"),
        ((DZ, X, np.ones((3, 4))), ValueError, "W has shape (3, 4), but dZ has 2 outputs: expected (3, 2)"),
        ((DZ, X, W.T), ValueError, "W has shape (2, 3), but X has 3 features and dZ has 2 outputs: expected (3, 2)"),
        ((DZ[0], X, W), ValueError, "dZ has shape (2,): expected 2 axes, (m, n_out)"),
        ((spoiled(DZ, np.nan), X, W), ValueError, "dZ is nan at index (4, 1): expected finite numbers"),
        ((DZ, spoiled(X, np.inf), W), ValueError, "X is inf at index (4, 2): expected finite numbers"),
        ((DZ + 0j, X, W), TypeError, "dZ has dtype complex128: expected float32, float64, integers or bool"),
        ((DZ, X + 0j, W), TypeError, "X has dtype complex128: expected float32, float64, integers or bool"),
        ((DZ, X, W + 0j), TypeError, "W has dtype complex128: expected float32, float64, integers or bool"),
        ((DZ, X, W.astype("g")), TypeError, "W has dtype"),
    ],
)
def test_backward_refuses(arguments, error, message):
    with pytest.raises(error) as caught:
        linear_backward(*arguments)
    assert str(caught.value).startswith(message)


def test_an_overflow_of_the_layer_is_not_silent():
    with pytest.raises(ValueError, match="beyond the range of float64: expected smaller numbers in X, W and b"):
        linear_forward([[1e200]], [[1e200]], [0])
