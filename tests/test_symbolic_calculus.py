"""Derivatives, integrals and limits; inequalities and their rules."""

from fractions import Fraction

import pytest

from backprop.symbolic import (
    INFINITY,
    PI,
    Derivation,
    Evidence,
    ExpressionError,
    Grad,
    Integral,
    Jacobian,
    Limit,
    Partial,
    absolute,
    column,
    cos,
    cosh,
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
    log,
    matrix,
    maximum,
    norm,
    ones,
    refusal,
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
)

N, D, K = dimensions("N D K")
n, i, j, k, p, q = indices("n i j k p q")
x, y, h, c, loss = scalars("x y h c loss")
a, s = scalars("a s", positive=True)
f, f_prime = elementwise("f")
g, g_prime = elementwise("g")
X, W, A, B = matrix("X", N, D), matrix("W", D, K), matrix("A", N, K), matrix("B", N, K)
z, y_, p_ = column("z", K), column("y", K), column("p", K)


def proved(left, right, **keywords):
    return Derivation(left, **keywords).then(right, because="claimed").evidence is Evidence.PROVED


def refuted(left, right, **keywords):
    return refusal(lambda: Derivation(left, **keywords).then(right, because="claimed")).rung == "refutation"


# -- one variable ---------------------------------------------------------------------------------------

SLOPES = {
    "x³": (x**3, 3 * x**2),
    "1/x": (1 / x, -1 / x**2),
    "quotient": (f(x) / g(x), (f_prime(x) * g(x) - f(x) * g_prime(x)) / g(x) ** 2),
    "chain": (f(g(x)), f_prime(g(x)) * g_prime(x)),
    "exp": (exp(x**2), 2 * x * exp(x**2)),
    "log": (log(1 + x**2), 2 * x / (1 + x**2)),
    "sqrt": (sqrt(1 + x**2), x / sqrt(1 + x**2)),
    "sin": (sin(2 * x), 2 * cos(2 * x)),
    "cos": (cos(x), -sin(x)),
    "sinh": (sinh(x), cosh(x)),
    "cosh": (cosh(x), sinh(x)),
    "tanh": (tanh(x), 1 - tanh(x) ** 2),
    "sigmoid": (sigmoid(x), sigmoid(x) * (1 - sigmoid(x))),
    "softplus": (softplus(x), sigmoid(x)),
    "relu": (relu(x), step(x)),
    "relu inside": (relu(2 * x + c), 2 * step(2 * x + c)),
    "absolute": (absolute(x), sign(x)),
    "maximum": (maximum(0, x), step(x)),
    "power": (a**x, log(a) * a**x),
    "silu": (x * sigmoid(x), sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x))),
    "log-odds": (log(sigmoid(x) / (1 - sigmoid(x))), 1 + 0 * x),
}


@pytest.mark.parametrize(("function", "slope"), SLOPES.values(), ids=SLOPES)
def test_derivative_of_one_variable(function, slope):
    assert proved(Partial(function, x), slope)
    assert refuted(Partial(function, x), slope + x / 1000)


# -- matrices -------------------------------------------------------------------------------------------------

softmax = {p_[i]: exp(z[i]) / total(exp(z[k]), k)}
GRADIENTS = {
    "trace of a product": (trace(A.T * (X * W)), W, X.T * A),
    "inner product": (inner(A, X * W), X, A * W.T),
    "quadratic": (trace(A.T * A), A, 2 * A),
    "norm squared": (norm(A - B) ** 2, A, 2 * (A - B)),
    "norm": (norm(A), A, A / norm(A)),
    "hadamard": (inner(hadamard(A, A), B), A, 2 * hadamard(A, B)),
    "divide": (total(divide(A, B)[n, k], n, k), B, -divide(A, hadamard(B, B))),
    "elementwise": (inner(B, f(A)), A, hadamard(B, f_prime(A))),
    "sum of all": ((ones(N).T * A * ones(K))[0, 0], A, ones(N, K)),
    "log-sum-exp": (log(total(exp(z[k]), k)), z, exp(z) / total(exp(z[k]), k)),
    "diagonal": (trace(diag(z) * diag(z)), z, 2 * z),
    "one by one": (z.T * z, z, 2 * z),
    "functional": (functional("L", X * W), W, None),
}


