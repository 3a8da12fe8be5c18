"""The ladder: what each rung accepts, what it refuses, and what a derivation leaves on a page."""

import json

import pytest

from backprop.symbolic import (
    Derivation,
    Evidence,
    ExpressionError,
    Grad,
    HypothesisError,
    OutOfTime,
    Partial,
    Refused,
    Sum,
    absolute,
    cos,
    delta,
    dimensions,
    elementwise,
    exp,
    functional,
    hadamard,
    indices,
    log,
    matrix,
    norm,
    ones,
    refusal,
    relu,
    row,
    scalars,
    sigmoid,
    sin,
    softplus,
    sqrt,
    step,
    tanh,
    total,
)
from backprop.symbolic.deadline import CALLS_PER_TICK, watched
from backprop.symbolic.expressions import Number
from backprop.symbolic.proof import Prover

N, D, K = dimensions("N D K")
n, i, j, k, p, q = indices("n i j k p q")
X, W, b, Z = matrix("X", N, D), matrix("W", D, K), row("b", K), matrix("Z", N, K)
Y, dZ = matrix("Y", N, K), matrix("dZ", N, K)
L = functional("L", Z)
LINEAR = {Z: X * W + ones(N) * b}
x, t, loss = scalars("x t loss")
S = scalars("s", positive=True)


def linear_dW():
    return (
        Derivation(Partial(L, W[p, q]), let=LINEAR, label="eq:linear-dW", proves=["P0.4"])
        .then(total(Partial(L, Z[n, j]) * Partial(Z[n, j], W[p, q]), n, j), because="chain rule over every $Z_{nj}$")
        .then(total(Partial(L, Z[n, j]) * X[n, p] * delta(j, q), n, j), because="column $q$ only")
        .then(total(X[n, p] * Partial(L, Z[n, q]), n), because="the delta keeps one $j$")
        .then((X.T * Grad(L, Z))[p, q], because="a matrix product & 100 %")
    )


def refused(start, wrong, **keywords):
    relation = keywords.pop("relation", "=")
    accept = keywords.pop("accept", Evidence.PROVED)
    return refusal(
        lambda: Derivation(start, **keywords).then(wrong, because="so it is said", accept=accept, relation=relation)
    )


# -- rungs ---------------------------------------------------------------------------------------


def test_every_step_of_the_linear_layer_is_proved():
    d = linear_dW()
    assert [s.evidence for s in d.steps] == [Evidence.PROVED] * 4
    assert [s.detail for s in d.steps] == ["normal form"] * 4
    assert d.evidence is Evidence.PROVED
    assert d.relation == "="
    assert d.result == (X.T * Grad(L, Z))[p, q]


@pytest.mark.parametrize(
    ("place", "gradient"), [(W, X.T * Grad(L, Z)), (b, ones(N).T * Grad(L, Z)), (X, Grad(L, Z) * W.T)]
)
def test_linear_layer_for_any_loss(place, gradient):
    assert Derivation(Grad(L, place), let=LINEAR).then(gradient, because="chain rule").evidence == Evidence.PROVED


def test_derivations_do_not_change():
    start = Derivation(Grad(L, W), let=LINEAR)
    longer = start.then(X.T * Grad(L, Z), because="chain rule")
    assert len(start.steps) == 0
    assert len(longer.steps) == 1
    assert start.result == Grad(L, W)


def test_rung_identical():
    assert Derivation(X * W).then(X * W, because="nothing").steps[0].evidence is Evidence.IDENTICAL


def test_rung_shapes():
    r = refused(Grad(L, W), Grad(L, Z).T * X, let=LINEAR)
    assert (r.rung, r.counterexample) == ("shapes", None)
    assert "the left has shape D×K, the right K×D" in str(r)
    assert r.hint == "the right side is the transpose of the left"


def test_rung_shapes_sees_index_ranges():
    r = refused(total(X[n, i], n), total(X[i, n], n))
    assert r.rung == "shapes"
    assert "the index i runs over" in str(r)


