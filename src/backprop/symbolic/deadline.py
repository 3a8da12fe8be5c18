"""The time that a step may take."""

import sys
import time
from contextlib import contextmanager
from itertools import count

from .errors import ExpressionError, OutOfTime

CALLS_PER_TICK = 500


class Clock:
    """Counts down the seconds of one step; `tick` raises when they are used up.

    Seconds of this process's own work, so that a busy machine does not turn a proof into a failure.
    """

    def __init__(self, seconds):
        if isinstance(seconds, bool) or not (isinstance(seconds, int | float) and seconds > 0):
            raise ExpressionError(f"seconds is a positive number, not {seconds!r}")
        self.seconds, self._end = seconds, None

    def start(self):
        """Begin a step."""
        self._end = time.process_time() + self.seconds

    def stop(self):
        """End a step."""
        self._end = None

    def tick(self):
        """Raise `OutOfTime` if the step has used up its seconds."""
        if self._end is not None and time.process_time() > self._end:
            raise OutOfTime(f"the step took longer than the {self.seconds} seconds allowed (the argument `seconds`)")


@contextmanager
def watched(tick):
    """Call `tick` every few hundred function calls inside the block: for code such as SymPy's, which does not."""
    if sys.getprofile() is not None:  # a profiler is at work: it goes first, and the clock ticks between calls only
        tick()
        yield
        return
    calls = count()

    def on_call(frame, event, argument):
        if next(calls) % CALLS_PER_TICK == 0:
            tick()

    sys.setprofile(on_call)
    try:
        yield
    finally:
        sys.setprofile(None)
