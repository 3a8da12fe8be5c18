"""Exercises: the machinery, and then every exercise of the book in both directions.

The reference passes, the stub as shipped fails kindly, and each typical wrong answer gets the words that it declares.
"""

import importlib
import inspect
import pkgutil
import re
from types import SimpleNamespace

import numpy as np
import pytest
from corpus.answers import as_found, given_to_repair

import backprop.exercises
from backprop.course import Exercise, Wrong, computes, derives, named, recalls
from backprop.course.exercise import EMPTY, FEEDBACK_MIME, Feedback

BOOK = {
    f"{module.name}.{name}": value
    for module in pkgutil.iter_modules(backprop.exercises.__path__)
    for name, value in vars(importlib.import_module(f"backprop.exercises.{module.name}")).items()
    if isinstance(value, Exercise)
}


@pytest.mark.parametrize("exercise", BOOK.values(), ids=BOOK)
def test_the_reference_passes(exercise):
    feedback = exercise.feedback(exercise.reference)
    assert feedback.passed, feedback.message


@pytest.mark.parametrize("exercise", BOOK.values(), ids=BOOK)
def test_the_stub_as_shipped_fails_kindly(exercise):
    assert exercise.feedback(exercise.stub) == Feedback(False, EMPTY)


@pytest.mark.parametrize(
    ("exercise", "mistake"),
    [pytest.param(e, mistake, id=f"{name}: {mistake}") for name, e in BOOK.items() for mistake in e.wrong],
)
def test_a_typical_mistake_gets_its_words(exercise, mistake):
    feedback = exercise.feedback(exercise.wrong[mistake].answer)
    assert not feedback.passed
    assert exercise.wrong[mistake].says.casefold() in feedback.message.casefold()


@pytest.mark.parametrize("exercise", BOOK.values(), ids=BOOK)
def test_an_exercise_declares_at_least_three_mistakes(exercise):
    assert len(exercise.wrong) >= 3


def says_no_more_than_that_it_is_wrong(message):
    return (
        message.endswith("which is not right.")
        or message.startswith("Your function stopped with")
        or "none of the usual suspects" in message.casefold()
    )


@pytest.mark.parametrize("exercise", BOOK.values(), ids=BOOK)
def test_at_least_three_mistakes_get_a_name_of_their_own(exercise):
    said = [exercise.feedback(wrong.answer).message for wrong in exercise.wrong.values()]
    assert sum(not says_no_more_than_that_it_is_wrong(message) for message in said) >= 3, said


RECALLED = {name: e for name, e in BOOK.items() if e.judge.__qualname__.startswith("recalls.")}


@pytest.mark.parametrize("exercise", RECALLED.values(), ids=RECALLED)
def test_the_name_of_a_mistake_does_not_hold_the_answer(exercise):
    cases = inspect.getclosurevars(exercise.judge).nonlocals["cases"]
    assert cases
    for wrong in exercise.wrong.values():
        # What is said of its own, after the case and the reader's answer; and the right answer to that case.
        own = exercise.feedback(wrong.answer).message.rpartition("which is not right.")[2]
        right = next(r for case in cases if (r := exercise.reference(**case)) != wrong.answer(**case))
        assert not re.search(rf"(?<!\w){re.escape(str(right))}(?!\w)", own), (own, right)


@pytest.mark.parametrize("exercise", BOOK.values(), ids=BOOK)
def test_no_feedback_holds_the_code_of_the_solution(exercise):
    lines = re.findall(r"(?:return|=) (.+)", inspect.getsource(exercise.reference))
    lines = [line for line in lines if len(line) > 3 and not line.isidentifier()]
    for wrong in exercise.wrong.values():
        message = exercise.feedback(wrong.answer).message
        assert not any(line in message for line in lines), message


@pytest.mark.parametrize("label", given_to_repair())
def test_the_code_that_a_page_gives_to_repair_gets_the_words_of_a_known_mistake(label):
    (exercise,) = (exercise for exercise in BOOK.values() if exercise.id == label)
    feedback = exercise.feedback(as_found(exercise))
    assert not feedback.passed
    assert feedback in [exercise.feedback(wrong.answer) for wrong in exercise.wrong.values()]


def test_nearly_every_chapter_gives_code_to_repair():
    assert len(given_to_repair()) >= 12


def test_every_exercise_has_its_own_id():
    ids = [exercise.id for exercise in BOOK.values()]
    assert len(set(ids)) == len(ids)


def gradient(X, dZ):
    return X.T @ dZ