def test_rung_refutation_names_sizes_index_and_both_values():
    r = refused(Partial(L, W[p, q]), total(X[n, p] * Partial(L, Z[n, q]), n) / N, let=LINEAR)
    assert (r.step, r.rung, r.relation) == (1, "refutation", "=")
    found = r.counterexample
    assert len(set(found.sizes.values())) == 3
    assert set(found.index) == {"p", "q"}
    assert float(found.left) == pytest.approx(found.sizes["N"] * float(found.right), rel=1e-5)
    for part in ("step 1 is refused (so it is said): the two sides differ", f"N = {found.sizes['N']}", found.left):
        assert part in str(r)


def test_rung_simplifier():
    d = Derivation(sin(x) ** 2 + cos(x) ** 2).then(1, because="Pythagoras")
    assert (d.steps[0].evidence, d.steps[0].detail) == (Evidence.PROVED, "SymPy's simplifier")


def test_rung_cases_settle_both_sides_of_a_kink():
    d = Derivation(log(1 + exp(x)) - t * x).then(relu(x) - t * x + log(1 + exp(-abs_of(x))), because="stable form")
    assert (d.steps[0].evidence, d.steps[0].detail) == (Evidence.PROVED, "normal form, case by case")
    assert Derivation(relu(x) ** 2 + relu(-x) ** 2).then(x**2, because="one of them is zero")


def abs_of(e):
    return relu(e) + relu(-e)


def test_a_false_convention_at_the_kink_is_not_proved():
    # Almost everywhere true, but relu'(0) = 0 makes it false at 0.
    r = refused(step(x) + step(-x), 1)
    assert r.rung == "proof"
    assert "it is only evaluated (random points only), and proved was asked for" in str(r)


def test_rung_expansion_must_be_asked_for():
    start, end = Sum(k, (k, 0, K - 1)), K * (K - 1) / 2
    assert refused(start, end).rung == "proof"
    d = Derivation(start).then(end, because="Gauss", accept=Evidence.EXPANDED)
    assert (d.evidence, d.steps[0].detail) == (Evidence.EXPANDED, "K = 1, 2, 3")


def test_rung_evaluation_is_never_called_a_proof():
    start, end = Sum(k**9, (k, 0, K - 1)) * step(t * x), Sum(k**9, (k, 0, K - 1)) * step(x * t**3)
    assert refused(start, end).rung == "proof"
    assert refused(start, end, accept=Evidence.EXPANDED).rung == "proof"
    d = Derivation(start).then(end, because="odd powers keep the sign", accept=Evidence.EVALUATED)
    assert (d.evidence, d.steps[0].detail) == (Evidence.EVALUATED, "random points only")


def test_the_weakest_step_counts():
    d = Derivation(Sum(k, (k, 0, K - 1))).then(K * (K - 1) / 2, because="Gauss", accept=Evidence.EXPANDED)
    assert d.then((K**2 - K) / 2, because="multiply out").evidence is Evidence.EXPANDED
    assert Evidence.EVALUATED < Evidence.EXPANDED < Evidence.PROVED < Evidence.IDENTICAL


def test_a_step_has_a_time_limit():
    slow = (sin(x) + cos(t) * sqrt(1 + x**2)) ** 9 / (1 + sin(x) ** 2)
    same = (sin(x) + cos(t) * sqrt(1 + x**2)) ** 9 * (2 - 1) / (2 - cos(x) ** 2)
    with pytest.raises(OutOfTime, match=r"step 1 \(slow\): the step took longer than the 0.5 seconds allowed"):
        Derivation(slow, seconds=0.5).then(same, because="slow")


def nested(depth):
    g = elementwise("g")[0]
    e = x
    for _ in range(depth):
        e = g(e)
    return e


def test_nesting_without_end_is_an_error_and_not_a_crash():
    with pytest.raises(ExpressionError, match="nested too deeply"):
        Derivation(nested(3000))
    with pytest.raises(ExpressionError, match="an expression is nested too deeply to be written"):
        str(nested(3000))
    with pytest.raises(ExpressionError, match="nested too deeply"):
        Derivation(x).then(nested(3000), because="deep")


