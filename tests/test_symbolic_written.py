"""What is written down: names, definitions and hypotheses as they are read, and expressions and records as shown."""

import math
from fractions import Fraction
from itertools import product

import pytest
import sympy

from backprop.symbolic import (
    INFINITY,
    DefinitionError,
    Derivation,
    Evidence,
    ExpressionError,
    HypothesisError,
    Integral,
    Jacobian,
    Limit,
    NameClash,
    Partial,
    ShapeError,
    column,
    dimensions,
    divide,
    elementwise,
    evaluate,
    exp,
    functional,
    hadamard,
    identity,
    indices,
    latex,
    matrix,
    maximum,
    ones,
    refusal,
    row,
    scalars,
    sqrt,
    symbol,
    text,
    total,
    zeros,
)
from backprop.symbolic.definitions import read_definitions, refuse_clashes
from backprop.symbolic.expressions import ONE, ZERO, Number, Plus, Times, sympify
from backprop.symbolic.functions import KNOWN, Function
from backprop.symbolic.hypotheses import Equation, Inequality, read_hypotheses
from backprop.symbolic.interop import from_sympy, to_sympy
from backprop.symbolic.latex_writer import name_latex
from backprop.symbolic.records import DERIVATION

N, D, K = dimensions("N D K")
n, k = indices("n k")
X, W, G, Z = matrix("X", N, D), matrix("W", D, K), matrix("G", N, K), matrix("Z", N, K)
z, b = column("z", K), row("b", K)
a, c, t, x, y = scalars("a c t x y")
p = scalars("p", positive=True)
ONE_ENTRY = (Number(1), Number(1))


# -- definitions ----------------------------------------------------------------------------------------------


def test_a_definition_with_one_entry_may_define_a_scalar():
    definition = read_definitions({t: z.T * z})[t]
    assert (definition.body, definition.indices) == ((z.T * z)[0, 0], None)
    assert Derivation(t, let={t: z.T * z}).then(total(z[k] ** 2, k), because="entry by entry")


@pytest.mark.parametrize(
    ("let", "message"),
    [
        ({t: G}, "t has shape scalar, but its definition G has shape N×K"),
        ({t: z}, "t has shape scalar, but its definition z has shape K×1"),
        ({Z: z.T * z}, "Z has shape N×K, but its definition zᵀ z has shape 1×1"),
        ({Z: x}, "Z has shape N×K, but its definition x has shape scalar"),
        ({Z[n, k]: G}, "Z[n,k] has shape scalar, but its definition G has shape N×K"),
    ],
)
def test_a_definition_of_another_shape_is_refused(let, message):
    with pytest.raises(ShapeError) as refused:
        read_definitions(let)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("left", "is_whole"),
    [
        (Z[n, k], True),
        (z[k], True),
        (b[k], True),
        (matrix("s", 1, 1)[0, 0], True),
        (Z[n, n], False),
        (Z[n, 0], False),
        (Z[0, 0], False),
        (z[0], False),
    ],
    ids=str,
)
def test_entries_define_a_matrix_only_if_each_direction_has_an_index_of_its_own(left, is_whole):
    if is_whole:
        ((name, definition),) = read_definitions({left: x}).items()
        assert (name, definition.written, definition.body) == (left.matrix, left, x)
        assert definition.indices == left.args[1:]
    else:
        with pytest.raises(DefinitionError, match="defines one entry only: use a different index for each direction"):
            read_definitions({left: x})


def test_a_definition_names_its_first_free_index():
    with pytest.raises(DefinitionError, match=r"the definition of t has the free index n: sum over it"):
        read_definitions({t: G[n, k]})
    with pytest.raises(DefinitionError, match=r"the definition of z\[k\] has the free index n: sum over it"):
        read_definitions({z[k]: G[n, k]})


@pytest.mark.parametrize(
    ("let", "circle"),
    [
        ({x: x + 1}, "x → x"),
        ({x: t, t: y, y: x}, "x → t → y → x"),
        ({a: x, x: t, t: x * 2}, "x → t → x"),
        ({Z: G + Z}, "Z → Z"),
    ],
)
def test_definitions_in_a_circle_are_refused(let, circle):
    with pytest.raises(DefinitionError) as refused:
        read_definitions(let)
    assert str(refused.value) == f"the definitions go round in a circle: {circle}"


