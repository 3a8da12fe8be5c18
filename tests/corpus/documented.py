"""What a page of documentation shows of a package, written as the package's own docstrings are."""

from typing import NamedTuple


def shrunk(z):
    """The value |z| of z_, at most n*m."""
    return z


class Pair(NamedTuple):
    """Two numbers."""

    one: int
    other: int

    def total(self):
        """Their sum."""
        return self.one + self.other
