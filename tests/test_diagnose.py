"""Every planted error gets its own name, no other gradient gets any, and the message holds no solution."""

import importlib
import pkgutil

import numpy as np
import pytest

import backprop.exercises
from backprop._suspects import sample_axis
from backprop.course import exercise as course_exercise
from backprop.diagnose import diagnose

# Four that are chosen, and six at random, all sizes of each different.
SHAPES = [(5, 4, 3), (3, 2, 7), (6, 3, 2), (4, 6, 5)]
SHAPES += [tuple(map(int, np.random.default_rng(seed).permutation(np.arange(2, 10))[:3])) for seed in range(6)]


def layer(seed, m=5, n_in=4, n_out=3):
    """A linear layer with a tanh or a ReLU above it, and its right gradients."""
    rng = np.random.default_rng(seed)
    X, W, b = rng.standard_normal((m, n_in)), rng.standard_normal((n_in, n_out)), rng.standard_normal(n_out)
    Z, dA = X @ W + b, rng.standard_normal((m, n_out))
    return {"X": X, "W": W, "Z": Z, "dA": dA}


def relu_layer(seed, *sizes):
    layer_ = layer(seed, *sizes)
    A = np.where(layer_["Z"] > 0, layer_["Z"], 0)
    return layer_ | {"A": A, "dZ": layer_["dA"] * (layer_["Z"] > 0)}


def tanh_layer(seed, *sizes):
    layer_ = layer(seed, *sizes)
    A = np.tanh(layer_["Z"])
    return layer_ | {"A": A, "dZ": layer_["dA"] * (1 - A**2)}


def sigmoid_layer(seed, *sizes):
    layer_ = layer(seed, *sizes)
    A = 1 / (1 + np.exp(-layer_["Z"]))
    return layer_ | {"A": A, "dZ": layer_["dA"] * A * (1 - A)}


def right(o):
    return {"dZ": o["dZ"], "dW": o["X"].T @ o["dZ"], "db": o["dZ"].sum(0), "dX": o["dZ"] @ o["W"].T}


def made_of(o, dZ):
    return right(o | {"dZ": dZ})


# fault, the quantities that it is planted in, wrong gradient from the operands and the right one.
ANYWHERE = ("dZ", "dW", "db", "dX")
PLANTED = [
    ("sign flipped", ANYWHERE, lambda o, q: -right(o)[q]),
    ("divided by m", ("dZ", "dW", "dX"), lambda o, q: right(o)[q] / len(o["X"])),
    ("multiplied by m", ANYWHERE, lambda o, q: right(o)[q] * len(o["X"])),
    ("constant factor", ANYWHERE, lambda o, q: right(o)[q] * 0.3),
    ("bias averaged", ("db",), lambda o, q: o["dZ"].mean(0)),
    ("transposed", ("dZ", "dW", "dX"), lambda o, q: right(o)[q].T),
    ("row lost", ("dZ", "dW", "dX"), lambda o, q: right(o)[q][:-1]),
    ("row lost", ("dZ", "dW", "dX"), lambda o, q: right(o)[q][1:]),
    ("column lost", ("dZ", "dW", "dX"), lambda o, q: right(o)[q][:, :-1]),
    ("column lost", ("dW", "dX"), lambda o, q: np.where(np.arange(right(o)[q].shape[1]) == 1, 0, right(o)[q])),
    ("row lost", ("dW", "dX"), lambda o, q: np.where(np.arange(len(right(o)[q]))[:, None] == 1, 0, right(o)[q])),
    ("entry lost", ("db",), lambda o, q: right(o)[q][1:]),
    ("row lost", ("dW", "db"), lambda o, q: made_of(o, np.where(np.arange(len(o["X"]))[:, None] == 1, 0, o["dZ"]))[q]),
    ("wrong axis", ("db",), lambda o, q: o["dZ"].sum(1)),
    ("wrong axis", ("db",), lambda o, q: o["dZ"].sum()),
    ("not summed", ("db",), lambda o, q: o["dZ"]),
    ("wrong shape", ("db",), lambda o, q: o["dZ"].sum(0, keepdims=True)),
    ("missing f'", ANYWHERE, lambda o, q: made_of(o, o["dA"])[q]),
    ("f for f'", ANYWHERE, lambda o, q: made_of(o, o["dA"] * o["A"])[q]),
    ("mask on the wrong array", ANYWHERE, lambda o, q: made_of(o, o["dA"] * (o["dA"] > 0))[q]),
    ("mask on the wrong array", ANYWHERE, lambda o, q: made_of(o, o["dA"] * (o["Z"] <= 0))[q]),
    ("mask on the wrong array", ("dW",), lambda o, q: np.maximum(o["X"], 0).T @ o["dZ"]),
    ("mask on the wrong array", ("dX",), lambda o, q: right(o)[q] * (o["X"] > 0)),
    ("updated too early", ("dX",), lambda o, q: o["dZ"] @ (o["W"] - 0.1 * right(o)["dW"]).T),
]


