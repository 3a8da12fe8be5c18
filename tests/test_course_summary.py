"""The summary box: formulas come from derivations, numbers from values, and nothing is typed."""

from types import SimpleNamespace

import pytest

from backprop.course import summary
from backprop.course.records import DERIVATION_MIME
from backprop.course.summary import SUMMARY_MIME


def derivation(label="eq:linear-dW", **changed):
    """What a summary needs of a derivation: the data that it shows."""
    data = {
        "label": label,
        "result": {"latex": r"\frac{\partial L}{\partial W} = X^{\top} dZ", "text": "dL/dW = X' dZ"},
        "evidence": "proved",
        **changed,
    }
    return SimpleNamespace(_repr_mimebundle_=lambda include=None, exclude=None: {DERIVATION_MIME: data})


def test_a_summary_takes_its_formulas_and_their_evidence_from_the_derivations():
    bundle = summary(
        ("Input times upstream.", derivation()), "It needs no loss.", limits=["Real entries."]
    )._repr_mimebundle_()
    assert bundle[SUMMARY_MIME]["results"] == [
        {
            "text": "Input times upstream.",
            "label": "eq:linear-dW",
            "latex": r"\frac{\partial L}{\partial W} = X^{\top} dZ",
            "plain": "dL/dW = X' dZ",
            "evidence": "proved",
        },
        {"text": "It needs no loss.", "label": None, "latex": None, "plain": None, "evidence": None},
    ]
    assert bundle[SUMMARY_MIME]["limits"] == ["Real entries."]
    assert "dL/dW = X' dZ    [eq:linear-dW, proved]" in bundle["text/plain"]
    assert r"$$\frac{\partial L}{\partial W} = X^{\top} dZ$$" in bundle["text/markdown"]


MARKDOWN = r"""**What this chapter has established**

- Input times upstream.

  $$\frac{\partial L}{\partial W} = X^{\top} dZ$$

  (proved, `eq:linear-dW`)

- It needs no loss."""


@pytest.mark.parametrize(
    ("limits", "text"), [([], MARKDOWN), (["Real entries."], f"{MARKDOWN}\n\n**Limits**\n\n- Real entries.")]
)
def test_in_markdown_the_limits_have_a_heading_where_there_are_any(limits, text):
    box = summary(("Input times upstream.", derivation()), "It needs no loss.", limits=limits)
    assert box.markdown() == text


def test_a_bundle_with_metadata_is_read_too():
    shown = derivation()
    bundle = shown._repr_mimebundle_()
    shown._repr_mimebundle_ = lambda include=None, exclude=None: (bundle, {})
    assert summary(("Input times upstream.", shown)).results[0].label == "eq:linear-dW"


@pytest.mark.parametrize(
    "call",
    [
        lambda: summary("There are 3 gradients."),
        lambda: summary("The factor is $\\frac{1}{m}$."),
        lambda: summary(("The 3 gradients.", derivation())),
        lambda: summary("Fine.", limits=["Up to 9 layers."]),
        lambda: summary("Fine.", title="Chapter 1"),
    ],
)
def test_a_typed_digit_is_refused_wherever_it_stands(call):
    with pytest.raises(ValueError, match="a summary holds no typed digit"):
        call()


def test_a_number_comes_from_a_computed_value():
    # A bound is written as the ledger writes it, on every system; a count keeps all of its digits.
    box = summary("Below [[bound]] on [[networks]] networks.", values={"bound": 1e-9, "networks": 1234567})
    assert box.results[0].text == "Below 1e-9 on 1234567 networks."


def test_every_place_has_a_value_and_every_value_a_place():
    with pytest.raises(ValueError, match=r"has a place \[\[bound\]\], but values does not"):
        summary("Below [[bound]].")
    with pytest.raises(ValueError, match="values holds spare, but no sentence has a place for it"):
        summary("Fine.", values={"spare": 1})


def test_only_labelled_derivations_are_summarised_and_each_once():
    with pytest.raises(ValueError, match="has no label"):
        summary(("Input times upstream.", derivation(label=None)))
    with pytest.raises(ValueError, match="results state a derivation twice"):
        summary(("Once.", derivation()), ("Twice.", derivation()))
    with pytest.raises(TypeError, match="is str: expected a Derivation"):
        summary(("Input times upstream.", "X' dZ"))
    with pytest.raises(TypeError, match="a result is tuple: expected a sentence, or a pair"):
        summary(("a", "b", "c"))
    with pytest.raises(ValueError, match="results is empty"):
        summary()
