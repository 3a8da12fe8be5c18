"""Reading what an author passed in, with errors that name the argument."""


def as_number(name, value):
    """Return `value` as a float, or raise TypeError naming the argument.

    >>> as_number("bound", 1)
    1.0
    >>> as_number("error", [0.1, 0.2])
    Traceback (most recent call last):
        ...
    TypeError: error is list: expected one number
    """
    if isinstance(value, (str, bool)) or getattr(value, "shape", ()) != ():
        raise TypeError(f"{name} is {_describe(value)}: expected one number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {_describe(value)}: expected one number") from None


def _describe(value):
    shape = getattr(value, "shape", None)
    return f"an array of shape {shape}" if shape else type(value).__name__
