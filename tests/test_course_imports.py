"""Who may import whom: that derivations and numeric code agree is evidence only while they share nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "backprop"
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
# Where each package may be imported: the first part of a module's name.
HOMES = {
    "sympy": {"symbolic"},
    "matplotlib": {"plotting"},
    "cycler": {"plotting"},
    "sphinx": {"sphinxext"},
    "docutils": {"sphinxext"},
    "myst_nb": {"sphinxext"},
    "tqdm": {"training"},
    "dask": {"data_parallel"},
    "distributed": {"data_parallel"},
}
APART = {"course", "exercises", "exhibits", "plotting", "sphinxext", "symbolic", "__init__"}


def imported(name, text):
    """The full names of what a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # A dot stands for the package that the module is in.
            package = ".".join(["backprop", *name.split(".")][: -node.level]) + "." if node.level else ""
            source = package + (f"{node.module}." if node.module else "")
            found |= {f"{source}{alias.name}" for alias in node.names}
    return found


def complaints(name, text):
    """What a module imports although it may not."""
    home = name.split(".")[0]
    names = imported(name, text)
    wrong = [n for n in names if home not in HOMES.get(n.split(".")[0], {home})]
    ours = {n.split(".")[1] for n in names if n.startswith("backprop.")}
    numeric = home not in APART
    if numeric:
        wrong += [f"backprop.{n}" for n in ours & APART]
    if home == "symbolic":
        wrong += [f"backprop.{n}" for n in ours - {"symbolic"}]
    if home == "course":
        wrong += [f"backprop.{n}" for n in ours - {"course", "gradcheck", "diagnose"}]
    if home == "exhibits":
        wrong += [f"backprop.{n}" for n in ours - {"exhibits", "course", "gradcheck"}]
    if home == "gradcheck":
        wrong += [f"backprop.{n}" for n in ours & {"layers", "activations", "losses", "network"}]
    return wrong


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_it_may(name):
    assert complaints(name, MODULES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("course.summary", "import sympy"),
        ("course.summary", "def late():\n    from sympy import Symbol"),
        ("course.summary", "from backprop.symbolic import Derivation"),
        ("course.break_it", "from backprop.layers import linear_backward"),
        ("layers", "from backprop.symbolic import Derivation"),
        ("layers", "from backprop import symbolic"),
        ("layers", "import matplotlib.pyplot as plt"),
        ("network", "from backprop.course import check"),
        ("symbolic.proof", "from backprop.layers import linear_forward"),
        ("symbolic.proof", "from ..layers import linear_forward"),
        ("symbolic.proof", "from .. import layers"),
        ("symbolic.proof", "from backprop.gradcheck import central_difference"),
        ("gradcheck", "from backprop.network import MLP"),
        ("plotting", "import sphinx"),
        ("exhibits.masks", "from backprop.symbolic import Derivation"),
        ("exhibits.masks", "from backprop.layers import linear_backward"),
        ("layers", "from backprop.exhibits import EXHIBITS"),
        ("exercises.linear_layer", "import sympy"),
        ("network", "from tqdm import tqdm"),
        ("training", "import dask"),
        ("training", "from distributed import Client"),
    ],
)
def test_each_rule_is_seen_to_fail(name, text):
    assert complaints(name, text)


def test_the_machinery_works_where_only_numpy_is_installed():
    """Colab's readers import the course without the book's tools: nothing of them may be loaded on the way."""
    code = "import sys, backprop.course; print(sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    heavy = ["sympy", "matplotlib", "sphinx", "docutils", "myst_nb", "IPython", "autograd"]
    run = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
