"""Arguments that are no arrays: what is taken, and in which words the rest is refused."""

import re

import numpy as np
import pytest

from backprop._arguments import real, sequence, shown, whole


@pytest.mark.parametrize("value", [[3, 2], (3, 2), np.array([3, 2]), iter([3, 2]), range(3, 1, -1)], ids=type)
def test_what_can_be_gone_through_is_a_sequence(value):
    assert sequence("sizes", value, "a list of integers") == [3, 2]


@pytest.mark.parametrize("value", [32, "32", b"32", {3: 2}, {3, 2}, np.array(32), None], ids=str)
def test_what_has_no_order_or_no_parts_is_none(value):
    message = f"sizes is {shown(value)}: expected a list of integers"
    with pytest.raises(TypeError, match=re.escape(message)):
        sequence("sizes", value, "a list of integers")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (np.float32(0.5), "0.5"),
        (1 + 2j, "(1+2j)"),
        (58 * "a", repr(58 * "a")),
        (59 * "a", "of type str"),
        (np.ones((2, 0)), "an array of shape (2, 0)"),
        (dict, "the class dict"),
        ([1], "of type list"),
    ],
)
def test_a_message_shows_what_came_in_a_few_words(value, words):
    assert shown(value) == words
    assert len(words) <= 60


@pytest.mark.parametrize("value", [True, "1", None, 1j, [1.0]], ids=str)
def test_a_number_is_a_real_one(value):
    with pytest.raises(TypeError, match=re.escape(f"error is {shown(value)}: expected a number")):
        real("error", value)
    assert real("error", np.float32(0.5)) == 0.5


@pytest.mark.parametrize(
    ("value", "message"),
    [(0, "workers is 0: expected 1 to 4, the samples"), (5, "workers is 5: expected 1 to 4, the samples")],
)
def test_a_whole_number_has_its_bounds(value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        whole("workers", value, 1, 4, "the samples")
    assert [whole("workers", n, 1, 4, "the samples") for n in (1, 4)] == [1, 4]