def test_two_definitions_may_use_a_third():
    assert list(read_definitions({x: t + y, t: y, y: a + 1})) == [x, t, y]


KINDS = {
    "a matrix of shape N×K": matrix("s", N, K),
    "a matrix of shape K×1": column("s", K),
    "a functional of N×K": functional("s", G),
    "a functional of N×K, scalar": functional("s", G, x),
    "an undefined function": elementwise("s")[0](x),
    "a dimension": dimensions("s"),
    "an index": indices("s"),
    "a positive number": scalars("s", positive=True),
    "a real number": scalars("s"),
}


@pytest.mark.parametrize(("one", "other"), list(product(KINDS, KINDS)))
def test_one_name_stands_for_one_thing(one, other):
    used = [KINDS[one], KINDS[other]]
    if one == other:
        assert refuse_clashes(used) is None
    else:
        with pytest.raises(NameClash) as refused:
            refuse_clashes(used)
        assert str(refused.value) == f"the name s is used twice: for {one} and for {other}"


def test_a_symbol_may_have_the_name_of_a_known_function():
    assert refuse_clashes([exp(x), scalars("exp")]) is None


# -- hypotheses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compare", "less", "more", "strict", "written"),
    [
        (lambda: x < t, x, t, True, "x < t"),
        (lambda: x <= t, x, t, False, "x ≤ t"),
        (lambda: x > t, t, x, True, "t < x"),
        (lambda: x >= t, t, x, False, "t ≤ x"),
        (lambda: x > 0, Number(0), x, True, "0 < x"),
        (lambda: x >= 0, Number(0), x, False, "0 ≤ x"),
        (lambda: sympify(1) > x, x, Number(1), True, "x < 1"),
        (lambda: Inequality(x, t), x, t, True, "x < t"),
    ],
)
def test_a_comparison_is_an_inequality(compare, less, more, strict, written):
    inequality = compare()
    assert (inequality.less, inequality.more, inequality.strict) == (less, more, strict)
    assert str(inequality) == written
    assert inequality.holds(1, 2)
    assert not inequality.holds(2, 1)
    assert inequality.holds(1, 1) is not strict


@pytest.mark.parametrize(("one", "other"), [(G, Z), (G, x), (G, 0), (0, G), (x, t), (z, z), (1, x)])
def test_equal_shapes_are_compared_and_a_number_with_every_entry(one, other):
    inequality = Inequality(sympify(one), sympify(other))
    assert (inequality.less, inequality.more) == (sympify(one), sympify(other))


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (G, X, r"cannot compare G (N×K) with X (N×D)"),
        (z, b, r"cannot compare z (K×1) with b (1×K)"),
    ],
)
def test_matrices_of_different_shapes_are_not_compared(one, other, message):
    for compare in (lambda: one < other, lambda: other > one, lambda: one <= other):
        with pytest.raises(ShapeError) as refused:
            compare()
        assert str(refused.value) == message


@pytest.mark.parametrize("one", [-1, 0, Fraction(1, 2), 2])
@pytest.mark.parametrize("other", [-1, 0, Fraction(1, 2), 2])
def test_a_hypothesis_between_numbers_is_refused_if_it_is_false(one, other):
    left, right = sympify(one), sympify(other)
    for hypothesis, holds in (
        (left < right, one < other),
        (left <= right, one <= other),
        (left > right, one > other),
        (left >= right, one >= other),
        (Equation(left, right), one == other),
        ((one, other), one == other),
    ):
        if holds:
            assert len(read_hypotheses([hypothesis]).written) == 1
        else:
            with pytest.raises(HypothesisError, match=r"the hypothesis .* cannot be met"):
                read_hypotheses([hypothesis])


def test_equations_are_read_alike_however_they_are_written():
    for given in ({x: t}, [(x, t)], [Equation(x, t)], ((x, t),)):
        read = read_hypotheses(given)
        assert (read.equations, read.inequalities, read.written) == (((x, t),), (), (Equation(x, t),))