def plantings(make):
    for shape_number, shape in enumerate(SHAPES):
        operands = make(shape_number, *shape)
        for fault, quantities, plant in PLANTED:
            for quantity in quantities:
                gradient, reference = plant(operands, quantity), right(operands)[quantity]
                if gradient.shape != reference.shape or not np.allclose(gradient, reference, rtol=1e-9, atol=0):
                    yield fault, quantity, operands, gradient  # the others cannot be seen here: a dead unit, for one


@pytest.mark.parametrize("make", [relu_layer, tanh_layer, sigmoid_layer])
def test_every_planted_error_gets_its_name(make, record_property):
    wrong, count = [], 0
    for fault, quantity, operands, gradient in plantings(make):
        found = diagnose(gradient, right(operands)[quantity], operands=operands, name=quantity)
        count += 1
        if fault not in (found.fault, *found.also):
            wrong.append((fault, quantity, found.fault, operands["X"].shape))
    record_property("rate of right names", f"{1 - len(wrong) / count:.0%} of {count}")
    assert count > 400
    assert wrong == []


@pytest.mark.parametrize("make", [relu_layer, tanh_layer, sigmoid_layer])
def test_the_derivative_is_found_from_the_reference_where_dZ_is_not_given(make):
    for fault, quantity, operands, gradient in plantings(make):
        if fault in ("missing f'", "f for f'"):
            given = {key: value for key, value in operands.items() if key != "dZ"}
            found = diagnose(gradient, right(operands)[quantity], operands=given)
            assert fault in (found.fault, *found.also), (fault, quantity, found)


@pytest.mark.parametrize(
    ("make", "derivative"),
    [(tanh_layer, lambda z: 1 / np.cosh(z) ** 2), (sigmoid_layer, lambda z: 1 / (2 + 2 * np.cosh(z)))],
)
def test_a_derivative_that_is_there_but_wrongly_used(make, derivative):
    for o in (make(1), make(2)):
        given = {key: value for key, value in o.items() if key != "dZ"}
        for quantity in ANYWHERE:
            twice = made_of(o, o["dA"] * derivative(o["Z"]) ** 2)[quantity]
            assert diagnose(twice, right(o)[quantity], operands=given).fault == "f' twice"
            of_A = made_of(o, o["dA"] * derivative(o["A"]))[quantity]
            assert diagnose(of_A, right(o)[quantity], operands=given).fault == "f' at the wrong place"


def test_a_sum_too_many():
    dW = layer(4)["W"]
    for wrong in (dW.sum(0), dW.sum(1), dW.sum()):
        assert diagnose(wrong, dW).fault == "wrong axis"
    assert diagnose(dW.mean(0), dW).fault == "wrong shape"


def test_a_step_that_no_update_makes_is_no_update():
    o = tanh_layer(12)
    up = o["dZ"] @ (o["W"] + 0.1 * right(o)["dW"]).T
    assert diagnose(up, right(o)["dX"], operands=o).fault == "unknown"


@pytest.mark.parametrize("sizes", [(4, 4, 4), (3, 3, 3)])
def test_square_matrices_hide_a_wrong_product_from_shapes_but_not_from_the_diagnosis(sizes):
    o = tanh_layer(1, *sizes)
    X, W, dZ = o["X"], o["W"], o["dZ"]
    for gradient in (X @ dZ, X @ dZ.T, X.T @ dZ.T, dZ @ X, dZ @ X.T, X * dZ):
        assert diagnose(gradient, X.T @ dZ, operands=o).fault == "wrong product"
    assert diagnose(dZ.T @ X, X.T @ dZ, operands=o).fault == "transposed"
    for gradient in (dZ @ W, dZ.T @ W, W @ dZ, W.T @ dZ.T):
        assert diagnose(gradient, dZ @ W.T, operands=o).fault == "wrong product"


def test_two_faults_at_once_are_both_said():
    dW = layer(2)["W"]
    message = str(diagnose(dW.T / 5, dW, m=5, name="dW"))
    assert "transpose" in message
    assert "divided by m = 5" in message
    o = relu_layer(3)
    message = str(diagnose(-(o["X"].T @ o["dA"]), right(o)["dW"], operands=o))
    assert "f′" in message
    assert "sign" in message


# Each of the twelve layers and quantities eight times; the rest of the three hundred in the deep tier.
@pytest.mark.parametrize("seed", [*range(96), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(96, 300))])
def test_a_fault_that_is_not_there_is_never_named(seed):
    """Random gradients: of any size, sparse, of small integers, a random change of the reference in any entries."""
    rng = np.random.default_rng(seed)
    sizes = rng.permutation([3, 4, 5, 6])[:3]
    operands = (relu_layer, tanh_layer, sigmoid_layer)[seed % 3](seed, *sizes)
    quantity = ANYWHERE[seed % 4]
    reference = right(operands)[quantity]
    noise = rng.standard_normal(reference.shape)
    some = rng.random(reference.shape) < 0.4
    some.flat[rng.integers(some.size)] = True
    gradients = [
        noise,
        reference + noise,
        reference + 1e-3 * noise,
        np.where(some, reference + noise, reference),
        np.where(some, noise, reference),
        noise * some,
        reference + 0.5,
        reference * np.exp(noise),
    ]
    for gradient in gradients:
        found = diagnose(gradient, reference, operands=operands)
        assert found.fault == "unknown", (found, quantity)
        assert "none of the usual suspects" in str(found)
        assert found.also == ()


