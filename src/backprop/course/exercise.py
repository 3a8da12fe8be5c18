"""Exercises whose check says what is wrong, and is itself tested: the reference passes, each known mistake is named.

The task and its hints are prose and stand on the page. What can be run is here, so that a notebook and a test use the
same check. The exercises of the book live in `backprop.exercises`, one module a chapter.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from backprop.course.records import show
from backprop.diagnose import diagnose

FEEDBACK_MIME = "application/vnd.backprop.feedback+json"

EMPTY = "Nothing written yet. Replace the … by your answer and run the check again."


@dataclass(frozen=True)
class Feedback:
    """What a check says about an answer."""

    passed: bool
    message: str

    def __str__(self):
        return f"{'Right' if self.passed else 'Not yet'}. {self.message}".rstrip()

    def _repr_mimebundle_(self, include=None, exclude=None):
        verdict = "Right" if self.passed else "Not yet"
        return {
            FEEDBACK_MIME: {"passed": self.passed, "message": self.message},
            "text/markdown": f"**{verdict}.** {self.message}".rstrip(),
            "text/plain": str(self),
        }


@dataclass(frozen=True)
class Wrong:
    """A typical wrong answer, and words that the feedback on it must hold."""

    answer: Callable
    says: str


@dataclass(frozen=True)
class Exercise:
    """A place to write, a check that diagnoses, a solution, and the mistakes that the check is known to name.

    Parameters
    ----------
    id : str
        ``<chapter word>-<name>``, unique in the book: the label of the exercise's box on its page.
    stub : callable
        The function that the reader completes. It returns ``...`` as shipped.
    reference : callable
        The solution. Its source is what `solution` shows, so it is written for the reader.
    judge : callable
        ``judge(answer) -> Feedback``. See `computes`, `recalls` and `derives`.
    wrong : dict of str to Wrong
        At least three typical wrong answers, with what the feedback on each must say.

    Examples
    --------
    >>> def count(m): return ...
    >>> def count_solution(m): return 2 * m
    >>> exercise = Exercise(
    ...     id="demo-count", stub=count, reference=count_solution,
    ...     judge=recalls(count_solution, cases=[{"m": 3}, {"m": 10}]),
    ...     wrong={"one side only": Wrong(lambda m: m, says="your answer is 3")},
    ... )
    >>> exercise.check(count)
    Not yet. Nothing written yet. Replace the … by your answer and run the check again.
    >>> exercise.check(lambda m: m + 1)
    Not yet. For m = 3 your answer is 4, which is not right.
    >>> exercise.check(lambda m: m + m)
    Right.
    """

    id: str
    stub: Callable
    reference: Callable
    judge: Callable[[Callable], Feedback]
    wrong: Mapping[str, Wrong]

    def feedback(self, answer):
        """Judge an answer without showing anything."""
        if not callable(answer):
            raise TypeError(
                f"answer is {type(answer).__name__}: expected the function {self.stub.__name__}, without ()"
            )
        return self.judge(answer)

    def check(self, answer):
        """Judge an answer and show what there is to say. A wrong answer is no error: the page runs on."""
        show(self.feedback(answer))

    def solution(self):
        """Show the solution, folded, with its own check run on it."""
        feedback = self.feedback(self.reference)
        if not feedback.passed:
            raise AssertionError(f"the solution of {self.id} does not pass its own check: {feedback.message}")
        show(Solution(inspect.getsource(self.reference).rstrip(), feedback))


@dataclass(frozen=True)
class Solution:
    """The source of a reference solution, and what the check says about it."""

    source: str
    feedback: Feedback

    def __str__(self):
        return f"{self.source}\n\n{self.feedback}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        folded = (
            f'<details class="reveal solution"><summary>Solution</summary>\n\n```python\n{self.source}\n```\n\n'
            f"{self.feedback._repr_mimebundle_()['text/markdown']}\n\n</details>"
        )
        return {"text/markdown": folded, "text/plain": str(self)}


def named(mistakes):
    """The wrong answers of an exercise whose judge was given these `mistakes`: each must be met with its own sentence.

    >>> list(named({"That is the length.": len}).values())[0].says
    'That is the length.'
    """
    return {words: Wrong(mistake, says=words) for words, mistake in mistakes.items()}


def recalls(reference, cases, mistakes=None):
    """Judge an answer that is one value for given arguments: a number, a shape, a word.

    Parameters
    ----------
    reference : callable
        Computes the right value.
    cases : sequence of dict
        Keyword arguments to try, at least one. Two that differ keep a lucky guess from passing.
    mistakes : dict of str to callable, optional
        What goes wrong in this exercise: a sentence to say, and a function of the same arguments that makes the
        mistake. The sentence is said only where both give the same value in every case.
    """
    if not cases:
        raise ValueError("cases is empty: expected at least one dict of arguments")

    def judge(answer):
        for case in cases:
            value, trouble = _run(answer, case)
            if trouble:
                return trouble
            if not _same_value(value, reference(**case)):
                given = ", ".join(f"{name} = {argument!r}" for name, argument in case.items())
                plain = f"{f'For {given} your' if given else 'Your'} answer is {value!r}, which is not right."
                return Feedback(False, f"{plain} {_own_mistake(answer, mistakes, cases, _same_value)}".rstrip())
        return Feedback(True, "")

    return judge


def computes(reference, inputs, name, *, m=None, operands=None, mistakes=None, seeds=(0, 1, 2)):
    """Judge a function that computes an array, and say how a wrong array is wrong.

    Parameters
    ----------
    reference : callable
        Computes the right array from the same keyword arguments.
    inputs : callable
        ``inputs(rng) -> dict``: random keyword arguments. At least three samples and all dimensions different, or a
        wrong factor and a wrong transpose stay unseen.
    name : str
        What the array is called: ``"dW"``.
    m : str, optional
        The argument whose rows are the samples, for diagnoses such as "divided by m".
    operands : callable, optional
        ``operands(**arguments) -> dict``: what the array is made of, by the names that `diagnose` knows (X, W, dZ, dA,
        Z, A, …), where the arguments are called otherwise or something lies between. Without it, the arguments.
    mistakes : dict of str to callable, optional
        What goes wrong in this exercise, where it is no usual suspect or has a better name here: a sentence to say, and
        a function of the same arguments that makes the mistake. As a suspect is, it is named only where the arrays
        agree up to rounding, for every seed.
    seeds : sequence of int
        The answer is tried once a seed.
    """

    def judge(answer):
        tries = [inputs(np.random.default_rng(seed)) for seed in seeds]
        for arguments in tries:
            value, trouble = _run(answer, arguments)
            if trouble:
                return trouble
            made_of = arguments if operands is None else operands(**arguments)
            samples = None if m is None else len(arguments[m])
            feedback = _compare(value, reference(**arguments), name, made_of, samples)
            if not feedback.passed:
                return Feedback(False, _own_mistake(answer, mistakes, tries, _same_array) or feedback.message)
        return Feedback(True, f"Your {name} agrees with the reference on {len(seeds)} random inputs.")

    return judge


def derives(goal):
    """Judge a function that returns a `Derivation`, by the engine.

    A step that is not established is refused while the answer runs. The refusal is the feedback.

    Parameters
    ----------
    goal : callable
        ``goal(derivation) -> str``: empty if the derivation shows what was asked, otherwise what is missing. It may
        raise `Refused` itself, for instance by asking for one more step to the goal.
    """

    def judge(answer):
        derivation, trouble = _run(answer, {})
        if trouble:
            return trouble
        try:
            missing = goal(derivation)
        except ValueError as error:
            if not _is_refusal(error):
                raise
            return Feedback(False, f"Every step holds, but the last one is not the goal yet. {error}")
        return Feedback(not missing, missing or "Every step is established, and the last one is the goal.")

    return judge


def _run(answer, arguments):
    """The answer's value, or the feedback that says why there is none."""
    mine = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in arguments.items()}
    try:
        value = answer(**mine)
    except NotImplementedError:
        return None, Feedback(False, EMPTY)
    except Exception as error:
        if _is_refusal(error):
            return None, Feedback(False, f"A step of yours is refused. {error}")
        return None, Feedback(False, f"Your function stopped with {type(error).__name__}: {error}.{_given(arguments)}")
    if value is None or value is ...:
        return None, Feedback(False, EMPTY)
    changed = [n for n, v in arguments.items() if isinstance(v, np.ndarray) and not np.array_equal(v, mine[n])]
    if changed:
        return None, Feedback(False, f"Your function changes its argument {changed[0]}. Make a new array instead.")
    return value, None