def test_growth_without_end_stops_at_the_time_limit():
    with pytest.raises(OutOfTime, match="step 1"):
        Derivation((x + t + loss + S) ** 60, seconds=0.5).then((S + loss + t + x) ** 60, because="wide")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (exp(exp(exp(exp(10 * x)))), exp(exp(exp(exp(5 * x + 5 * x))))),
        ((1 + exp(x)) ** -50 * exp(50 * x), (1 + exp(-x)) ** -50),
        (x**1000, x**999 * x),
    ],
)
def test_large_numbers_are_no_obstacle(left, right):
    assert Derivation(left, seconds=5).then(right, because="large").evidence is Evidence.PROVED


def test_long_work_of_another_library_is_interrupted_now_and_then_and_not_at_every_call():
    asked = []

    def work():
        return len(asked)

    with watched(lambda: asked.append(1)):
        for _ in range(10 * CALLS_PER_TICK):
            work()
    # Python reports the start and the end of work and of len, so four events a round.
    assert len(asked) == pytest.approx(40, abs=1)


@pytest.mark.parametrize("seconds", [0, -1, None, True, "long"])
def test_the_time_limit_is_a_positive_number(seconds):
    with pytest.raises(ExpressionError, match="seconds is a positive number"):
        Derivation(x, seconds=seconds)


def test_bad_arguments_of_a_step():
    with pytest.raises(ExpressionError, match=r"a step's relation is '=' or '<=', not '>'"):
        Derivation(x).then(x, because="", relation=">")
    with pytest.raises(ValueError, match="7 is not a valid Evidence"):
        Derivation(x).then(x, because="", accept=7)
    with pytest.raises(ExpressionError, match="nothing says which range the index n runs over"):
        Derivation(delta(n, k)).then(delta(k, n) + x - x, because="")


@pytest.mark.parametrize(
    ("given", "slope"), [([x + S > 0, S - x > 0], (1 + x / S) / 2), ([x - S > 0], 1 + 0 * x), ([x + S < 0], 0 * x)]
)
def test_a_centred_difference_across_a_kink(given, slope):
    d = Derivation((relu(x + S) - relu(x - S)) / (2 * S), given=given)
    assert d.then(slope, because="the signs are known").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(slope + x / 1000, because="wrong")).rung == "refutation"


def test_a_dead_layer_passes_nothing_back():
    Z1, A1, V = matrix("Z1", N, D), matrix("A1", N, D), matrix("V", D, K)
    let = {Z1: X * matrix("U", D, D) + ones(N) * row("b1", D), A1: relu(Z1), Z: A1 * V}
    dead = Derivation(Grad(L, Z1), let=let, given=[Z1[n, i] < 0])
    assert dead.then(0 * Z1, because="the mask is zero everywhere").evidence is Evidence.PROVED
    assert refusal(lambda: Derivation(Grad(L, Z1), let=let).then(0 * Z1, because="alive")).rung == "refutation"


NORMS = {
    "multiple": (norm(t * Z), absolute(t) * norm(Z)),
    "relative error of a multiple": (norm(Z - t * Z) / (norm(Z) + norm(t * Z)), absolute(1 - t) / (1 + absolute(t))),
    "relative error of a sum for a mean": (norm(N * Z - Z) / (norm(N * Z) + norm(Z)), (N - 1) / (N + 1)),
    "root of a square": (sqrt(x**2), absolute(x)),
    "root of a binomial square": (sqrt(x**2 - 2 * x * t + t**2), absolute(t - x)),
    "inverse root": (1 / sqrt(x**2 - 2 * x * t + t**2), absolute(t - x) / (t - x) ** 2),
    "size of a product": (absolute(x * t), absolute(x) * absolute(t)),
}


@pytest.mark.parametrize(("left", "right"), NORMS.values(), ids=NORMS)
def test_sizes_and_norms(left, right):
    assert Derivation(left).then(right, because="sizes").evidence is Evidence.PROVED
    assert refusal(lambda: Derivation(left).then(right + x / 1000, because="sizes")).rung == "refutation"