def test_hypotheses_keep_the_order_in_which_they_are_written():
    read = read_hypotheses([x > 0, (t, 1), y <= x])
    assert read.equations == ((t, Number(1)),)
    assert read.inequalities == (x > 0, y <= x)
    assert read.written == (x > 0, Equation(t, Number(1)), y <= x)
    assert read_hypotheses(None) == read_hypotheses({}) == read_hypotheses([])


@pytest.mark.parametrize("item", [(x,), (x, t, y), (), [x, t], "xt", 1, None, x], ids=repr)
def test_what_is_no_pair_is_no_hypothesis(item):
    with pytest.raises(HypothesisError) as refused:
        read_hypotheses([item])
    assert str(refused.value) == (
        f"a hypothesis is an equation (left, right) or an inequality such as p > 0, not {item!r}"
    )


# -- expressions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), list(product([0, 1, -1, 2, -3, Fraction(1, 2)], repeat=2)))
def test_numbers_are_computed_with_as_in_arithmetic(one, other):
    left, right = sympify(one), sympify(other)
    assert evaluate(left * right, {}) == evaluate(one * right, {}) == float(one * other)
    assert evaluate(left + right, {}) == float(one + other)
    assert evaluate(left - right, {}) == float(one - other)
    assert Derivation(left * right).then(Number(one * other), because="arithmetic").evidence >= Evidence.PROVED
    assert -left == Number(-one)


def test_a_minus_goes_to_the_front_of_a_product():
    assert -(x * y) == Times(Number(-1), x, y)
    assert -x == Times(Number(-1), x)
    assert x * y * t == Times(x, y, t)
    assert x * (y * t) == Times(x, Times(y, t))


def test_a_sum_has_the_shape_of_its_terms():
    for term in (x, G, z, b):
        for count in (1, 2, 3):
            assert Plus(*[term] * count).shape == term.shape
    assert (z.T * z + 1).shape == (1 + z.T * z).shape == ()
    assert (z.T * z + z.T * z).shape == ONE_ENTRY


def test_a_vector_has_one_row_or_one_column():
    assert Number(0) == ZERO
    assert Number(1) == ONE
    assert (b.rows, b.cols) == (Number(1), K)
    assert (z.rows, z.cols) == (K, Number(1))
    assert b[k].args == (b, Number(0), k)
    assert z[k].args == (z, k, Number(0))


def test_factors_entry_by_entry_all_have_one_shape():
    for factors in ((G,), (G, Z), (G, Z, G), (b, b), (z, z, z)):
        assert hadamard(*factors).shape == factors[0].shape
    assert divide(G, Z).shape == G.shape
    for factors in ((G, X), (X, G), (G, Z, X), (z, b)):
        with pytest.raises(ShapeError, match=r"entry by entry: expected equal shapes"):
            hadamard(*factors)
    with pytest.raises(ShapeError, match=r"cannot divide z \(K×1\) and b \(1×K\) entry by entry"):
        divide(z, b)


def test_a_matrix_with_one_entry_is_differentiated_by_as_its_entry():
    s = matrix("s", 1, 1)
    L = functional("L", s)
    assert Partial(L, s) == Partial(L, s[0, 0])
    assert Derivation(Partial(s[0, 0] ** 2, s)).then(2 * s[0, 0], because="power rule").evidence is Evidence.PROVED


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (z, "Partial needs one entry such as z[i, j]; Grad(e, z) is all of them"),
        (
            z.T * z,
            "Partial differentiates by a symbol or by an entry of a named matrix, not by zᵀ z",
        ),
        (n, "cannot differentiate by n, which stands for whole numbers"),
    ],
)
def test_what_is_no_variable_is_not_differentiated_by(by, message):
    with pytest.raises(ExpressionError) as refused:
        Partial(x, by)
    assert str(refused.value) == message


@pytest.mark.parametrize("values", [z, b], ids=str)
@pytest.mark.parametrize("variables", [column("v", D), row("v", D)], ids=["column", "row"])
def test_a_jacobian_has_a_row_for_each_value_and_a_column_for_each_variable(values, variables):
    assert Jacobian(values, variables).shape == (K, D)


# -- words ----------------------------------------------------------------------------------------------------


