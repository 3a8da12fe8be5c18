"""Every exhibit of the museum is what it says: the right gradient is right, the published one is wrong as described."""

import dataclasses

import autograd
import autograd.numpy
import numpy as np
import pytest

from backprop import exhibits
from backprop.course import Bug, Problem
from backprop.exhibits import EXHIBITS, checking, masks, order, sums
from backprop.exhibits._exhibit import Training
from backprop.gradcheck import central_difference, relative_error

ANOTHER_LOSS = {"the average of averages", "the silent square", "softmax twice"}


def numeric(problem: Problem, name):
    return central_difference(lambda value: problem.loss(**{**problem.at, name: value}), problem.at[name])


def trace(problem):
    def gradient(**at):
        def loss_of(value, name):
            return problem.loss(**{**problem.at, **at, name: value}, np=autograd.numpy)

        return {f"d{name}": autograd.grad(loss_of)(at[name], name) for name in problem.wrt}

    return gradient


@pytest.mark.parametrize("title", EXHIBITS)
@pytest.mark.parametrize("seed", [exhibits._exhibit.SEED, 3])
def test_the_right_gradient_is_right(title, seed):
    problem = EXHIBITS[title].at(seed)
    for name, gradient in problem.gradients(EXHIBITS[title].right).items():
        assert relative_error(gradient, numeric(problem, name)) < 1e-7


@pytest.mark.parametrize("title", EXHIBITS)
def test_the_published_gradient_is_wrong_of_the_loss_that_was_meant(title):
    exhibit = EXHIBITS[title]
    meant, published = exhibit.problem, exhibit.watched.gradients(exhibit.published)
    errors = [
        relative_error(np.broadcast_to(array, meant.at[name].shape), numeric(meant, name))
        for name, array in published.items()
    ]
    assert max(errors) > 1e-3


@pytest.mark.parametrize("title", sorted(ANOTHER_LOSS))
def test_the_gradient_of_another_loss_is_right_of_that_one(title):
    exhibit = EXHIBITS[title]
    for name, gradient in exhibit.watched.gradients(exhibit.published).items():
        assert relative_error(gradient, numeric(exhibit.watched, name)) < 1e-7


@pytest.mark.parametrize(
    ("title", "name", "factor"),
    [
        ("dropout, forward only", "V", 1 / 2),
        ("mean in the loss, sum in the gradient", "W", 5),
        ("the average's forgotten 1/C", "V", sums.C),
        ("the gradient sent twice", "a", 28 / 24),
        ("one array compared", "b", 1 / 10),
        ("one array compared", "W", 1),
        ("nothing underneath", "gamma", 1),
    ],
)
def test_exact_factors(title, name, factor):
    exhibit = EXHIBITS[title]
    right, published = (
        p.gradients(g)[name] for p, g in ((exhibit.problem, exhibit.right), (exhibit.watched, exhibit.published))
    )
    assert relative_error(published, factor * right) < 1e-12
    assert exhibits.ratio(exhibit, name) == pytest.approx(factor)


def test_the_mask_masks_nothing():
    rng = np.random.default_rng(0)
    dA, Z = rng.normal(size=(2, 5, 4))
    keep = np.ones((5, 4))
    assert np.array_equal(masks.through_relu(dA, Z, np.maximum(Z, 0), keep), 2 * dA)


def test_loops_give_every_unit_the_same():
    rng = np.random.default_rng(0)
    X, Z, dA = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    dV = masks.first_layer_by_loops(X, Z, np.maximum(Z, 0), dA)
    assert np.linalg.matrix_rank(dV) == 1
    one = slice(0, 1)
    assert np.allclose(
        masks.first_layer_by_loops(X, Z[:, one], np.maximum(Z, 0)[:, one], dA[:, one]),
        masks.first_layer(X, Z[:, one], np.maximum(Z, 0)[:, one], dA[:, one]),
    )


def test_two_time_steps_hide_the_fault_and_three_show_it():
    for steps, hidden in ((2, True), (3, False)):
        at = checking.time_series(steps)(np.random.default_rng(1))
        right, published = (rule(**at)["dW"] for rule in (checking.recurrent_gradient, checking.recurrent_as_published))
        assert (relative_error(published, right) < 1e-12) == hidden


