"""The museum of chapter 10: real bugs, each re-created as the smallest program that has it.

One module a room. An `Exhibit` holds the loss that was meant, the right gradient and the published one, so that the
checks of `backprop.course` can be run on it. Names of functions say what the author thought that they compute. What is
wrong stands in their docstrings, which a page does not show.

The code is ours; the places where a bug was found are cited in the book.
"""

from backprop.exhibits._exhibit import (
    Exhibit,
    TrainingTable,
    cosine,
    eye,
    museum_table,
    ratio,
    training,
)
from backprop.exhibits.checking import CHECKING
from backprop.exhibits.losses import LOSSES
from backprop.exhibits.masks import MASKS
from backprop.exhibits.order import ORDER
from backprop.exhibits.shapes import SHAPES
from backprop.exhibits.sums import SUMS

ROOMS = {
    "masks and slopes": MASKS,
    "sums, means and 1/m": SUMS,
    "shapes and broadcasting": SHAPES,
    "order and state": ORDER,
    "the right gradient of another loss": LOSSES,
    "checks that looked away": CHECKING,
}
EXHIBITS = {exhibit.title: exhibit for room in ROOMS.values() for exhibit in room}

__all__ = [
    "CHECKING",
    "EXHIBITS",
    "LOSSES",
    "MASKS",
    "ORDER",
    "ROOMS",
    "SHAPES",
    "SUMS",
    "Exhibit",
    "TrainingTable",
    "cosine",
    "eye",
    "museum_table",
    "ratio",
    "training",
]
