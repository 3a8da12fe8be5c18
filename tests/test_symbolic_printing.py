"""How expressions are written: in the author's order, as LaTeX and as text."""

from fractions import Fraction

import pytest

from backprop.symbolic import (
    INFINITY,
    PI,
    Grad,
    Integral,
    Jacobian,
    Limit,
    Partial,
    Sum,
    absolute,
    column,
    delta,
    diag,
    dimensions,
    divide,
    elementwise,
    exp,
    functional,
    hadamard,
    identity,
    indices,
    inner,
    latex,
    log,
    matrix,
    norm,
    ones,
    row,
    scalars,
    sigmoid,
    sqrt,
    step,
    symbol,
    text,
    total,
    trace,
    zeros,
)

N, D, K = dimensions("N D_in K")
n, i, k, p, q = indices("n i k p q")
X, W, G, Y = matrix("X", N, D), matrix("W", D, K), matrix("G", N, K), matrix("Y_hat", N, K)
W2, dZ = matrix("W2", D, K), matrix("dZ", N, K)
b, z = row("b", K), column("z", K)
x, a, eta = scalars("x a eta")
L = functional("L", G)
f, f_prime = elementwise("f")
act, act_prime = elementwise("act", r"\varphi")

WRITTEN = [
    (X * W + ones(N) * b, r"X W + \mathbf{1} b", "X W + 𝟏 b"),
    (X.T * G, r"X^{\top} G", "Xᵀ G"),
    ((X.T * G)[p, q], r"\left(X^{\top} G\right)_{pq}", "(Xᵀ G)[p,q]"),
    (total(X[n, p] * G[n, q], n), r"\sum_{n} X_{np} G_{nq}", "Σ_n X[n,p] G[n,q]"),
    (total(G[n, q] * X[n, p], n), r"\sum_{n} G_{nq} X_{np}", "Σ_n G[n,q] X[n,p]"),
    (total(G[n, k], n, k), r"\sum_{n,k} G_{nk}", "Σ_n,k G[n,k]"),
    (total(G[n, k], (n, 1, N - 1)), r"\sum_{n=1}^{N - 1} G_{nk}", "Σ_(n=1..N − 1) G[n,k]"),
    (Sum(x, (n, 0, N - 1)), r"\sum_{n=0}^{N - 1} x", "Σ_(n=0..N − 1) x"),
    (2 * (G - Y) / N, r"\frac{2}{N} \left(G - \hat{Y}\right)", "2 (G − Y_hat) / N"),
    ((G - Y) / N, r"\frac{1}{N} \left(G - \hat{Y}\right)", "(G − Y_hat) / N"),
    (-(G - Y) / N, r"-\frac{1}{N} \left(G - \hat{Y}\right)", "-(G − Y_hat) / N"),
    (hadamard(G, Y) * W.T, r"\left(G \odot \hat{Y}\right) W^{\top}", "(G ⊙ Y_hat) Wᵀ"),
    (hadamard(G * W.T, X), r"\left(G W^{\top}\right) \odot X", "(G Wᵀ) ⊙ X"),
    (divide(G, Y), r"G \oslash \hat{Y}", "G ⊘ Y_hat"),
    (ones(N).T * G, r"\mathbf{1}^{\top} G", "𝟏ᵀ G"),
    (ones(N, K) - G, r"\mathbf{1}_{N \times K} - G", "𝟏 − G"),
    (zeros(N, K) + G, r"\mathbf{0} + G", "𝟎 + G"),
    (identity(K) - z * z.T, r"I - z z^{\top}", "I − z zᵀ"),
    (diag(z) - z * z.T, r"\operatorname{diag}\left(z\right) - z z^{\top}", "diag(z) − z zᵀ"),
    (W2.T, r"{W^{(2)}}^{\top}", "W2ᵀ"),
    (W2[p, q], r"W^{(2)}_{pq}", "W2[p,q]"),
    (X * W * (W.T * X.T), r"X W \left(W^{\top} X^{\top}\right)", "X W (Wᵀ Xᵀ)"),
    (Grad(L, W), r"\frac{\partial L}{\partial W}", "∂L/∂W"),
    (Partial(L, G[n, k]), r"\frac{\partial L}{\partial G_{nk}}", "∂L/∂G[n,k]"),
    (Partial(G[n, k], W[p, q]), r"\frac{\partial G_{nk}}{\partial W_{pq}}", "∂G[n,k]/∂W[p,q]"),
    (Partial(x * a, x), r"\frac{\partial}{\partial x} \left(x a\right)", "∂(x a)/∂x"),
    (Jacobian(z, b), r"\frac{\partial z}{\partial b}", "∂z/∂b"),
    (delta(p, q), r"\delta_{pq}", "δ[p,q]"),
    (b[k] - z[k], r"b_{k} - z_{k}", "b[k] − z[k]"),
    (x - (a - eta), r"x - \left(a - \eta\right)", "x − (a − η)"),
    (x - (-a), r"x - \left(-a\right)", "x − (-a)"),
    (-x * a, r"-x a", "-x a"),
    (x * 2, r"x \cdot 2", "x · 2"),
    (x * (a + 1), r"x \left(a + 1\right)", "x (a + 1)"),
    (x * -a, r"x \left(-a\right)", "x (-a)"),
    ((x + a) ** 2, r"\left(x + a\right)^{2}", "(x + a)²"),
    (G[n, k] ** 2, r"G_{nk}^{2}", "G[n,k]²"),
    (Fraction(1, 2) * x, r"\frac{1}{2} x", "1/2 x"),
    (x / (2 * a), r"\frac{x}{2 a}", "x / (2 a)"),
    (-x / a, r"-\frac{x}{a}", "-x / a"),
    (total(x * z[k], k) * a, r"\left(\sum_{k} x z_{k}\right) a", "(Σ_k x z[k]) a"),
    (exp(-x), "e^{-x}", "exp(-x)"),
    (exp(x) ** 2, r"\left(e^{x}\right)^{2}", "exp(x)²"),
    (exp(G), r"\exp\left(G\right)", "exp(G)"),
    (log(z[k]), r"\ln z_{k}", "ln(z[k])"),
    (log(1 + x), r"\ln\left(1 + x\right)", "ln(1 + x)"),
    (sqrt(2 * PI), r"\sqrt{2 \pi}", "sqrt(2 π)"),
    (absolute(x), r"\left\lvert x \right\rvert", "|x|"),
    (step(x), r"\mathbf{1}\left[x > 0\right]", "1[x > 0]"),
    (sigmoid(x), r"\sigma\left(x\right)", "σ(x)"),
    (f_prime(G), r"f'\left(G\right)", "f′(G)"),
    (act_prime.prime(x), r"\varphi''\left(x\right)", "act′′(x)"),
    (trace(X.T * X), r"\operatorname{tr}\left(X^{\top} X\right)", "tr(Xᵀ X)"),
    (inner(G, Y), r"\left\langle G, \hat{Y} \right\rangle", "⟨G, Y_hat⟩"),
    (norm(G) ** 2, r"\left\lVert G \right\rVert^{2}", "‖G‖²"),
    (Integral(x, (x, 0, INFINITY)), r"\int_{0}^{\infty} x \, dx", "∫_0^∞ x dx"),
    (Limit(x, x, 0, "+"), r"\lim_{x \to 0^{+}} x", "lim_(x→0+) x"),
    (functional("L", G, x), r"L\left(G, x\right)", "L(G, x)"),
    (symbol("loss", r"\mathcal{L}"), r"\mathcal{L}", "loss"),
    (D * x, r"D_{\mathrm{in}} x", "D_in x"),
    (matrix("A0", 2, 2)[0, 1], r"A^{(0)}_{01}", "A0[0,1]"),
    (dZ, "dZ", "dZ"),
]


@pytest.mark.parametrize(("expression", "as_latex", "as_text"), WRITTEN, ids=[t for _, _, t in WRITTEN])
def test_written_form(expression, as_latex, as_text):
    assert latex(expression) == as_latex
    assert text(expression) == str(expression) == as_text


def test_a_notebook_shows_an_expression_as_latex():
    assert (X.T * G)._repr_latex_() == "$$X^{\\top} G$$"


def test_several_letters_in_an_index_get_commas():
    row_index, col = indices("r1 c")
    assert latex(X[row_index, col]) == "X_{r_{1},c}"
