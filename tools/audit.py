"""Ask of every pinned package whether this version has a known vulnerability, with pip-audit.

    python tools/audit.py
    python tools/audit.py --if-reached     where the service that knows cannot be reached, say so, and do not fail

A finding is answered in one of two ways: by a version without it in the lock, or, where the course does not use what is
vulnerable, by a line in ANSWERED that says why. A package that the service does not answer for counts as a failure:
pip-audit itself ends well when it was told nothing at all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-deep.txt")
# The id of a finding, as pip-audit prints it, and why the course is not concerned.
ANSWERED: dict[str, str] = {}


class NotReached(Exception):
    """Nobody answered for any package."""


def pins(*texts: str) -> list[str]:
    """What locks pin, for all systems, each once.

    >>> pins("-e .\\nnumpy==2.0.0 ; os_name == 'nt'\\n", "numpy==2.0.0\\nuv==0.5.0\\n")
    ['numpy==2.0.0', 'uv==0.5.0']
    """
    return sorted({line.split(" ;")[0] for text in texts for line in text.splitlines() if "==" in line.split(" ;")[0]})


def asked(pinned: list[str]) -> list[dict[str, Any]]:
    """What pip-audit says of each package; NotReached when it says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pins.txt")
        path.write_text("\n".join(pinned) + "\n", encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", *options, "--requirement", str(path)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if not done.stdout.strip():
        raise NotReached((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1])
    return json.loads(done.stdout)["dependencies"]


def judged(pinned: list[str], found: list[dict[str, Any]], answered: dict[str, str]) -> list[str]:
    """What is wrong, one line each: findings without an answer, packages not asked about, answers to nothing.

    Raises
    ------
    NotReached
        When there is no answer for any of the packages.
    """
    told = [each for each in found if "skip_reason" not in each]
    if not told:
        raise NotReached(f"none of {len(pinned)} packages is known there")
    findings = [(each, finding) for each in told for finding in each["vulns"]]
    names = [{finding["id"], *finding.get("aliases", [])} for _, finding in findings]
    lines = [
        f"{each['name']} {each['version']}: {finding['id']}, mended in {', '.join(finding['fix_versions']) or 'none'}"
        for (each, finding), ids in zip(findings, names, strict=True)
        if not ids & set(answered)
    ]
    missing = sorted({pin.split("==")[0] for pin in pinned} - {each["name"] for each in told})
    lines += [f"{name}: the service said nothing of it" for name in missing]
    return lines + [f"{each}: answered, but not found any more" for each in answered if each not in set().union(*names)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--if-reached", action="store_true", help="do not fail where nobody answers")
    arguments = parser.parse_args()
    pinned = pins(*((ROOT / name).read_text(encoding="utf-8") for name in LOCKS))
    try:
        wrong = judged(pinned, asked(pinned), ANSWERED)
    except NotReached as reason:
        print(f"audit: NOT DONE: the service that knows vulnerabilities cannot be reached ({reason})")
        return 0 if arguments.if_reached else 2
    print("\n".join(wrong) or f"audit: {len(pinned)} pinned packages, none with a finding that has no answer")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