def test_a_tree_and_a_reused_leaf_hide_the_running_total():
    leaf = order.NumberWithGradient(3.0)
    (leaf * leaf + leaf).send_back(1.0)
    assert leaf.gradient == 7


@pytest.fixture(scope="module")
def table():
    return exhibits.museum_table(list(EXHIBITS.values()), trace, {})


def test_which_check_catches_what(table):
    caught = {check: {e for e in EXHIBITS if check in table.caught_by(e)} for check in table.checks}
    assert caught["shapes"] == {"one step for all biases"}
    assert caught["finite differences"] == set(EXHIBITS) - ANOTHER_LOSS
    assert caught["the loss went down"] == {"the lost minus"}
    assert caught["duplicated batch"] == {"the wrong transpose", "one array compared"}
    assert caught["eye"] == {
        "one gradient for all units",
        "one step for all biases",
        "the silent square",
        "a shortcut's hidden assumption",
    }


def test_a_wrong_gradient_that_is_taken_for_the_right_one_stops_the_table():
    exhibit = EXHIBITS["one array compared"]
    swapped = dataclasses.replace(exhibit, right=exhibit.published, published=exhibit.right)
    with pytest.raises(AssertionError, match="the right gradient is rejected by: finite differences"):
        exhibits.museum_table([swapped], trace, {})


def test_the_eye_is_seen_to_open_and_to_close():
    exhibit = EXHIBITS["one array compared"]

    def equal(**at):
        return exhibit.right(**at) | {"db": np.full(2, 0.3)}

    sees = exhibits.eye(exhibit)
    assert sees.accepts(Bug(exhibit.right))
    assert not sees.accepts(Bug(equal))
    assert not sees.accepts(Bug(lambda **at: exhibit.right(**at) | {"dW": np.outer([1.0, 2, 3], [1.0, 2])}))


def test_training_is_told_by_medians_and_a_count():
    found = {title: exhibits.training(EXHIBITS[title], draws=3) for title in ("softmax twice", "the lost minus")}
    text = str(exhibits.TrainingTable(found))
    assert text.splitlines()[0].split()[-5:] == ["start", "right", "published", "fell", "in"]
    shown = exhibits.TrainingTable(found)._repr_mimebundle_()
    assert shown["text/plain"] == text
    assert "| softmax twice | " in shown["text/markdown"]
    assert "3 of 3" in text
    assert found["the lost minus"].right < found["the lost minus"].start < found["the lost minus"].published


def test_every_exhibit_is_in_one_room():
    assert sum(len(room) for room in exhibits.ROOMS.values()) == len(EXHIBITS) == 20


# Training and looking, of an exhibit whose every number is known ----------------------------------------------------


def line_loss(a, t, np=np):
    return np.sum((a - t) ** 2) / 2


def away_from(limit):
    """A gradient that climbs where t is above a limit, and moves half as far as it should elsewhere."""
    return lambda a, t: {"da": np.where(t > limit, t - a, (a - t) / 2)}


def line(limit):
    """A number that starts two above its target, with a loss of 2; each of two steps goes half of the way to it."""
    return exhibits.Exhibit(
        "a line",
        line_loss,
        lambda rng: {"a": (t := rng.random(1)) + 2, "t": t},
        wrt=["a"],
        right=lambda a, t: {"da": a - t},
        published=away_from(limit),
        rate=0.5,
        steps=2,
    )


TARGETS = sorted(float(np.random.default_rng(seed).random()) for seed in range(15))


@pytest.mark.parametrize("climbing", [0, 7, 8, 15])
def test_training_gives_the_medians_and_how_often_the_loss_fell(climbing):
    limit = [*TARGETS, 1.0][15 - climbing] - 1e-9
    found = exhibits.training(line(limit))
    # Each right step leaves half of the way: (1/2)² of 2 is 0.5, whose half square is 1/8. A published step leaves
    # three quarters, and one that climbs leaves one and a half.
    ends = (2 * 0.75**2) ** 2 / 2, (2 * 1.5**2) ** 2 / 2
    expected = Training(2.0, 1 / 8, ends[climbing > 7], 15 - climbing, 15)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("climbing", "caught"), [(7, False), (8, True)])