def inputs(rng):
    return {"X": rng.normal(size=(5, 3)), "dZ": rng.normal(size=(5, 2))}


JUDGE = computes(gradient, inputs, "dW", m="X")
EXERCISE = Exercise(
    id="demo-dW",
    stub=lambda X, dZ: ...,
    reference=gradient,
    judge=JUDGE,
    wrong={"transposed": Wrong(lambda X, dZ: dZ.T @ X, says="transpose")},
)


def test_a_mistake_of_the_exercise_s_own_is_named_only_where_it_was_made():
    squared = {"This is the square's.": lambda X, dZ: X.T @ dZ**2, "A flipped sign.": lambda X, dZ: -X.T @ dZ}
    judge = computes(gradient, inputs, "dW", m="X", mistakes=squared)
    assert judge(lambda X, dZ: X.T @ dZ**2) == Feedback(False, "This is the square's.")
    assert judge(lambda X, dZ: (X.T @ dZ**2).astype(np.float32)).message == "This is the square's."
    assert judge(lambda X, dZ: -X.T @ dZ).message == "A flipped sign."  # a better name here than the usual one
    assert judge(lambda X, dZ: X.T @ dZ / 5).message.startswith("Your dW is the reference divided by m = 5")
    for near in (lambda X, dZ: X.T @ dZ**2 + 1e-6, lambda X, dZ: X.T @ dZ + X.T @ dZ**2):
        assert "None of the usual suspects" in judge(near).message
    assert judge(gradient).passed


def test_a_mistake_is_named_only_where_every_input_shows_it():
    judge = computes(gradient, inputs, "dW", mistakes={"Negative.": lambda X, dZ: -X.T @ dZ})
    first = inputs(np.random.default_rng(0))["X"]
    only_once = judge(lambda X, dZ: -X.T @ dZ if np.array_equal(X, first) else X.T @ dZ)
    assert only_once.message.startswith("Your dW is the reference with its sign flipped")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda m: m, "For m = 2 your answer is 2, which is not right. The 2 is missing."),
        (lambda m: 2 if m == 2 else 2 * m, "For m = 2 your answer is 2, which is not right."),
        (lambda m: m + 2, "For m = 5 your answer is 7, which is not right."),
        (lambda m: {2: 3}[m], "For m = 2 your answer is 3, which is not right. Only two are there."),
    ],
)
def test_a_mistake_in_a_value_is_named_only_where_every_case_shows_it(answer, words):
    mistakes = {"The 2 is missing.": lambda m: m, "Only two are there.": lambda m: {2: 3}[m]}
    judge = recalls(lambda m: 2 * m, cases=[{"m": 2}, {"m": 5}], mistakes=mistakes)
    assert judge(answer) == Feedback(False, words)


def test_the_named_mistakes_are_the_wrong_answers_of_an_exercise():
    assert named({"That is it.": gradient}) == {"That is it.": Wrong(gradient, says="That is it.")}


def writes_into_its_argument(X, dZ):
    X *= 2
    return X.T @ dZ / 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda X, dZ: (X.T @ dZ).T, "transpose"),
        (lambda X, dZ: X.T @ dZ / 5, "divided by m = 5"),
        (lambda X, dZ: -X.T @ dZ, "sign"),
        (lambda X, dZ: X @ dZ, "stopped with ValueError"),
        (lambda X, dZ: X @ dZ, "It was given X (5, 3), dZ (5, 2)."),
        (lambda X, dZ: "X.T @ dZ", "not an array of real numbers"),
        (lambda X, dZ: np.zeros((3, 7)), "shape"),
        (writes_into_its_argument, "changes its argument X"),
    ],
)
def test_a_computed_answer_is_diagnosed(answer, words):
    feedback = JUDGE(answer)
    assert not feedback.passed
    assert words in feedback.message


def not_implemented(X, dZ):
    raise NotImplementedError


@pytest.mark.parametrize("answer", [lambda X, dZ: ..., lambda X, dZ: None, not_implemented])
def test_nothing_written_is_no_error(answer):
    assert JUDGE(answer) == Feedback(False, EMPTY)


def test_a_right_answer_says_what_it_was_held_against():
    assert JUDGE(gradient) == Feedback(True, "Your dW agrees with the reference on 3 random inputs.")


def test_the_random_inputs_are_as_many_as_it_says():
    seen = []

    def watched(X, dZ):
        seen.append(X)
        return gradient(X, dZ)

    assert "on 3 random inputs" in computes(gradient, inputs, "dW")(watched).message
    assert len({X.tobytes() for X in seen}) == 3


