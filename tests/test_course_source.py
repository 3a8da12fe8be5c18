"""A page shows the package's code as it stands, without its docstring."""

import pytest

from backprop.course.source import show_source


def documented(x):
    """What it does.

    At length.
    """

    # Why it does so.
    return x + 1


def only_documented():
    """Nothing but words."""


class Documented:
    """A class."""

    size = 3


def test_the_docstring_goes_and_the_comment_stays():
    assert repr(show_source(documented)) == "def documented(x):\n    # Why it does so.\n    return x + 1"


def test_a_body_that_is_only_a_docstring_stays_valid_code():
    assert repr(show_source(only_documented)) == 'def only_documented():\n    """Nothing but words."""'


def test_a_class_is_shown():
    assert repr(show_source(Documented)) == "class Documented:\n    size = 3"


def test_several_stand_apart_and_show_as_code():
    shown = show_source(documented, Documented)._repr_mimebundle_()
    assert shown["text/plain"].count("\n\n\n") == 1
    assert shown["text/markdown"].startswith("```python\ndef documented")
    assert shown["text/markdown"].endswith("\n```")


@pytest.mark.parametrize(("arguments", "message"), [((), "at least one"), ((3,), "functions and classes, got int")])
def test_bad_input_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        show_source(*arguments)
