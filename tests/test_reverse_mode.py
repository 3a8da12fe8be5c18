"""Reverse and forward mode: every rule against differences, the tape's order, whole networks against two oracles."""

import itertools

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import reverse_mode as rm
from backprop import symbolic
from backprop.forward_mode import Dual, jvp
from backprop.gradcheck import central_difference, relative_error
from backprop.network import MLP
from backprop.primitives import PRIMITIVES, Primitive, replaced
from backprop.reverse_mode import Node, apply, backward, log_softmax, relu, tape, total, variable

RNG = np.random.default_rng(0)
# Operands for each primitive, positive where a logarithm or a quotient demands it, and away from ReLU's kink.
OPERANDS = {
    "add": [((4, 3), (4, 3)), ((4, 3), (3,)), ((4, 1), (4, 3)), ((), (4, 3)), ((1, 3), (4, 1))],
    "matmul": [((4, 3), (3, 2))],
    "exp": [((4, 3),)],
    "log_softmax": [((4, 3),), ((3,),), ((2, 4, 3),)],
}
OPERANDS |= dict.fromkeys(("subtract", "multiply", "divide"), OPERANDS["add"])
OPERANDS |= dict.fromkeys(("log", "tanh", "sigmoid", "relu", "transpose", "total"), OPERANDS["exp"])
CASES = [(name, shapes) for name, cases in OPERANDS.items() for shapes in cases]


def drawn(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 2.0, size=shape) for shape in shapes]


def test_every_primitive_is_tried():
    assert set(OPERANDS) == set(PRIMITIVES)


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_each_vjp_agrees_with_differences(name, shapes):
    values = drawn(shapes)
    if name == "relu":
        values[0][::2] *= -1
    c = apply(name, *values)
    v = np.random.default_rng(1).normal(size=np.shape(c))
    for i, x in enumerate(values):

        def paired(moved, i=i):
            return float(np.sum(v * apply(name, *values[:i], moved, *values[i + 1 :])))

        found = PRIMITIVES[name].vjps[i](v, c, *values)
        assert found.shape == x.shape
        assert relative_error(found, central_difference(paired, x)) < 1e-8


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_the_two_directions_of_a_rule_are_adjoint(name, shapes):
    values = drawn(shapes)
    c = apply(name, *values)
    v = np.random.default_rng(1).normal(size=np.shape(c))
    for i, x in enumerate(values):
        u = np.random.default_rng(2).normal(size=x.shape)
        forward = PRIMITIVES[name].jvps[i](u, c, *values)
        assert np.shape(forward) == np.shape(c)
        pulled, pushed = np.sum(PRIMITIVES[name].vjps[i](v, c, *values) * u), np.sum(v * forward)
        assert np.isclose(pulled, pushed, rtol=1e-12)


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_float32_stays_float32_in_both_directions(name, shapes):
    values = [x.astype(np.float32) for x in drawn(shapes)]
    nodes = [variable(x) for x in values]
    gradients = backward(total(apply(name, *nodes)))
    assert all(gradients[node].dtype == np.float32 for node in nodes)
    value, tangent = jvp(lambda *x: apply(name, *x), values, values)
    assert value.dtype == tangent.dtype == np.float32


@pytest.mark.parametrize(
    ("program", "derivative"),
    [
        (lambda x: 3 + x, 1),
        (lambda x: x + 3, 1),
        (lambda x: 3 - x, -1),
        (lambda x: x - 3, 1),
        (lambda x: 3 * x, 3),
        (lambda x: x * 3, 3),
        (lambda x: 3 / x, -0.75),
        (lambda x: x / 4, 0.25),
        (lambda x: -x, -1),
        (lambda x: np.float64(3) * x, 3),
        (lambda x: np.array(3.0) - x, -1),
    ],
)
def test_the_operators_with_constants_on_either_side(program, derivative):
    x = variable(2.0)
    assert backward(program(x))[x] == derivative
    assert jvp(program, [2.0], [1.0])[1] == derivative


def test_matrices_on_either_side_of_a_node():
    X = variable(drawn([(3, 2)])[0])
    left, right = drawn([(4, 3), (2, 5)], seed=3)
    assert np.allclose(backward(total(left @ X))[X], np.outer(left.sum(axis=0), np.ones(2)))
    assert np.allclose(backward(total(X @ right))[X], np.outer(np.ones(3), right.sum(axis=1)))
    assert np.array_equal(backward(total(X.T * left[:2, :3]))[X], left[:2, :3].T)


def test_relu_has_the_slope_from_the_left_at_its_kink():
    x = variable([-1.0, 0.0, 2.0])
    assert backward(total(relu(x)))[x].tolist() == [0, 0, 1]
    assert jvp(relu, [x.value], [np.ones(3)])[1].tolist() == [0, 0, 1]


