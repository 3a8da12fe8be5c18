"""The break-it table: what each check can and cannot see, on the linear layer under a loss that is a mean."""

import numpy as np
import pytest

from backprop.course import (
    Bug,
    Check,
    Problem,
    autodiff,
    break_it,
    duplicated_batch,
    finite_differences,
    loss_goes_down,
    proof,
    shapes,
)
from backprop.course.break_it import TABLE_MIME

RNG = np.random.default_rng(0)
AT = {
    "X": RNG.normal(size=(5, 3)),
    "W": RNG.normal(size=(3, 2)),
    "b": RNG.normal(size=2),
    "Y": RNG.normal(size=(5, 2)),
}
PROBLEM = Problem(
    loss=lambda X, W, b, Y: float(((X @ W + b - Y) ** 2).sum() / len(X)),
    at=AT,
    wrt=["W", "b", "X"],
    batch=["X", "Y"],
)


def right(X, W, b, Y):
    dZ = 2 * (X @ W + b - Y) / len(X)
    return {"dW": X.T @ dZ, "db": dZ.sum(axis=0), "dX": dZ @ W.T}


def changed(**functions):
    """The right gradients with some of them replaced."""

    def gradient(X, W, b, Y):
        gradients = right(X, W, b, Y)
        return {**gradients, **{name: function(gradients[name], X, W) for name, function in functions.items()}}

    return gradient


class Refused(ValueError):
    """Stands for the engine's exception, which is recognised by its name."""


def refused():
    raise Refused("step 1 is refused")


def everything():
    return [
        shapes(PROBLEM),
        finite_differences(PROBLEM),
        duplicated_batch(PROBLEM),
        autodiff(PROBLEM, right),
        proof(),
        loss_goes_down(PROBLEM),
    ]


def test_each_check_sees_what_it_can_see_and_no_more():
    values = {"finite differences", "autodiff"}
    table = break_it(
        correct=right,
        wrong={
            "sign": changed(dW=lambda dW, X, W: -dW),
            "divided by m twice": Bug(changed(dW=lambda dW, X, W: dW / len(X)), proof=refused),
            "transposed": changed(dW=lambda dW, X, W: dW.T),
            "one row of X lost": changed(dX=lambda dX, X, W: np.where(np.arange(5)[:, None] == 4, 0, dX)),
            "column of db": changed(db=lambda db, X, W: db[None, :]),
            "not a number": changed(db=lambda db, X, W: db * np.nan),
        },
        checks=everything(),
        expect={
            "divided by m twice": {*values, "duplicated batch", "symbolic proof"},
            "transposed": {*values, "shapes", "the loss went down"},
            "column of db": {*values, "shapes"},
            "not a number": {*values, "duplicated batch", "the loss went down"},
        },
    )
    assert table.caught_by("sign") >= values
    assert "shapes" not in table.caught_by("sign") | table.caught_by("divided by m twice")
    assert "the loss went down" not in table.caught_by("divided by m twice") | table.caught_by("one row of X lost")
    assert table.outcomes["sign"][table.checks.index("symbolic proof")] == "not tried"
    assert table.outcomes["transposed"][table.checks.index("the loss went down")] == "stops"
    # A wrong shape is an answer, and a wrong one; only what cannot be run at all stops.
    assert table.outcomes["column of db"][table.checks.index("finite differences")] == "caught"


def test_a_wrong_gradient_that_cannot_run_is_said_to_stop():
    table = break_it(right, {"X not transposed": lambda X, W, b, Y: {"dW": X @ Y}}, [shapes(PROBLEM)])
    assert table.outcomes["X not transposed"] == ("stops",)


def test_the_right_gradient_must_pass_every_check():
    with pytest.raises(AssertionError, match="the right gradient is rejected by: finite differences, autodiff"):
        break_it(
            changed(dW=lambda dW, X, W: -dW), {"other": right}, [shapes(PROBLEM), *everything()[1:2], everything()[3]]
        )


def test_the_right_formula_must_not_be_refused():
    with pytest.raises(AssertionError, match="the right gradient is rejected by: symbolic proof"):
        break_it(Bug(right, proof=refused), {"other": right}, [proof()])


def test_a_proof_that_breaks_for_another_reason_is_no_refusal():
    def broken():
        raise ValueError("X and W clash")

    with pytest.raises(RuntimeError, match="the proof was not refused, it broke: X and W clash"):
        break_it(right, {"sign": Bug(right, proof=broken)}, [proof()])


def test_a_wrong_formula_that_the_engine_accepts_passes():
    assert break_it(right, {"sign": Bug(right, proof=lambda: None)}, [proof()]).outcomes["sign"] == ("passes",)


