"""Figures: the same bytes everywhere, legible on white and on near-black, never without a text alternative."""

import os
import re
import subprocess
import sys
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from backprop import plotting
from backprop.plotting import Operation, Value, computational_graph, show, svg

ALT = "A line that rises from left to right."
LAYER = (
    Value("X", r"(m, n_{\mathrm{in}})"),
    Operation("X W + b", (Value("W", r"(n_{\mathrm{in}}, n_{\mathrm{out}})"), Value("b", r"(n_{\mathrm{out}},)"))),
    Value("Z", r"(m, n_{\mathrm{out}})"),
    Operation("\\ell", (Value("Y", gradient=None),)),
    Value("L"),
)


@pytest.fixture(autouse=True)
def styled():
    with matplotlib.rc_context():
        plotting.use_style()
        yield


def line(shift=0.0):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0.1 + shift, 1.7 + shift, 2.3 + shift], label="loss")
    axes.fill_between([0, 1, 2], [0, 0, 0], [1, 1, 1], hatch="//")
    axes.set_xlabel("$z$")
    axes.legend()
    return figure


def contrast(colour, ground):
    """WCAG's contrast ratio of two opaque colours."""

    def luminance(name):
        rgb = np.array(to_rgb(name))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    lighter, darker = sorted([luminance(colour), luminance(ground)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("ground", ["white", "#121212"])
@pytest.mark.parametrize("colour", [plotting.INK, *plotting.PALETTE])
def test_every_colour_is_legible_on_light_and_on_dark(colour, ground):
    assert contrast(colour, ground) >= (4.2 if colour == plotting.INK else 3.0)


def test_the_contrast_measure_itself():
    assert contrast("white", "black") == pytest.approx(21)
    assert contrast("#e69f00", "white") < 3 < contrast("#0072b2", "white")


# Linear models of how dichromats see (Viénot, Brettel and Mollon 1999), applied to linear RGB.
SEEN = {
    "all cones": np.eye(3),
    "no long cones": [[0.1124, 0.8876, 0], [0.1124, 0.8876, 0], [0.0040, -0.0040, 1]],
    "no medium cones": [[0.2925, 0.7075, 0], [0.2925, 0.7075, 0], [-0.0223, 0.0223, 1]],
}


@pytest.mark.parametrize("eyes", SEEN)
def test_colours_that_look_alike_to_some_differ_in_line_style(eyes):
    """Forward and backward arrows, the first two colours, differ clearly for everybody; all differ in their dashes."""
    linear = {c: np.asarray(SEEN[eyes]) @ (np.array(to_rgb(c)) ** 2.2) for c in plotting.PALETTE}
    blue, vermillion = linear[plotting.BLUE], linear[plotting.VERMILLION]
    assert np.abs(blue.clip(0) ** (1 / 2.2) - vermillion.clip(0) ** (1 / 2.2)).max() > 0.3
    assert all(a != b for a, b in combinations(plotting.LINES, 2))
    assert len(plotting.LINES) == len(plotting.PALETTE)


def test_a_figure_is_the_same_bytes_in_another_process_with_another_hash_seed():
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_plotting as t; t.plotting.use_style();"
        "sys.stdout.buffer.write(t.svg(t.line(), t.ALT).encode())"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert written == {svg(line(), ALT).encode()}


def test_the_last_digits_of_a_processor_do_not_show():
    assert svg(line(), ALT) == svg(line(shift=1e-12), ALT)
    assert svg(line(), ALT) != svg(line(shift=0.1), ALT)


def test_the_file_says_nothing_about_when_and_with_what_it_was_made():
    text = svg(line(), ALT)
    assert not re.search(r"<dc:|rdf|matplotlib\.org|<!DOCTYPE|<\?xml|20\d\d-", text)
    assert 'fill="white"' not in text
    assert "fill: #ffffff" not in text


def test_coordinates_are_short_and_the_scale_of_glyphs_is_kept():
    text = svg(line(), ALT)
    for coordinates in re.findall(r' d="([^"]*)"', text):
        assert not re.search(r"\.\d{3}", coordinates)
    assert re.search(r"scale\(0\.\d{2,} -?0\.\d{2,}\)", text)


@pytest.mark.parametrize(("long", "short"), [("12.3456", "12.35"), ("7.000001", "7"), ("-0.0001", "0"), ("10.0", "10")])
def test_rounding_of_one_coordinate(long, short):
    assert plotting._rounded(f'<path d="M {long} 3"/>') == f'<path d="M {short} 3"/>'
    assert plotting._rounded(f'<g transform="scale({long} 3)"/>') == f'<g transform="scale({long} 3)"/>'


def test_names_are_unique_and_every_reference_has_its_target():
    text = svg(line(), ALT)
    names = re.findall(r'\bid="([^"]+)"', text)
    references = re.findall(r'(?:href="|url\()#([^")]+)', text)
    assert len(set(names)) == len(names)
    assert references
    assert set(references) <= set(names)
    # Two figures on one page share no name.
    assert not set(names) & set(
        re.findall(r'\bid="([^"]+)"', svg(line(), "Another line that rises, from left to right."))
    )


def test_the_alternative_is_written_into_the_picture():
    assert svg(line(), 'Loss "falls" & then < rises again.').startswith(
        '<svg role="img" aria-label="Loss &quot;falls&quot; &amp; then &lt; rises again."'
    )


@pytest.mark.parametrize("alt", ["", "Loss.", None, 3, "one two three four"])
def test_an_alternative_that_says_too_little_is_refused(alt):
    with pytest.raises(ValueError, match=r"alt is .*: expected a sentence that says what the figure shows"):
        svg(line(), alt)


def test_an_alternative_of_five_words_may_say_enough():
    assert 'aria-label="Loss falls, then rises again."' in svg(line(), "Loss falls, then rises again.")


def test_the_alternative_is_named_so_that_a_call_says_what_its_text_is_for():
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        show(line(), ALT)


def test_an_alternative_that_names_the_medium_is_refused():
    with pytest.raises(ValueError, match="alt starts with 'A': say what is drawn"):
        svg(line(), "A plot of the loss against the number of steps.")


def test_only_figures_are_shown():
    with pytest.raises(TypeError, match="figure is str: expected a matplotlib Figure"):
        show("figure", alt=ALT)


def test_in_a_notebook_the_alternative_travels_with_the_picture(monkeypatch, capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    published = []
    instance = shell.instance()
    monkeypatch.setattr(instance.display_pub, "publish", lambda **kwargs: published.append(kwargs))
    try:
        show(line(), alt=ALT)
    finally:
        shell.clear_instance()
    assert published[0]["metadata"] == {"image/svg+xml": {"alt": ALT}}
    assert published[0]["data"]["text/plain"] == f"Figure: {ALT}"
    assert capsys.readouterr().out == ""


def test_a_shown_figure_is_closed_so_that_it_is_not_shown_twice():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    figure = pyplot.figure()
    show(figure, alt=ALT)
    assert not pyplot.fignum_exists(figure.number)


def drawn_texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("vertical", [False, True])
def test_a_graph_names_every_value_its_shape_and_its_gradient(vertical):
    texts = drawn_texts(computational_graph(*LAYER, vertical=vertical))
    assert {"$X$", "$W$", "$b$", "$Z$", "$Y$", "$L$", "$dX$", "$dW$", "$db$", "$dZ$"} <= set(texts)
    assert r"$(n_{\mathrm{in}}, n_{\mathrm{out}})$" in texts
    assert "$dY$" not in texts


@pytest.mark.parametrize("vertical", [False, True])
def test_no_two_boxes_of_a_graph_overlap_and_none_leaves_the_figure(vertical):
    figure = computational_graph(*LAYER, vertical=vertical)
    axes = figure.axes[0]
    boxes = [p.get_extents() for p in axes.patches if type(p).__name__ == "FancyBboxPatch"]
    assert len(boxes) == len(LAYER) + 3
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    frame = axes.bbox
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)


def test_forward_and_backward_arrows_differ_in_more_than_colour():
    arrows = [p for p in computational_graph(*LAYER).axes[0].patches if type(p).__name__ == "FancyArrowPatch"]
    styles = {(matplotlib.colors.to_hex(p.get_edgecolor()), str(p.get_linestyle())) for p in arrows}
    assert {colour for colour, _ in styles} == {plotting.BLUE, plotting.VERMILLION}
    assert len(styles) == 2, "one line style for each direction, the same in every arrow"
    assert len({style for _, style in styles}) == 2
    # Four links of the chain and two parameters, both ways; the labels, forward only.
    assert len(arrows) == 2 * 4 + 2 * 2 + 1


@pytest.mark.parametrize(
    ("chain", "kinds"),
    [
        ((), "empty"),
        (LAYER[:1], "Value"),
        (LAYER[:2], "Value, Operation"),
        (LAYER[:4], "Value, Operation, Value, Operation"),
        ((LAYER[1], LAYER[0], LAYER[3]), "Operation, Value, Operation"),
        ((LAYER[0], LAYER[2], LAYER[4]), "Value, Value, Value"),
    ],
)
def test_a_chain_that_does_not_alternate_is_refused(chain, kinds):
    with pytest.raises(TypeError, match=f"chain is {kinds}: expected Value, Operation, Value"):
        computational_graph(*chain)


def test_in_the_book_the_picture_has_its_alternative_and_keeps_its_contrast_in_the_dark(build_pages):
    output = {
        "output_type": "display_data",
        "data": {"image/svg+xml": svg(line(), ALT), "text/plain": f"Figure: {ALT}"},
        "metadata": {"image/svg+xml": {"alt": ALT}},
    }
    cells = [
        {"cell_type": "markdown", "source": "# Page", "metadata": {}},
        {"cell_type": "code", "source": "show()", "metadata": {}, "execution_count": 1, "outputs": [output]},
    ]
    metadata = {"language_info": {"name": "python"}}
    page = build_pages(page={"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}).html["page"]
    (image,) = re.findall(r"<img[^>]*>", page)
    assert f'alt="{ALT}"' in image
    assert "dark-light" in image


def test_paths_draws_one_path_a_value():
    figure = plotting.paths("$w$", ["$z_0$", "$z_1$", "$z_2$"], "$L$", ["$3$", "$-2$", "$1$"])
    words = [text.get_text() for text in figure.axes[0].texts]
    assert [word for word in words if word.startswith("$z")] == ["$z_0$", "$z_1$", "$z_2$"]
    assert words.count("") == 6  # two arrows a path


@pytest.mark.parametrize(("through", "coefficients"), [(["$z$"], ["$1$"]), (["$y$", "$z$"], ["$1$"])])
def test_paths_refuses_what_is_no_sum_over_paths(through, coefficients):
    with pytest.raises(ValueError, match="expected two or more of each"):
        plotting.paths("$w$", through, "$L$", coefficients)


# Matrices as squares --------------------------------------------------------------------------------------------------


def areas(patch):
    """The area of each square of a patch, and its centre."""
    corners = patch.get_path().vertices.reshape(-1, 5, 2)
    sides = np.ptp(corners, axis=1)
    return sides[:, 0] * sides[:, 1], corners[:, :4].mean(axis=1)


def test_a_square_has_the_area_of_its_entry_and_the_colour_of_its_sign():
    axes = Figure().subplots()
    plotting.squares(axes, [[2.0, -1.0, 0.0], [0.5, 4.0, -4.0]], corner=(10, 20))
    positive, negative = axes.patches
    assert positive.get_facecolor()[:3] != negative.get_facecolor()[:3]
    found, centres = areas(positive)
    np.testing.assert_allclose(found, [0.5, 0.125, 1.0])
    np.testing.assert_allclose(centres, [[10.5, 20.5], [10.5, 21.5], [11.5, 21.5]])
    np.testing.assert_allclose(areas(negative)[0], [0.25, 1.0])


def test_the_first_cell_begins_at_the_origin_and_no_outline_makes_a_square_larger():
    axes = Figure().subplots()
    plotting.squares(axes, [[4.0, 1.0]])
    np.testing.assert_allclose(areas(axes.patches[0])[1], [[0.5, 0.5], [1.5, 0.5]])
    assert axes.patches[0].get_linewidth() == 0


def test_how_squares_are_drawn_is_named_and_not_told_by_position():
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        plotting.squares(Figure().subplots(), [[1.0]], (1, 2))


def test_what_fills_a_cell_can_be_given_so_that_pictures_compare():
    axes = Figure().subplots()
    plotting.squares(axes, [[2.0]], largest=8)
    np.testing.assert_allclose(areas(axes.patches[0])[0], [0.25])


def test_a_matrix_of_zeros_draws_nothing_and_a_vector_is_refused():
    axes = Figure().subplots()
    plotting.squares(axes, np.zeros((2, 2)))
    assert list(axes.patches) == []
    with pytest.raises(ValueError, match=r"values has shape \(3,\)"):
        plotting.squares(axes, np.ones(3))