def test_a_vector_of_ones_or_zeros_is_a_column_unless_told_otherwise():
    for make in (ones, zeros):
        assert make(N).shape == (N, Number(1))
        assert make(N, 1) == make(N)
        assert make(N, K).shape == (N, K)
        assert make(1, K).shape == (Number(1), K)
    assert Derivation(z + zeros(K)).then(z, because="zero adds nothing").evidence is Evidence.PROVED


def test_a_symbol_is_any_real_number_unless_it_is_said_to_be_positive():
    s = symbol("s")
    assert (s.name, s.latex, s.positive, s.integer) == ("s", None, False, False)
    assert s == scalars("s")
    assert refusal(lambda: Derivation(sqrt(s**2)).then(s, because="wrong below zero")).rung == "refutation"
    s = symbol("s", r"\varsigma", positive=True)
    assert (s.latex, s.positive, s.integer) == (r"\varsigma", True, False)
    assert Derivation(sqrt(s**2)).then(s, because="s is positive").evidence is Evidence.PROVED


@pytest.mark.parametrize("words", [dimensions, indices, scalars])
def test_one_name_is_one_symbol_and_several_are_a_tuple(words):
    assert words("s").name == "s"
    assert [s.name for s in words("r, s  t")] == ["r", "s", "t"]


# -- functions ------------------------------------------------------------------------------------------------


def test_an_undefined_function_is_typeset_as_told_or_by_its_name():
    for told, f in (((), "f"), ((r"\varphi",), r"\varphi")):
        function, prime = elementwise("f", *told)
        assert latex(function(x)) == rf"{f}\left(x\right)"
        assert latex(prime(x)) == rf"{f}'\left(x\right)"
        assert latex(prime.prime(G)) == rf"{f}''\left(G\right)"


def test_a_function_is_its_name_its_order_and_whether_it_is_known():
    f = Function(name="f", latex="f", known=False)
    assert f == Function("f", "g", known=False)
    assert hash(f) == hash(Function("f", "g", known=False))
    for other in (Function("g", "f", known=False), Function("f", "f", known=True), f.prime, "f"):
        assert f != other
    assert f.prime == Function("f", "f", known=False, order=1)
    assert (repr(f), repr(f.prime), repr(f.prime.prime)) == ("f", "f'", "f''")


VALUES = {  # of the known functions
    "exp": math.exp,
    "log": lambda v: math.log(v) if v > 0 else None,
    "sqrt": lambda v: math.sqrt(v) if v >= 0 else None,
    "sin": math.sin,
    "cos": math.cos,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "softplus": lambda v: math.log(1 + math.exp(v)),
    "relu": lambda v: max(v, 0),
    "step": lambda v: 1 if v > 0 else 0,
    "abs": abs,
    "sign": lambda v: (v > 0) - (v < 0),
}


def test_these_functions_are_known():
    assert {name: (f.name, f.known, f.order) for name, f in KNOWN.items()} == {name: (name, True, 0) for name in VALUES}


@pytest.mark.parametrize("name", VALUES)
def test_a_known_function_has_its_values_and_no_derivative_of_its_own(name):
    f = KNOWN[name]
    for v in (-2, -1, 0, Fraction(1, 2), 1, 3):
        if (expected := VALUES[name](v)) is not None:
            assert evaluate(f(x), {"x": float(v)}) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ExpressionError, match=f"{name} is a known function: write its derivative as a formula"):
        assert f.prime
    with pytest.raises(ExpressionError, match=f"{name} is a known function; an undefined one needs another name"):
        elementwise(name)


@pytest.mark.parametrize(("one", "other"), list(product([-2, -1, 0, 1, 3], repeat=2)))
def test_the_maximum_is_the_larger_of_two_numbers(one, other):
    assert evaluate(maximum(x, y), {"x": one, "y": other}) == max(one, other)
    assert evaluate(maximum(one, y), {"y": other}) == max(one, other)
    assert evaluate(maximum(one, other), {}) == max(one, other)


# -- SymPy's objects ------------------------------------------------------------------------------------------