@pytest.mark.parametrize(
    ("left", "right"), [(norm(t * Z), t * norm(Z)), (sqrt(x**2), x), (absolute(x + t), absolute(x) + absolute(t))]
)
def test_a_forgotten_sign_is_refuted(left, right):
    assert refused(left, right).rung == "refutation"


# -- hypotheses ------------------------------------------------------------------------------------


def test_a_hypothesis_names_the_upstream_gradient():
    d = Derivation(Grad(L, W), let=LINEAR, given={Grad(L, Z): dZ}).then(X.T * dZ, because="chain rule")
    assert d.evidence is Evidence.PROVED
    assert refused(Grad(L, W), X.T * dZ, let=LINEAR).rung == "refutation"


@pytest.mark.parametrize("scale", [1, 1 / N])
def test_labels_that_sum_to_one(scale):
    P = matrix("P", N, K)
    let = {P[n, k]: exp(Z[n, k]) / total(exp(Z[n, j]), j), loss: -total(Y[n, k] * log(P[n, k]), n, k) * scale}
    right = (P - Y) * scale
    assert refused(Grad(loss, Z), right, let=let).rung == "refutation"
    d = Derivation(Grad(loss, Z), let=let, given={total(Y[n, k], k): 1}).then(right, because="labels sum to one")
    assert d.evidence is Evidence.PROVED


def test_a_hypothesis_about_squares():
    y = matrix("y", 1, K)
    d = Derivation(total(y[k] ** 3, k), given={y[k] ** 2: y[k]}).then(total(y[k], k), because="zeros and ones")
    assert d.evidence is Evidence.PROVED


def test_a_hypothesis_that_would_be_applied_without_end():
    V = matrix("V", D, D)
    with pytest.raises(HypothesisError, match="such as A = Aᵀ, cannot be used"):
        Derivation(V[i, j], given={V: V.T}).then(V[j, i], because="symmetric")


def test_a_hypothesis_holds_at_the_point_and_not_around_it():
    # t is x² here, but it does not move with x; and that ∂L/∂Z is called dZ says nothing about its own derivative.
    d = Derivation(Partial(t + x, x), given={t: x**2})
    assert d.then(1, because="t is held").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(1 + 2 * x, because="t moves")).rung == "refutation"
    second = Derivation(Partial(Partial(L, Z[n, k]), Z[i, j]), given={Grad(L, Z): dZ})
    assert refusal(lambda: second.then(0, because="dZ is constant")).rung == "refutation"
    assert not Prover({}, [(Grad(L, Z), dZ)]).by_normal_form(Partial(Partial(L, Z[n, k]), Z[i, j]), Number(0))


def test_a_hypothesis_holds_for_its_own_name_only():
    d = Derivation(total(Z[n, k], k), given={total(Y[n, k], k): 1})
    assert refusal(lambda: d.then(1, because="not the labels")).rung == "refutation"


def test_symbols_bound_inside_sums_may_be_named_like_free_ones():
    d = Derivation(Partial(total(W[n, q] ** 2, n, q), W[i, q]))
    assert d.then(2 * W[i, q], because="one term moves").evidence is Evidence.PROVED


# -- values used twice, layers, unrolled networks ---------------------------------------------------


def test_a_value_used_twice_adds_its_gradients():
    f, f_prime = elementwise("f")
    A = matrix("A", N, K)
    skip = Derivation(Grad(functional("L", A), Z), let={A: f(Z) + Z})
    g = Grad(functional("L", A), A)
    assert skip.then(hadamard(g, f_prime(Z)) + g, because="two paths").evidence is Evidence.PROVED
    assert refusal(lambda: skip.then(hadamard(g, f_prime(Z)), because="one path forgotten")).rung == "refutation"


def test_tied_weights_add_their_gradients():
    V, H, S = matrix("V", D, D), matrix("H", N, D), matrix("S", N, D)
    g = Grad(functional("L", S), S)
    d = Derivation(Grad(functional("L", S), V), let={H: X * V, S: H * V})
    assert d.then(H.T * g + X.T * (g * V.T), because="V is used twice").evidence is Evidence.PROVED
    assert refusal(lambda: d.then(H.T * g, because="one use forgotten")).rung == "refutation"