def test_a_named_fault_is_a_true_sentence():
    """The numbers in the message are those of the case: a factor, a row, an index."""
    dW = layer(5)["W"]
    assert "divided by m = 7" in str(diagnose(dW / 7, dW, m=7))
    assert "multiplied by m = 7" in str(diagnose(dW * 7, dW, m=7))
    assert "times 0.25" in str(diagnose(dW / 4, dW, m=7))
    assert "times 7" in str(diagnose(dW * 7, dW))
    assert "without row 2" in str(diagnose(np.delete(dW, 2, 0), dW))
    changed = dW.copy()
    changed[1, 2] += 3
    message = str(diagnose(changed, dW))
    assert "all in" not in message  # of one entry the index says it
    assert "1 of 12 entries differ" in message
    assert "[1, 2]" in message
    assert f"{changed[1, 2]:.6g}" in message
    assert f"{dW[1, 2]:.6g}" in message


def test_a_difference_in_one_column_is_located():
    dW = layer(5)["W"]
    changed = dW + np.arange(4)[:, np.newaxis] * (np.arange(3) == 1)
    assert "3 of 12 entries differ, all in column 1;" in str(diagnose(changed, dW))
    assert "3 of 12 entries differ, all in row 1;" in str(diagnose(changed.T, dW.T))


def test_m_is_named_only_when_the_factor_is_m():
    dW = layer(6)["W"]
    for m in (2, 3, 4, 6):
        assert diagnose(dW / 5, dW, m=m).fault == "constant factor"
    assert diagnose(dW / 5, dW).fault == "constant factor"
    assert diagnose(dW / 5, dW, operands={"X": np.ones((5, 4))}).fault == "divided by m"


def test_one_sample_hides_a_wrong_m_and_nothing_is_said_about_it():
    o = tanh_layer(7, 1, 4, 3)
    assert diagnose(right(o)["dW"] / 1, right(o)["dW"], operands=o).right
    assert "m = 1" not in str(diagnose(right(o)["dW"].T, right(o)["dW"], operands=o))


def test_one_entry_is_in_proportion_to_anything():
    assert diagnose([2.5], [1.0], m=3).fault == "unknown"
    assert diagnose([-1.0], [1.0], m=3).fault == "sign flipped"
    assert diagnose([0.0, 2.5], [0.0, 1.0], m=3).fault == "unknown"


@pytest.mark.parametrize("quantity", ANYWHERE)
def test_right_up_to_rounding(quantity):
    o = relu_layer(8)
    reference = right(o)[quantity]
    assert diagnose(reference, reference).right
    for error in (1e-15, 1e-13):
        found = diagnose(reference * (1 + error), reference, operands=o)
        assert found.right
        assert "rounding" in str(found)
    assert diagnose(reference.astype(np.float32), reference, operands=o).right
    found = diagnose(reference * (1 + 1e-7 * np.cos(np.arange(reference.size)).reshape(reference.shape)), reference)
    assert found.fault == "imprecise"
    assert diagnose((reference / 5).astype(np.float32), reference, m=5).fault == "divided by m"


@pytest.mark.parametrize(
    ("gradient", "fault"),
    [
        (None, "not numbers"),
        (..., "not numbers"),
        ("dW", "not numbers"),
        ([[1.0, 2.0], [3.0]], "not numbers"),
        (np.ones((2, 3)) * 1j, "not numbers"),
        (np.full((2, 3), np.nan), "not finite"),
        ([[1, 2, 3], [4, np.inf, 6]], "not finite"),
        (np.zeros((2, 3)), "all zero"),
        (0.0, "wrong shape"),
        (np.ones((2, 4)), "wrong shape"),
        (np.ones((0, 3)), "wrong shape"),
        (np.ones((2, 3, 1)), "wrong shape"),
        ([], "wrong shape"),
    ],
)
def test_what_is_no_gradient_is_told_kindly(gradient, fault):
    found = diagnose(gradient, [[1.0, 2.5, -3.0], [4.0, 5.0, 7.0]], name="dW")
    assert found.fault == fault
    assert "dW" in str(found)
    assert not found.right


def test_a_wrong_shape_says_the_right_one_and_which_sum_gives_it():
    o = relu_layer(9)
    hint = str(diagnose(np.ones((5, 3)), right(o)["dW"], operands={"X": o["X"], "dZ": o["dZ"]}, name="dW"))
    assert "(5, 3)" in hint
    assert "(4, 3) is expected" in hint
    assert "X and dZ" in hint
    assert "axis of size 5" in hint
    hint = str(diagnose(np.ones((5, 3)), right(o)["dX"], operands={"W": o["W"], "dZ": o["dZ"]}, name="dX"))
    assert "W and dZ" in hint
    assert "axis of size 3" in hint
    square = tanh_layer(9, 4, 4, 4)
    hint = str(diagnose(np.ones((4, 3)), right(square)["dW"], operands={"X": square["X"], "dZ": square["dZ"]}))
    assert "X and dZ" not in hint  # four sums give this shape: naming one would be a guess
    hint = str(diagnose(np.ones(5), right(o)["db"], operands={"dZ": o["dZ"]}, name="db"))
    assert "summed over the 5 rows of dZ" in hint


