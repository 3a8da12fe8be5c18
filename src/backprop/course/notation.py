r"""Which symbols a formula uses, and which the notation page declares.

A symbol is a letter, a Greek letter or an upright name. Hats, transposes, sums and fractions are how symbols are put
together, not symbols.
"""

import re

_GREEK = re.compile(
    "alpha|beta|gamma|delta|(var)?epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|(var)?phi|chi|psi|omega"
    "|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega|ell"
)
_PUT_TOGETHER = re.compile(r"\\(?:begin|end)\{[^}]*\}|\\(?:label|tag)\{[^}]*\}")
_SYMBOL = re.compile(
    r"\\(?P<style>mathcal|mathbb|mathbf)\s*(?:\{(?P<styled>[^{}]*)\}|(?P<bare>[A-Za-z0-9]))"
    r"|\\(?:mathrm|operatorname\*?|text|mathit)\s*\{(?P<name>[^{}]*)\}"
    r"|\\(?P<command>[A-Za-z]+)"
    r"|(?P<letter>[A-Za-z])"
)
# Functions with a command of their own in LaTeX.
_FUNCTIONS = {"ln", "log", "exp", "tanh", "max", "min", "lim", "det", "dim"}


def symbols(latex) -> set[str]:
    r"""The symbols of a formula.

    Examples
    --------
    >>> sorted(symbols(r"\frac{\partial L}{\partial W} = X^{\top} dZ, \quad n_{\mathrm{in}} \odot \sigma'(\hat{y})"))
    ['L', 'W', 'X', 'Z', '\\sigma', 'd', 'in', 'n', 'y']
    >>> sorted(symbols(r"\mathbf 1^{\top} \mathcal{L}"))
    ['\\mathbf{1}', '\\mathcal{L}']
    """
    found = set()
    for match in _SYMBOL.finditer(_PUT_TOGETHER.sub(" ", latex)):
        if match["style"]:
            found.add(f"\\{match['style']}{{{match['styled'] or match['bare']}}}")
        elif match["name"] is not None:
            found.update(re.findall(r"[A-Za-z]+", match["name"]))
        elif match["command"]:
            if _GREEK.fullmatch(match["command"]):
                found.add(f"\\{match['command']}")
            elif match["command"] in _FUNCTIONS:
                found.add(match["command"])
        else:
            found.add(match["letter"])
    return found


def declared(page) -> set[str]:
    """The symbols in the first column of the tables of a notation page that are headed "Symbol".

    Examples
    --------
    >>> page = "| Symbol | Shape |\\n|---|---|\\n| $X$, $W$ | $m$ |\\n\\n| Letter |\\n|---|\\n| $Q$ |"
    >>> sorted(declared(page))
    ['W', 'X']
    """
    return {
        symbol for row in rows(page) for formula in re.findall(r"\$([^$]+)\$", row[0]) for symbol in symbols(formula)
    }


def rows(page) -> list[list[str]]:
    """The rows of those tables, one list of cells each."""
    found, inside = [], False
    for line in page.splitlines():
        if not line.lstrip().startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if cells[0] == "Symbol":
            inside = True
        elif inside and not set(cells[0]) <= set("-:"):
            found.append(cells)
    return found
