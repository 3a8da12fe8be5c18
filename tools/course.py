"""The course's commands, without make: `python tools/course.py COMMAND`. The Makefile calls this file.

Needs only Python 3.11 or newer and its standard library; everything else is installed into .venv, exactly as
requirements.txt pins it, the first time a command needs it; what only the long checks need follows with the first of
these, as requirements-deep.txt pins it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOGS = ROOT / "_build" / "logs"
HTML = ROOT / "_build" / "html"
OLDEST = (3, 11)
# What pip and npm print when they reach no index.
NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|getaddrinfo|ENOTFOUND|EAI_AGAIN|"
    r"ECONNREFUSED|Network is unreachable|Name or service not known|Temporary failure in name resolution|"
    r"is there a network|\(from versions: none\)"
)
PYTEST = ["-m", "pytest", "-q"]
BROWSER_TESTS = ["-m", "browser", "--maxfail", "20"]


class CommandError(Exception):
    """A failure that one line explains; no traceback helps the person who reads it."""


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(*locks: str) -> str:
    """Changes whenever the environment has to be brought up to date."""
    pinned = b"".join((ROOT / name).read_bytes() for name in (*locks, "pyproject.toml"))
    return hashlib.sha256(pinned + sys.version.encode() + str(ROOT).encode()).hexdigest()


def logged(arguments: list[str], log: Path) -> None:
    """Run a command, its output going to a file; explain a missing network in one line."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        code = subprocess.run(arguments, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    if code == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    where = log.relative_to(ROOT)
    if NO_NETWORK.search(text):
        raise CommandError(
            f"The packages could not be downloaded: this machine cannot reach the package index ({where})."
        )
    lines = [line for line in text.splitlines() if line.strip()]
    raise CommandError(f"The installation failed: {lines[-1] if lines else 'no output'} (all of it: {where}).")


def ensure_environment() -> None:
    """Make .venv, or bring it up to date, unless it already is what requirements.txt asks for."""
    if sys.version_info < OLDEST:
        raise CommandError(f"Python 3.11 or newer is needed; {sys.executable} is Python {sys.version.split()[0]}.")
    stamp = VENV / "installed-from"
    if venv_python().exists() and stamp.exists() and stamp.read_text() == fingerprint("requirements.txt"):
        return
    count = sum(line[:1].isalnum() for line in (ROOT / "requirements.txt").read_text().splitlines())
    print(f"Installing {count} pinned packages into .venv (a minute or two) …", flush=True)
    started = time.perf_counter()
    if not venv_python().exists() or not stamp.exists():
        shutil.rmtree(VENV, ignore_errors=True)
        logged([sys.executable, "-m", "venv", str(VENV)], LOGS / "venv.log")
    install("requirements.txt", LOGS / "install.log")
    stamp.write_text(fingerprint("requirements.txt"))
    print(f"The environment is ready ({time.perf_counter() - started:.0f} s).", flush=True)


def ensure_deep() -> None:
    """Add to .venv what only the long checks need, unless it is there."""
    stamp, locks = VENV / "installed-deep-from", ("requirements.txt", "requirements-deep.txt")
    if not stamp.exists() or stamp.read_text() != fingerprint(*locks):
        print("Installing what only the long checks need into .venv …", flush=True)
        install("requirements-deep.txt", LOGS / "install-deep.log")
        stamp.write_text(fingerprint(*locks))


def install(lock: str, log: Path) -> None:
    logged([str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "-r", lock], log)


def run(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Run the environment's Python, showing what it prints; a failure ends the command."""
    code = subprocess.run(
        [str(venv_python()), *arguments], cwd=ROOT, env={**os.environ, **(environment or {})}, check=False
    ).returncode
    if code:
        raise SystemExit(code)


def free_port(port: int, command: str) -> str:
    with socket.socket() as probe:
        if os.name != "nt":  # on Windows this option would let two servers share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"Port {port} is in use: choose another one, as in `make {command} PORT={port + 1}`."
            ) from None
    return str(port)


def book(_: argparse.Namespace) -> None:
    """build the HTML book"""
    started = time.perf_counter()
    logged([str(venv_python()), "tools/assets.py"], LOGS / "assets.log")
    run("tools/runtime.py", "--if-fetched")
    run("-c", "from jupyter_book.cli.main import main; main()", "build", ".", "-W", "--keep-going", "-q")
    run("tools/lighten.py")
    pages = len(list(HTML.glob("**/*.html")))
    seconds = time.perf_counter() - started
    print(f"The book is built ({pages} pages, {seconds:.0f} s): open {HTML.relative_to(ROOT) / 'index.html'}")


def pdf(arguments: argparse.Namespace) -> None:
    """print the whole book as one PDF, and the two sheets, with Chromium"""
    book(arguments)
    run("tools/pdf.py", *arguments.rest)


def handout(_: argparse.Namespace) -> None:
    """write the notebooks without the solutions of their exercises, for a class"""
    run("tools/handout.py")


def runtime(_: argparse.Namespace) -> None:
    """fetch Python for the browser (150 MB, once), so that the next `make book` serves it itself"""
    logged([str(venv_python()), "tools/assets.py"], LOGS / "assets.log")
    run("tools/runtime.py")


def serve(arguments: argparse.Namespace) -> None:
    """hand out the built book on this machine, so that its pages can run their code"""
    if not (HTML / "index.html").is_file():
        raise CommandError("There is no built book yet: `make book` builds it.")
    run("tools/serve.py", free_port(arguments.port, "serve"))