def test_infinity_keeps_its_sign_when_it_is_read():
    s = sympy.Symbol("x", real=True)
    assert from_sympy(sympy.oo) == INFINITY
    assert from_sympy(-sympy.oo) == -INFINITY
    assert from_sympy(sympy.Integral(sympy.exp(-(s**2)), (s, -sympy.oo, sympy.oo))).args[1] == (x, -INFINITY, INFINITY)


def bound_names(*limits, body=None):
    """The names that a sum of SymPy's has for its indices once it is read."""
    size = sympy.Symbol("N", integer=True, positive=True)
    body = sympy.Symbol("x", real=True) if body is None else body
    return [k.name for k, _, _ in from_sympy(sympy.Sum(body, *((k, 0, size - 1) for k in limits))).limits]


def test_indices_that_sympy_made_up_get_the_first_names_that_are_free():
    made_up = [sympy.Dummy(f"d{count}", integer=True) for count in range(9)]
    assert bound_names(*made_up) == ["i", "j", "k", "l", "i1", "j1", "k1", "l1", "i2"]
    i, j = sympy.symbols("i j", integer=True)
    assert bound_names(*made_up[:2], body=i * j) == ["k", "l"]
    assert bound_names(made_up[0], j, made_up[1]) == ["i", "j", "k"]


# -- derivations ----------------------------------------------------------------------------------------------


def test_evidence_is_ordered_by_its_strength():
    assert [(e.name, e.value) for e in Evidence] == [
        ("EVALUATED", 1),
        ("EXPANDED", 2),
        ("PROVED", 3),
        ("IDENTICAL", 4),
    ]


def test_a_matrix_with_one_entry_equals_that_entry_on_either_side():
    square = total(z[k] ** 2, k)
    assert Derivation(z.T * z).then(square, because="entry by entry").evidence is Evidence.PROVED
    assert Derivation(square).then(z.T * z, because="entry by entry").evidence is Evidence.PROVED
    wrong = refusal(lambda: Derivation(z.T * z).then(2 * square, because="twice too much"))
    assert wrong.rung == "refutation"
    assert refusal(lambda: Derivation(z * z.T).then(square, because="not one entry")).rung == "shapes"


def test_a_step_that_is_nested_too_deeply_is_named():
    deep = x
    for _ in range(3000):
        deep = exp(deep)
    start = Derivation(x)
    with pytest.raises(ExpressionError) as refused:
        start.then(deep, because="deep")
    assert str(refused.value) == "step 1: the expression is nested too deeply"
    with pytest.raises(ExpressionError) as refused:
        start.then(1 * x, because="one more").then(deep, because="deep")
    assert str(refused.value) == "step 2: the expression is nested too deeply"


def test_a_step_says_that_sympy_was_asked_only_where_it_was():
    integral = Derivation(Integral(x, (x, 0, a))).then(a**2 / 2, because="power rule")
    assert integral.steps[0].detail == "normal form, with SymPy's calculus"
    # SymPy has been asked in this derivation, but not for a step without an integral.
    assert integral.then(a * a / 2, because="a square").steps[1].detail == "normal form"
    # A limit that only moves its place is nothing that SymPy is asked for.
    moved = Derivation(Limit(x, x, 0) * (a + c)).then((a + c) * Limit(x, x, 0), because="exchanged")
    assert moved.steps[0].detail == "normal form"


# -- records --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hypothesis", "as_latex", "as_text"),
    [
        (a < c, "a < c", "a < c"),
        (a <= c, r"a \le c", "a ≤ c"),
        (a > c, "c < a", "c < a"),
        (a >= c, r"c \le a", "c ≤ a"),
        (a > 0, "a > 0", "a > 0"),
        (a >= 0, r"a \ge 0", "a ≥ 0"),
        (sympify(0) < a, "a > 0", "a > 0"),
        (a < 1, "a < 1", "a < 1"),
        (a <= 1, r"a \le 1", "a ≤ 1"),
        (Equation(a, c), "a = c", "a = c"),
        ((a, c + 1), "a = c + 1", "a = c + 1"),
    ],
    ids=str,
)
def test_a_hypothesis_is_recorded_as_it_is_written(hypothesis, as_latex, as_text):
    d = Derivation(x, given=[hypothesis])
    assert d._repr_mimebundle_()[DERIVATION]["given"] == [{"latex": as_latex, "text": as_text}]
    assert str(d) == f"x\n  given {as_text}"