@pytest.mark.parametrize(("e", "place", "gradient"), GRADIENTS.values(), ids=GRADIENTS)
def test_gradient(e, place, gradient):
    if gradient is None:
        Z = matrix("Z", N, K)
        assert proved(Grad(functional("L", Z), W), X.T * Grad(functional("L", Z), Z), let={Z: X * W})
        return
    assert proved(Grad(e, place), gradient)
    assert refuted(Grad(e, place), gradient + gradient / 1000)


JACOBIANS = {
    "softmax": (p_, softmax, diag(p_) - p_ * p_.T),
    "elementwise": (p_, {p_: f(z)}, diag(f_prime(z))),
    "linear": (p_, {p_: matrix("C", K, K) * z}, matrix("C", K, K)),
    "identity": (p_, {p_: z}, identity(K)),
}


@pytest.mark.parametrize(("of", "let", "jacobian"), JACOBIANS.values(), ids=JACOBIANS)
def test_jacobian(of, let, jacobian):
    assert proved(Jacobian(of, z), jacobian, let=let)
    assert proved(Partial(of[i], z[j]), jacobian[i, j], let=let)
    u = column("u", K)
    assert proved(Jacobian(of, z).T * u, jacobian.T * u, let=let)


def test_jacobian_of_a_row_by_a_row():
    b, e = row("b", K), row("e", D)
    assert proved(Jacobian(b, e), W.T, let={b: e * W})
    assert refuted(Jacobian(b, e), W.T * 2, let={b: e * W})


def test_softmax_cross_entropy_and_its_hessian():
    let = {**softmax, loss: -total(y_[k] * log(p_[k]), k)}
    assert proved(Grad(loss, z), p_ * total(y_[k], k) - y_, let=let)
    given = {total(y_[k], k): 1}
    assert proved(Grad(loss, z), p_ - y_, let=let, given=given)
    assert proved(Partial(Partial(loss, z[i]), z[j]), p_[i] * (delta(i, j) - p_[j]), let=let, given=given)
    assert refuted(Grad(loss, z), p_ - y_, let=let)


def test_partial_holds_its_variable_although_it_has_a_definition():
    let = {A: X * W, loss: total(A[n, k] ** 2, n, k)}
    assert proved(Partial(loss, A[n, k]), 2 * (X * W)[n, k], let=let)


def test_functional_of_several_arguments():
    both = functional("L", A, x)
    let = {A: X * W, x: trace(W.T * W)}
    free = functional("L", A, x)
    right = X.T * Grad(free, A) + 2 * Partial(free, x) * W
    assert proved(Grad(both, W), right, let=let)
    assert refuted(Grad(both, W), X.T * Grad(free, A), let=let)


# -- integrals and limits -----------------------------------------------------------------------------------------

normal = exp(-(x**2) / (2 * s**2)) / (sqrt(2 * PI) * s)


def test_moments_of_the_normal_distribution():
    d = Derivation(Integral(relu(x) ** 2 * normal, (x, -INFINITY, INFINITY)))
    d = d.then(s**2 / 2, because="half of the second moment")
    assert d.steps[0].detail == "normal form, with SymPy's calculus"
    assert refuted(Integral(x**2 * normal, (x, 0, INFINITY)), s**2)


def test_variance_of_the_uniform_distribution():
    assert proved(Integral(x**2 / (2 * a), (x, -a, a)), a**2 / 3)
    assert proved(Integral(step(x) / (2 * a), (x, -a, a)), Fraction(1, 2) * (a / a))
    assert refuted(Integral(x**2 / a, (x, -a, a)), a**2 / 3)


