"""Records: what is asserted, what is refused, and what ends up in a notebook's outputs."""

import json
import re
import sys

import numpy as np
import pytest

from backprop.course import check, records, settle


def shown(monkeypatch, call, *args, **kwargs):
    """The record that a call would put into a notebook."""
    seen = []
    monkeypatch.setattr(records, "show", seen.append)
    call(*args, **kwargs)
    (record,) = seen
    return record


def test_a_check_records_its_bound_and_never_its_error(monkeypatch):
    record = shown(monkeypatch, check, "eq:linear-dW", "finite difference", 3.21e-11, 1e-8)
    bundle = record._repr_mimebundle_()
    assert bundle[records.CHECK_MIME] == {"label": "eq:linear-dW", "kind": "finite difference", "bound": "1e-8"}
    assert bundle["text/plain"] == "eq:linear-dW agrees with finite differences: error < 1e-8"
    assert "3.21" not in json.dumps(bundle)


@pytest.mark.parametrize("error", [1e-8, 2e-8, np.inf, np.nan, np.float64("nan")])
def test_a_check_fails_unless_the_error_is_below_the_bound(error):
    with pytest.raises(AssertionError, match="eq:linear-dW does not agree with finite differences"):
        check("eq:linear-dW", "finite difference", error, 1e-8)


@pytest.mark.parametrize(
    "label",
    ["linear-dW", "eq:linear", "eq:", "eq:Linear-dW", "eq:linear_dW", "eq:linear-dW ", "def:linear-dW", 3, None],
)
def test_a_check_refuses_a_label_of_the_wrong_form(label):
    with pytest.raises(ValueError, match=r"label is .*: expected 'eq:<chapter word>-<result>'"):
        check(label, "numpy", 0.0, 1e-12)


def test_a_check_refuses_an_unknown_kind():
    with pytest.raises(ValueError, match="kind is 'NumPy': expected one of 'numpy', "):
        check("eq:linear-dW", "NumPy", 0.0, 1e-12)


@pytest.mark.parametrize("bound", [0, -1e-12, np.inf, np.nan])
def test_a_check_refuses_a_bound_that_bounds_nothing(bound):
    with pytest.raises(ValueError, match=r"bound is .*: expected a positive, finite number"):
        check("eq:linear-dW", "numpy", 0.0, bound)


def test_a_check_refuses_a_signed_error():
    with pytest.raises(ValueError, match=re.escape("error is -0.5: expected the size of an error")):
        check("eq:linear-dW", "numpy", -0.5, 1e-12)


@pytest.mark.parametrize(
    ("error", "named"), [(np.zeros(3), r"an array of shape \(3,\)"), ("0", "str"), (None, "NoneType"), (True, "bool")]
)
def test_a_check_refuses_an_error_that_is_not_one_number(error, named):
    with pytest.raises(TypeError, match=f"error is {named}: expected one number"):
        check("eq:linear-dW", "numpy", error, 1e-12)


@pytest.mark.parametrize(
    ("ids", "text"), [(["L17", "X4"], "settles claims L17, X4"), (["L17"], "settles claim L17")], ids=["two", "one"]
)
def test_claims_are_recorded_in_the_order_given(monkeypatch, ids, text):
    record = shown(monkeypatch, settle, *ids, holds=np.True_)
    assert record._repr_mimebundle_() == {records.CLAIM_MIME: {"ids": ids}, "text/plain": text}


@pytest.mark.parametrize("holds", [False, np.False_])
def test_a_claim_is_not_settled_by_what_does_not_hold(holds):
    with pytest.raises(AssertionError, match="the evidence for claim L2, L17 does not hold"):
        settle("L2", "L17", holds=holds)


@pytest.mark.parametrize("holds", [np.ones(2, bool), 1, "yes", None])
def test_holds_must_be_one_bool(holds):
    with pytest.raises(TypeError, match=r"holds is .*: expected one bool"):
        settle("L2", holds=holds)


@pytest.mark.parametrize("id", ["l17", "L017", "Q3", "L", 17, "P0.4"])
def test_a_claim_id_of_the_wrong_form_is_refused(id):
    with pytest.raises(ValueError, match=r"ids holds .*: expected a letter of L, M, F, S, D, X and a number"):
        settle(id, holds=True)


def test_a_claim_is_named_once_and_at_least_one_is_named():
    with pytest.raises(ValueError, match="ids names a claim twice"):
        settle("L2", "L2", holds=True)
    with pytest.raises(ValueError, match="ids is empty"):
        settle(holds=True)


def test_in_a_notebook_the_record_is_displayed_and_outside_it_is_printed(monkeypatch, capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    check("eq:linear-dW", "numpy", 0.0, 1e-12)
    assert "error < 1e-12" in capsys.readouterr().out

    published = []
    instance = shell.instance()
    monkeypatch.setattr(instance.display_pub, "publish", lambda data, **kwargs: published.append(data))
    try:
        check("eq:linear-dW", "numpy", 0.0, 1e-12)
    finally:
        shell.clear_instance()
    assert published[0][records.CHECK_MIME]["bound"] == "1e-12"
    assert capsys.readouterr().out == ""


def test_without_ipython_the_record_is_printed(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    check("eq:linear-dW", "numpy", 0.0, 1e-12)
    assert capsys.readouterr().out == "eq:linear-dW agrees with its NumPy implementation: error < 1e-12\n"