def test_expectations_are_held_against_the_table_in_both_directions():
    wrong = {"sign": changed(dW=lambda dW, X, W: -dW)}
    with pytest.raises(AssertionError, match=r"'sign' is caught by \[\], but expect says \['shapes'\]"):
        break_it(right, wrong, [shapes(PROBLEM)], expect={"sign": {"shapes"}})
    with pytest.raises(AssertionError, match=r"'sign' is caught by \['finite differences'\], but expect says \[\]"):
        break_it(right, wrong, [finite_differences(PROBLEM)], expect={"sign": set()})
    with pytest.raises(ValueError, match="no such bug or check in the table"):
        break_it(right, wrong, [shapes(PROBLEM)], expect={"sing": {"shapes"}})
    with pytest.raises(ValueError, match="no such bug or check in the table"):
        break_it(right, wrong, [shapes(PROBLEM)], expect={"sign": {"shape"}})


def test_the_table_is_shown_as_data_markdown_and_text():
    bundle = break_it(right, {"sign": changed(dW=lambda dW, X, W: -dW)}, everything()[:2])._repr_mimebundle_()
    assert bundle[TABLE_MIME] == {
        "kind": "break-it",
        "header": ["bug", "shapes", "finite differences"],
        "rows": [["sign", "passes", "caught"]],
    }
    # A line of dashes has as many columns as the others, or no reader of Markdown sees a table.
    assert bundle["text/markdown"].splitlines() == [
        "| bug | shapes | finite differences |",
        "| --- | --- | --- |",
        "| sign | passes | **caught** |",
    ]
    assert bundle["text/plain"] == "bug   shapes  finite differences\nsign  passes  caught"


def no_gradient(**arrays):
    return {name: np.zeros_like(gradient) for name, gradient in right(**arrays).items()}


def test_a_loss_that_stays_where_it_was_did_not_go_down():
    assert break_it(right, {"zeros": no_gradient}, [loss_goes_down(PROBLEM)]).outcomes["zeros"] == ("caught",)


@pytest.mark.parametrize(("bound", "outcome"), [(1, "caught"), (1.01, "passes")])
def test_an_error_as_large_as_the_bound_is_caught(bound, outcome):
    # Zeros are off by the whole gradient: their relative error is 1, without any rounding.
    checks = [finite_differences(PROBLEM, bound), autodiff(PROBLEM, right, bound)]
    assert break_it(right, {"zeros": no_gradient}, checks).outcomes["zeros"] == (outcome, outcome)


def test_a_check_of_the_author_joins_the_others():
    table = break_it(right, {"sign": right}, [Check("eye", lambda bug: True)])
    assert table.checks == ("eye",)


def test_a_mean_is_not_changed_by_duplicating_but_a_sum_is():
    once, twice = PROBLEM.gradients(right), PROBLEM.duplicated().gradients(right)
    np.testing.assert_allclose(twice["W"], once["W"], rtol=1e-12)
    assert twice["X"].shape == (10, 3)
    summed = Problem(lambda X, W, b, Y: 1.0, AT, wrt=["W"], batch=["X", "Y"])
    with pytest.raises(AssertionError, match="the right gradient is rejected by: duplicated batch"):
        break_it(changed(dW=lambda dW, X, W: dW * len(X)), {"other": right}, [duplicated_batch(summed)])


def test_the_gradient_function_gets_copies():
    def vandal(X, W, b, Y):
        X[:] = 0
        return right(X, W, b, Y)

    before = AT["X"].copy()
    break_it(right, {"writes into X": vandal}, [shapes(PROBLEM)])
    np.testing.assert_array_equal(AT["X"], before)


def test_what_a_gradient_function_must_return():
    with pytest.raises(TypeError, match="returned ndarray: expected a dict or named tuple with dW, db, dX"):
        break_it(lambda X, W, b, Y: X, {"other": right}, [shapes(PROBLEM)])
    with pytest.raises(TypeError, match="returned dW: expected a dict or named tuple with dW, db, dX"):
        break_it(lambda X, W, b, Y: {"dW": W}, {"other": right}, [shapes(PROBLEM)])


def test_bad_problems_and_bad_tables():
    with pytest.raises(ValueError, match="wrt names V, but at holds X, W, b, Y"):
        Problem(PROBLEM.loss, AT, wrt=["V"])
    with pytest.raises(ValueError, match="batch names V, but at holds"):
        Problem(PROBLEM.loss, AT, wrt=["W"], batch=["V"])
    with pytest.raises(ValueError, match="wrt is empty"):
        Problem(PROBLEM.loss, AT, wrt=[])
    with pytest.raises(ValueError, match="problem has no batch"):
        duplicated_batch(Problem(PROBLEM.loss, AT, wrt=["W"]))
    with pytest.raises(ValueError, match="each name once"):
        break_it(right, {"other": right}, [shapes(PROBLEM), shapes(PROBLEM)])
    with pytest.raises(ValueError, match="checks are empty"):
        break_it(right, {"other": right}, [])
    with pytest.raises(ValueError, match="wrong is empty"):
        break_it(right, {}, [shapes(PROBLEM)])