def test_on_arrays_a_program_only_computes():
    assert np.array_equal(relu(np.array([-1.0, 2.0])), [0.0, 2.0])
    assert isinstance(total(np.ones((2, 2))), float)


def double(x, times):
    for _ in range(times):
        x = x + x
    return x


def test_a_value_used_twice_is_followed_once():
    """Forty doublings have 2⁴⁰ paths: a walk along paths would not end."""
    x = variable(1.0)
    y = double(x, 40)
    assert len(tape(y)) == 41
    assert backward(y)[x] == 2.0**40


def test_the_published_bug_is_not_ours():
    """A node that forwards its running total would say 28 for 24, and 26 for 8: chapter 14 shows it."""
    a = variable(3.0)
    b = a * 4
    assert backward(b + b * 5)[a] == 24
    x = variable(1.0)
    assert backward(double(x, 3))[x] == 8


def test_a_long_program_is_no_deeper_than_a_short_one():
    x = variable(1.0)
    y = x
    for _ in range(5000):
        y = y * 1.0
    assert backward(y)[x] == 1


def test_operands_stand_before_what_was_made_of_them():
    x = variable(2.0)
    y = x * x
    z = rm.exp(y) * x + y
    order = tape(z)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order) == 5
    assert order[-1] is z
    assert all(place[o] < place[node] for node in order for o in node.operands if isinstance(o, Node))


def test_constants_have_no_gradient():
    X = variable(np.ones((3, 2)))
    y = total(X * np.ones((3, 2)))
    assert set(backward(y)) == {X, y, y.operands[0]}


