"""The book's drawings: what is stored is drawn, and whatever else is drawn can be read: arrows lead from box to box."""

import ast
import builtins
import json
import re
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from pictures import same_picture

from backprop import activations, datasets, plotting
from backprop.plotting import Operation, Value, computational_graph, paths

BOOK = Path(__file__).resolve().parents[1] / "book"
SVG = "image/svg+xml"


@pytest.fixture(autouse=True)
def styled():
    pyplot.switch_backend("agg")
    with matplotlib.rc_context():
        plotting.use_style()
        yield


# The pictures that are stored -----------------------------------------------------------------------------------------

# What a cell may take from its page, beside what other cells that draw define.
GIVEN = {
    "plotting": plotting, "np": np, "plt": pyplot, "activations": activations, "X0": datasets.running_example().X,
}  # fmt: skip


def names_in(source):
    """The names that a cell takes from the cells before it, and those it defines."""
    nodes = list(ast.walk(ast.parse(source)))
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
    return {n.id for n in nodes if isinstance(n, ast.Name)} - own - vars(builtins).keys(), own


def pictures_that_need_little():
    """Of each picture whose cell needs no other but cells that draw: these cells' code, and what is stored."""
    for path in sorted(BOOK.glob("*.ipynb")):
        known, before = set(GIVEN), []
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or "plotting." not in source:
                continue
            taken, own = names_in(source)
            if not taken <= known:
                continue
            stored = ["".join(output["data"][SVG]) for output in cell["outputs"] if SVG in output.get("data", {})]
            if stored:
                yield pytest.param([*before, source], stored, id=f"{path.stem}-{number}")
            else:
                known |= own
                before.append(source)


PICTURES = list(pictures_that_need_little())