def test_a_derivation_of_an_inequality_is_recorded_with_its_relation():
    d = Derivation(a, given=[a <= c]).then(c, because="given", relation="<=")
    assert d._repr_mimebundle_() == {
        DERIVATION: {
            "label": None,
            "proves": [],
            "let": [],
            "given": [{"latex": r"a \le c", "text": "a ≤ c"}],
            "start": {"latex": "a", "text": "a"},
            "steps": [
                {
                    "relation": "<=",
                    "latex": "c",
                    "text": "c",
                    "because": "given",
                    "evidence": "proved",
                    "detail": d.steps[0].detail,
                }
            ],
            "result": {"latex": r"a \le c", "text": "a ≤ c"},
            "evidence": "proved",
        },
        "text/latex": "$$\\begin{aligned}\na &\\le c && \\checkmark\\ \\text{given}\n\\end{aligned}$$",
        "text/plain": f"a\n  ≤ c    given  (proved: {d.steps[0].detail})\n  given a ≤ c",
    }


@pytest.mark.parametrize(
    ("because", "as_latex"),
    [
        ("plain", r"\text{plain}"),
        ("$x$", "x"),
        ("as $x$", r"\text{as }x"),
        ("$x$ is $y$", r"x\text{ is }y"),
        ("as $x$ is $y$, so $z$ & on", r"\text{as }x\text{ is }y\text{, so }z\text{ \& on}"),
        ("$x_1$ of 5% #a_b", r"x_1\text{ of 5\% \#a\_b}"),
        ("2^n", r"\text{2\char`\^ n}"),
        ("", ""),
    ],
)
def test_a_reason_is_text_with_formulas_between_dollars(because, as_latex):
    shown = Derivation(x).then(x, because=because)._repr_mimebundle_()["text/latex"]
    assert shown == f"$$\\begin{{aligned}}\nx &= x && \\checkmark\\ {as_latex}\n\\end{{aligned}}$$"


# -- LaTeX and text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "with_subscript", "with_layer"),
    [
        ("x", "x", "x"),
        ("dZ", "dZ", "dZ"),
        ("net", r"\mathrm{net}", r"\mathrm{net}"),
        ("loss", r"\mathrm{loss}", r"\mathrm{loss}"),
        ("eta", r"\eta", r"\eta"),
        ("pi", r"\pi", r"\pi"),
        ("W2", "W_{2}", "W^{(2)}"),
        ("dW12", "dW_{12}", "dW^{(12)}"),
        ("net3", r"\mathrm{net}_{3}", r"\mathrm{net}^{(3)}"),
        ("D_in", r"D_{\mathrm{in}}", r"D_{\mathrm{in}}"),
        ("x_i", "x_{i}", "x_{i}"),
        ("x_eta", r"x_{\eta}", r"x_{\eta}"),
        ("x_12", "x_{12}", "x_{12}"),
        ("Y_hat", r"\hat{Y}", r"\hat{Y}"),
        ("net_hat", r"\hat{\mathrm{net}}", r"\hat{\mathrm{net}}"),
    ],
)
def test_a_name_is_typeset(name, with_subscript, with_layer):
    assert name_latex(name) == with_subscript
    assert name_latex(name, counter="^") == with_layer