def test_the_solution_is_not_given_away():
    for fault, quantity, operands, gradient in plantings(relu_layer):
        message = str(diagnose(gradient, right(operands)[quantity], operands=operands, name=quantity))
        for formula in ("X.T", "Xᵀ", "@", "W.T", "Wᵀ", "sum(axis=0)", "np."):
            assert formula not in message, (fault, message)


def test_the_reference_is_zero():
    zero = np.zeros((2, 3))
    assert diagnose(zero, zero).right
    assert diagnose(zero + 1, zero, m=4).fault == "unknown"


def test_nothing_is_changed():
    o = relu_layer(10)
    before = {key: value.copy() for key, value in o.items()}
    reference = right(o)["dW"]
    gradient = reference[:-1].copy()
    diagnose(gradient, reference, operands=o)
    assert all(np.array_equal(o[key], before[key]) for key in o)
    assert np.array_equal(gradient, reference[:-1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"reference": [[np.nan]]}, ValueError, "reference has NaN"),
        ({"reference": "dW"}, TypeError, "reference has dtype"),
        ({"reference": [1.0], "m": 0}, ValueError, "m is 0: expected at least 1"),
        ({"reference": [1.0], "m": 2.5}, TypeError, "m is 2.5: expected an integer"),
        ({"reference": [1.0], "operands": {"X": [np.inf]}}, ValueError, r"operands\['X'\] has NaN"),
    ],
)
def test_a_bad_reference_is_the_caller_s_error(arguments, error, message):
    with pytest.raises(error, match=message):
        diagnose([1.0], **arguments)


# -- samples in columns, a slope known from A alone, the layer above ---------------------------------------------------

SLOPES = {
    "ReLU": (lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(float)),
    "the logistic function": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "tanh": (np.tanh, lambda a: 1 - a**2),
}


def column_layer(seed, name, m=6, n_in=4, n_out=3):
    rng = np.random.default_rng(seed)
    X, W = rng.standard_normal((n_in, m)), rng.standard_normal((n_out, n_in))
    f, slope = SLOPES[name]
    A = f(W @ X)
    dA = rng.standard_normal((n_out, m))
    return {"X": X, "W": W, "A": A, "dA": dA}, dA * slope(A), slope


def in_columns(o, dZ):
    return {"dW": dZ @ o["X"].T, "dX": o["W"].T @ dZ, "db": dZ.sum(axis=1, keepdims=True)}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("quantity", ["dW", "dX", "db"])
def test_samples_in_columns_and_no_pre_activation(seed, name, quantity):
    sizes = np.random.default_rng(seed).permutation([3, 4, 5, 6])[:3]
    o, dZ, slope = column_layer(seed, name, *sizes)
    reference = in_columns(o, dZ)[quantity]
    planted = {
        "missing f'": in_columns(o, o["dA"])[quantity],
        "f for f'": in_columns(o, o["dA"] * o["A"])[quantity],
        "f' at the wrong place": in_columns(o, o["dA"] * slope(SLOPES[name][0](o["A"])))[quantity],
        "bias averaged" if quantity == "db" else "divided by m": reference / o["X"].shape[1],
        "sign flipped": -reference,
    }
    for fault, gradient in planted.items():
        if not np.allclose(gradient, reference):  # relu of relu is relu: nothing is wrong there
            found = diagnose(gradient, reference, operands=o, name=quantity)
            assert fault in (found.fault, *found.also), (fault, found)
    for other, (_, wrong) in SLOPES.items():
        found = diagnose(in_columns(o, o["dA"] * wrong(o["A"]))[quantity], reference, operands=o)
        if other != name and found.fault != "all zero":
            faults = {found.fault, *found.also}
            assert faults & {"f' of another function", "missing f'", "mask on the wrong array"}, (other, found)


def test_the_slope_of_another_layer_and_the_wrong_side_of_its_weights():
    rng = np.random.default_rng(3)
    above, W = rng.standard_normal((5, 4)), rng.standard_normal((4, 4))
    A = np.tanh(rng.standard_normal((5, 4)))
    o = {"dZ_above": above, "W_above": W, "dA": above @ W.T, "A": A, "A_above": np.tanh(A @ W)}
    reference = o["dA"] * (1 - A**2)
    found = diagnose(o["dA"] * (1 - o["A_above"] ** 2), reference, operands=o)
    assert found.fault == "f' at the wrong place"
    assert "A_above" in str(found)
    assert diagnose((above @ W) * (1 - A**2), reference, operands=o).fault == "wrong product"
    assert diagnose((above @ W) * (1 - o["A_above"] ** 2), reference, operands=o).fault == "unknown"


def layer_below(seed, skip):
    """A tanh layer whose dA comes down through W_above, and through a skip as well."""
    rng = np.random.default_rng(seed)
    m, n_in, n = map(int, rng.permutation([3, 4, 5, 6])[:3])
    X, W, W_above = rng.standard_normal((m, n_in)), rng.standard_normal((n_in, n)), rng.standard_normal((n, n))
    Z, above = X @ W, rng.standard_normal((m, n))
    other = rng.standard_normal((m, n)) if skip else np.zeros((m, n))
    dA, slope = above @ W_above.T + other, 1 - np.tanh(Z) ** 2
    o = {"X": X, "W": W, "Z": Z, "dA": dA, "dZ": dA * slope, "dZ_above": above, "W_above": W_above}
    return o, other, slope