def test_induction_from_one_layer_to_the_one_before():
    a, w, bias, z_next = matrix("A", N, D), matrix("V", D, K), row("c", K), matrix("Znext", N, K)
    z = matrix("Zhere", N, D)
    f, f_prime = elementwise("f")
    loss_of_next = functional("L", z_next)
    d = Derivation(Grad(loss_of_next, z), let={z_next: a * w + ones(N) * bias, a: f(z)})
    right = hadamard(Grad(loss_of_next, z_next) * w.T, f_prime(z))
    assert d.then(right, because="layer l + 1 to layer l").evidence is Evidence.PROVED


@pytest.mark.parametrize("layers", [2, 3, 4, 5])
def test_unrolled_networks(layers):
    f, f_prime = elementwise("f")
    widths = dimensions(" ".join(f"d{n}" for n in range(layers + 1)))
    a = [matrix("a0", N, widths[0])]
    z, w, let = [None], [None], {}
    for n_ in range(1, layers + 1):
        w.append(matrix(f"w{n_}", widths[n_ - 1], widths[n_]))
        z.append(matrix(f"z{n_}", N, widths[n_]))
        a.append(matrix(f"a{n_}", N, widths[n_]))
        let |= {z[n_]: a[-2] * w[n_] + ones(N) * row(f"b{n_}", widths[n_]), a[n_]: f(z[n_])}
    of_output = functional("L", a[layers])
    delta_ = hadamard(Grad(of_output, a[layers]), f_prime(z[layers]))
    for n_ in range(layers - 1, 0, -1):
        delta_ = hadamard(delta_ * w[n_ + 1].T, f_prime(z[n_]))
    d = Derivation(Grad(of_output, w[1]), let=let)
    assert d.then(a[0].T * delta_, because="unrolled").evidence is Evidence.PROVED


# -- hints --------------------------------------------------------------------------------------------

S1, S2, V1, V2, A1, A2 = (matrix(name, K, K) for name in ("S1", "S2", "V1", "V2", "A1", "A2"))
f, f_prime = elementwise("f")
SQUARE = {S1: matrix("A0", K, K) * V1, A1: f(S1), S2: A1 * V2, A2: f(S2)}
TOP = functional("L", A2)
MSE = {loss: total((Z[n, k] - Y[n, k]) ** 2, n, k) / N}


@pytest.mark.parametrize(
    ("start", "wrong", "let", "hint"),
    [
        (Grad(L, W), -(X.T * Grad(L, Z)), LINEAR, "the sign is wrong: the right side is minus the left"),
        (Grad(L, W), X.T * Grad(L, Z) / N, LINEAR, "off by the factor N: the left side is N times the right"),
        (Grad(L, W), N * X.T * Grad(L, Z), LINEAR, "off by the factor N: the right side is N times the left"),
        (Grad(loss, Z), (Z - Y) / N, MSE, "off by the factor 2: the left side is 2 times the right"),
        (Grad(loss, Z), Z - Y, MSE, "off by the factor N/2: the left side is 2/N times the right"),
        (Grad(TOP, S2), Grad(TOP, A2), SQUARE, "the right side lacks the factor f′(S2)"),
        (
            Grad(TOP, S2),
            hadamard(Grad(TOP, A2), f(S2)),
            SQUARE,
            "the right side has f(S2) where the derivative f′(S2) belongs",
        ),
        (Grad(TOP, A1), Grad(TOP, S2) * V2, SQUARE, "the right side has V2 where V2ᵀ belongs"),
        (Grad(TOP, V2), A2.T * Grad(TOP, S2), SQUARE, "off by one layer: the right side has A2 where A1 belongs"),
        (Grad(TOP, V2), (A1.T * Grad(TOP, S2)).T, SQUARE, "the right side is the transpose of the left"),
        (Partial(relu(x), x), 1, {}, None),
        (Grad(L, W), X.T * Z, LINEAR, None),
    ],
)
def test_hints(start, wrong, let, hint):
    r = refused(start, wrong, let=let)
    assert r.hint == hint
    if hint:
        assert hint in str(r)


