"""From checked formulas to numbers: the formula's own values on arrays."""

from fractions import Fraction

import numpy as np
import pytest

from backprop.symbolic import (
    Derivation,
    ExpressionError,
    Grad,
    Integral,
    Jacobian,
    Limit,
    Partial,
    ShapeError,
    absolute,
    as_function,
    column,
    cos,
    cosh,
    delta,
    diag,
    dimensions,
    divide,
    elementwise,
    evaluate,
    exp,
    functional,
    hadamard,
    identity,
    indices,
    inner,
    log,
    matrix,
    norm,
    ones,
    relu,
    row,
    scalars,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqrt,
    step,
    tanh,
    total,
    trace,
    zeros,
)

N, D, K = dimensions("N D K")
n, k, p, q = indices("n k p q")
X, W, G, b, z = matrix("X", N, D), matrix("W", D, K), matrix("G", N, K), row("b", K), column("z", K)
x, t = scalars("x t")
rng = np.random.default_rng(0)
ARRAYS = {
    "X": rng.normal(size=(5, 3)),
    "W": rng.normal(size=(3, 4)),
    "G": rng.normal(size=(5, 4)),
    "b": rng.normal(size=4),
    "z": rng.normal(size=4),
    "x": 0.7,
}
A = ARRAYS

MATRICES = [
    (X * W + ones(N) * b, A["X"] @ A["W"] + A["b"]),
    (X.T * G, A["X"].T @ A["G"]),
    (hadamard(G, G), A["G"] ** 2),
    (divide(G, exp(G)), A["G"] * np.exp(-A["G"])),
    (2 * G / N - zeros(N, K), 2 * A["G"] / 5),
    (diag(z) - z * z.T, np.diag(A["z"]) - np.outer(A["z"], A["z"])),
    (identity(K) * z, A["z"][:, None]),
    (relu(G), np.maximum(A["G"], 0)),
    (Jacobian(tanh(z), z), np.diag(1 - np.tanh(A["z"]) ** 2)),
    (Grad(trace(G.T * X * W), W), A["X"].T @ A["G"]),
]


@pytest.mark.parametrize(("formula", "value"), MATRICES, ids=[str(m[0]) for m in MATRICES])
def test_matrices(formula, value):
    needed = {name: A[name] for name in "XWGbz" if name in str(formula)}
    assert np.abs(evaluate(formula, needed) - value).max() < 1e-8
    assert evaluate(formula, needed).shape == value.shape


SCALARS = [
    (trace(G.T * G), (A["G"] ** 2).sum()),
    (inner(G, G), (A["G"] ** 2).sum()),
    (norm(G), np.linalg.norm(A["G"])),
    (total(z[k] ** 2, k) / K, (A["z"] ** 2).mean()),
    ((ones(N).T * G * ones(K))[0, 0], A["G"].sum()),
    (x**2 + 1 / x, 0.7**2 + 1 / 0.7),
]


@pytest.mark.parametrize(("formula", "value"), SCALARS, ids=[str(s[0]) for s in SCALARS])
def test_scalars(formula, value):
    out = evaluate(formula, {name: A[name] for name in "Gzx" if name in str(formula)})
    assert isinstance(out, float)
    assert abs(out - value) < 1e-12


