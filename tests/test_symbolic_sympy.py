"""SymPy beside the engine: its objects are read, its wrong answers are on record, and ours are right.

Each test of a wrong answer asserts that SymPy still gives it. When one fails, SymPy has mended it: read the message.
"""

import pytest
import sympy as sp

from backprop.symbolic import (
    Derivation,
    Evidence,
    ExpressionError,
    Grad,
    Jacobian,
    Limit,
    Partial,
    Refused,
    ShapeError,
    column,
    delta,
    diag,
    dimensions,
    elementwise,
    exp,
    hadamard,
    indices,
    latex,
    matrix,
    ones,
    refusal,
    relu,
    scalars,
    step,
    total,
    trace,
)
from backprop.symbolic.expressions import Expression, sympify
from backprop.symbolic.interop import to_sympy

MENDED = (
    f"SymPy {sp.__version__} no longer gives this wrong answer. Good: delete this test, take the case off the page "
    "'Why not just call diff?', and check whether the engine still needs its own way around it."
)

N, D, K = sp.symbols("N D K", integer=True, positive=True)
n, i, j, p, q = sp.symbols("n i j p q", integer=True)
X, W, G, Z = (sp.MatrixSymbol(*a) for a in (("X", N, D), ("W", D, K), ("G", N, K), ("Z", N, K)))
b = sp.MatrixSymbol("b", 1, K)
t = sp.Symbol("t", real=True)


# -- wrong answers ------------------------------------------------------------------------------------------


def test_sympy_builds_a_product_whose_shapes_clash():
    assert (X * G).shape == (N, K), MENDED
    with pytest.raises(ShapeError, match=r"cannot multiply X \(N×D\) by G \(N×K\)"):
        Derivation(X * G)


def test_sympy_diff_captures_a_bound_index_named_like_the_free_one():
    loss = sp.Sum(G[n, j] * sp.Sum(X[n, i] * W[i, j], (i, 0, D - 1)), (n, 0, N - 1), (j, 0, K - 1))
    wrong = sp.diff(loss, W[n, q]).doit()
    assert wrong.has(X[n, n]), MENDED
    right = sp.Sum(X[i, n] * G[i, q], (i, 0, N - 1))
    assert Derivation(Partial(loss, W[n, q])).then(right, because="row n of Xᵀ").evidence is Evidence.PROVED
    r = refusal(lambda: Derivation(Partial(loss, W[n, q])).then(wrong, because="SymPy's answer"))
    assert r.rung == "shapes"


def test_sympy_dummy_eq_takes_a_matrix_for_its_transpose():
    A, v, u = sp.MatrixSymbol("A", N, N), sp.MatrixSymbol("v", N, 1), sp.MatrixSymbol("u", N, 1)

    def form(entry):
        return sp.Sum(sp.exp(sp.Sum(entry * v[j, 0], (j, 0, N - 1))) * u[i, 0], (i, 0, N - 1))

    assert form(A[i, j]).dummy_eq(form(A[j, i])), MENDED
    d = Derivation(form(A[i, j]))
    assert refusal(lambda: d.then(form(A[j, i]), because="dummy_eq says so")).rung == "refutation"


w, x, g, c = (sp.MatrixSymbol(*a) for a in (("w", K, D), ("x", D, 1), ("g", K, 1), ("c", K, 1)))
of_column = (w * x + c).applyfunc(sp.tanh)
slope = hadamard(sympify(g), ones(sympify(K)) - hadamard(sympify(of_column), sympify(of_column)))


@pytest.mark.parametrize(("by", "right"), [(x, sympify(w).T * slope), (c, slope)], ids=["x", "c"])
def test_sympy_gradient_of_a_column_through_an_activation(by, right):
    loss = sp.Trace(g.T * of_column)
    assert type(sp.diff(loss, by)).__name__ == "ArrayContraction", MENDED
    d = Derivation(Grad(loss, by))
    assert d.then(right, because="the chain rule").evidence is Evidence.PROVED
    with pytest.raises(ExpressionError, match="outside the language"):
        d.then(sp.diff(loss, by), because="SymPy's answer")


