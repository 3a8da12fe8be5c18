"""The summary box that ends a chapter: its sentences are the author's, every formula and number in it is computed."""

import re
from dataclasses import dataclass

from backprop.course.records import DERIVATION_MIME, format_bound, mime_data, require_label

SUMMARY_MIME = "application/vnd.backprop.summary+json"

_PLACE = re.compile(r"\[\[(\w+)\]\]")


@dataclass(frozen=True)
class Result:
    """One line of a summary: a sentence, and the checked result that it speaks of, if any."""

    text: str
    label: str | None = None
    latex: str | None = None
    plain: str | None = None
    evidence: str | None = None


@dataclass(frozen=True)
class Summary:
    """A summary box: checked results, and the limits within which they hold."""

    title: str
    results: tuple[Result, ...]
    limits: tuple[str, ...]

    def __str__(self):
        lines = [self.title, ""]
        for result in self.results:
            lines.append(f"- {result.text}")
            if result.label:
                lines.append(f"    {result.plain}    [{result.label}, {result.evidence}]")
        if self.limits:
            lines += ["", "Limits", *(f"- {limit}" for limit in self.limits)]
        return "\n".join(lines)

    def markdown(self):
        """The same box as Markdown: what JupyterLab and Colab show."""
        lines = [f"**{self.title}**", ""]
        for result in self.results:
            lines.append(f"- {result.text}")
            if result.label:
                lines += ["", f"  $${result.latex}$$", "", f"  ({result.evidence}, `{result.label}`)", ""]
        if self.limits:
            lines += ["", "**Limits**", "", *(f"- {limit}" for limit in self.limits)]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {
            "title": self.title,
            "results": [
                {"text": r.text, "label": r.label, "latex": r.latex, "plain": r.plain, "evidence": r.evidence}
                for r in self.results
            ],
            "limits": list(self.limits),
        }
        return {SUMMARY_MIME: data, "text/markdown": self.markdown(), "text/plain": str(self)}


def summary(*results, limits=(), values=None, title="What this chapter has established"):
    """Make the summary box of a chapter from its checked results.

    Parameters
    ----------
    *results : tuple of (str, derivation) or str
        A sentence and the labelled `Derivation` whose result it states; a sentence alone where no formula belongs to
        it. Sentences may hold ``$…$``.
    limits : sequence of str
        What the results assume and do not say.
    values : dict, optional
        Computed values for places such as ``[[bound]]`` in the sentences. A digit typed into a sentence is refused: a
        number that nothing computes can be wrong without anything noticing.
    title : str
        The heading of the box.

    Returns
    -------
    Summary
        Shows itself as the value of a notebook cell.

    Raises
    ------
    ValueError
        If a sentence holds a typed digit or a place without a value, a derivation has no label or stands twice, or a
        value is not used.
    TypeError
        If a result is not a derivation.

    Examples
    --------
    >>> print(summary("Checked on [[networks]] networks.", values={"networks": 20}, limits=["Real entries only."]))
    What this chapter has established
    <BLANKLINE>
    - Checked on 20 networks.
    <BLANKLINE>
    Limits
    - Real entries only.
    >>> summary("Checked on 20 networks.")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: a summary holds no typed digit, but this sentence does: 'Checked on 20 networks.' ...
    """
    if not results:
        raise ValueError("results is empty: expected at least one sentence")
    values = dict(values or {})
    used = set()

    def fill(text):
        return _filled(text, values, used)

    box = Summary(fill(title), tuple(_result(item, fill) for item in results), tuple(fill(limit) for limit in limits))
    labels = [result.label for result in box.results if result.label]
    if len(set(labels)) < len(labels):
        raise ValueError(f"results state a derivation twice: {', '.join(labels)}")
    if unused := sorted(set(values) - used):
        raise ValueError(f"values holds {', '.join(unused)}, but no sentence has a place for it")
    return box


def _result(item, fill):
    if isinstance(item, str):
        return Result(fill(item))
    if not (isinstance(item, tuple) and len(item) == 2):
        raise TypeError(
            f"a result is {type(item).__name__}: expected a sentence, or a pair of a sentence and a derivation"
        )
    text, derivation = item
    data = mime_data(derivation, DERIVATION_MIME)
    if data is None:
        raise TypeError(f"the result of {text!r} is {type(derivation).__name__}: expected a Derivation")
    if data["label"] is None:
        raise ValueError(f"the derivation of {text!r} has no label, so the reader cannot be led to it")
    require_label(data["label"])
    return Result(fill(text), data["label"], data["result"]["latex"], data["result"]["text"], data["evidence"])


def _filled(text, values, used):
    if re.search(r"\d", _PLACE.sub("", text)):
        raise ValueError(f"a summary holds no typed digit, but this sentence does: {text!r} (use [[name]] and values)")

    def value_of(match):
        name = match.group(1)
        if name not in values:
            raise ValueError(f"{text!r} has a place [[{name}]], but values does not")
        used.add(name)
        value = values[name]
        return format_bound(value) if isinstance(value, float) else str(value)

    return _PLACE.sub(value_of, text)
