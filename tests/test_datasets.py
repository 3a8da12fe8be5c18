"""The running example is what its docstring promises: no number in it may hide an error."""

import numpy as np
import pytest

from backprop.datasets import running_example


@pytest.fixture
def passed():
    X, Y, (W1, W2), (b1, b2) = running_example()
    Z1 = X @ W1 + b1
    A1 = np.where(Z1 > 0, Z1, 0.0)
    Z2 = A1 @ W2 + b2
    return {"X": X, "W1": W1, "b1": b1, "Z1": Z1, "A1": A1, "W2": W2, "b2": b2, "Z2": Z2, "Y": Y}


def test_it_is_a_2_3_2_network_with_four_samples(passed):
    assert {name: array.shape for name, array in passed.items()} == {
        "X": (4, 2), "W1": (2, 3), "b1": (3,), "Z1": (4, 3), "A1": (4, 3), "W2": (3, 2), "b2": (2,), "Z2": (4, 2),
        "Y": (4,),
    }  # fmt: skip


def test_every_number_up_to_the_logits_is_a_small_integer_and_none_is_zero(passed):
    for name in ("X", "W1", "b1", "Z1", "W2", "b2", "Z2"):
        array = passed[name]
        assert array.dtype == np.float64
        assert np.all(array == np.round(array)), name
        assert np.all(array != 0), name
        assert np.abs(array).max() <= 7, name


def test_the_table_in_the_docstring_shows_these_arrays(passed):
    rows = running_example.__doc__.split("W2       b2")[1].splitlines()[1:5]
    for i, row in enumerate(rows):
        numbers = list(map(int, row.split()))
        shown = [passed["X"][i]]
        shown += [passed["W1"][i]] if i < 2 else []
        shown += [passed["b1"]] if i < 1 else []
        shown += [passed["Z1"][i], passed["A1"][i]]
        shown += [passed["W2"][i]] if i < 3 else []
        shown += [passed["b2"]] if i < 1 else []
        shown += [passed["Z2"][i], passed["Y"][i : i + 1]]
        assert numbers == np.concatenate(shown).tolist()


def test_relu_is_seen_at_work_and_never_near_its_kink(passed):
    active = passed["Z1"] > 0
    assert np.abs(passed["Z1"]).min() >= 2
    for axis in (0, 1):
        assert active.any(axis=axis).all()
    assert not active.all(axis=0).any()
    assert len({tuple(row) for row in active}) == 4


def test_softmax_stays_far_from_0_and_1_and_half_of_the_samples_are_wrong(passed):
    Z2, Y = passed["Z2"], passed["Y"]
    assert (Z2[:, 0] - Z2[:, 1]).tolist() == [-2, -1, 1, 3]
    assert (Z2.argmax(axis=1) == Y).tolist() == [True, False, True, False]


def test_a_caller_cannot_spoil_it_for_the_next():
    running_example().X[0, 0] = 99
    running_example().weights[0][0, 0] = 99
    assert running_example().X[0, 0] == -3
    assert running_example().weights[0][0, 0] == -1
