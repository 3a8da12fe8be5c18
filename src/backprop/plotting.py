r"""Figures of the book: one style, reproducible files, a text alternative that cannot be forgotten.

The only module that imports Matplotlib. A figure is seen on white and on near-black pages, so its ground is transparent
and every colour is of middle lightness: a contrast of at least 3 : 1 against both. Colours alone never tell two curves
apart; line styles do too.
"""

import hashlib
import io
import re
import sys
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path

INK = "#797979"
BLUE, VERMILLION, GREEN, PURPLE = "#2b7fc4", "#d55e00", "#00946c", "#b8609a"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE)
LINES = ("-", "--", "-.", ":")

STYLE = {
    "figure.facecolor": "none",
    "figure.figsize": (6.4, 3.6),
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=LINES),
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "savefig.facecolor": "none",
    # Glyphs as outlines: the same picture where the fonts are missing. The salt makes the names in the file repeatable.
    "svg.fonttype": "path",
    "svg.hashsalt": "backprop",
}


def use_style():
    """Use the book's style for every figure made from here on.

    Examples
    --------
    >>> use_style()
    >>> matplotlib.rcParams["svg.hashsalt"]
    'backprop'
    """
    matplotlib.rcParams.update(STYLE)


def show(figure, *, alt):
    """Show a figure in a notebook as reproducible SVG, together with its text alternative.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        It is closed afterwards, so that a notebook does not show it a second time.
    alt : str
        What a reader who cannot see the figure must know: what is drawn, and what it shows. Plain text.

    Raises
    ------
    ValueError
        If `alt` says too little, or names the file or the medium and not the content.
    TypeError
        If `figure` is not a figure.

    Examples
    --------
    >>> show(Figure(), alt="An empty figure, which shows nothing at all.")
    Figure: An empty figure, which shows nothing at all.
    """
    data = {"image/svg+xml": svg(figure, alt), "text/plain": f"Figure: {alt}"}
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(data, metadata={"image/svg+xml": {"alt": alt}}, raw=True)
    else:
        print(data["text/plain"])


def svg(figure, alt):
    """Return a figure as SVG that is the same on every machine, with `alt` as its title.

    Matplotlib writes fifteen digits, the last of which differ between processors, and names made from them. Here
    coordinates have two decimals, a hundredth of a point, and names are numbered.

    Raises
    ------
    ValueError, TypeError
        As `show`.

    Examples
    --------
    >>> svg(Figure(), "An empty figure, which shows nothing at all.")[:47]
    '<svg role="img" aria-label="An empty figure, wh'
    """
    if not isinstance(figure, Figure):
        raise TypeError(f"figure is {type(figure).__name__}: expected a matplotlib Figure")
    _require_alt(alt)
    stream = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = _rounded(text)
    text = _numbered(text, prefix=hashlib.sha256(alt.encode()).hexdigest()[:6])
    label = f'<svg role="img" aria-label="{escape(alt)}"'
    return label + text.removeprefix("<svg").rstrip() + "\n"


def _require_alt(alt):
    if not isinstance(alt, str) or len(alt.split()) < 5:
        raise ValueError(f"alt is {alt!r}: expected a sentence that says what the figure shows")
    if re.match(r"(an? |the )?(figure|image|picture|plot)\b( of)?", alt, re.IGNORECASE):
        raise ValueError(
            f"alt starts with {alt.split()[0]!r}: say what is drawn, a screen reader says that it is an image"
        )


def _rounded(text):
    number = re.compile(r"-?\d+\.\d+(e-?\d+)?")

    def short(match):
        return f"{round(float(match.group()), 2) + 0.0:.2f}".rstrip("0").rstrip(".")  # + 0.0 turns -0.0 into 0.0

    # Only coordinates: the scale of a glyph is a small number that two decimals would ruin.
    place = re.compile(r'(?<= d=")[^"]*|(?<= [xy]=")[^"]*|(?<=translate\()[^)]*|(?<=points=")[^"]*')
    return place.sub(lambda match: number.sub(short, match.group()), text)


def _numbered(text, prefix):
    names = dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))
    new = {name: f"{prefix}-{position}" for position, name in enumerate(names)}
    text = re.sub(r'\bid="([^"]+)"', lambda match: f'id="{new[match.group(1)]}"', text)
    return re.sub(r'(?<=["(])#([^")]+)', lambda match: f"#{new.get(match.group(1), match.group(1))}", text)


@dataclass(frozen=True)
class Value:
    """An array in a computational graph.

    Parameters
    ----------
    name : str
        In LaTeX, without dollar signs.
    shape : str
        In LaTeX, without dollar signs; empty for a scalar.
    gradient : str or None, optional
        The name of its gradient. ``d`` and the name unless given; None for data that needs none, such as labels.
    """

    name: str
    shape: str = ""
    gradient: str | None = ""

    @property
    def gradient_name(self):
        return f"d{self.name}" if self.gradient == "" else self.gradient


@dataclass(frozen=True)
class Operation:
    """A step between two values, and at most two other values (parameters, labels) that enter it from the side."""

    name: str
    inputs: tuple[Value, ...] = ()