@pytest.mark.parametrize("quantity", ANYWHERE)
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_what_goes_wrong_above_the_layer(seed, skip, quantity):
    o, other, slope = layer_below(seed, skip)
    W, above = o["W_above"], o["dZ_above"]
    planted = [
        ("wrong product", (above @ W + other) * slope),
        ("wrong product", (above + other) * slope),
        ("f' at the wrong place", (above * slope) @ W.T + other * slope),
    ]
    if skip:
        planted += [("path lost", (above @ W.T) * slope), ("path lost", other * slope)]
    else:
        early = W - 0.1 * np.tanh(o["Z"]).T @ above
        planted += [("updated too early", (above @ early.T) * slope)]
    for fault, dZ in planted:
        found = diagnose(made_of(o, dZ)[quantity], right(o)[quantity], operands=o, name=quantity)
        assert found.fault == fault, (fault, found)
    late = W + 0.1 * np.tanh(o["Z"]).T @ above  # no update goes uphill
    found = diagnose(made_of(o, (above @ late.T + other) * slope)[quantity], right(o)[quantity], operands=o)
    assert found.fault == "unknown"


@pytest.mark.parametrize("quantity", ANYWHERE)
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_no_fault_above_the_layer_is_named_that_is_not_there(seed, skip, quantity):
    o = layer_below(seed, skip)[0]
    rng, reference = np.random.default_rng(seed), right(o)[quantity]
    noise = rng.standard_normal(reference.shape)
    for gradient in (noise, reference + noise, reference + 1e-3 * noise, reference * np.exp(noise)):
        found = diagnose(gradient, reference, operands=o | {"dX": right(o)["dX"]})
        assert (found.fault, found.also) == ("unknown", ()), found


def test_one_entry_that_moved_is_no_update():
    o = {"X": np.ones((1, 1)), "W": np.ones((1, 2)), "dZ": np.ones((1, 2))}
    assert diagnose([[1.5]], o["dZ"] @ o["W"].T, operands=o).fault == "unknown"


def test_one_sum_for_all_biases_and_one_gradient_for_all_units():
    o = tanh_layer(4)
    dZ, reference = o["dZ"], right(o)
    assert diagnose(np.full(3, dZ.sum()), reference["db"], operands=o).fault == "wrong axis"
    same = np.repeat(o["X"].T @ dZ.sum(axis=1, keepdims=True), 3, axis=1)
    assert diagnose(same, reference["dW"], operands=o).fault == "wrong product"


def test_an_axis_of_length_one_is_no_sum_too_many():
    column = layer(5)["W"][:, :1]
    assert diagnose(column[:, 0], column).fault == "wrong shape"
    assert diagnose(column.sum(0), column).fault == "wrong axis"


# -- softmax -----------------------------------------------------------------------------------------------------------


def shares(Z, axis=1):
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


def softmax_layer(seed):
    rng = np.random.default_rng(seed)
    m, n_in, K = rng.permutation([3, 4, 5, 6])[:3]
    X, W = rng.standard_normal((m, n_in)), rng.standard_normal((n_in, K))
    return {"X": X, "W": W, "Z": X @ W, "Y": np.eye(K)[rng.integers(K, size=m)]}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mean", [True, False])
def test_a_softmax_over_the_wrong_axis_is_named(seed, mean):
    o = softmax_layer(seed)
    Z, Y, X = o["Z"], o["Y"], o["X"]
    c = 1 / len(Z) if mean else 1.0
    P = shares(Z)
    planted = {
        "softmax over the wrong axis": (shares(Z, 0) - Y) * c,
        "softmax entry by entry": (P - Y) * P * (1 - P) * c,
        "softmax missing": (Z - Y) * c,
        "sign flipped": (Y - P) * c,
    }
    given = [o, {"X": X, "P": P, "Y": Y}, {"X": X, "Z": Z, "Y": Y.argmax(axis=1)}]
    for operands in given:
        for fault, dZ in planted.items():
            if "P" not in operands or fault == "sign flipped":
                for product in (lambda d: d, lambda d: X.T @ d, lambda d: d.sum(axis=0)):
                    found = diagnose(product(dZ), product((P - Y) * c), operands=operands)
                    assert fault in (found.fault, *found.also), (fault, found, sorted(operands))