def test_an_answer_that_is_right_only_once_is_found():
    calls = []

    def lucky(X, dZ):
        calls.append(1)
        return X.T @ dZ if len(calls) == 1 else -X.T @ dZ

    assert not JUDGE(lucky).passed


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        (6, 6, 5),
        (6, np.int64(6), True),
        (6, 6, "6"),
        (6, 6, np.array([6, 6])),
        (0.25, 0.25, 0.26),
        (0.3, 0.1 + 0.2, 0.3 + 1e-8),  # what rounding does is forgiven
        (1e-12, 1e-12, 2e-12),
        ((3, 2), (3, 2), (2, 3)),
        ((3, 2), (np.int64(3), 2), (3, 2, 1)),
        ((3, 2), (3, 2), np.array([3, 2])),
        ((3, 1), (3, 1), (3, True)),
        ((3, 1), (3, 1), (np.array([3, 3]), 1)),
        (("reverse", 0.3), ("Reverse", 0.1 + 0.2), ("forward", 0.3)),
        ("the second", "The second ", "the first"),
        ("the second", "the second", 2),
        (True, True, 1),
        (True, np.True_, np.False_),
        (1, 1, True),
        (1.0, 1, True),
    ],
)
def test_a_recalled_value(expected, good, bad):
    judge = recalls(lambda: expected, cases=[{}])
    assert judge(lambda: good) == Feedback(True, "")
    assert judge(lambda: bad) == Feedback(False, f"Your answer is {bad!r}, which is not right.")


def test_a_guess_that_fits_one_case_does_not_pass():
    judge = recalls(lambda m: 2 * m, cases=[{"m": 2}, {"m": 5}])
    assert judge(lambda m: m + 2).message == "For m = 5 your answer is 7, which is not right."
    with pytest.raises(ValueError, match="cases is empty"):
        recalls(lambda: 1, cases=[])


class Refused(ValueError):
    """Stands for the engine's exception, which is recognised by its name."""


def refusing():
    raise Refused("step 2 (chain rule) is refused: 3 is not 4")


def test_a_derivation_is_judged_by_the_engine():
    done = SimpleNamespace(steps=2)
    judge = derives(lambda derivation: "" if derivation is done else "It does not start from the loss.")
    assert judge(lambda: done) == Feedback(True, "Every step is established, and the last one is the goal.")
    assert judge(lambda: SimpleNamespace()).message == "It does not start from the loss."
    assert judge(refusing).message == "A step of yours is refused. step 2 (chain rule) is refused: 3 is not 4"
    assert judge(lambda: ...) == Feedback(False, EMPTY)


def test_a_derivation_that_ends_too_early_is_told_so():
    def goal(derivation):
        raise Refused("the goal is not reached")

    words = "Every step holds, but the last one is not the goal yet. the goal is not reached"
    assert derives(goal)(lambda: "X") == Feedback(False, words)


def test_an_error_in_the_goal_itself_is_not_blamed_on_the_reader():
    def goal(derivation):
        raise ValueError("the exercise is broken")

    with pytest.raises(ValueError, match="the exercise is broken"):
        derives(goal)(lambda: "X")


def test_the_value_of_a_call_is_not_a_function():
    with pytest.raises(TypeError, match="answer is ndarray: expected the function <lambda>, without"):
        EXERCISE.check(np.zeros(3))


def test_the_check_shows_its_feedback_as_data_and_text(capsys):
    EXERCISE.check(gradient)
    assert capsys.readouterr().out == "Right. Your dW agrees with the reference on 3 random inputs.\n"
    bundle = EXERCISE.feedback(lambda X, dZ: ...)._repr_mimebundle_()
    assert bundle[FEEDBACK_MIME] == {"passed": False, "message": EMPTY}
    assert bundle["text/markdown"].startswith("**Not yet.** Nothing written yet.")


def test_the_solution_shows_the_source_that_was_checked(capsys):
    EXERCISE.solution()
    shown = capsys.readouterr().out
    assert shown.startswith("def gradient(X, dZ):\n    return X.T @ dZ\n")
    assert "Right. Your dW agrees" in shown


def test_a_solution_that_fails_its_own_check_is_never_shown():
    broken = Exercise(id="demo-broken", stub=EXERCISE.stub, reference=not_implemented, judge=JUDGE, wrong={})
    with pytest.raises(AssertionError, match="the solution of demo-broken does not pass its own check"):
        broken.solution()