def test_an_integral_without_a_closed_form_equals_itself():
    left = Integral(f(x) + exp(x), (x, 0, a))
    assert proved(2 * left, 2 * Integral(exp(y) + f(y), (y, 0, a)))
    assert refuted(left, Integral(f(x), (x, 0, a)))


def test_the_variable_of_an_integral_is_not_the_symbol_outside():
    assert proved(x * Integral(x, (x, 0, a)), x * a**2 / 2)
    assert refuted(x * Integral(x, (x, 0, a)), x**2 * a / 2)


def test_the_derivative_under_the_integral_sign():
    assert proved(Partial(Integral(x * y**2, (x, 0, 1)), y), y)
    with pytest.raises(ExpressionError, match="an integral whose ends depend on a is not differentiated"):
        Derivation(Partial(Integral(f(x), (x, 0, a)), a)).then(f(a), because="fundamental theorem")


LIMITS = {
    "derivative": (Limit((f(x + h) - f(x)) / h, h, 0), f_prime(x)),
    "centred": (Limit((f(x + h) - f(x - h)) / (2 * h), h, 0), f_prime(x)),
    "error of the centred difference": (
        Limit(((f(x + h) - f(x - h)) / (2 * h) - f_prime(x)) / h**2, h, 0),
        f_prime.prime.prime(x) / 6,
    ),
    "error of the forward difference": (Limit(((f(x + h) - f(x)) / h - f_prime(x)) / h, h, 0), f_prime.prime(x) / 2),
    "kink from above": (Limit(relu(h) / h, h, 0, "+"), 1 + 0 * x),
    "kink from below": (Limit(relu(h) / h, h, 0, "-"), 0 * x),
    "centred at the kink": (Limit((relu(h) - relu(-h)) / (2 * h), h, 0), Fraction(1, 2) + 0 * x),
    "saturation": (Limit(tanh(h), h, INFINITY), 1 + 0 * x),
    "saturation below": (Limit(sigmoid(h), h, -INFINITY), 0 * x),
    "elsewhere": (Limit((h**2 - 4) / (h - 2), h, 2), 4 + 0 * x),
}


@pytest.mark.parametrize(("left", "right"), LIMITS.values(), ids=LIMITS)
def test_limits(left, right):
    assert proved(left, right)
    assert refuted(left, right + x / 1000)


def test_analysis_refuses_what_it_cannot_do():
    with pytest.raises(ExpressionError, match="a limit of a function with kinks is taken at 0 only"):
        Derivation(Limit(relu(h - 1), h, 1)).then(Limit(relu(h - 1), h, 1) + 0, because="")
    with pytest.raises(ExpressionError, match="needs ends whose signs are known"):
        Derivation(Integral(relu(x), (x, y, a))).then(Integral(relu(x), (x, y, a)) + 0, because="")
    with pytest.raises(ExpressionError, match="takes kinks at 0 only"):
        Derivation(Integral(relu(x - 1), (x, 0, a))).then(Integral(relu(x - 1), (x, 0, a)) + 0, because="")
    with pytest.raises(ExpressionError, match="∞ is not a number"):
        Derivation(x + INFINITY).then(INFINITY + x, because="", accept=Evidence.EVALUATED)


# -- inequalities -----------------------------------------------------------------------------------------------------

