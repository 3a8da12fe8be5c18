"""Build the book twice, from nothing and under different circumstances, and compare every file of the two.

    python tools/same_bytes.py
    python tools/same_bytes.py --keep FOLDER      leave the two builds there, to look at what differs

Each build has a folder, a seed of Python's hashes, a clock's zone and a language of its own, so that what a set's
order, a path, a date or the machine's settings leave in a page shows. Where Python for the browser was fetched,
JupyterLite is built twice as well. Sphinx's memory of a build (`.doctrees`) is no part of the book and not compared.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HTML = Path("_build", "html")
# What a build takes and git does not keep: npm's files, and Python for the browser where it was fetched.
FETCHED = ("tools/node_modules", "_build/runtime", "_build/runtime-work")
MADE = ("_build/runtime/lite", "_build/runtime-work/lite", "_build/runtime-work/lite-made")
STEPS = (
    ("tools/runtime.py", "--if-fetched"),
    ("-c", "from jupyter_book.cli.main import main; main()", "build", ".", "-W", "--keep-going", "-q"),
    ("tools/lighten.py",),
)
CIRCUMSTANCES = {
    "first": {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8"},
    "a second build in a folder elsewhere": {"PYTHONHASHSEED": "2", "TZ": "America/Lima", "LC_ALL": "C"},
}


def copied(folder: Path) -> Path:
    """The repository as it stands, what is not committed included, without anything that a build made."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listing.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for name in FETCHED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=left_behind)
    return folder


def left_behind(at: str, names: list[str]) -> list[str]:
    """Those of a folder's names that a build makes anew."""
    return [name for name in names if Path(at, name).relative_to(ROOT).as_posix() in MADE]


def build(folder: Path, circumstances: dict[str, str]) -> Path:
    """The folder of the pages; SystemExit with what was printed when a step fails."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONUTF8": "1", **circumstances}
    for step in STEPS:
        done = subprocess.run(
            [sys.executable, *step], cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise SystemExit(f"same_bytes: {' '.join(step)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return folder / HTML


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def differences(one: Path, other: Path) -> list[str]:
    """One line for each file that is missing from one of two folders, or has other bytes there."""
    names, others = files(one), files(other)
    if not names and not others:
        raise ValueError(f"{one} and {other} hold no file: there is nothing to compare")
    missing = [f"{name}: only in {(one if name in names else other).name}" for name in sorted(names ^ others)]
    common = sorted(names & others)
    unequal = [name for name in common if not filecmp.cmp(one / name, other / name, shallow=False)]
    return missing + [f"{name}: {first_difference(one / name, other / name)}" for name in unequal]


def first_difference(one: Path, other: Path, around: int = 60) -> str:
    """Where two files part, and what they hold there."""
    left, right = one.read_bytes(), other.read_bytes()
    at = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    here, there = (part[max(0, at - 20) : at + around] for part in (left, right))
    return f"byte {at}: {here!r} and {there!r}"


def compare(folder: Path) -> int:
    started = time.perf_counter()
    copies = [copied(folder / name) for name in CIRCUMSTANCES]
    with ThreadPoolExecutor(min(len(copies), os.cpu_count() or 1)) as pool:
        one, other = pool.map(build, copies, CIRCUMSTANCES.values())
    found = differences(one, other)
    print("\n".join(found) or f"{len(files(one))} files of two builds are the same to the byte", flush=True)
    print(f"same_bytes: {time.perf_counter() - started:.0f} s")
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="an empty or a new folder, which is kept")
    keep = parser.parse_args().keep
    if keep:
        if keep.exists() and any(keep.iterdir()):
            parser.error(f"expected an empty folder or a new one, got {keep}")
        return compare(keep.resolve())
    with tempfile.TemporaryDirectory(prefix="same-bytes-") as folder:
        return compare(Path(folder).resolve())


if __name__ == "__main__":
    sys.exit(main())