def lint(_: argparse.Namespace) -> None:
    """check the style of code and notebooks, and the workflows"""
    logged([str(venv_python()), "tools/assets.py"], LOGS / "assets.log")
    run("-m", "ruff", "check", ".")
    run("-m", "ruff", "format", "--check", "-q", ".")
    run(*PYTEST, "-p", "no:cacheprovider", "tests/test_notebooks.py", "tests/test_repository.py")


def test(arguments: argparse.Namespace) -> None:
    """every check that needs no browser: style, units, doctests, notebooks, the built book"""
    started = time.perf_counter()
    logged([str(venv_python()), "tools/assets.py"], LOGS / "assets.log")
    run("-m", "ruff", "check", "-q", ".")
    run("-m", "ruff", "format", "--check", "-q", ".")
    workers = ["-n", str(min(os.cpu_count() or 1, 8)), "--dist", "loadfile"]
    report = LOGS / "tests.xml"
    what = ["--nbval", "-m", "not browser and not deep", "tests", "src", "book", f"--junit-xml={report}"]
    run(*PYTEST, *workers, *what, *arguments.rest)
    run("tools/closing.py", str(report))
    print(f"All checks passed in {time.perf_counter() - started:.0f} s.")


def test_browser(arguments: argparse.Namespace) -> None:
    """read every page of the built book in Chromium, as a laptop and as a phone, light and dark"""
    runtime(arguments)
    book(arguments)
    workers = ["-n", str(min(os.cpu_count() or 1, 4))]
    run(*PYTEST, *workers, *BROWSER_TESTS, "tests/test_browser.py", "tests/test_pdf.py", *arguments.rest)
    # These share one page, so they share one process.
    run(*PYTEST, *BROWSER_TESTS, "tests/test_browser_runtime.py", *arguments.rest)


def screenshots(arguments: argparse.Namespace) -> None:
    """take pictures of every page to look at, as a phone and as a laptop, light and dark"""
    book(arguments)
    run("tools/screenshots.py", *arguments.rest)


def test_deep(arguments: argparse.Namespace) -> None:
    """the long checks: full fuzz, mutation, other versions, two builds, Lighthouse; writes evidence/"""
    ensure_deep()
    runtime(arguments)
    book(arguments)
    run(*PYTEST, "-m", "deep", "tests", *arguments.rest)
    # Only what has changed since the counts in evidence/ is examined again.
    run("tools/mutate_source.py", "--write")
    run("tools/mutate_book.py", "--write")
    run("tools/versions.py")
    run("tools/same_bytes.py")
    book(arguments)
    run("tools/lighthouse.py")
    run("tools/audit.py", "--if-reached")


def versions(arguments: argparse.Namespace) -> None:
    """run the checks with the oldest and newest dependencies, and the notebooks on every Python of the lock"""
    ensure_deep()
    run("tools/versions.py", *arguments.rest)


def same_bytes(arguments: argparse.Namespace) -> None:
    """build the book twice, under different circumstances, and compare every file"""
    logged([str(venv_python()), "tools/assets.py"], LOGS / "assets.log")
    run("tools/same_bytes.py", *arguments.rest)


def audit(_: argparse.Namespace) -> None:
    """ask whether a pinned package has a known vulnerability"""
    ensure_deep()
    run("tools/audit.py")


def execute(arguments: argparse.Namespace) -> None:
    """run the notebooks from top to bottom and keep their outputs"""
    run("tools/bootstrap.py")
    run("tools/execute.py", *arguments.rest)


def lab(arguments: argparse.Namespace) -> None:
    """open the notebooks in JupyterLab"""
    port = free_port(arguments.port, "lab")
    # In a container one is root, and Jupyter asks to be told that this is meant.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    server = ["--ServerApp.root_dir", "book", "--ServerApp.port", port, "--ServerApp.port_retries", "0"]
    run("-m", "jupyterlab", *server, *root)


def bench(_: argparse.Namespace) -> None:
    """run the side-by-side benchmarks"""
    for path in sorted((ROOT / "benchmarks").glob("[!_]*.py")):
        print(f"== {path.relative_to(ROOT)}", flush=True)
        run(str(path))


def clean(_: argparse.Namespace) -> None:
    """remove the environment and everything that was built"""
    names = (".venv", "_build", ".pytest_cache", ".ruff_cache", ".hypothesis")
    for path in [*(ROOT / name for name in names), *(ROOT / "tools").glob("node_modules")]:
        shutil.rmtree(path, ignore_errors=True)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "book": book,
    "handout": handout,
    "runtime": runtime,
    "serve": serve,
    "pdf": pdf,
    "test": test,
    "test-browser": test_browser,
    "test-deep": test_deep,
    "versions": versions,
    "same-bytes": same_bytes,
    "audit": audit,
    "screenshots": screenshots,
    "lint": lint,
    "execute": execute,
    "lab": lab,
    "bench": bench,
    "clean": clean,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__)
        command.add_argument("--port", type=int, default=8888, help=argparse.SUPPRESS)
        command.add_argument("rest", nargs="*", help="passed on (to pytest, or the notebooks to execute)")
    arguments, unknown = parser.parse_known_args()
    arguments.rest += unknown
    try:
        if arguments.command != "clean":
            ensure_environment()
        COMMANDS[arguments.command](arguments)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