def test_a_variable_keeps_the_value_that_it_was_given():
    mine = np.array([1.0, 2.0])
    x = variable(mine)
    mine[0] = 7.0
    assert x.value[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        x.value[0] = 7.0


def program(weights, biases, X, Y):
    """Chapter 5's network: softmax and cross-entropy on top of ReLU layers."""
    A = X
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        A = relu(A @ W + b)
    return total(Y * log_softmax(A @ weights[-1] + biases[-1])) / -len(Y)


@st.composite
def networks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    m = draw(st.integers(1, 7))
    weights = [rng.normal(size=pair) for pair in itertools.pairwise(sizes)]
    biases = [rng.normal(size=n) for n in sizes[1:]]
    return weights, biases, rng.normal(size=(m, sizes[0])), rng.dirichlet(np.ones(sizes[-1]), size=m)


# A busy machine is slow, not wrong.
@settings(deadline=None)
@given(networks())
def test_the_network_is_differentiated_as_by_hand(given_network):
    weights, biases, X, Y = given_network
    W, b, X_node = [variable(w) for w in weights], [variable(v) for v in biases], variable(X)
    loss = program(W, b, X_node, Y)
    found = backward(loss)
    value, hand = MLP(weights, biases).loss_and_gradients(X, Y)
    assert np.isclose(loss.value, value, rtol=1e-12, atol=1e-14)
    for mine, his in [*zip(W, hand.dW, strict=True), *zip(b, hand.db, strict=True), (X_node, hand.dX)]:
        assert np.allclose(found[mine], his, rtol=1e-11, atol=1e-13)


def test_the_network_is_differentiated_as_by_hips_autograd():
    rng = np.random.default_rng(3)
    weights, biases = [rng.normal(size=s) for s in ((5, 4), (4, 3))], [rng.normal(size=n) for n in (4, 3)]
    X, Y = rng.normal(size=(6, 5)), rng.dirichlet(np.ones(3), size=6)

    def theirs(weights, biases):
        A = anp.maximum(anp.dot(X, weights[0]) + biases[0], 0)
        Z = anp.dot(A, weights[1]) + biases[1]
        return -anp.sum(Y * (Z - anp.log(anp.sum(anp.exp(Z), axis=1, keepdims=True)))) / len(X)

    W, b = [variable(w) for w in weights], [variable(v) for v in biases]
    found = backward(program(W, b, X, Y))
    dW, db = autograd.grad(theirs, (0, 1))(weights, biases)
    for mine, its in zip([*W, *b], [*dW, *db], strict=True):
        assert relative_error(found[mine], its) < 1e-12


def test_forward_mode_gives_the_same_derivatives():
    rng = np.random.default_rng(4)
    weights, biases = [rng.normal(size=s) for s in ((3, 4), (4, 2))], [rng.normal(size=n) for n in (4, 2)]
    X, Y = rng.normal(size=(5, 3)), rng.dirichlet(np.ones(2), size=5)
    nodes = [variable(x) for x in (*weights, *biases)]
    found = backward(program(nodes[:2], nodes[2:], X, Y))
    values = [node.value for node in nodes]
    for at, node in enumerate(nodes):
        tangents = [np.zeros_like(x) for x in values]
        direction = rng.normal(size=node.value.shape)
        tangents[at] = direction
        _, slope = jvp(lambda *x: program(x[:2], x[2:], X, Y), values, tangents)
        assert np.isclose(slope, np.sum(found[node] * direction), rtol=1e-12)


def test_a_cotangent_asks_for_one_row_of_the_jacobian():
    x = variable([1.0, 2.0, 4.0])
    y = x * x
    assert np.array_equal(backward(y, [0.0, 1.0, 0.0])[x], [0.0, 4.0, 0.0])
    assert backward(y, np.ones(3, np.float32))[x].tolist() == [2, 4, 8]


def test_a_cotangent_without_a_dtype_takes_that_of_the_output():
    x = variable(np.ones(3, np.float32))
    assert backward(x * x, [0.0, 1.0, 0.0])[x].dtype == np.float32
    assert backward(x * x, np.ones(3))[x].dtype == np.float64


def test_a_sweep_over_symbols_writes_down_the_formulas():
    m, n, k = symbolic.dimensions("m n k")
    X, W, D = symbolic.matrix("X", m, n), symbolic.matrix("W", n, k), symbolic.matrix("D", m, k)
    rule = Primitive(lambda a, b: a * b, (lambda v, c, a, b: v * b.T, lambda v, c, a, b: a.T * v), ())
    with replaced(matmul=rule):
        assert apply("matmul", X, W) == X * W
        x, w = Node(X), Node(W)
        swept = backward(x @ w, D)
        assert backward(x @ W, D)[x] == swept[x] == D * W.T
        assert swept[w] == X.T * D


def test_shares_whose_sum_overflows_are_refused():
    x = variable([0.5, 0.0])
    with pytest.raises(ValueError, match=r"the gradient of .*variable.* is inf at index 0: cotangent is too large"):
        backward(x * [1e308, 1.0] + x * [1e308, 1.0], [1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: backward(np.ones(3)), TypeError, "output is an array of shape .*: expected a Node"),
        (lambda: backward(variable([1.0, 2.0])), ValueError, r"output has shape \(2,\): expected one number"),
        (
            lambda: backward(variable([1.0, 2.0]), [1.0]),
            ValueError,
            r"cotangent has shape \(1,\), but output has \(2,\)",
        ),
        (lambda: variable([1.0, np.nan]), ValueError, "value is nan at index 1"),
        (lambda: variable(1j), TypeError, "value has dtype complex128"),
        (lambda: variable(np.ones(3)) @ np.ones((3, 2)), ValueError, r"@ was given shapes \(3,\) and \(3, 2\)"),
        (lambda: variable(1.0) + Dual(1.0, 1.0), TypeError, "add was given Dual and Node: expected one kind"),
        (lambda: jvp(lambda x: x, [1.0], []), ValueError, "tangents holds 0 arrays, but there are 1 values"),
        (lambda: jvp(lambda x: x, [1.0], [[1.0]]), ValueError, r"tangents\[0\] has shape \(1,\), but values\[0\] has"),
        (lambda: jvp(lambda x: 3.0, [1.0], [1.0]), TypeError, "function returned a float"),
        (lambda: replaced(exp=np.exp).__enter__(), TypeError, "exp is .*: expected a Primitive"),
    ],
)
def test_bad_input_is_refused_by_name(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("matmul", lambda v, c, a, b: v @ np.ones_like(b).T),
        ("log_softmax", lambda v, c, a: v - np.exp(c) * v),
        ("multiply", lambda v, c, a, b: v * a),
        ("relu", lambda v, c, a: v * (a >= a)),
        ("total", lambda v, c, a: v * np.ones_like(a) / a.size),
    ],
)
def test_a_wrong_rule_is_seen(monkeypatch, name, wrong):
    """The checks above fail where they should: a rule replaced by a typical mistake gives another gradient."""
    rng = np.random.default_rng(5)
    x, y = variable(rng.normal(size=(4, 3))), variable(rng.normal(size=(3, 3)))

    def result():
        return backward(total(log_softmax(relu(x @ y) * (x + 1.0)) * rng_fixed))[x]

    rng_fixed = rng.normal(size=(4, 3))
    right = result()
    rule = PRIMITIVES[name]
    monkeypatch.setitem(PRIMITIVES, name, rule._replace(vjps=(wrong, *rule.vjps[1:])))
    assert relative_error(result(), right) > 1e-3