WRITTEN = [
    # A matrix over a number: the number comes first in LaTeX.
    (lambda: G / N, r"\frac{1}{N} G", "G / N"),
    (lambda: -G / N, r"-\frac{1}{N} G", "-G / N"),
    (lambda: X * W / N, r"\frac{1}{N} X W", "X W / N"),
    (lambda: -(X * W) / N, r"-\frac{1}{N} X W", "-X W / N"),
    (lambda: -(X * W * G.T) / N, r"-\frac{1}{N} X W G^{\top}", "-X W Gᵀ / N"),
    (lambda: 2 * G / N, r"\frac{2}{N} G", "2 G / N"),
    (lambda: -(2 * G) / N, r"-\frac{2}{N} G", "-2 G / N"),
    (lambda: -(x * G) / N, r"-\frac{x}{N} G", "-x G / N"),
    (lambda: -(2 * x * G) / N, r"-\frac{2 x}{N} G", "-2 x G / N"),
    (lambda: -(x * X * W) / N, r"-\frac{x}{N} X W", "-x X W / N"),
    (lambda: -hadamard(G, Z) / N, r"-\frac{1}{N} \left(G \odot Z\right)", "-(G ⊙ Z) / N"),
    (lambda: -(x * (G - Z)) / N, r"-\frac{x}{N} \left(G - Z\right)", "-x (G − Z) / N"),
    # Ones, which show how they lie.
    (lambda: ones(N), r"\mathbf{1}", "𝟏"),
    (lambda: ones(1, K), r"\mathbf{1}^{\top}", "𝟏ᵀ"),
    (lambda: ones(N, K), r"\mathbf{1}_{N \times K}", "𝟏"),
    (lambda: ones(1, 1), r"\mathbf{1}", "𝟏"),
    (lambda: ones(N).T, r"\mathbf{1}^{\top}", "𝟏ᵀ"),
    (lambda: zeros(N, K) + identity(N) * G, r"\mathbf{0} + I G", "𝟎 + I G"),
    # What is added, and what is subtracted.
    (lambda: x + 0, "x + 0", "x + 0"),
    (lambda: x - 0, "x + 0", "x + 0"),
    (lambda: x + 1, "x + 1", "x + 1"),
    (lambda: x - 1, "x - 1", "x − 1"),
    (lambda: x + (-1) * y, "x - y", "x − y"),
    (lambda: x + (-3) * y, "x - 3 y", "x − 3 y"),
    (lambda: x - y / t, r"x - \frac{y}{t}", "x − y / t"),
    (lambda: x + (-y) / t, r"x - \frac{y}{t}", "x − y / t"),
    (lambda: 0 + x, "0 + x", "0 + x"),
    # Signs and groups in a product.
    (lambda: (-x / a) * y, r"-\frac{x}{a} y", "-x / a y"),
    (lambda: -((-x / a) * y), r"-\left(-\frac{x}{a}\right) y", "-(-x / a) y"),
    (lambda: y * (-x / a), r"y \left(-\frac{x}{a}\right)", "y (-x / a)"),
    (lambda: Times(x), "x", "x"),
    (lambda: Times(hadamard(G, Z)), r"G \odot Z", "G ⊙ Z"),
    (lambda: Times(Number(-1), hadamard(G, Z)), r"-\left(G \odot Z\right)", "-(G ⊙ Z)"),
    (lambda: X * Times(X.T, G), r"X \left(X^{\top} G\right)", "X (Xᵀ G)"),
]


@pytest.mark.parametrize(("make", "as_latex", "as_text"), WRITTEN, ids=[t for _, _, t in WRITTEN])
def test_an_expression_is_written(make, as_latex, as_text):
    assert latex(make()) == as_latex
    assert text(make()) == as_text


# -- to SymPy and back ------------------------------------------------------------------------------------------


def test_a_symbol_goes_to_sympy_with_what_is_known_of_it():
    assert to_sympy(x) == sympy.Symbol("x", real=True)
    assert to_sympy(n) == sympy.Symbol("n", integer=True)
    assert to_sympy(N) == sympy.Symbol("N", integer=True, positive=True)
    assert to_sympy(symbol("p", positive=True)) == sympy.Symbol("p", real=True, positive=True)


def test_what_stands_in_an_expression_is_known_to_sympy():
    written = to_sympy(symbol("p", positive=True) * exp(x) * G[n, 0])
    assert written.free_symbols == {
        sympy.Symbol("p", positive=True),
        sympy.Symbol("x"),
        sympy.Symbol("n", integer=True),
        *(sympy.Symbol(size, integer=True, positive=True) for size in "NK"),
    }


def test_a_root_of_sympy_is_read_as_a_root():
    p = sympy.Symbol("x")
    assert from_sympy(sympy.sqrt(p)) == sqrt(x)
    assert from_sympy(p ** sympy.Rational(3, 2)) == x ** Fraction(3, 2)
    assert from_sympy(p**0) == Number(1)