def test_every_graph_of_the_book_is_among_the_pictures_that_are_drawn_again():
    def graphs(source):
        return len(re.findall(r"plotting\.(?:computational_graph|paths)\(", source))

    cells = [cell for path in BOOK.glob("*.ipynb") for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    everywhere = sum(graphs("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code")
    assert sum(graphs(picture.values[0][-1]) for picture in PICTURES) == everywhere >= 9


@pytest.mark.locked("another Matplotlib places its glyphs otherwise")
@pytest.mark.parametrize(("sources", "stored"), PICTURES)
def test_the_pictures_of_the_book_are_drawn_as_they_are_stored(sources, stored, monkeypatch):
    """To a twentieth of a point: nothing in these pictures is the result of long sums, whose last digits may differ."""
    drawn, svg = [], plotting.svg
    monkeypatch.setattr(plotting, "svg", lambda *arguments: drawn.append(svg(*arguments)))
    page = dict(GIVEN)
    for source in sources:
        exec(compile(source, "cell", "exec"), page)
    assert len(drawn) == len(stored)
    assert all(same_picture(*pair, tolerance=0.05) for pair in zip(drawn, stored, strict=True))


# Graphs ---------------------------------------------------------------------------------------------------------------

X, Z = Value("X", r"(m, n_{\mathrm{in}})"), Value("Z", r"(m, n_{\mathrm{out}})")
W, b = Value("W", r"(n_{\mathrm{in}}, n_{\mathrm{out}})"), Value("b", r"(n_{\mathrm{out}},)")
LABELS = Value("Y", gradient=None)
CHAINS = {
    "nothing aside": (X, Operation("f"), Z),
    "one parameter": (X, Operation("X + b", (b,)), Z),
    "one without gradient": (Z, Operation(r"\ell", (LABELS,)), Value("L")),
    "two parameters": (X, Operation("X W + b", (W, b)), Z),
    "a parameter and labels": (X, Operation("X W - Y", (W, LABELS)), Z),
    "a layer and a loss": (X, Operation("X W + b", (W, b)), Z, Operation(r"\ell", (LABELS,)), Value("L")),
    "two layers": (
        X, Operation("X W + b", (W, b)), Value("A", "(m, k)", gradient=r"\delta_A"),
        Operation("A V + c", (Value("V", "(k, n)"), Value("c", "(n,)"))), Z,
    ),
}  # fmt: skip
every_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
both_ways = pytest.mark.parametrize("vertical", [False, True], ids=["horizontal", "vertical"])


@dataclass(frozen=True)
class Arrow:
    """Where an arrow starts and where its tip is, in points."""

    start: np.ndarray
    tip: np.ndarray
    colour: str

    @property
    def length(self):
        return np.hypot(*(self.tip - self.start))

    def meets(self, other):
        """Whether two arrows cross: the ends of each are on different sides of the other."""
        ways = [(one.tip - one.start, two.start - one.start, two.tip - one.start)
                for one, two in ((self, other), (other, self))]  # fmt: skip
        return all(np.linalg.det([ahead, a]) * np.linalg.det([ahead, b]) < 0 for ahead, a, b in ways)

    def crosses(self, box):
        along = np.linspace(self.start, self.tip, 200)
        return ((box.min < along) & (along < box.max)).all(axis=1).any()

    def place_of(self, point):
        """How far along the arrow a point is, from 0 at its start to 1 at its tip, and how far from it."""
        ahead = self.tip - self.start
        share = np.dot(point - self.start, ahead) / np.dot(ahead, ahead)
        return share, np.hypot(*(self.start + np.clip(share, 0, 1) * ahead - point))


class Drawing:
    """What a figure shows, in points: boxes by what is written at their centre or above, arrows, words with extents."""

    def __init__(self, figure):
        figure.set_dpi(72)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        (axes,) = figure.axes
        self.size = figure.bbox.size
        self.words = [(t.get_text(), t.get_window_extent(renderer)) for t in axes.texts if t.get_text()]
        patches = [*axes.patches, *(t.arrow_patch for t in axes.texts if isinstance(t, Annotation))]
        self.arrows = [self._arrow(patch) for patch in patches if isinstance(patch, FancyArrowPatch)]
        frames = [patch.get_extents() for patch in patches if isinstance(patch, FancyBboxPatch)]
        self.boxes = {self._title(frame): frame for frame in frames}
        assert len(self.boxes) == len(frames)

    def _title(self, frame):
        return next(word for word, place in self.words if inside(place, frame)).strip("$")

    @staticmethod
    def _arrow(patch):
        path = patch.get_path()
        vertices = patch.get_transform().transform(path.vertices[path.codes != path.CLOSEPOLY])
        tip = vertices[np.argmax(np.hypot(*(vertices - vertices[0]).T))]
        return Arrow(vertices[0], tip, to_hex(patch.get_edgecolor()))

    def arrows_in(self, colour):
        return [arrow for arrow in self.arrows if arrow.colour == colour]

    def touched(self, point):
        """The one box at whose border a point is: an arrow ends 1.5 points before it."""
        (box,) = (name for name, box in self.boxes.items() if to_border(box, point) < 3.5)
        return box

    def links(self, colour):
        return sorted((self.touched(arrow.start), self.touched(arrow.tip)) for arrow in self.arrows_in(colour))


def inside(inner, outer):
    return (outer.min <= inner.min).all() and (inner.max <= outer.max).all()


def centre(box):
    return (box.min + box.max) / 2


def to_border(box, point):
    """How far a point is from the border of a box."""
    beyond = np.maximum(box.min - point, point - box.max)
    return np.hypot(*np.maximum(beyond, 0)) if (beyond > 0).any() else -beyond.max()


@both_ways
@every_chain
def test_arrows_lead_from_box_to_box_forward_as_values_flow_and_backward_as_gradients_do(chain, vertical):
    drawing = Drawing(computational_graph(*chain, vertical=vertical))
    aside = [(value, operation) for operation in chain[1::2] for value in operation.inputs]
    forward = [(one.name, other.name) for one, other in [*pairwise(chain), *aside]]
    backward = [(other.name, one.name) for one, other in pairwise(chain)]
    backward += [(operation.name, value.name) for value, operation in aside if value.gradient_name is not None]
    assert drawing.links(plotting.BLUE) == sorted(forward)
    assert drawing.links(plotting.VERMILLION) == sorted(backward)


@both_ways
@every_chain
def test_arrows_are_long_enough_to_be_seen_and_neither_longer_than_needed_nor_across_one_another(chain, vertical):
    drawing = Drawing(computational_graph(*chain, vertical=vertical))
    assert all(15 < arrow.length < 75 for arrow in drawing.arrows)
    for arrow in drawing.arrows:
        assert not any(arrow.crosses(box.padded(-2)) for box in drawing.boxes.values())
    assert not any(one.meets(other) for one, other in combinations(drawing.arrows, 2))


@both_ways
@every_chain
def test_an_arrow_back_lies_beside_the_one_that_it_answers(chain, vertical):
    drawing = Drawing(computational_graph(*chain, vertical=vertical))
    forward = {(drawing.touched(a.start), drawing.touched(a.tip)): a for a in drawing.arrows_in(plotting.BLUE)}
    for back in drawing.arrows_in(plotting.VERMILLION):
        there = forward[drawing.touched(back.tip), drawing.touched(back.start)]
        for one, other in ((there.start, back.tip), (there.tip, back.start)):
            assert 8 < np.hypot(*(one - other)) < 16


@both_ways
@every_chain
def test_words_stand_clear_of_arrows_and_borders_and_of_one_another(chain, vertical):
    drawing = Drawing(computational_graph(*chain, vertical=vertical))
    for word, place in drawing.words:
        assert not any(arrow.crosses(place) for arrow in drawing.arrows), word
        assert all(inside(place, box) or not place.overlaps(box) for box in drawing.boxes.values()), word
    assert not any(one.overlaps(other) for (_, one), (_, other) in combinations(drawing.words, 2))


@both_ways
@every_chain
def test_the_name_of_a_gradient_stands_beside_the_middle_of_its_own_arrow(chain, vertical):
    drawing = Drawing(computational_graph(*chain, vertical=vertical))
    values = [*chain[:-1:2], *(value for operation in chain[1::2] for value in operation.inputs)]
    names = {f"${value.gradient_name}$": value.name for value in values if value.gradient_name is not None}
    boxes = drawing.boxes.values()
    beside = [(word, place) for word, place in drawing.words if not any(inside(place, box) for box in boxes)]
    assert sorted(word for word, _ in beside) == sorted(names)
    for word, place in beside:
        arrows = sorted(drawing.arrows_in(plotting.VERMILLION), key=lambda arrow: arrow.place_of(centre(place))[1])
        share, distance = arrows[0].place_of(centre(place))
        assert drawing.touched(arrows[0].tip) == names[word]
        assert 0.3 < share < 0.7
        assert distance < 20


@both_ways
@every_chain
def test_a_graph_fills_its_figure_but_for_a_narrow_margin(chain, vertical):
    drawing = Drawing(computational_graph(*chain, vertical=vertical))
    everything = Bbox.union([*drawing.boxes.values(), *(place for _, place in drawing.words)])
    margins = [*everything.min, *(drawing.size - everything.max)]
    assert all(2 < margin < 10 for margin in margins)


@both_ways
def test_the_chain_runs_along_one_line_and_what_enters_it_stands_along_another(vertical):
    chain = CHAINS["a layer and a loss"]
    places = {name: centre(box) for name, box in Drawing(computational_graph(*chain, vertical=vertical)).boxes.items()}
    along = [places[item.name] for item in chain]
    aside = [places[name] for name in "WbY"]
    main, cross = (1, 0) if vertical else (0, 1)
    for row in (along, aside):
        np.testing.assert_allclose([point[cross] for point in row], row[0][cross])
        assert (np.diff([point[main] for point in row]) * (-1 if vertical else 1) > 0).all(), "down, or to the right"
    steps = np.diff([point[main] for point in along])
    np.testing.assert_allclose(steps, steps[0])
    # W and b on both sides of their operation, Y at the height of its own.
    assert (aside[0] + aside[1])[main] / 2 == pytest.approx(along[1][main])
    assert aside[2][main] == pytest.approx(along[3][main])


def test_more_than_two_values_aside_are_refused_for_their_arrows_would_not_reach_the_operation():
    with pytest.raises(ValueError, match="f has 3 inputs: expected two at most"):
        computational_graph(X, Operation("f", (W, b, LABELS)), Z)


# Paths ----------------------------------------------------------------------------------------------------------------

every_number = pytest.mark.parametrize("count", [2, 3, 4, 5])


def drawn_paths(count):
    """A drawing of so many paths, with the places of its words; the values between are called after their number."""
    drawing = Drawing(paths("$w$", [f"$z_{k}$" for k in range(count)], "$L$", [f"${k - 2}$" for k in range(count)]))
    places = dict(drawing.words)
    assert len(places) == 2 * count + 2
    return drawing, places


@every_number
def test_every_path_leads_through_its_value_and_its_coefficient_stands_above_the_middle_of_the_first_half(count):
    drawing, places = drawn_paths(count)

    def at(point):
        """What an arrow begins or ends at: no further from it than a letter is high, and not in it."""
        word = min(places, key=lambda name: to_border(places[name], point))
        assert 3 < to_border(places[word], point) < 15
        return word

    ends = {(at(arrow.start), at(arrow.tip)): arrow for arrow in drawing.arrows}
    through = [f"$z_{k}$" for k in range(count)]
    assert set(ends) == {("$w$", z) for z in through} | {(z, "$L$") for z in through}
    for k, z in enumerate(through):
        point = centre(places[f"${k - 2}$"])
        nearest = min(drawing.arrows, key=lambda arrow: arrow.place_of(point)[1])
        assert nearest is ends["$w$", z]
        assert 0.4 < nearest.place_of(point)[0] < 0.6
        assert point[1] > nearest.start[1] + 0.5 * (nearest.tip - nearest.start)[1]


@every_number
def test_the_words_of_paths_stand_clear_of_arrows_and_of_one_another_within_the_figure(count):
    drawing, places = drawn_paths(count)
    for word, place in places.items():
        # An older Matplotlib counts half a point more to a word's corner, which the steepest of five arrows touches.
        assert not any(arrow.crosses(place.padded(-1)) for arrow in drawing.arrows), word
        assert inside(place, Bbox([[0, 0], drawing.size])), word
    assert not any(one.overlaps(other) for one, other in combinations(places.values(), 2))


@every_number
def test_paths_lie_alike_above_and_below_and_left_and_right_of_the_middle(count):
    drawing, places = drawn_paths(count)
    start, end, *through = (centre(places[word]) for word in ("$w$", "$L$", *(f"$z_{k}$" for k in range(count))))
    np.testing.assert_allclose(np.mean(through, axis=0), (start + end) / 2, atol=1)
    np.testing.assert_allclose(np.diff(through, axis=0)[:, 0], 0, atol=1e-6)
    steps = -np.diff(through, axis=0)[:, 1]
    np.testing.assert_allclose(steps, steps[0])
    assert (steps > 30).all(), "top to bottom, two lines apart"
    np.testing.assert_allclose((start + end) / 2, drawing.size / 2, atol=1)
