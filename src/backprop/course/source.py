"""Show the package's own code on a page: one definition in one place, so a notebook never holds a second version."""

import ast
import inspect
import textwrap


class Listing:
    """Source code that a page shows as it stands in the package."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/markdown": f"```python\n{self.text}\n```", "text/plain": self.text}


def show_source(*functions):
    """The source of functions or classes, without the docstring: on the page the text around it explains.

    Parameters
    ----------
    *functions : function or class
        Anything that `inspect.getsource` finds.

    Returns
    -------
    Listing
        Shows as highlighted code.

    Raises
    ------
    TypeError
        If an argument is neither a function nor a class, or nothing is given.

    Examples
    --------
    >>> from backprop.course.source import Listing
    >>> show_source(Listing.__repr__)
    def __repr__(self):
        return self.text
    """
    if not functions:
        raise TypeError("show_source needs at least one function or class")
    for function in functions:
        if not (inspect.isroutine(function) or inspect.isclass(function)):
            raise TypeError(f"show_source shows functions and classes, got {type(function).__name__}")
    return Listing("\n\n\n".join(_without_docstring(function) for function in functions))


def _without_docstring(function):
    text = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = text.splitlines()
    (definition,) = ast.parse(text).body
    first = definition.body[0]
    if ast.get_docstring(definition) is not None and len(definition.body) > 1:
        del lines[first.lineno - 1 : first.end_lineno]
        while not lines[first.lineno - 1].strip():
            del lines[first.lineno - 1]
    return "\n".join(lines)