def test_sympy_loses_a_transpose_in_a_batch_of_columns():
    H = sp.Symbol("H", integer=True, positive=True)
    columns, w1, w2 = sp.MatrixSymbol("A0", D, N), sp.MatrixSymbol("W1", H, D), sp.MatrixSymbol("W2", K, H)
    upstream = sp.MatrixSymbol("G", K, N)
    loss = sp.Trace(upstream.T * w2 * (w1 * columns).applyfunc(sp.exp))
    wrong = sp.diff(loss, w1)
    assert "(A0.T*W1.T)" in str(wrong), MENDED
    right = hadamard(sympify(w2.T * upstream), exp(sympify(w1 * columns))) * sympify(columns.T)
    d = Derivation(Grad(loss, w1))
    assert d.then(right, because="two layers of columns").evidence is Evidence.PROVED
    with pytest.raises(ShapeError, match="entry by entry: expected equal shapes"):
        d.then(wrong, because="SymPy's answer")


def test_the_lost_transpose_is_silent_when_all_matrices_are_square():
    columns, w1, w2, upstream = (sp.MatrixSymbol(name, N, N) for name in ("A0", "W1", "W2", "G"))
    loss = sp.Trace(upstream.T * w2 * (w1 * columns).applyfunc(sp.exp))
    wrong = sp.diff(loss, w1)
    assert "(A0.T*W1.T)" in str(wrong), MENDED
    r = refusal(lambda: Derivation(Grad(loss, w1)).then(wrong, because="SymPy's answer"))
    assert r.rung == "refutation"


def test_sympy_raises_on_the_squared_error_of_an_activation():
    Y = sp.MatrixSymbol("Y", N, K)
    error = Z.applyfunc(sp.tanh) - Y
    with pytest.raises(TypeError, match="Mix of Matrix and Scalar symbols"):
        sp.diff(sp.Trace(error.T * error), Z)
    e = sympify(error)
    slope_ = ones(*e.shape) - hadamard(*[sympify(Z.applyfunc(sp.tanh))] * 2)
    d = Derivation(Grad(sp.Trace(error.T * error), Z))
    assert d.then(2 * hadamard(e, slope_), because="chain rule").evidence is Evidence.PROVED


def test_sympy_forgets_the_denominator_of_softmax():
    z = sp.MatrixSymbol("z", K, 1)
    e = z.applyfunc(sp.exp)
    wrong = sp.diff(e / (sp.OneMatrix(1, K) * e)[0, 0], z)
    assert "DiagMatrix" in str(wrong), MENDED
    assert len(sp.Add.make_args(wrong)) == 1, MENDED  # the true answer has a second term, - p pᵀ
    z_, softmax = sympify(z), matrix("p", sympify(K), 1)
    let = {softmax: exp(z_) / total(exp(z_[k_ := indices("k")]), k_)}
    d = Derivation(Jacobian(softmax, z_), let=let)
    assert d.then(diag(softmax) - softmax * softmax.T, because="quotient rule").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(diag(softmax), because="SymPy's answer")).rung == "refutation"


def test_sympy_keeps_a_delta_on_a_limit_that_is_not_the_first():
    start = sp.Sum(sp.KroneckerDelta(i, p) * X[n, i], (n, 0, N - 1), (i, 0, D - 1))
    assert start.doit().has(sp.KroneckerDelta), MENDED
    first = sp.Sum(sp.KroneckerDelta(i, p) * X[n, i], (i, 0, D - 1))
    assert first.doit().has(sp.Piecewise), MENDED  # a condition on p that its place in X already meets
    right = sp.Sum(X[n, p], (n, 0, N - 1))
    assert Derivation(start).then(right, because="the delta keeps i = p").evidence is Evidence.PROVED