@pytest.mark.parametrize("axis", [0, 1])
def test_back_through_a_softmax(axis):
    rng = np.random.default_rng(7)
    dA, P = rng.standard_normal((4, 6)), shares(rng.standard_normal((4, 6)), axis)
    o = {"dA": dA, "P": P}
    reference = P * (dA - (P * dA).sum(axis=axis, keepdims=True))
    planted = [
        ("softmax over the wrong axis", P * (dA - (P * dA).sum(axis=1 - axis, keepdims=True))),
        ("softmax over the wrong axis", P * (dA - (P * dA).sum())),
        ("softmax entry by entry", dA * P * (1 - P)),
        ("softmax entry by entry", dA * P),
        ("averaged, not summed", P * (dA - (P * dA).mean(axis=axis, keepdims=True))),
        ("sign flipped", -reference),
    ]
    for fault, gradient in planted:
        assert diagnose(gradient, reference, operands=o).fault == fault
    log = dA - P * dA.sum(axis=axis, keepdims=True)
    given = {"dlogP": dA, "P": P}
    assert diagnose(dA + P, log, operands=given).fault == "label sum missing"
    assert diagnose(dA * (1 - P), log, operands=given).fault == "softmax entry by entry"
    wrong = dA - P * dA.sum(axis=1 - axis, keepdims=True)
    assert diagnose(wrong, log, operands=given).fault == "softmax over the wrong axis"


def through_softmax(p, dp):
    """The gradient of one sample's logits from that of its probabilities, by softmax's Jacobian."""
    return (np.diag(p) - np.outer(p, p)) @ dp


def wrong_ways_with_labels(Z, Y):
    """Bugs at softmax and cross-entropy, samples in rows: the words of each and the dZ that it gives, summed."""
    P = shares(Z)
    twice = shares(P)
    ways = {
        "what comes out when softmax runs over the samples of each class": shares(Z, 0) - Y,
        "what comes out when one softmax runs over the whole batch": np.exp(Z) / np.exp(Z).sum() - Y,
        "what comes out when P (1 − P) is multiplied in once more, as if softmax worked entry by entry": (
            (P - Y) * (P - P**2)
        ),
        "what comes out when cross-entropy's slope meets P (1 − P) alone: each class hears of its own logit only": (
            -Y / P * (P - P**2)
        ),
        "the gradient of a softmax of a softmax: the loss was given probabilities and applied softmax again": np.array(
            [through_softmax(p, through_softmax(q, -y / q)) for p, q, y in zip(P, twice, Y, strict=True)]
        ),
        "what comes out when softmax is applied to its own result": twice - Y,
        "what comes out when the logits are taken for probabilities": Z - Y,
        "what comes out with the logistic function in the place of softmax": 1 / (1 + np.exp(-Z)) - Y,
    }
    if len(Z) == Z.shape[1]:
        words = "what comes out when softmax's sums lie along the other axis, and broadcasting does not mind"
        ways[words] = np.exp(Z) / np.exp(Z).sum(axis=1) - Y
    return ways


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize(("m", "K"), [(5, 3), (3, 4), (4, 4)])
def test_each_bug_at_softmax_and_cross_entropy_is_told_in_its_own_words(m, K, mean, columns):
    # The whole message counts: a suspect without the 1/m of the loss still fits, as one that is "divided by m".
    rng = np.random.default_rng(m)
    X, Z = rng.standard_normal((m, 2)), rng.standard_normal((m, K))
    classes, c, P = rng.integers(K, size=m), 1 / m if mean else 1.0, shares(Z)
    hard, soft = np.eye(K)[classes], shares(rng.standard_normal((m, K)))
    quantities = [("dZ", lambda d: d), ("dW", lambda d: X.T @ d), ("db", lambda d: d.sum(axis=0, keepdims=columns))]
    for Y, given in ((soft, soft), (hard, hard), (hard, classes)):
        o = {"X": X, "Z": Z, "Y": given}
        o = {key: array.T for key, array in o.items()} if columns else o
        ways = wrong_ways_with_labels(Z, Y)
        assert len(ways) == 8 + (m == K)
        for name, made in quantities:
            for words, wrong in ways.items():
                gradient, reference = made(wrong * c), made((P - Y) * c)
                found = diagnose(*((gradient.T, reference.T) if columns else (gradient, reference)), m, o, name=name)
                if "alone: each class" in words and name == "dZ" and given is hard:
                    # With labels of 0 and 1 the same numbers as P − Y where Y is 1, and 0 elsewhere.
                    assert "softmax entry by entry" in found.also
                else:
                    assert str(found) == f"your {name} is {words}"


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("mean", [True, False])
def test_the_probabilities_alone_show_what_went_wrong_at_softmax(mean, columns):
    o = softmax_layer(3)
    P, c = shares(o["Z"]), 1 / len(o["Z"]) if mean else 1.0
    Y = shares(np.random.default_rng(3).standard_normal(P.shape))
    given = {"P": P.T, "Y": Y.T} if columns else {"P": P, "Y": Y}
    # ln P stands in for the logits: softmax over the classes does not see the difference, these bugs do not either.
    ways = {words: dZ for words, dZ in wrong_ways_with_labels(np.log(P), Y).items() if "logits are" not in words}
    assert len(ways) == 7
    for words, dZ in ways.items():
        gradient, reference = ((dZ * c).T, ((P - Y) * c).T) if columns else (dZ * c, (P - Y) * c)
        assert str(diagnose(gradient, reference, len(P), given, name="dZ")) == f"your dZ is {words}"