d_, V = column("d", K), matrix("V", K, D)
slope_bounded = [absolute(f_prime(z[i])) <= c]
BOUNDS = {
    "σ′ ≤ ¼": (
        Fraction(1, 4) - (sigmoid(x) - Fraction(1, 2)) ** 2,
        Fraction(1, 4),
        [],
        "a dropped term is not positive",
    ),
    "tanh′ ≤ 1": (1 - tanh(x) ** 2, 1, [], "a dropped term is not positive"),
    "added square": (x, x + y**2, [], "a sum of terms that are not negative"),
    "not negative": (0, total(exp(z[i]) * exp(z[j]) * (z[i] - z[j]) ** 2, i, j), [], "the right side is not negative"),
    "triangle": (norm(A - B), norm(A) + norm(B), [], "triangle inequality"),
    "product": (norm(V.T * d_), norm(V) * norm(d_), [], "the norm of a product is at most the product of the norms"),
    "Cauchy-Schwarz": (inner(A, B), norm(A) * norm(B), [], "Cauchy-Schwarz"),
    "slope": (norm(hadamard(d_, f_prime(z))), c * norm(d_), slope_bounded, "every entry of one factor is bounded"),
    "slope squared": (f_prime(z[j]) ** 2, c**2, slope_bounded, "a hypothesis"),
    "two layers": (
        c * norm(V.T * d_),
        c * norm(V) * norm(d_),
        [c > 0],
        "equal factors cancel, and the norm of a product is at most the product of the norms",
    ),
    "relative error": (
        norm(A - B) / (norm(A) + norm(B)),
        1,
        [norm(A) + norm(B) > 0],
        "multiplied by the positive denominator, triangle inequality",
    ),
    "factor": (exp(x) * sigmoid(y), exp(x), [], None),
    "sums": (total(d_[k] ** 2 * tanh(z[k]) ** 2, k), total(d_[k] ** 2, k), [], "summand by summand"),
    "terms": (sigmoid(x) + tanh(y), Fraction(1) + 1, [], None),
    "growing": (exp(x), exp(x + y**2), [], "exp grows"),
    "log": (log(a), a - 1, [], "ln x is at most x - 1"),
    "absolute": (x, absolute(x), [], "x is at most abs(x)"),
    "hypothesis": (x, y, [x <= y], "a hypothesis"),
}


@pytest.mark.parametrize(("left", "right", "given", "rule"), BOUNDS.values(), ids=BOUNDS)
def test_bounds(left, right, given, rule):
    try:
        step_ = Derivation(left, given=given).then(right, because="bound", relation="<=").steps[0]
    except ValueError as e:
        pytest.fail(str(e))
    assert (step_.evidence, step_.relation) == (Evidence.PROVED, "<=")
    assert rule is None or step_.detail == rule


@pytest.mark.parametrize(
    ("left", "right", "given"),
    [
        (Fraction(1, 4) - (sigmoid(x) - Fraction(1, 2)) ** 2, Fraction(1, 5), []),
        (norm(A - B), norm(A) - norm(B), []),
        (norm(V) * norm(d_), norm(V.T * d_), []),
        (norm(hadamard(d_, f_prime(z))), c * norm(d_), []),
        (c * norm(V.T * d_), c * norm(V) * norm(d_), []),
        (x + y**2, x, []),
        (x * y, x, [y <= 1]),
        (x**2, y**2, [x <= y]),
        (x, x * y, [y > 1]),
        (1 / x, 1 / y, [y <= x]),
    ],
)
def test_false_bounds_are_refuted(left, right, given):
    r = refusal(lambda: Derivation(left, given=given).then(right, because="bound", relation="<="))
    assert r.rung == "refutation"


@pytest.mark.parametrize(
    ("left", "right", "given"),
    [
        (x * y, (x**2 + y**2) / 2, []),
        (norm(A - B) / (norm(A) + norm(B)), 1, []),
        (sin(x) ** 2, x**2, []),
    ],
)
def test_true_bounds_that_no_rule_covers_are_refused(left, right, given):
    r = refusal(lambda: Derivation(left, given=given).then(right, because="bound", relation="<="))
    assert r.rung == "proof"


def test_an_inequality_compares_scalars():
    r = refusal(lambda: Derivation(A).then(A + hadamard(A, A), because="entry by entry", relation="<="))
    assert r.rung == "shapes"
    assert "an inequality compares scalars, not matrices" in str(r)