def test_sympy_slope_of_relu_at_its_kink_is_one_half():
    assert sp.diff(sp.Max(0, t), t).subs(t, 0) == sp.Rational(1, 2), MENDED
    x = scalars("x")
    assert Derivation(Partial(relu(x), x)).then(step(x), because="relu′(0) = 0 here").evidence is Evidence.PROVED


def test_sympy_limit_of_a_piecewise_function():
    relu_ = sp.Piecewise((t, t > 0), (0, True))
    assert sp.limit(relu_ / t, t, 0, "+") == 0, MENDED
    h = scalars("h")
    assert Derivation(Limit(relu(h) / h, h, 0, "+")).then(1, because="slope from above").evidence is Evidence.PROVED


def test_sympy_sorts_factors():
    written = X[n, p] * G[n, q]
    assert written.args == (G[n, q], X[n, p]), MENDED
    N_, D_, K_ = dimensions("N D K")
    n_, p_, q_ = indices("n p q")
    assert latex(matrix("X", N_, D_)[n_, p_] * matrix("G", N_, K_)[n_, q_]) == "X_{np} G_{nq}"


# -- reading SymPy's objects -----------------------------------------------------------------------------------


def test_a_derivation_written_with_sympy():
    L = sp.Symbol("L")
    d = (
        Derivation(Partial(L, W[p, q]), let={Z: X * W + sp.OneMatrix(N, 1) * b, L: sp.Trace(G.T * Z)})
        .then(
            sp.Sum(Partial(L, Z[n, j]) * Partial(Z[n, j], W[p, q]), (n, 0, N - 1), (j, 0, K - 1)), because="chain rule"
        )
        .then(sp.Sum(X[n, p] * G[n, q], (n, 0, N - 1)), because="only column q survives")
        .then((X.T * G)[p, q], because="row p of Xᵀ times column q of G")
    )
    assert d.evidence is Evidence.PROVED
    assert len(d.steps) == 3


N_, D_, K_ = dimensions("N D K")
n_, k_ = indices("n k")
G_, Z_, X_ = matrix("G", N_, K_), matrix("Z", N_, K_), matrix("X", N_, D_)
v_, y_ = column("v", K_), scalars("t")
v = sp.MatrixSymbol("v", K, 1)
k = sp.Symbol("k", integer=True)
READ = [
    (sp.Rational(2, 3) * t, sympify(2) / 3 * 0 + 0 + sympify(2) / 3 * y_),
    (G.T * Z, G_.T * Z_),
    (G + Z - 2 * G, Z_ - G_),
    (sp.HadamardProduct(G, Z), hadamard(G_, Z_)),
    (sp.Trace(G.T * Z), trace(G_.T * Z_)),
    (sp.OneMatrix(N, 1), ones(N_)),
    (sp.Identity(K) * v, v_),
    (sp.ZeroMatrix(N, K) + G, G_),
    (sp.DiagMatrix(v) * v, hadamard(v_, v_)),
    (Z.applyfunc(sp.tanh), exp(0 * Z_) - 0 * Z_ + (sympify(Z.applyfunc(sp.tanh)) - exp(0 * Z_))),
    (sp.Sum(G[n, k] * sp.KroneckerDelta(n, n), (n, 0, N - 1)), total(G_[n_, k_], n_)),
    (sp.exp(t) * sp.exp(-t), 1 + 0 * y_),
    (sp.sqrt(t**2 + 1) ** 2, y_**2 + 1),
    (sp.Max(0, t), relu(y_)),
    (sp.Heaviside(t, 0), step(y_)),
    (sp.Heaviside(t, 1), 1 - step(-y_)),
    (sp.Heaviside(t), (1 + step(y_) - step(-y_)) / 2),
    (sp.Max(t, 1), 1 + relu(y_ - 1)),
    (1 / (1 + sp.exp(-t)), exp(y_) / (1 + exp(y_))),
    (sp.E**2 * sp.log(sp.E), exp(sympify(2))),
    (sp.pi * t / sp.pi, y_),
    (sp.Limit((sp.exp(t) - 1) / t, t, 0, "+"), sympify(1)),
    (sp.Integral(t, (t, 0, 1)), sympify(1) / 2),
    (sp.cosh(t) ** 2 - sp.sinh(t) ** 2, sympify(1)),
]


