"""What the engine promises about itself: two halves that share nothing, outputs that never change, and speed."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import backprop.symbolic
from backprop.symbolic import (
    Derivation,
    Grad,
    Jacobian,
    column,
    diag,
    dimensions,
    exp,
    functional,
    indices,
    matrix,
    ones,
    row,
    total,
)

SOURCE = Path(backprop.symbolic.__file__).parent
LANGUAGE = {"errors", "expressions", "functions"}  # the expression classes, which both halves read
PROVER = {"algebra", "analysis", "applications", "arithmetic", "assumptions", "atoms", "cases", "differentiation"}
PROVER |= {"inequalities", "lowering", "naming", "powers", "proof", "renaming", "simplifier", "sums"}
REFUTER = {"evaluation", "high_precision", "refutation"}
RUNG_ONE = {"ranges"}  # shapes and ranges, checked before either half begins


def files(module):
    """The files of a module; `expressions` is a package of several."""
    return sorted((SOURCE / module).glob("*.py")) or [SOURCE / f"{module}.py"]


def imports(module):
    """The modules of the engine that a module imports, anywhere in it, and the packages from outside."""
    inside, outside = set(), set()
    for path in files(module):
        within = 1 if path.parent == SOURCE else 2  # how many dots lead to the engine's own folder
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == within:
                inside |= {node.module.partition(".")[0]} if node.module else {a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                outside.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                outside |= {a.name.partition(".")[0] for a in node.names}
    return inside, outside


MODULES = sorted({p.relative_to(SOURCE).parts[0].removesuffix(".py") for p in SOURCE.rglob("*.py")})


def test_the_prover_and_the_refuter_share_nothing_but_the_expressions():
    assert set(MODULES) >= PROVER | REFUTER | LANGUAGE | RUNG_ONE
    for half, other in ((PROVER, REFUTER), (REFUTER, PROVER)):
        for module in half:
            assert not imports(module)[0] & other, f"{module} imports from the other half"


def test_the_refuter_reads_no_algebra():
    allowed = LANGUAGE | RUNG_ONE | REFUTER
    assert all(imports(m)[0] <= allowed for m in REFUTER)


def test_sympy_is_imported_by_three_jobs_only():
    users = {m for m in MODULES if "sympy" in imports(m)[1]}
    assert users == {"interop", "simplifier"}
    assert not any("sympy" in imports(m)[1] for m in REFUTER)


def test_the_engine_and_the_numeric_modules_do_not_import_each_other():
    package = SOURCE.parent
    numeric = [p for p in package.glob("*.py") if p.stem != "__init__"]
    for path in numeric:
        assert "symbolic" not in {
            n
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for n in (node.module or "").split(".")
        }
    outside = set().union(*(imports(m)[1] for m in MODULES))
    assert outside <= {"sympy", "numpy", "mpmath", *sys.stdlib_module_names}


@pytest.mark.parametrize("module", [m for m in MODULES if m != "__init__"])
def test_every_module_says_what_it_is_for(module):
    assert all(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) for path in files(module))


def test_every_public_name_is_documented():
    undocumented = [
        name
        for name in backprop.symbolic.__all__
        if callable(thing := getattr(backprop.symbolic, name)) and not (thing.__doc__ or "").strip()
    ]
    assert undocumented == []
    assert len(set(backprop.symbolic.__all__)) == len(backprop.symbolic.__all__)


# -- the same on every run -----------------------------------------------------------------------------------

PROGRAM = """
import json
from backprop.symbolic import *
N, D, H, K = dimensions("N D H K")
n, k, j, p, q = indices("n k j p q")
X, W1, W2, Y, P = matrix("X", N, D), matrix("W1", D, H), matrix("W2", H, K), matrix("Y", N, K), matrix("P", N, K)
Z1, A1, Z2, loss = matrix("Z1", N, H), matrix("A1", N, H), matrix("Z2", N, K), scalars("loss")
f, f_prime = elementwise("f")
let = {Z1: X * W1 + ones(N) * row("b1", H), A1: f(Z1), Z2: A1 * W2, P[n, k]: exp(Z2[n, k]) / total(exp(Z2[n, j]), j),
       loss: -total(Y[n, k] * log(P[n, k]), n, k) / N}
start = Derivation(Grad(loss, W1), let=let, given={total(Y[n, k], k): 1})
out = [start.then(X.T * hadamard((P - Y) / N * W2.T, f_prime(Z1)), because="two layers")._repr_mimebundle_()]
for wrong in (X.T * ((P - Y) / N * W2.T), X.T * hadamard((P - Y) * W2.T, f_prime(Z1)), (X * W1).T * X):
    out.append(refusal(lambda: start.then(wrong, because="wrong"))._repr_mimebundle_())
z, v = column("z", K), column("v", K)
x = scalars("x")
out.append(Derivation(log(1 + exp(x))).then(relu(x) + log(1 + exp(-absolute(x))), because="cases")._repr_mimebundle_())
out.append(Derivation(norm(z - v)).then(norm(z) + norm(v), because="bound", relation="<=")._repr_mimebundle_())
out.append(Derivation(sin(x) ** 2).then(1 - cos(x) ** 2, because="SymPy")._repr_mimebundle_())
print(json.dumps(out))
"""


def test_outputs_do_not_depend_on_the_hash_seed():
    outputs = []
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] == outputs[2]
    assert '"counterexample": {"sizes": {' in outputs[0]


def test_outputs_hold_no_time_address_or_path():
    for bundle in (softmax_step()._repr_mimebundle_(), linear_step()._repr_mimebundle_()):
        written = repr(bundle)
        assert "0x" not in written
        assert str(SOURCE) not in written
        assert "second" not in written


# -- imports ---------------------------------------------------------------------------------------------------

N, D, K = dimensions("N D K")
n, k, j = indices("n k j")
X, W, Z = matrix("X", N, D), matrix("W", D, K), matrix("Z", N, K)


def linear_step():
    L = functional("L", Z)
    return Derivation(Grad(L, W), let={Z: X * W + ones(N) * row("b", K)}).then(X.T * Grad(L, Z), because="chain rule")


def softmax_step():
    z, p = column("z", K), column("p", K)
    return Derivation(Jacobian(p, z), let={p[k]: exp(z[k]) / total(exp(z[j]), j)}).then(diag(p) - p * p.T, because="")


def test_importing_does_not_load_sympy():
    program = "import sys, backprop.symbolic; print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