def _compare(value, expected, name, operands, m):
    arrays = {key: array for key, array in operands.items() if isinstance(array, np.ndarray)}
    diagnosis = diagnose(value, expected, m=m, operands=arrays, name=name)
    message = str(diagnosis)
    return Feedback(diagnosis.right, "" if diagnosis.right else f"{message[0].upper()}{message[1:].rstrip('.')}.")


def _own_mistake(answer, mistakes, tries, same):
    """What to say of the mistake that gives what the answer gives, whatever is tried; empty if there is none."""
    for words, mistake in (mistakes or {}).items():
        pairs = ((_run(answer, arguments)[0], _run(mistake, arguments)[0]) for arguments in tries)
        if all(mine is theirs if theirs is None else same(mine, theirs) for mine, theirs in pairs):
            return words
    return ""


def _given(arguments):
    shapes = [f"{name} {value.shape}" for name, value in arguments.items() if isinstance(value, np.ndarray)]
    return f" It was given {', '.join(shapes)}." if shapes else ""


def _same_value(value, expected):
    """Whether two values are equal; a truth is no number, and an array no value."""
    truths = [isinstance(each, (bool, np.bool_)) for each in (value, expected)]
    if any(truths):
        return all(truths) and bool(value == expected)
    if isinstance(expected, tuple):
        return isinstance(value, tuple) and len(value) == len(expected) and all(map(_same_value, value, expected))
    if isinstance(expected, float):
        return isinstance(value, (int, float, np.number)) and bool(np.isclose(value, expected, rtol=1e-9, atol=0))
    if isinstance(expected, str) and isinstance(value, str):
        return value.strip().casefold() == expected.casefold()
    return not isinstance(value, np.ndarray) and value == expected


def _same_array(value, expected):
    return diagnose(value, expected).right


def _is_refusal(error):
    # Recognised by name, so that this module needs no computer algebra.
    return any(kind.__name__ == "Refused" for kind in type(error).__mro__)
