"""The path through the book: which chapter needs which, and how long each takes, as the chapters' own cards say."""

from collections.abc import Iterable
from typing import NamedTuple


class Chapter(NamedTuple):
    """A chapter on the map.

    Parameters
    ----------
    page : str
        Its file's name without suffix.
    title : str
        A name that fits into a box, in lines.
    needs : tuple of int
        The chapters that its card asks for.
    hours : tuple of float
        To read it, and to read it with its exercises.
    """

    page: str
    title: str
    needs: tuple[int, ...]
    hours: tuple[float, float]


CHAPTERS = {
    1: Chapter("01_linear_layer", "linear\nlayer", (), (1, 2)),
    2: Chapter("02_matrix_form", "matrix\nform", (1,), (1, 2)),
    3: Chapter("03_activations_and_losses", "activations,\nlosses", (1, 2), (1.5, 2.5)),
    4: Chapter("04_softmax_cross_entropy", "softmax,\n1/m", (1, 2, 3), (1.5, 2.5)),
    5: Chapter("05_hidden_layers", "hidden\nlayers", (1, 2, 4), (1.5, 2.5)),
    6: Chapter("06_delta_recursion", "delta\nrecursion", (2,), (1.5, 2.5)),
    7: Chapter("07_conventions", "one\nconvention", (1, 2, 4), (1, 2)),
    8: Chapter("08_gradient_checking", "gradient\nchecking", (1, 3), (1.5, 2.5)),
    9: Chapter("09_initialization", "initial-\nisation", (1, 3, 5), (1.25, 2)),
    10: Chapter("10_real_bugs", "real\nbugs", (1, 2, 3, 4, 5, 6, 8), (1.5, 2.5)),
    11: Chapter("11_training", "training", (4, 5, 7, 8), (1.5, 2.5)),
    12: Chapter("12_speed", "speed", (5, 6, 11), (1, 2)),
    13: Chapter("13_data_parallel", "many\nmachines", (1, 4, 11), (1, 1.5)),
    14: Chapter("14_reverse_mode", "reverse\nmode", (1, 4, 6), (1.5, 2.5)),
}


def all_needs(number: int) -> set[int]:
    """Every chapter that has to be read before one, near and far.

    Examples
    --------
    >>> sorted(all_needs(6))
    [1, 2]
    """
    near = set(CHAPTERS[number].needs)
    return near.union(*(all_needs(each) for each in near))


def arrows() -> list[tuple[int, int]]:
    """The arrows of the map: what a chapter needs and no other of its needs brings along.

    Examples
    --------
    >>> [arrow for arrow in arrows() if arrow[1] in (3, 4)]
    [(2, 3), (3, 4)]
    """
    return [
        (need, number)
        for number, chapter in CHAPTERS.items()
        for need in chapter.needs
        if not any(need in all_needs(other) for other in chapter.needs)
    ]


def depth(number: int) -> int:
    """How many chapters stand in a row before one: its row on the map.

    Examples
    --------
    >>> [depth(number) for number in (1, 2, 6)]
    [0, 1, 2]
    """
    return 1 + max((depth(need) for need in CHAPTERS[number].needs), default=-1)


def hours(numbers: Iterable[int], *, exercises: bool) -> float:
    """How long some chapters take together.

    Examples
    --------
    >>> hours([1, 2], exercises=True)
    4
    """
    return sum(CHAPTERS[number].hours[exercises] for number in numbers)