def test_the_falling_loss_is_asked_from_fifteen_points_and_believes_the_most(climbing, caught):
    exhibit = line([*TARGETS, 1.0][15 - climbing] - 1e-9)
    table = exhibits.museum_table([exhibit], trace, {})
    assert ("the loss went down" in table.caught_by("a line")) == caught


@pytest.mark.parametrize(("da", "loss"), [(np.nan, np.inf), (0.0, 2.0)])
def test_a_loss_that_stays_or_is_no_number_any_more_has_not_fallen(da, loss):
    found = exhibits.training(dataclasses.replace(line(1.0), published=lambda a, t: {"da": np.full(1, da)}), draws=3)
    assert (found.published, found.fell) == (pytest.approx(loss), 0)


def test_the_table_of_training_says_what_was_found():
    rows = {
        "small": Training(1 / 3, 0.0099, 0.01, 3, 5),
        "large": Training(9.94, 123.4, np.inf, 0, 5),
    }
    table = exhibits.TrainingTable(rows)
    assert str(table).splitlines() == [
        "median of the loss  start  right       published  fell in",
        "small               0.33   under 0.01  0.01       3 of 5",
        "large               9.9    123         inf        0 of 5",
    ]
    assert table._repr_mimebundle_()["text/markdown"].splitlines() == [
        "| median of the loss | start | right | published | fell in |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| small | 0.33 | under 0.01 | 0.01 | 3 of 5 |",
        "| large | 9.9 | 123 | inf | 0 of 5 |",
    ]


@pytest.mark.parametrize(
    ("da", "ratio", "cosine"),
    [
        (lambda right: right * 5, 5, 1),
        (lambda right: -right / 4, 1 / 4, -1),
        (lambda right: np.array([-right[1], right[0]]), 1, 0),
        (lambda right: right + np.array([-right[1], right[0]]), 2**0.5, 0.5**0.5),
    ],
)
def test_the_length_and_the_angle_of_a_gradient_beside_the_right_one(da, ratio, cosine):
    exhibit = dataclasses.replace(
        line(1.0),
        draw=lambda rng: {"a": rng.normal(size=2), "t": np.zeros(2)},
        published=lambda a, t: {"da": da(a - t)},
    )
    assert exhibits.ratio(exhibit, "a") == pytest.approx(ratio)
    assert exhibits.cosine(exhibit) == pytest.approx(cosine, abs=1e-12)


@pytest.mark.parametrize(
    ("gradient", "logits", "odd"),
    [
        ([[1.0, 2.0], [2.0, 4.0]], None, True),
        ([[1.0, 2.0], [2.0, 4.1]], None, False),
        ([[1.0, 2.0, 3.0]], None, False),  # a single row has rank 1 by its shape
        ([[1.0], [2.0]], None, False),
        ([3.0, 3.0], None, True),
        ([3.0, 3.1], None, False),
        ([3.0], None, False),
        ([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]], "a", False),
        ([[1.0, -1.0, 0.1], [0.5, 0.5, -1.0]], "a", True),
        ([[1.0, -1.0, 0.1], [0.5, 0.5, -1.0]], None, False),
    ],
)
def test_what_looks_odd(gradient, logits, odd):
    gradient = np.array(gradient)
    exhibit = dataclasses.replace(
        line(1.0), draw=lambda rng: {"a": np.zeros(gradient.shape), "t": np.zeros(1)}, logits=logits
    )
    assert exhibits.eye(exhibit).accepts(Bug(lambda a, t: {"da": gradient})) == (not odd)


@pytest.mark.parametrize(("spread", "odd"), [(0.0009, True), (0.0011, False)])
def test_predictions_that_are_the_same_to_a_thousandth_look_odd(spread, odd):
    exhibit = dataclasses.replace(line(1.0), predict=lambda a, t: np.array([1 - spread, 1.0]))
    assert exhibits.eye(exhibit).accepts(Bug(exhibit.right)) == (not odd)
