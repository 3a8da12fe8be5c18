"""Run the checks with other versions than the lock's: of the dependencies, and of Python.

    python tools/versions.py                    all of the following
    python tools/versions.py oldest newest      the oldest and the newest dependencies that pyproject.toml allows
    python tools/versions.py 3.11 3.12 3.13     the lock, on these versions of Python
    python tools/versions.py oldest --pytest -k layers

Each runs in an environment of its own in _build/versions, made anew by uv. The oldest are run on the oldest Python that
the lock serves, the newest on the newest. What is printed may differ there: so they run every test, but notebooks with
their assertions only (`--nbval-lax`), and without the tests marked `locked`, which speak of the lock itself. On other
versions of Python nothing that is stored may change: every notebook is compared strictly, as `make test` does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "versions"
PYTHONS = ("3.11", "3.12", "3.13")  # that requirements.txt serves
LAX = ("--nbval-lax", "-m", "not browser and not deep and not locked", "tests", "src", "book")
STRICT = ("--nbval", "book")


@dataclass(frozen=True)
class Kind:
    """Which versions, and what is run with them; without a resolution, those of the lock."""

    python: str
    what: tuple[str, ...]
    resolution: str | None = None
    constraints: tuple[str, ...] = ()


KINDS = {
    "oldest": Kind(PYTHONS[0], LAX, "lowest-direct", ("--constraints", "tools/oldest.txt")),
    "newest": Kind(PYTHONS[-1], LAX, "highest"),
    **{python: Kind(python, STRICT) for python in PYTHONS},
}


def resolving(kind: Kind, pins: Path) -> list[str]:
    """The call of uv that writes the versions as pins, so that a failure can be repeated with them.

    >>> resolving(KINDS["oldest"], Path("pins.txt"))[-2:]
    ['--output-file', 'pins.txt']
    """
    looks = ["--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"]
    versions = ["--resolution", str(kind.resolution), "--python-version", kind.python, "--upgrade"]
    return ["pip", "compile", "requirements.in", *versions, *kind.constraints, *looks, "--output-file", str(pins)]


def uv(*arguments: object) -> None:
    """Run uv, which says itself what is wrong."""
    if code := subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], cwd=ROOT, check=False).returncode:
        raise SystemExit(code)


def installed(name: str) -> Path:
    """The Python of a new environment with these versions."""
    kind, environment, pins = KINDS[name], FOLDER / name, ROOT / "requirements.txt"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if kind.resolution:
        pins = FOLDER / f"{name}.txt"
        uv(*resolving(kind, pins))
    uv("venv", "--quiet", "--clear", "--python", kind.python, environment)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv("pip", "sync", "--quiet", "--python", python, pins)
    # uv leaves it out of its environments; `python -m venv`, which the README's commands use, does not.
    subprocess.run([python, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    return python


def examined(name: str, options: list[str]) -> int:
    """Run what belongs to one kind of versions; the exit code of pytest."""
    started = time.perf_counter()
    python = installed(name)
    print(f"== {name}: {python.relative_to(ROOT)} ({time.perf_counter() - started:.0f} s)", flush=True)
    workers = ["-n", str(min(os.cpu_count() or 1, 8)), "--dist", "loadfile", "-p", "no:cacheprovider"]
    command = [str(python), "-m", "pytest", "-q", *workers, *KINDS[name].what, *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="VERSIONS", help=", ".join(KINDS))
    parser.add_argument("--pytest", nargs=argparse.REMAINDER, default=[], help="what follows goes to pytest")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(KINDS):
        parser.error(f"expected some of {', '.join(KINDS)}, got {', '.join(sorted(unknown))}")
    codes = {name: examined(name, arguments.pytest) for name in arguments.names or KINDS}
    for name, code in codes.items():
        print(f"{name}: {'passed' if code == 0 else f'pytest ended with {code}'}")
    return max(codes.values())


if __name__ == "__main__":
    sys.exit(main())