@pytest.mark.parametrize(("theirs", "ours"), READ, ids=[str(r[0]) for r in READ])
def test_what_sympy_wrote_means_the_same_here(theirs, ours):
    assert Derivation(theirs).then(ours, because="the same").evidence >= Evidence.PROVED


def test_a_step_has_the_value_at_0_that_sympy_gives_it():
    for one, other in (
        (sp.Heaviside(t), sp.Heaviside(t, 0)),
        (sp.Heaviside(t, 1), sp.Heaviside(t, 0)),
        (sp.Heaviside(t), step(y_)),
    ):
        with pytest.raises(Refused):
            Derivation(one).then(other, because="different at 0")
    # A derivative of max(0, t) that SymPy takes is therefore not ours, which is 0 at 0.
    assert sp.diff(sp.Max(0, t), t) == sp.Heaviside(t)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda ours: 2 * t * ours,
        lambda ours: ours * t,
        lambda ours: sp.exp(t) + ours,
        lambda ours: ours - sp.exp(t),
        lambda ours: sp.Rational(1, 2) / ours,
        lambda ours: ours / t,
        lambda ours: t**ours,
    ],
)
def test_operators_between_sympy_and_ours_stay_ours(mixed):
    ours = Partial(exp(scalars("x")), scalars("x"))
    assert isinstance(mixed(ours), Expression)


def test_matrix_operators_between_sympy_and_ours():
    ours = Grad(trace(G_.T * Z_), Z_)
    for mixed in (G + ours, ours + G, G - ours, G.T * ours, ours * G.T, ours.T * G):
        assert isinstance(mixed, Expression)
    assert Derivation(sp.Trace(G.T * to_sympy(ours))).then(trace(G_.T * G_), because="read back")


def test_bound_indices_that_sympy_made_up_do_not_capture():
    A = sp.MatrixSymbol("A", K, K)
    assert Derivation((A * A * A)[i, j]).then(
        (sympify(A) * sympify(A) * sympify(A))[indices("i"), indices("j")], because=""
    )


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        (sp.Float(0.5) * t, "is a float and not exact"),
        (sp.Function("f")(t), r"f\(t\) \(f\) is outside the language of derivations"),
        (sp.gamma(t), "is outside the language of derivations"),
        (sp.Max(t, 1, sp.Symbol("x")), "a maximum of two is in the language, not of 3"),
        (sp.Integral(t, t), "an integral is over one variable with two ends"),
        (sp.Eq(t, 1), "is outside the language of derivations"),
        (
            sp.MatrixSymbol("A", sp.Symbol("M"), 2),
            r"the dimension M of A: expected symbols\('M', integer=True, positive=True\)",
        ),
        (Z.applyfunc(sp.Lambda(t, t**2 + 1)), "is not a single known function: apply functions one at a time"),
        (Z.applyfunc(sp.gamma), r"gamma\(_d\) \(gamma\) is outside the language"),
    ],
)
def test_sympy_objects_outside_the_language(theirs, message):
    with pytest.raises(ExpressionError, match=message):
        Derivation(theirs)


def test_an_undefined_function_applied_by_sympy():
    f, f_prime = elementwise("f")
    loss = sp.Trace(G.T * Z.applyfunc(f))
    assert Derivation(Grad(loss, Z)).then(sp.HadamardProduct(G, Z.applyfunc(f_prime)), because="entry by entry")


def test_delta_written_either_way():
    n1, k1 = indices("n k")
    assert sympify(sp.KroneckerDelta(sp.Symbol("k", integer=True), sp.Symbol("n", integer=True))) in (
        delta(n1, k1),
        delta(k1, n1),
    )