def computational_graph(*chain, vertical=True):
    r"""Draw a chain of values and operations, forward in solid blue, backward in dashed vermillion.

    Parameters
    ----------
    *chain : Value, Operation, Value, …, Value
        What the forward pass goes through, in order.
    vertical : bool
        Top to bottom, which stays legible on a phone. Left to right otherwise, for two values at most.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If values and operations do not alternate.
    ValueError
        If more than two values enter an operation from the side: there is no room for their arrows.

    Examples
    --------
    >>> layer = Operation("X W + b", (Value("W", r"(n_{in}, n_{out})"), Value("b", r"(n_{out},)")))
    >>> figure = computational_graph(Value("X", "(m, n_{in})"), layer, Value("Z", "(m, n_{out})"))
    >>> type(figure).__name__
    'Figure'
    """
    expected = [Value if position % 2 == 0 else Operation for position in range(len(chain))]
    if len(chain) < 3 or len(chain) % 2 == 0 or not all(map(isinstance, chain, expected)):
        kinds = ", ".join(type(item).__name__ for item in chain)
        raise TypeError(f"chain is {kinds or 'empty'}: expected Value, Operation, Value, …, ending in a Value")
    for operation in chain[1::2]:
        if len(operation.inputs) > 2:
            raise ValueError(f"{operation.name} has {len(operation.inputs)} inputs: expected two at most")
    with matplotlib.rc_context(STYLE):
        return _Drawing(chain, vertical).figure


class _Drawing:
    """Places a chain along one axis and its side inputs across it."""

    VALUE, OPERATION = (1.18, 0.66), (1.0, 0.46)
    APART, SPREAD = 0.09, (0.22, 0.3)

    def __init__(self, chain, vertical):
        self.vertical = vertical
        self.step = 1.0 if vertical else 1.6
        aside = any(item.inputs for item in chain if isinstance(item, Operation))
        self.reach = (1.95 if vertical else 1.3) if aside else 0.0
        self.figure, self.axes = self._sized(len(chain))
        for position, item in enumerate(chain):
            self._item(item, position * self.step)
        for position, (left, right) in enumerate(pairwise(chain)):
            value = left if isinstance(left, Value) else None
            self._link(position * self.step, left, right, value.gradient_name if value else None)

    def _sized(self, length):
        along = (length - 1) * self.step
        if self.vertical:
            box = (-self.VALUE[0] / 2 - 0.1, self.reach + self.VALUE[0] / 2 + 0.05, -along - 0.45, 0.45)
        else:
            box = (-self.VALUE[0] / 2 - 0.05, along + self.VALUE[0] / 2 + 0.05, -self.reach - 0.45, 0.45)
        left, right, bottom, top = box
        figure = Figure(figsize=(0.92 * (right - left), 0.92 * (top - bottom)), layout="none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        axes.set_axis_off()
        return figure, axes

    def _at(self, along, across=0.0):
        return (across, -along) if self.vertical else (along, -across)

    def _item(self, item, along):
        if isinstance(item, Value):
            self._value(item, self._at(along))
            return
        self._box(self._at(along), self.OPERATION, "round,pad=0,rounding_size=0.23")
        self.axes.text(*self._at(along), f"${item.name}$", ha="center", va="center", fontsize=10.5)
        for centre, value in zip(self._aside(item, along), item.inputs, strict=True):
            self._value(value, centre)
            self._side_link(self._at(along), centre, value)

    def _aside(self, item, along):
        """Where the side inputs stand: next to one another, all at the same distance from the chain."""
        apart, middle = 0.78 if self.vertical else 1.36, (len(item.inputs) - 1) / 2
        return [self._at(along + apart * (number - middle), self.reach) for number in range(len(item.inputs))]

    def _value(self, value, centre):
        self._box(centre, self.VALUE, "round,pad=0,rounding_size=0.08")
        x, y = centre
        self.axes.text(x, y + (0.13 if value.shape else 0), f"${value.name}$", ha="center", va="center", fontsize=13)
        if value.shape:
            self.axes.text(x, y - 0.17, f"${value.shape}$", ha="center", va="center", fontsize=9.5)

    def _box(self, centre, size, style):
        corner = (centre[0] - size[0] / 2, centre[1] - size[1] / 2)
        self.axes.add_patch(
            FancyBboxPatch(corner, *size, boxstyle=style, facecolor="none", edgecolor=INK, linewidth=1.2)
        )

    def _half(self, item):
        return (self.VALUE if isinstance(item, Value) else self.OPERATION)[1 if self.vertical else 0] / 2

    def _link(self, along, left, right, gradient):
        start, end = along + self._half(left), along + self.step - self._half(right)
        self._arrow(self._at(start, -self.APART), self._at(end, -self.APART), BLUE, "-")
        self._arrow(self._at(end, self.APART), self._at(start, self.APART), VERMILLION, (0, (3, 2)))
        if gradient:
            x, y = self._at((start + end) / 2, self.APART + 0.07)
            place = {"ha": "left", "va": "center"} if self.vertical else {"ha": "center", "va": "top"}
            self.axes.text(x, y, f"${gradient}$", color=VERMILLION, fontsize=11, **place)

    def _side_link(self, operation, centre, value):
        across = 0 if self.vertical else 1
        along = 1 - across
        start, end = np.array(centre, float), np.array(operation, float)
        side = np.sign(start[along] - end[along]) or 1.0
        # Arrows touch the facing edges of the two boxes, spread along the operation's so that several do not cross.
        towards = np.sign(end[across] - start[across])
        start[across] += towards * self.VALUE[across] / 2
        end[across] -= towards * self.OPERATION[across] / 2
        end[along] += self.SPREAD[along] * (start[along] - end[along])
        if value.gradient_name is None:
            self._arrow(start, end, BLUE, "-")
            return
        outside = np.zeros(2)
        outside[along] = side * self.APART
        self._arrow(start - outside, end - outside, BLUE, "-")
        self._arrow(end + outside, start + outside, VERMILLION, (0, (3, 2)))
        x, y = (start + end) / 2 + 2.0 * outside
        if self.vertical:
            place = {"ha": "center", "va": "bottom" if side > 0 else "top"}
        else:
            place = {"ha": "left" if side > 0 else "right", "va": "center"}
        self.axes.text(x, y, f"${value.gradient_name}$", color=VERMILLION, fontsize=11, **place)

    def _arrow(self, start, end, colour, line):
        self.axes.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="-|>", mutation_scale=11, shrinkA=1.5, shrinkB=1.5,
                color=colour, linestyle=line, linewidth=1.6,
            )
        )  # fmt: skip