# -- pages ----------------------------------------------------------------------------------------------


def test_mime_bundle_of_a_derivation():
    bundle = linear_dW()._repr_mimebundle_()
    data = bundle["application/vnd.backprop.derivation+json"]
    assert json.loads(json.dumps(data)) == data
    assert list(data) == ["label", "proves", "let", "given", "start", "steps", "result", "evidence"]
    assert (data["label"], data["proves"], data["evidence"]) == ("eq:linear-dW", ["P0.4"], "proved")
    assert data["let"] == [{"latex": r"Z = X W + \mathbf{1} b", "text": "Z = X W + 𝟏 b"}]
    assert data["start"]["latex"] == r"\frac{\partial L}{\partial W_{pq}}"
    assert data["steps"][2] == {
        "relation": "=",
        "latex": r"\sum_{n} X_{np} \frac{\partial L}{\partial Z_{nq}}",
        "text": "Σ_n X[n,p] ∂L/∂Z[n,q]",
        "because": "the delta keeps one $j$",
        "evidence": "proved",
        "detail": "normal form",
    }
    assert data["result"]["text"] == "∂L/∂W[p,q] = (Xᵀ ∂L/∂Z)[p,q]"
    latex_block = bundle["text/latex"]
    assert latex_block.startswith("$$\\begin{aligned}\n\\frac{\\partial L}{\\partial W_{pq}} &= \\sum_{n,j}")
    assert latex_block.endswith("\\end{aligned}$$")
    assert r"\text{chain rule over every }Z_{nj}" in latex_block
    assert r"\text{a matrix product \& 100 \%}" in latex_block
    assert bundle["text/plain"].splitlines()[0] == "∂L/∂W[p,q]"


def test_mime_bundle_with_hypotheses_and_an_inequality():
    d = Derivation(1 - tanh(x) ** 2, given=[t > 0, (loss, t)]).then(1, because="a square", relation="<=")
    data = d._repr_mimebundle_()["application/vnd.backprop.derivation+json"]
    assert data["given"] == [{"latex": "t > 0", "text": "t > 0"}, {"latex": r"\mathrm{loss} = t", "text": "loss = t"}]
    assert data["steps"][0]["relation"] == "<="
    assert data["result"]["text"] == "1 − tanh(x)² ≤ 1"
    assert r"&\le 1" in d._repr_mimebundle_()["text/latex"]
    assert d.relation == "<="


def test_a_derivation_without_steps_shows_its_start():
    bundle = Derivation(X * W)._repr_mimebundle_()
    assert bundle["application/vnd.backprop.derivation+json"]["result"]["text"] == "X W"
    assert bundle["text/plain"] == "X W"


def test_mime_bundle_of_a_refusal():
    r = refused(Grad(L, W), X.T * Grad(L, Z) / N, let=LINEAR)
    bundle = r._repr_mimebundle_()
    data = bundle["application/vnd.backprop.refusal+json"]
    assert json.loads(json.dumps(data)) == data
    assert list(data) == ["step", "because", "rung", "relation", "left", "right", "counterexample", "hint", "message"]
    assert data["counterexample"]["index"] == "[0, 0]"
    assert data["counterexample"]["sizes"] == {"N": 2, "K": 3, "D": 4}
    assert data["message"] == bundle["text/plain"] == str(r)
    assert r.__traceback__ is None


def test_a_refusal_that_does_not_happen_is_an_error():
    with pytest.raises(AssertionError, match="the step was accepted, but the page says that it is refused"):
        refusal(lambda: Derivation(X).then(X, because="the same"))


def test_refused_is_a_value_error():
    with pytest.raises(ValueError, match="step 2 is refused"):
        Derivation(sigmoid(x)).then(1 - sigmoid(-x), because="fine").then(sigmoid(-x), because="not fine")
    assert issubclass(Refused, ValueError)


def test_softplus_is_the_integral_of_sigmoid():
    assert Derivation(Partial(softplus(x), x)).then(sigmoid(x), because="derivative").evidence is Evidence.PROVED