FUNCTIONS = {
    exp: np.exp,
    log: np.log,
    sqrt: np.sqrt,
    sin: np.sin,
    cos: np.cos,
    sinh: np.sinh,
    cosh: np.cosh,
    tanh: np.tanh,
    sigmoid: lambda v: 1 / (1 + np.exp(-v)),
    softplus: lambda v: np.log(1 + np.exp(v)),
    relu: lambda v: np.maximum(v, 0),
    step: lambda v: np.where(v > 0, 1.0, 0.0),
    absolute: np.abs,
    sign: np.sign,
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_functions(function):
    value = np.abs(A["z"]) + 0.1 if function in (log, sqrt) else A["z"]
    assert np.abs(evaluate(function(z), {"z": value})[:, 0] - FUNCTIONS[function](value)).max() < 1e-14
    assert evaluate(function(x), {"x": 0.7}) == pytest.approx(FUNCTIONS[function](0.7), rel=1e-14)


def test_extreme_numbers_give_no_warning():
    assert evaluate(sigmoid(x), {"x": -1000.0}) == 0
    assert evaluate(softplus(x), {"x": 1000.0}) == 1000


def test_free_indices_become_axes():
    formula = total(X[n, p] * G[n, q], n)
    arrays = {"X": A["X"], "G": A["G"]}
    assert np.allclose(evaluate(formula, arrays, order=(p, q)), A["X"].T @ A["G"], atol=1e-14)
    assert np.allclose(evaluate(formula, arrays, order=(q, p)), A["G"].T @ A["X"], atol=1e-14)
    assert evaluate(delta(n, n) * X[n, p], {"X": A["X"]}).shape == (5, 3)
    with pytest.raises(ExpressionError, match=r"order: expected the free indices \[p, q\], got \[p\]"):
        evaluate(formula, arrays, order=(p,))


def test_a_derivation_gives_its_result_with_its_definitions():
    Z, Y, loss = matrix("Z", N, K), matrix("Y", N, K), scalars("loss")
    let = {Z: X * W + ones(N) * b, loss: total((Z[n, k] - Y[n, k]) ** 2, n, k) / N}
    d = Derivation(Grad(loss, W), let=let).then(X.T * (2 * (Z - Y) / N), because="chain rule")
    arrays = {name: A[name] for name in "XWb"} | {"Y": A["G"]}
    by_hand = A["X"].T @ (2 * (A["X"] @ A["W"] + A["b"] - A["G"]) / 5)
    assert np.abs(evaluate(d, arrays) - by_hand).max() < 1e-13
    function = as_function(d, X, W, b, Y)
    assert np.abs(function(A["X"], A["W"], A["b"], A["G"]) - by_hand).max() < 1e-13
    with pytest.raises(TypeError, match=r"expected 4 arrays \(X, W, b, Y\), got 1"):
        function(A["X"])


def test_a_definition_by_entries():
    P = matrix("P", N, K)
    j = indices("j")
    d = Derivation(P, let={P[n, k]: exp(G[n, k]) / total(exp(G[n, j]), j)})
    value = evaluate(d, {"G": A["G"]})
    assert np.allclose(value.sum(axis=1), 1, atol=1e-14)
    assert np.allclose(value, np.exp(A["G"]) / np.exp(A["G"]).sum(axis=1, keepdims=True), atol=1e-14)


def test_names_may_be_given_as_symbols_and_integers_are_numbers():
    assert evaluate(x * N, {x: 2, N: 3}) == 6.0
    assert evaluate(G, {G: np.ones((2, 2), dtype=int)}).dtype == np.float64


def test_whole_numbers_neither_overflow_nor_refuse_a_power():
    assert evaluate(x**70, {"x": 2}) == 2.0**70
    assert evaluate(x ** (-1), {"x": 2}) == 0.5
    assert evaluate(x + x, {"x": True}) == 2.0
    assert evaluate(N ** (-2) * x, {"N": 3, "x": np.float32(1)}) == 1 / 9


def test_complex_arrays_pass_through():
    value = evaluate(tanh(z), {"z": A["z"] + 1e-20j})
    assert np.allclose(value.imag[:, 0] / 1e-20, 1 - np.tanh(A["z"]) ** 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "arrays", "error", "message"),
    [
        (X * W, {"X": A["X"]}, ExpressionError, "W has no value"),
        (
            X * W,
            {"X": A["X"], "V": A["W"]},
            ExpressionError,
            "arrays: V does not occur in X W; expected some of X, N, D, W, K",
        ),
        (
            X * W,
            {"X": A["X"], "W": A["G"]},
            ShapeError,
            r"W has shape \(5, 4\), but D is 3 elsewhere: expected \(3, 4\)",
        ),
        (X, {"X": A["b"]}, ShapeError, r"X has shape \(4,\): expected two axes, N×D"),
        (matrix("M", 2, 3), {"M": np.ones((3, 2))}, ShapeError, r"M has shape \(3, 2\), but 2 is 2 elsewhere"),
        (x, {"x": A["b"]}, ShapeError, r"x is a number, but an array of shape \(4,\) was given"),
        (x, {"x": "one"}, TypeError, "x has the type .*: expected numbers"),
        (functional("L", X), {"X": A["X"]}, ExpressionError, "the functional L is undefined and has no value"),
        (elementwise("f")[0](x), {"x": 1.0}, ExpressionError, "f is undefined and has no value"),
        (Integral(t, (t, 0, 1)), {}, ExpressionError, "integrals are not evaluated on arrays"),
        (Limit(t, t, 0), {}, ExpressionError, "limits are not evaluated on arrays"),
        (1 / x, {"x": 0.0}, ArithmeticError, "x is not defined here"),
        (total(x, (n, 0, N * Fraction(1, 2) - 1)), {"x": 1, "N": 3}, ArithmeticError, "− 1 as a whole number is not"),
        (Partial(Partial(Partial(x**5, x), x), x), {"x": 1.0}, ExpressionError, "up to 2 deep, and no deeper"),
        (X * x * delta(n, n), {"X": A["X"], "x": 1.0}, ExpressionError, "is a matrix with the free indices"),
        (delta(n, k), {}, ExpressionError, "nothing says which range the index n runs over"),
    ],
)
def test_bad_input(formula, arrays, error, message):
    with pytest.raises(error, match=message):
        evaluate(formula, arrays)


def test_a_derivative_left_in_a_formula_is_a_centred_difference():
    assert abs(evaluate(Partial(x**3, x), {"x": 0.7}) - 3 * 0.7**2) < 1e-9