def paths(start, through, end, coefficients):
    """Draw the paths from one value to another, one through each value between: what the chain rule adds up.

    Parameters
    ----------
    start, end : str
        The first and the last value, as Matplotlib mathematics.
    through : sequence of str
        The values between, top to bottom, at least two.
    coefficients : sequence of str
        What stands on the first half of each path, in the order of `through`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are fewer than two paths, or not one coefficient a path.

    Examples
    --------
    >>> figure = paths("$w$", ["$z_0$", "$z_1$"], "$L$", ["$3$", "$-2$"])
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['$z_0$', '$3$', '$z_1$', '$-2$', '$w$', '$L$']
    """
    if len(through) < 2 or len(coefficients) != len(through):
        raise ValueError(
            f"through holds {len(through)} values and coefficients {len(coefficients)}: expected two or more of each"
        )
    figure = Figure(figsize=(6.0, 0.8 * len(through)))
    axes = figure.add_subplot()
    middle, right, centre = 2.4, 4.8, {"ha": "center", "va": "center", "fontsize": 12}
    heights = np.linspace(1, -1, len(through)) * (len(through) - 1) / 2
    arrow = {"arrowstyle": "-|>", "color": BLUE, "shrinkA": 17, "shrinkB": 17}
    for value, coefficient, height in zip(through, coefficients, heights, strict=True):
        axes.annotate("", (middle, height), (0, 0), arrowprops=arrow)
        axes.annotate("", (right, 0), (middle, height), arrowprops=arrow)
        axes.text(middle, height, value, **centre)
        axes.text(0.52 * middle, 0.52 * height + 0.2, coefficient, color=BLUE, **centre)
    axes.text(0, 0, start, **centre)
    axes.text(right, 0, end, **centre)
    axes.set(xlim=(-0.4, right + 0.4), ylim=(heights[-1] - 0.4, heights[0] + 0.4))
    axes.set_axis_off()
    return figure


def squares(axes, values, *, corner=(0.0, 0.0), largest=None, colours=(BLUE, VERMILLION)):
    """Draw a matrix as squares, one an entry: the area is its size, the colour its sign.

    Sizes move with the values and do not jump, so that rounding noise moves no square by more than itself.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Its y axis should point down.
    values : array, shape (rows, columns)
    corner : (x, y)
        Where the upper left corner of the first entry's cell is. Every cell is 1 × 1.
    largest : float, optional
        The size that fills a cell; that of the largest entry unless given.
    colours : (positive, negative)

    Raises
    ------
    ValueError
        If `values` is no matrix.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> squares(axes, [[1.0, -4.0], [0.0, 4.0]])
    >>> [len(patch.get_path().vertices) // 5 for patch in axes.patches]
    [2, 1]
    """
    values = np.asarray(values, float)
    if values.ndim != 2:
        raise ValueError(f"values has shape {values.shape}: expected (rows, columns)")
    largest = np.abs(values).max() if largest is None else largest
    for chosen, colour in zip((values > 0, values < 0), colours, strict=True):
        rows, columns = np.nonzero(chosen)
        half = np.sqrt(np.abs(values[rows, columns]) / largest) / 2
        x, y = corner[0] + columns + 0.5, corner[1] + rows + 0.5
        left, right, top, bottom = x - half, x + half, y - half, y + half
        outlines = np.stack([left, top, right, top, right, bottom, left, bottom, left, top], axis=1).reshape(-1, 2)
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(rows)
        if codes:
            axes.add_patch(PathPatch(Path(outlines, codes), facecolor=colour, linewidth=0))