def test_a_probability_of_zero_has_no_logit_and_does_no_harm():
    P, Y = np.array([[0.0, 0.25, 0.75], [0.5, 0.25, 0.25]]), np.eye(3)[[2, 0]]
    reference, o = P - Y, {"P": P, "Y": Y}
    with np.errstate(divide="raise"):
        assert diagnose(-reference, reference, operands=o).fault == "sign flipped"
        assert diagnose(reference + [[0.5, 0, 1], [0, 2, 0]], reference, operands=o).fault == "unknown"


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
def test_back_through_the_logarithm_of_a_softmax(columns):
    rng = np.random.default_rng(7)
    m, K = 4, 6
    d, P = rng.standard_normal((m, K)), shares(rng.standard_normal((m, K)))
    # ∂ ln p_k / ∂ z_j = [j = k] − p_j
    right = np.array([(np.eye(K) - np.outer(p, np.ones(K))) @ row for p, row in zip(P, d, strict=True)])
    over_samples = np.array([(np.eye(m) - np.outer(p, np.ones(m))) @ row for p, row in zip(P.T, d.T, strict=True)]).T
    over_all = (np.eye(m * K) - np.outer(P, np.ones(m * K))) @ d.ravel()
    ways = [
        (over_samples, "what comes out when dlogP is summed over the samples, not over the classes"),
        (over_all.reshape(m, K), "what comes out when dlogP is summed over the whole batch"),
        (d - d * P, "what comes out when each class hears of its own logit only"),
        (d + P, "what is right where dlogP sums to −1 over the classes, and only there"),
    ]
    for wrong, words in ways:
        arrays = (wrong.T, right.T, d.T, P.T) if columns else (wrong, right, d, P)
        gradient, reference, dlogP, probabilities = arrays
        found = diagnose(gradient, reference, m, {"dlogP": dlogP, "P": probabilities}, name="dZ")
        assert str(found) == f"your dZ is {words}"


@pytest.mark.parametrize("given", ["dA", "dlogP"])
@pytest.mark.parametrize(("shape", "of_P"), [((2, 3), (3, 2)), ((2, 3), (4, 5)), ((2, 3), (2, 1)), ((3,), (3,))])
def test_no_softmax_is_made_of_arrays_that_are_not_one_row_or_column_a_sample(given, shape, of_P):
    rng = np.random.default_rng(8)
    dA, P, reference = rng.standard_normal(shape), shares(rng.random(of_P), -1), rng.standard_normal(shape)
    o = {given: dA, "P": P}
    assert diagnose(-reference, reference, operands=o).fault == "sign flipped"
    if shape == (2, 3) and of_P == (2, 1):  # broadcasting does not mind, and would call this a softmax
        right = P * (dA - (P * dA).sum(axis=1, keepdims=True)) if given == "dA" else dA - P * dA.sum(1, keepdims=True)
        wrong = P * (dA - (P * dA).sum()) if given == "dA" else dA - P * dA.sum()
        assert diagnose(wrong, right, operands=o).fault == "unknown"


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("mean", [True, False])
def test_labels_that_do_not_sum_to_one(mean, columns):
    o = softmax_layer(1)
    Z, Y = o["Z"], o["Y"] * 2 + 0.25
    m, P, c = len(Z), shares(Z), 1 / len(Z) if mean else 1.0
    arrays = ((P - Y) * c, (P * Y.sum(axis=1, keepdims=True) - Y) * c, Z, Y)
    gradient, reference, Z, Y = (array.T for array in arrays) if columns else arrays
    found = diagnose(gradient, reference, m, {"Z": Z, "Y": Y}, name="dZ")
    assert found.fault == "label sum missing"
    assert str(found) == "your dZ is what is right for labels that sum to one: these do not"


@pytest.mark.parametrize("seed", range(60))
def test_no_fault_of_a_softmax_is_named_that_is_not_there(seed):
    rng = np.random.default_rng(seed)
    o = softmax_layer(seed)
    dZ = (shares(o["Z"]) - o["Y"]) / len(o["Z"])
    reference = (dZ, o["X"].T @ dZ, dZ.sum(axis=0))[seed % 3]
    noise = rng.standard_normal(reference.shape)
    for gradient in (noise, reference + noise, reference + 1e-3 * noise, reference * np.exp(noise)):
        found = diagnose(gradient, reference, operands=o)
        assert found.fault == "unknown", found
        assert found.also == ()


# -- the wrong answers of all exercises --------------------------------------------------------------------------------


def wrong_answers():
    """Every typical wrong answer of the book that is an array: what `diagnose` calls it, and what its check says."""
    said, real = [], diagnose

    def listening(*arguments, **options):
        said.append(real(*arguments, **options))
        return said[-1]

    for module in pkgutil.iter_modules(backprop.exercises.__path__):
        for value in vars(importlib.import_module(f"backprop.exercises.{module.name}")).values():
            # A derivation holds no array, and tests/test_course_exercises.py has the engine judge it.
            if isinstance(value, course_exercise.Exercise) and not value.judge.__qualname__.startswith("derives."):
                for mistake, wrong in value.wrong.items():
                    said.clear()
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setattr(course_exercise, "diagnose", listening)
                        message = value.feedback(wrong.answer).message
                    faults = [found.fault for found in said if not found.right]
                    if faults:
                        yield value.id, mistake, faults[0], message


