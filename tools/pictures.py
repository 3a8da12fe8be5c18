"""When two drawings count as the same picture: equal in everything but coordinates, and these to within a line's width.

A figure is stored as SVG and drawn again in every test. What it draws may have been summed in another order by another
processor, so a point of a curve moves by a little; a curve, a label or a tick that is new, gone or different does not
pass. nbval itself compares text for text, and would call both stale.
"""

from __future__ import annotations

import re

# In the figure's own units, points: the width of the book's lines.
TOLERANCE = 2.0

# Where coordinates stand in what Matplotlib writes. All else, glyphs' names, texts and colours too, must be equal.
_PLACES = re.compile(r'(?<= d=")[^"]*|(?<= [xy]=")[^"]*|(?<=translate\()[^)]*|(?<=points=")[^"]*')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def same_picture(one: str, other: str, tolerance: float = TOLERANCE) -> bool:
    """Whether two SVG texts draw the same, up to shifts of at most `tolerance`.

    >>> line = '<path d="M 0 0 L {} 9" style="stroke: {}"/>'
    >>> same_picture(line.format("100", "#d55e00"), line.format("100.4", "#d55e00"))
    True
    >>> same_picture(line.format("100", "#d55e00"), line.format("103", "#d55e00"))
    False
    >>> same_picture(line.format("100", "#d55e00"), line.format("100", "#2b7fc4"))
    False
    """
    if one == other:
        return True
    if _frame(one) != _frame(other):
        return False
    pairs = zip(_coordinates(one), _coordinates(other), strict=True)
    return all(abs(first - second) <= tolerance for first, second in pairs)


def _frame(svg: str) -> str:
    return _PLACES.sub(lambda place: _NUMBER.sub("#", place.group()), svg)


def _coordinates(svg: str) -> list[float]:
    return [float(number) for place in _PLACES.findall(svg) for number in _NUMBER.findall(place)]
