"""Python in the browser without a browser: what is fetched and verified, and how the page's Python answers.

What is published is in tests/test_sphinxext_run.py; the pages themselves run in tests/test_browser_runtime.py.
"""

import hashlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
import urllib.request
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import bootstrap
import course
import hygiene
import nbformat
import pytest
import serve
from corpus.outputs import page_with_code
from nbclient import NotebookClient
from packaging.requirements import Requirement

from backprop.sphinxext import run

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "book" / "_run" / "python"
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """tools/runtime.py with folders of its own, in which nothing was fetched."""
    spec = importlib.util.spec_from_file_location("browser_runtime", ROOT / "tools" / "runtime.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("RUNTIME", "WORK", "PYODIDE", "LITE"):
        monkeypatch.setattr(module, name, tmp_path / name.lower())
    return module


# What is fetched ------------------------------------------------------------------------------------------------------


def mirror(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"some_package/frontend/pyodide/{name}-1-py3-none-any.whl", data)
    return path


def locked(name, data):
    return {"file_name": f"{name}-1-py3-none-any.whl", "sha256": hashlib.sha256(data).hexdigest()}


def test_of_a_mirror_only_the_release_s_own_files_are_taken(runtime, tmp_path):
    wheel = mirror(tmp_path / "mirror.whl", numpy=b"numbers", tracker=b"something else")
    assert runtime.from_mirror(wheel, [locked("numpy", b"numbers")]) == {"numpy-1-py3-none-any.whl": b"numbers"}


def test_a_file_that_is_not_the_release_s_is_refused(runtime, tmp_path):
    wheel = mirror(tmp_path / "mirror.whl", numpy=b"numbers, changed")
    with pytest.raises(runtime.RuntimeFailure, match=r"numpy-1-py3-none-any\.whl is not the release's file"):
        runtime.from_mirror(wheel, [locked("numpy", b"numbers")])


def test_a_file_that_the_mirror_lacks_is_named(runtime, tmp_path):
    wheel = mirror(tmp_path / "mirror.whl", numpy=b"numbers")
    with pytest.raises(runtime.RuntimeFailure, match=r"mirror\.whl does not hold sympy-1-py3-none-any\.whl"):
        runtime.from_mirror(wheel, [locked("sympy", b"symbols")])


def test_every_wheel_is_pinned_with_its_checksum():
    lines = (ROOT / "tools" / "runtime" / "wheels.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert len(pinned) > 10
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line) for line in pinned)


def test_what_the_notebooks_import_is_the_version_of_the_lock():
    wheels = (ROOT / "tools" / "runtime" / "wheels.txt").read_text(encoding="utf-8")
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for name in run.PURE:
        (line,) = [line for line in lock if line.startswith(f"{name}==")]
        assert f"{line} --hash" in wheels