def test_every_wrong_answer_of_the_exercises_is_named(record_property):
    """By `diagnose`, or as a mistake of the exercise's own: nobody is told only where the largest difference is."""
    answers = list(wrong_answers())
    usual = [fault for _, _, fault, _ in answers if fault != "unknown"]
    record_property("rate of usual suspects", f"{len(usual) / len(answers):.0%} of {len(answers)}")
    unnamed = [(id, mistake) for id, mistake, _, message in answers if "none of the usual" in message.casefold()]
    assert len(answers) >= 150
    assert unnamed == []


# The edges of what is said --------------------------------------------------------------------------------------------


def test_the_first_of_several_entries_that_are_not_finite_is_named():
    g = np.array([[1.0, np.nan], [np.inf, 0.0]])
    assert diagnose(g, np.ones((2, 2)), name="dW").message.endswith(
        "has 2 entries that are NaN or infinite, first at [0, 1]"
    )


def test_a_fault_is_not_also_itself(monkeypatch):
    found = [("a", "this"), ("a", "that"), ("b", "something"), ("b", "else")]
    monkeypatch.setattr("backprop.diagnose._named", lambda *_: found)
    assert diagnose(np.ones(2), np.zeros(2), name="dW").also == ("b",)


@pytest.mark.parametrize(("off", "fault"), [(9.5e-10, "multiplied by m"), (10.5e-10, "constant factor")])
def test_a_factor_is_m_up_to_ten_roundings_of_it(off, fault):
    reference = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert diagnose(1000 * (1 + off) * reference, reference, m=1000, name="dW").fault == fault


@pytest.mark.parametrize(("factor", "words"), [(-1 / 5, "divided by m = 5"), (-5, "multiplied by m = 5")])
def test_a_factor_of_m_with_the_sign_flipped_says_so(factor, words):
    reference = np.array([[1.0, 2.0], [3.0, -4.0]])
    message = diagnose(factor * reference, reference, m=5, name="dW").message
    assert f"{words}, and its sign is flipped" in message


def test_a_bias_that_is_a_column_is_known_by_the_sum_of_dZ():
    dZ = np.arange(12.0).reshape(3, 4)  # samples in columns
    db = dZ.sum(axis=1, keepdims=True)
    assert diagnose(db / 4, db, m=4, operands={"dZ": dZ}, name="gradient").fault == "bias averaged"


def test_a_row_in_the_place_of_a_matrix_is_told_no_product():
    X, dZ = np.ones((5, 3)), np.ones((5, 2))
    message = diagnose(np.arange(3.0), X.T @ dZ, operands={"X": X, "dZ": dZ}, name="dW").message
    assert "A product of" not in message


def test_how_near_is_nearly_goes_with_the_size_of_the_reference():
    reference = 1e6 * np.array([[1.0, 2.0], [3.0, -4.0]])
    g = reference + np.array([[0.5, 0.0], [0.0, 0.0]])
    assert diagnose(g, reference, name="dW").fault == "imprecise"


def test_entries_that_are_equal_do_not_differ_from_a_reference_of_zeros():
    g = np.array([[0.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    assert "1 of 6 entries differ" in diagnose(g, np.zeros((3, 2)), name="dW").message


def test_the_only_row_is_no_place():
    reference = np.array([[1.0, 2.0, 3.0]])
    message = diagnose(np.array([[1.0, 5.0, -7.0]]), reference, name="dW").message
    assert "2 of 3 entries differ; the largest" in message


def test_samples_are_in_rows_where_nothing_or_both_readings_explain_the_reference():
    W, dZ = np.array([[3.0, 4.0], [4.0, 3.0]]), np.array([[1.0, 2.0], [2.0, 1.0]])  # dZ Wᵀ = Wᵀ dZ
    assert sample_axis(dZ @ W.T, {"W": W, "dZ": dZ}) == 0
    assert sample_axis(np.array([[9.0, 8.0], [7.0, 5.0]]), {"W": W, "dZ": dZ}) == 0
    assert (
        sample_axis(W.T @ np.array([[1.0, 2.0], [5.0, 1.0]]), {"W": W, "dZ": np.array([[1.0, 2.0], [5.0, 1.0]])}) == 1
    )


@pytest.mark.parametrize("missing", ["dZ_above", "W_above", "dA", "Z", "A", "X", "W", "dZ"])
def test_any_operand_may_be_missing(missing):
    operands = relu_layer(0, *SHAPES[0])
    rng = np.random.default_rng(0)
    operands |= {"W_above": rng.standard_normal((operands["dA"].shape[1], 3))}
    operands |= {"dZ_above": rng.standard_normal((len(operands["dA"]), 3))}
    operands["dA"] = operands["dZ_above"] @ operands["W_above"].T
    reference = operands["dA"] * (operands["Z"] > 0)
    operands["dZ"] = reference
    given = {name: array for name, array in operands.items() if name != missing}
    assert diagnose(reference + rng.standard_normal(reference.shape), reference, operands=given).fault == "unknown"


def test_an_axis_of_length_one_that_is_lost_is_a_wrong_shape():
    reference = np.array([[1.0], [2.0], [-3.0]])
    found = diagnose(reference.ravel(), reference, name="db")
    assert found.fault == "wrong shape"
    assert "its shape is (3,): expected (3, 1)" in found.message
