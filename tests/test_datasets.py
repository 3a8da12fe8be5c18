"""The running example is what its docstring promises: no number in it may hide an error."""

import itertools
from importlib import resources

import numpy as np
import pytest

from backprop.datasets import digits, measured, mirror_patterns, running_example, split


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


# Digits ---------------------------------------------------------------------------------------------------------------


def test_the_digits_are_1797_images_of_all_ten_kinds():
    X, Y = digits()
    assert (X.shape, X.dtype, Y.shape, Y.dtype) == ((1797, 64), np.float64, (1797,), np.int64)
    assert set(np.unique(16 * X)) == set(range(17))
    assert np.bincount(Y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_a_caller_cannot_spoil_the_digits_for_the_next():
    digits().X[:] = 9
    digits().Y[:] = 9
    assert digits().X.max() == 1
    assert digits().Y.min() == 0


def test_the_licence_stands_beside_the_data():
    about = resources.files("backprop").joinpath("data/README.md").read_text(encoding="utf-8")
    for word in ("10.24432/C50P49", "Alpaydin", "Kaynak", "creativecommons.org/licenses/by/4.0"):
        assert word in about


# Splits ---------------------------------------------------------------------------------------------------------------


def test_every_sample_is_in_exactly_one_part_with_its_label():
    X, Y = np.arange(50.0).reshape(25, 2), np.arange(25)
    parts = split(X, Y, test=6, rng=np.random.default_rng(0))
    assert (len(parts.X_train), len(parts.X_test)) == (19, 6)
    assert sorted([*parts.Y_train, *parts.Y_test]) == list(range(25))
    for images, labels in ((parts.X_train, parts.Y_train), (parts.X_test, parts.Y_test)):
        assert np.array_equal(images, X[labels])
        images[:] = -1
    assert X.min() == 0
    again = split(X, Y, test=6, rng=np.random.default_rng(0))
    other = split(X, Y, test=6, rng=np.random.default_rng(1))
    assert np.array_equal(again.Y_test, parts.Y_test)
    assert not np.array_equal(other.Y_test, parts.Y_test)


@pytest.mark.parametrize(
    ("X", "Y", "test", "error", "message"),
    [
        (np.ones((5, 2)), np.ones(4), 2, ValueError, r"Y has shape \(4,\), but X has shape \(5, 2\)"),
        (np.ones((5, 2)), np.float64(1), 2, ValueError, "Y has shape"),
        (np.ones((5, 2)), np.ones(5), 0, ValueError, "test is 0: expected 1 to 4"),
        (np.ones((5, 2)), np.ones(5), 5, ValueError, "test is 5"),
        (np.ones((5, 2)), np.ones(5), 0.2, TypeError, "test is 0.2: expected an integer"),
        (np.ones((5, 2)), np.ones(5), True, TypeError, "test is True"),
    ],
)
def test_a_split_that_leaves_nothing_is_refused(X, Y, test, error, message):
    with pytest.raises(error, match=message):
        split(X, Y, test, np.random.default_rng(0))


# Mirrors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_mirror_patterns_are_all_patterns_with_the_right_answer(bits):
    X, Y = mirror_patterns(bits)
    rows = [tuple(row) for row in X.astype(int).tolist()]
    assert sorted(rows) == sorted(itertools.product((0, 1), repeat=bits))
    assert Y[:, 0].tolist() == [float(row == row[::-1]) for row in rows]
    assert Y.sum() == 2 ** (bits // 2)


def test_without_a_number_there_are_six_bits_and_the_patterns_count_upwards():
    X, _ = mirror_patterns()
    assert np.array_equal(X @ [32, 16, 8, 4, 2, 1], np.arange(64))


def test_sixteen_bits_are_not_too_many():
    X, Y = mirror_patterns(16)
    assert (X.shape, Y.sum()) == ((2**16, 16), 2**8)


@pytest.mark.parametrize(
    ("bits", "error", "message"),
    [(5, ValueError, "bits is 5: expected an even number from 2 to 16"),
     (0, ValueError, "bits is 0: expected 2 to 16"), (18, ValueError, "bits is 18: expected 2 to 16"),
     (6.0, TypeError, "bits is 6.0"), (True, TypeError, "bits is True")],
)  # fmt: skip
def test_a_number_of_bits_without_a_middle_is_refused(bits, error, message):
    with pytest.raises(error, match=message):
        mirror_patterns(bits)


def test_what_was_measured_comes_with_its_versions():
    found = measured()
    assert set(found["versions"]) == {"python", "numpy", "scikit-learn"}
    assert found["mirrors"]["starts"] == 100
