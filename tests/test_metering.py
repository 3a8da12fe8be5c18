"""What a sweep costs is counted inside NumPy's operations: held against costs that are known by hand."""

import numpy as np
import pytest

from backprop import activations
from backprop.forward_mode import jvp
from backprop.metering import metered
from backprop.primitives import PRIMITIVES, replaced
from backprop.reverse_mode import backward, relu, tanh, total, variable

M, N_IN, N_OUT = 5, 4, 3


def test_a_matrix_product_costs_its_three_sizes_and_its_sweep_as_much_for_each_variable():
    X, W = variable(np.ones((M, N_IN))), variable(np.ones((N_IN, N_OUT)))
    with metered() as reading:
        loss = total(X @ W)
        forward = reading.multiplications
        backward(loss)
    assert forward == M * N_IN * N_OUT
    assert reading.multiplications == 3 * forward


def test_a_block_that_does_nothing_costs_nothing():
    with metered() as reading:
        pass
    assert (reading.multiplications, reading.held, reading.peak) == (0, 0, 0)


def test_a_stack_of_matrix_products_costs_the_sum_of_them():
    stacked = PRIMITIVES["matmul"]._replace(function=np.matmul)
    with replaced(matmul=stacked), metered() as reading:
        PRIMITIVES["matmul"].function(np.ones((2, M, N_IN)), np.ones((N_IN, N_OUT)))
    assert reading.multiplications == 2 * M * N_IN * N_OUT


def test_a_constant_costs_no_sweep():
    W = variable(np.ones((N_IN, N_OUT)))
    with metered() as reading:
        backward(total(np.ones((M, N_IN)) @ W))
    assert reading.multiplications == 2 * M * N_IN * N_OUT


def test_an_elementwise_product_costs_one_an_entry_and_a_sum_nothing():
    a = variable(np.ones((M, N_IN)))
    with metered() as reading:
        backward(total(a * 3.0 + 1.0))
    assert reading.multiplications == 2 * M * N_IN


def test_both_directions_cost_the_same():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(N_IN, N_OUT)), rng.normal(size=(N_OUT, N_OUT))]
    X = rng.normal(size=(M, N_IN))

    def program(W1, W2):
        return total(relu(X @ W1) @ W2)

    readings = []
    for work in (lambda: backward(program(*map(variable, arrays))), lambda: jvp(program, arrays, arrays)):
        with metered() as reading:
            work()
        readings.append(reading.multiplications)
    assert readings[0] == readings[1] > M * N_IN * N_OUT


def test_a_tape_holds_every_layer_and_a_dual_number_only_the_last():
    rng = np.random.default_rng(0)

    def peaks(depth):
        def program(A):
            for _ in range(depth):
                A = tanh(A)
            return total(A)

        found = []
        for work in (lambda: backward(program(variable(X))), lambda: jvp(program, [X], [X])):
            with metered() as reading:
                work()
            found.append(reading.peak)
        return found

    X = rng.normal(size=(M, N_IN))
    (tape_short, dual_short), (tape_long, dual_long) = peaks(4), peaks(24)
    assert tape_long - tape_short >= 20 * X.size
    assert dual_long == dual_short


def test_the_numbers_are_those_of_the_rules_themselves():
    x = variable([[0.5, -2.0, 3.0]])
    plain = backward(total(tanh(x) * x))[x]
    with metered():
        counted = backward(total(tanh(x) * x))[x]
    assert type(counted) is np.ndarray
    assert np.array_equal(plain, counted)


def test_the_rules_come_back_also_after_an_error():
    before = dict(PRIMITIVES)
    with pytest.raises(ZeroDivisionError), metered():
        _ = 1 / 0
    assert before == PRIMITIVES
    assert PRIMITIVES["relu"].function is activations.relu


def test_only_rules_that_are_there_can_be_replaced():
    with pytest.raises(ValueError, match="others names sine: expected names of add, subtract"), replaced(sine=None):
        pass
