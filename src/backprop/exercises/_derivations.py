"""What the derivation exercises of all chapters share: the judge of a way, and answers that try steps."""

from backprop.course import derives
from backprop.symbolic import Derivation


def way(start, asked, *, steps="", unfinished=None, goal=None):
    """Judge a derivation by its start, by how much of the way it shows, and by where it ends.

    Parameters
    ----------
    start : expression
    asked : str
        How the reader writes the start.
    steps : str, optional
        What the steps are, of which at least two have to be shown. Without it, one is enough.
    unfinished : callable, optional
        ``unfinished(derivation) -> str``: what to add to "Every step holds", or nothing if the end is reached.
    goal : expression, optional
        What the last line must be equal to, by one more step of the engine.
    """

    def missing(derivation):
        if not isinstance(derivation, Derivation):
            return f"Return the Derivation itself, not {type(derivation).__name__}."
        if derivation.start != start:
            return f"Every step holds, but start from {asked}."
        if not derivation.steps:
            return f"Nothing is derived yet. {f'Take at least two steps: {steps}' if steps else 'Add a step'}."
        # A line that is said twice is no step.
        if steps and len({start, *(step.expression for step in derivation.steps)}) < 3:
            return f"Every step holds. Show the way there in at least two steps: {steps}."
        if unfinished is not None and (words := unfinished(derivation)):
            return f"Every step holds{words}"
        if goal is not None:
            derivation.then(goal, because="the goal")
        return ""

    return derives(missing)


def tries(start, **meanings):
    """Make answers that go from `start` by any steps: ``attempt = tries(Grad(L, x), let=LAYER)``, ``attempt(step)``."""

    def attempt(*steps):
        def answer():
            derivation = Derivation(start, **meanings)
            for step in steps:
                derivation = derivation.then(step, because="a try")
            return derivation

        return answer

    return attempt
