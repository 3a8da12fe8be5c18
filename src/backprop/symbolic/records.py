"""What a derivation leaves in a notebook: data for the book, LaTeX and plain text for everywhere else.

Never a time, an address or a path, so that outputs are the same on every run.
"""

from .expressions import Number
from .printing import latex, text

DERIVATION = "application/vnd.backprop.derivation+json"
REFUSAL = "application/vnd.backprop.refusal+json"
_SIGNS = {"=": ("=", "="), "<=": (r"\le", "≤"), "<": ("<", "<")}


def of_derivation(d):
    """The MIME bundle of a derivation."""
    sign = _SIGNS[d.relation]
    data = {
        "label": d.label,
        "proves": list(d.proves),
        "let": [_equation(x.written, x.body) for x in d.let.values()],
        "given": [_hypothesis(h) for h in d.given.written],
        "start": _both(d.start),
        "steps": [
            {
                "relation": s.relation,
                **_both(s.expression),
                "because": s.because,
                "evidence": _word(s),
                "detail": s.detail,
            }
            for s in d.steps
        ],
        "result": _equation(d.start, d.result, sign) if d.steps else _both(d.start),
        "evidence": d.evidence.name.lower(),
    }
    return {DERIVATION: data, "text/latex": derivation_latex(d), "text/plain": derivation_text(d)}


def of_refusal(r):
    """The MIME bundle of a refused step."""
    found = r.counterexample
    data = {
        "step": r.step,
        "because": r.because,
        "rung": r.rung,
        "relation": r.relation,
        "left": _both(r.left),
        "right": _both(r.right),
        "counterexample": None
        if found is None
        else {"sizes": found.sizes, "index": found.index, "left": found.left, "right": found.right},
        "hint": r.hint,
        "message": str(r),
    }
    return {REFUSAL: data, "text/plain": str(r)}


def derivation_text(d):
    """A derivation as readable plain text."""
    lines = [text(d.start)]
    for s in d.steps:
        evidence = _word(s) if s.detail == "written alike" else f"{_word(s)}: {s.detail}"
        lines.append(f"  {_SIGNS[s.relation][1]} {text(s.expression)}    {s.because}  ({evidence})")
    if d.let:
        lines.append("  where " + ", ".join(_equation(x.written, x.body)["text"] for x in d.let.values()))
    if d.given.written:
        lines.append("  given " + ", ".join(_hypothesis(h)["text"] for h in d.given.written))
    return "\n".join(lines)


_MARKS = {
    "identical": r"\checkmark",
    "proved": r"\checkmark",
    "expanded": r"\checkmark_{\text{small sizes}}",
    "evaluated": r"\approx_{\text{random points}}",
}


def derivation_latex(d):
    """A derivation as one aligned block."""
    rows = [
        rf"&{_SIGNS[s.relation][0]} {latex(s.expression)} && {_MARKS[_word(s)]}\ {_reason(s.because)}" for s in d.steps
    ]
    first, *rest = rows or [""]
    body = " \\\\\n".join([f"{latex(d.start)} {first}", *rest])
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"


def _reason(because):
    r"""A reason as LaTeX: text in \text{…}, and formulas between dollars as they are."""
    parts = because.split("$")
    return "".join((rf"\text{{{_escape(p)}}}" if n % 2 == 0 else p) for n, p in enumerate(parts) if p)


def _escape(words):
    for sign in "&%#_{}":
        words = words.replace(sign, "\\" + sign)
    return words.replace("^", r"\char`\^ ")


def _both(e):
    return {"latex": latex(e), "text": text(e)}


def _equation(a, b, signs=("=", "=")):
    return {"latex": f"{latex(a)} {signs[0]} {latex(b)}", "text": f"{text(a)} {signs[1]} {text(b)}"}


def _hypothesis(h):
    if not hasattr(h, "less"):
        return _equation(h.left, h.right)
    if isinstance(h.less, Number):
        signs = (">", ">") if h.strict else (r"\ge", "≥")
        return _equation(h.more, h.less, signs)
    return _equation(h.less, h.more, _SIGNS["<" if h.strict else "<="])


def _word(step):
    return step.evidence.name.lower()
