"""Other versions are resolved as they are named, unknown ones refused; the workflow runs them on the same Python."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import versions
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("name", "resolution"), [("oldest", "lowest-direct"), ("newest", "highest")])
def test_the_oldest_and_the_newest_are_what_uv_calls_so(name, resolution):
    call = versions.resolving(versions.KINDS[name], Path("pins.txt"))
    assert call[call.index("--resolution") + 1] == resolution
    assert call[:3] == ["pip", "compile", "requirements.in"]
    assert "--upgrade" in call  # else the pins of the last run would be kept


def test_the_oldest_meet_the_oldest_python_and_the_newest_the_newest():
    oldest, newest = versions.KINDS["oldest"].python, versions.KINDS["newest"].python
    ordered = sorted(versions.PYTHONS, key=lambda text: tuple(map(int, text.split("."))))
    assert (oldest, newest) == (ordered[0], ordered[-1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={oldest}"


def test_what_is_stored_is_compared_strictly_with_the_lock_and_only_there():
    for name, kind in versions.KINDS.items():
        strict = kind.resolution is None
        assert ("--nbval" in kind.what) == strict, name
        assert ("--nbval-lax" in kind.what) != strict, name
        assert "book" in kind.what, name
        assert strict or {"tests", "src"} <= set(kind.what), name


@pytest.mark.parametrize("said", [["latest"], ["oldest", "3.10"]])
def test_an_unknown_name_is_refused(said):
    command = [sys.executable, str(ROOT / "tools" / "versions.py"), *said]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"expected some of oldest, newest, 3.11, 3.12, 3.13, got {said[-1]}" in done.stderr


def test_a_failure_among_several_is_the_command_s(monkeypatch, capsys):
    codes = {"oldest": 1, "newest": 0}
    monkeypatch.setattr(versions, "examined", lambda name, options: codes[name])
    monkeypatch.setattr(sys, "argv", ["versions.py", "oldest", "newest"])
    assert versions.main() == 1
    assert capsys.readouterr().out == "oldest: pytest ended with 1\nnewest: passed\n"


def test_the_workflows_run_the_same_versions_on_the_same_python():
    jobs = {path.stem: yaml.safe_load(path.read_text("utf-8"))["jobs"] for path in (ROOT / ".github").rglob("*.yml")}
    rows = jobs["versions"]["dependencies"]["strategy"]["matrix"]["include"]
    assert {row["versions"]: row["python"] for row in rows} == {
        name: kind.python for name, kind in versions.KINDS.items() if kind.resolution
    }
    assert jobs["test"]["test"]["strategy"]["matrix"]["python"] == list(versions.PYTHONS)


def test_a_test_that_holds_for_the_lock_alone_says_why():
    bare = re.compile(r"pytest\.mark\.locked\b(?!\(\s*[\"'])")
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        assert path == Path(__file__) or not bare.search(path.read_text(encoding="utf-8")), path.name