def test_the_core_is_pinned_and_is_the_release_that_pages_name():
    spec = ROOT / "tools" / "runtime"
    wanted = json.loads((spec / "package.json").read_text(encoding="utf-8"))["dependencies"]["pyodide"]
    packages = json.loads((spec / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages["node_modules/pyodide"]["version"] == wanted == run.release(ROOT)["version"]
    assert packages["node_modules/pyodide"]["integrity"].startswith("sha512-")
    assert not [name for name, given in packages.items() if "resolved" in given]


def test_the_recorded_release_is_closed_under_what_it_depends_on():
    packages = run.release(ROOT)["packages"]
    assert {"numpy", "sympy", "matplotlib"} <= set(packages)
    assert {each for package in packages.values() for each in package["depends"]} <= set(packages)
    assert all(package["bytes"] > 0 and package["imports"] for package in packages.values())


def test_a_book_is_built_without_fetching_anything(runtime, monkeypatch, capsys):
    monkeypatch.setattr(runtime, "fetch", lambda: pytest.fail("it fetched"))
    monkeypatch.setattr(sys, "argv", ["runtime.py", "--if-fetched"])
    assert runtime.main() == 0
    assert capsys.readouterr().out == ""
    assert not runtime.RUNTIME.exists()


def test_a_missing_network_is_one_line(runtime, monkeypatch, capsys):
    monkeypatch.setattr(
        runtime, "npm_fetch", lambda *arguments: "assets: Pyodide could not be fetched; is there a network?"
    )
    monkeypatch.setattr(sys, "argv", ["runtime.py"])
    assert runtime.main() == 1
    assert capsys.readouterr().err.splitlines() == ["assets: Pyodide could not be fetched; is there a network?"]


def test_another_lock_means_another_fetch(runtime, monkeypatch):
    runtime.WORK.mkdir()
    (runtime.WORK / "fetched").write_text(runtime.fingerprint(), encoding="utf-8")
    assert runtime.fetched()
    monkeypatch.setattr(runtime, "RELEASE_PACKAGES", (*runtime.RELEASE_PACKAGES, "pandas"))
    assert not runtime.fetched()


def test_readers_edits_in_jupyterlite_stay_in_memory_and_addresses_stay_in_the_book(runtime):
    settings = runtime.lite_settings()["jupyter-config-data"]
    assert settings["enableMemoryStorage"]
    assert settings["contentsStorageDrivers"] == settings["settingsStorageDrivers"] == ["memoryStorageDriver"]
    (kernel,) = settings["litePluginSettings"].values()
    assert kernel["disablePyPIFallback"]
    addresses = [kernel["pyodideUrl"], kernel["loadPyodideOptions"]["lockFileURL"]]
    assert [address.startswith("../../run/pyodide/") for address in addresses] == [True, True]


def test_the_fetched_files_are_those_of_the_published_lock():
    folder = ROOT / "_build" / "runtime" / "run" / "pyodide"
    if not (folder / "pyodide-lock.json").is_file():
        pytest.skip("nothing was fetched here (make runtime)")
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    for package in lock.values():
        data = (folder / package["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == package["sha256"], package["file_name"]
        assert {re.sub(r"[-_.]+", "-", name).lower() for name in package["depends"]} <= set(lock)
    recorded = run.release(ROOT)["packages"]
    assert {name: each["bytes"] for name, each in recorded.items()} == {
        name: (folder / lock[name]["file_name"]).stat().st_size for name in recorded
    }


# The page's Python ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """Run code where the page's part of IPython stands in for IPython, as in the page."""
    folder = tmp_path_factory.mktemp("page")
    zipfile.ZipFile(io.BytesIO(run.course_archive(ROOT))).extractall(folder)

    def answer(code):
        script = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
        command = [sys.executable, "-W", "error", "-c", script]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return answer


VALUES = """
import numpy as np, sympy as sp
from IPython.display import Markdown
from backprop.course import show_source
from backprop.layers import linear_forward
from backprop.symbolic import Derivation, Grad, Refused, dimensions, functional, matrix, ones, refusal, row
m, n_in, n_out = dimensions("m n_in n_out")
X, W, b, Z = matrix("X", m, n_in), matrix("W", n_in, n_out), row("b", n_out), matrix("Z", m, n_out)
L = functional("L", Z)
start = Derivation(Grad(L, W), let={Z: X * W + ones(m) * b})
values = [
    start.then(X.T * Grad(L, Z), because="chain rule"), refusal(lambda: start.then(X.T * Grad(L, Z) / m, because="")),
    np.arange(12.0).reshape(3, 4), {"a": list(range(40)), "b": (1, "two", None)}, sp.sqrt(2) / sp.Symbol("x"),
    Markdown("**bold**"), show_source(linear_forward), "text", 1.5, ValueError("wrong"), linear_forward, np.float64(2),
]
"""


@pytest.mark.locked("the page takes the lock's IPython apart; older ones need other parts of their own")
def test_values_show_as_in_a_notebook(beside):
    """Bundle by bundle as IPython's own formatter makes it."""
    ask = VALUES + "\nimport json; from IPython.core.interactiveshell import InteractiveShell\n"
    shown = beside(
        ask + "shell = InteractiveShell()\nprint(json.dumps([shell.display_formatter.format(v) for v in values]))"
    )
    names = {}
    exec(VALUES, names)
    from IPython.core.interactiveshell import InteractiveShell

    real = InteractiveShell()
    expected = [real.display_formatter.format(value) for value in names["values"]]
    keep = ("text/", "image/", "application/vnd")
    for value, (data, metadata), (wanted, about) in zip(names["values"], shown, expected, strict=True):
        wanted = {mime: each for mime, each in wanted.items() if mime.startswith(keep)}
        # SymPy's PNG, which only a machine with LaTeX makes, is none of ours.
        assert (data, metadata) == (json.loads(json.dumps(wanted)), about), type(value)


def needed(source):
    sys.path.insert(0, str(PYTHON))
    try:
        import page_kernel
    finally:
        sys.path.remove(str(PYTHON))
    return json.loads(page_kernel.needed(source, json.dumps(["numpy", "sympy", "mpmath", "matplotlib"])))


@pytest.mark.parametrize(
    ("source", "packages"),
    [
        ("1 + 1", []),
        ("from backprop import layers", ["numpy"]),
        ("import backprop.symbolic", ["mpmath", "sympy"]),
        ("from backprop.plotting import show", ["matplotlib", "numpy"]),
        ("import matplotlib.pyplot as plt", ["matplotlib"]),
        ("def f():\n    import sympy", ["sympy"]),
        ("this is no Python", []),
    ],
)
def test_a_cell_loads_what_it_imports_and_no_more(source, packages):
    assert set(packages) <= set(needed(source))
    if "symbolic" not in source:
        assert needed(source) == packages


def test_an_error_says_its_last_line_and_where_without_our_own_frames():
    needed("")
    page_kernel = sys.modules["page_kernel"]
    try:
        exec(compile("\n1 / 0", "<cell 3>", "exec"), {})
    except ZeroDivisionError as error:
        output = page_kernel.error_output(error)
    assert (output["ename"], output["last"]) == ("ZeroDivisionError", "ZeroDivisionError: division by zero")
    assert [line.strip() for line in output["traceback"]][:2] == [
        "Traceback (most recent call last):", 'File "<cell 3>", line 2, in <module>'
    ]  # fmt: skip
    assert "test_runtime" not in "".join(output["traceback"])


# The server -----------------------------------------------------------------------------------------------------------


def test_the_server_lets_a_page_interrupt_its_python(tmp_path):
    (tmp_path / "page.mjs").write_text("export {}", encoding="utf-8")
    (tmp_path / "core.wasm").write_bytes(b"\0asm")
    with serve.server(0, tmp_path) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        kinds = {}
        for name in ("page.mjs", "core.wasm"):
            with urllib.request.urlopen(f"http://127.0.0.1:{serving.server_port}/{name}") as answer:
                kinds[name] = answer.headers["Content-Type"]
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        serving.shutdown()
        thread.join()
    assert kinds == {"page.mjs": "text/javascript", "core.wasm": "application/wasm"}


def test_serving_no_book_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "HTML", tmp_path)
    with pytest.raises(course.CommandError, match="no built book yet: `make book`"):
        course.serve(None)


# Colab and Binder -----------------------------------------------------------------------------------------------------


class Shell:
    """A stand-in for the shell of a notebook: what it is called, and what magics it was asked for."""

    def __init__(self, name):
        self.name, self.asked = name, []

    def __str__(self):
        return f"<{self.name} object at 0x7f>"

    def run_line_magic(self, magic, line):
        self.asked.append((magic, line))


COLAB = "google.colab._shell.Shell"
ADDRESS = "https://github.com/owner/name"


def run_cell(address, shell):
    exec(bootstrap.source(address), {"get_ipython": lambda: shell})
    return shell.asked


def test_the_cell_installs_on_colab():
    ((magic, line),) = run_cell(ADDRESS, Shell(COLAB))
    assert magic == "pip"
    assert line == f"install --quiet 'backprop-course @ git+{ADDRESS}' autograd"


@pytest.mark.parametrize("name", ["ipykernel.zmqshell.ZMQInteractiveShell", "pyodide_kernel.interpreter.Interpreter"])
def test_the_cell_does_nothing_elsewhere(name):
    assert run_cell(ADDRESS, Shell(name)) == []


def test_what_the_cell_asks_for_can_be_installed_and_imported(tmp_path):
    """What the cell names, with this repository at its address, put where nothing else of the course is."""
    ((_, line),) = run_cell(ADDRESS, Shell(COLAB))
    requirement = Requirement(re.search(r"'([^']*)'", line)[1])
    assert (requirement.name, requirement.url) == ("backprop-course", f"git+{ADDRESS}")
    # A requirement with a name cannot have an address without a host: here the address alone.
    here = requirement.url.replace(ADDRESS, ROOT.as_uri())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(tmp_path), here],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tracked = ["git", "ls-tree", "-r", "--name-only", "HEAD", "src/backprop"]
    names = subprocess.run(tracked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in names if not (tmp_path / name.removeprefix("src/")).is_file()] == []
    asked = "import sys, backprop.symbolic, backprop.course; print(backprop.__file__)"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {asked}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert Path(found.stdout.strip()).is_relative_to(tmp_path)


# Colab brings its own scientific packages, not the newest; its shell is a kernel's with another name.
BROUGHT = ["ipykernel", "matplotlib==3.10.0", "numpy==2.0.2", "scikit-learn==1.6.1", "sympy==1.13.3"]
KERNEL = """
from google.colab._shell import Shell
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from traitlets import Type

class Kernel(IPythonKernel):
    shell_class = Type(Shell)

IPKernelApp.launch_instance(kernel_class=Kernel)
"""


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A folder with an environment like Colab's, and with a kernel in it that takes itself for Colab's."""
    folder = tmp_path_factory.mktemp("colab")
    python = folder / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder / "environment")], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *BROUGHT], check=True, timeout=900)
    command = [str(python), str(folder / "kernel.py"), "-f", "{connection_file}"]
    files = {
        "kernel.py": KERNEL,
        "google/colab/_shell.py": "from ipykernel import zmqshell\nclass Shell(zmqshell.ZMQInteractiveShell): ...\n",
        "kernels/colab/kernel.json": json.dumps({"argv": command, "display_name": "Colab", "language": "python"}),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.deep
@pytest.mark.parametrize("name", ["01_linear_layer", "05_hidden_layers"])
def test_a_chapter_runs_from_its_first_cell_where_only_colabs_packages_are(name, colab, tmp_path, monkeypatch):
    """The chapter alone in a folder, this repository where the cell leads; what is too old is replaced."""
    leads_here = {"COUNT": "1", "KEY_0": f"url.{ROOT.as_uri()}.insteadOf", "VALUE_0": ADDRESS}
    for key, value in leads_here.items():
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    monkeypatch.setenv("JUPYTER_PATH", str(colab))
    notebook = bootstrap.fitted(nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=4), ADDRESS)
    asked = nbformat.v4.new_code_cell("import backprop, numpy\nprint(backprop.__file__, numpy.__version__)")
    notebook.cells.append(asked)
    NotebookClient(notebook, kernel_name="colab", timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    place, version = asked.outputs[0].text.split()
    assert Path(place).is_relative_to(colab / "environment")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (needed,) = [each for each in map(Requirement, project["dependencies"]) if each.name == "numpy"]
    assert needed.specifier.contains(version)


def test_the_cell_follows_the_address():
    notebook = nbformat.from_dict(page_with_code())
    once = bootstrap.fitted(notebook, ADDRESS)
    twice = bootstrap.fitted(once, "https://github.com/other/place")
    held = [cell.source for cell in twice.cells if bootstrap.is_bootstrap(cell)]
    assert held == [bootstrap.source("https://github.com/other/place")]
    assert not [cell for cell in bootstrap.fitted(twice, "").cells if bootstrap.is_bootstrap(cell)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_notebook_has_the_cell_when_there_is_an_address(path):
    at = bootstrap.address((ROOT / "_config.yml").read_text(encoding="utf-8"))
    cells = nbformat.read(path, as_version=4).cells
    held = [cell.source for cell in cells if bootstrap.is_bootstrap(cell)]
    assert held == ([bootstrap.source(at)] if at else [])


def test_the_cell_keeps_the_rules_of_notebooks():
    notebook = bootstrap.fitted(nbformat.from_dict(page_with_code(code="assert 1 + 1 == 2")), ADDRESS)
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    assert hygiene.complaints(json.loads(nbformat.writes(notebook))) == []


def test_binder_is_told_which_python():
    (python,) = re.findall(r"^python-(3\.\d+)$", (ROOT / "runtime.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert "-e ." in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert (3, 11) <= tuple(int(part) for part in python.split(".")) <= (3, 13)


def test_a_notebook_in_jupyterlite_has_the_release_s_date(runtime, monkeypatch, tmp_path):
    """The day of the build would make every build another one."""
    monkeypatch.setattr(runtime, "ROOT", tmp_path)
    (tmp_path / "CITATION.cff").write_text("version: 0.1.0\ndate-released: 2026-01-02\n", encoding="utf-8")
    assert datetime.fromtimestamp(int(runtime.released()), UTC).isoformat() == "2026-01-02T00:00:00+00:00"
