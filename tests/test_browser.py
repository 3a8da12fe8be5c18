"""Every page of the built book in Chromium: phone, tablet and laptop, light and dark; each check is seen to fail.

The book is the one that `make book` left in _build/html.
"""

import functools
import gzip
import re
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import lighten  # noqa: E402 (tools are programs, not a package)
from browsing import ARGUMENTS, MISSING, find_chromium, serving  # noqa: E402

HTML = ROOT / "_build" / "html"
SIZES = {
    "phone": {"width": 360, "height": 780},
    "tablet": {"width": 768, "height": 1024},
    "laptop": {"width": 1280, "height": 800},
}
VIEWS = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]
# index.html only leads to the first page.
NAMES = sorted({path.relative_to(HTML).as_posix() for path in HTML.rglob("[!_]*.html")} - {"index.html"})
NAMES = [name for name in NAMES if not name.startswith(("_static/", "lite/"))]

# What is wrong with a page, seen from inside: a list of sentences.
INSPECT = r"""
async () => {
  const problems = [];
  const still = document.createElement("style");
  still.textContent = "* { transition: none !important; animation: none !important; scroll-behavior: auto !important }";
  document.head.append(still);
  // A picture that waits until it is near the window would be waited for without end.
  const patience = new Promise((done) => setTimeout(done, 20000));
  for (const image of document.images) image.loading = "eager";
  await Promise.race([patience, Promise.all([...document.images].map((image) => image.decode().catch(() => null)))]);
  const width = window.innerWidth;
  const place = (element) => {
    const name = element.tagName.toLowerCase() + (element.id ? "#" + element.id : "");
    return name + [...element.classList].slice(0, 3).map((each) => "." + each).join("");
  };
  const shown = (element) => element.checkVisibility({visibilityProperty: true});

  // Nothing is wider than the page; what scrolls in a box of its own, inside the page, may be.
  const scrolling = document.scrollingElement.scrollWidth;
  if (scrolling > width) problems.push(`the page scrolls sideways: ${scrolling} > ${width}`);
  const kept = (element) => {
    for (let box = element; box && box !== document.body; box = box.parentElement) {
      const {left, right} = box.getBoundingClientRect(), style = getComputedStyle(box);
      if (left >= width && style.position === "fixed") return true;  // a drawer that is closed
      if (box !== element && right <= width + 1 && style.overflowX !== "visible") return true;
    }
    return false;
  };
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width && box.right > width + 1 && shown(element) && !kept(element))
      problems.push(`wider than the page: ${place(element)} ends at ${Math.round(box.right)}`);
  }

  // No LaTeX is left in the text.
  const commands = "frac|sum|partial|begin|left|mathbf|mathsf|delta|sigma|odot|text|quad";
  const dollars = String.raw`\$\$|\$[^\s$](?:[^$\n]*[^\s$])?\$`;
  const latex = new RegExp(dollars + String.raw`|\\[([]|\\[a-zA-Z]+\s*[{_^]|\\(?:` + commands + String.raw`)\b`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    if (parent.closest("math, code, pre, script, style, noscript, template, textarea")) continue;
    const left = texts.currentNode.data.match(latex);
    if (left) problems.push(`LaTeX in the text of ${place(parent)}: ${left[0]}`);
  }
  for (const wrong of document.querySelectorAll(".math-error, .record-error"))
    problems.push(`an error is printed: ${wrong.textContent.slice(0, 80)}`);

  // Every image is loaded and described.
  for (const image of document.images) {
    if (!image.complete || !image.naturalWidth) problems.push(`an image is not loaded: ${image.getAttribute("src")}`);
    if (!image.alt.trim()) problems.push(`an image has no text alternative: ${image.getAttribute("src")}`);
    if (/^(\.\.\/)*_images\/[0-9a-f]+/.test(image.alt)) problems.push(`an image's text alternative is its file name`);
  }

  // Every formula is there for eyes and for ears.
  for (const formula of document.querySelectorAll(".katex")) {
    const spoken = formula.querySelector("math"), drawn = formula.querySelector(".katex-html");
    const where = place(formula.parentElement);
    if (!spoken || !spoken.textContent.trim()) problems.push(`a formula without MathML in ${where}`);
    if (!drawn || (shown(formula) && !drawn.getBoundingClientRect().width))
      problems.push(`a formula that is not drawn in ${where}`);
  }
  for (const math of document.querySelectorAll("math"))
    if (!math.closest(".katex")) problems.push("a <math> outside a rendered formula");
  const fonts = [...document.fonts];
  for (const font of fonts) if (font.status === "error") problems.push(`a font is not loaded: ${font.family}`);
  const drawnInKatex = fonts.some((font) => font.family.startsWith("KaTeX") && font.status === "loaded");
  if ([...document.querySelectorAll(".katex")].some(shown) && fonts.length && !drawnInKatex)
    problems.push("no font of KaTeX is loaded");

  // A number that leaves an equation too little room stands below it.
  for (const number of document.querySelectorAll(".math-display > .eqno")) {
    const equation = number.parentElement.querySelector(".math-scroll");
    const beside = number.getBoundingClientRect().top < equation.getBoundingClientRect().bottom - 1;
    if (shown(number) && beside && equation.scrollWidth > equation.clientWidth + 1)
      problems.push(`an equation is cut by its number ${number.textContent}`);
  }

  // What scrolls sideways can be reached and is named; what is folded gets its stop when it is opened.
  const scrolls = ".math-scroll, .table-scroll, .pst-scrollable-table-container, .highlight pre";
  for (const box of [...document.querySelectorAll(scrolls)].filter(shown))
    if (box.scrollWidth > box.clientWidth + 1 && (box.tabIndex !== 0 || !box.getAttribute("role") || !box.ariaLabel))
      problems.push(`a box that scrolls without a tab stop and a name: ${place(box)}`);
  // Every control can be reached by keyboard.
  const controls = "a[href], button, input, select, textarea, summary, [role='button'], [onclick]";
  for (const control of document.querySelectorAll(controls))
    if (shown(control) && control.tabIndex < 0 && !control.disabled && !control.matches(".sidebar-toggle"))
      problems.push(`a control that no key reaches: ${place(control)}`);

  // Formulas and words have contrast with their ground.
  const light = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.match(/[\d.]+/g).map((each) => linear(each / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let box = element; box; box = box.parentElement) {
      const colour = getComputedStyle(box).backgroundColor;
      if (!/^rgba\(.*, 0(\.\d+)?\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const measured = new Map();
  const written = ".katex, p, code, th, td, li, summary, .tip, .because, button:not(.copybtn)";
  for (const element of document.querySelectorAll(`.bd-article :is(${written})`)) {
    if (!shown(element)) continue;
    const pair = [getComputedStyle(element).color, ground(element)];
    if (!measured.has(pair.join())) measured.set(pair.join(), [pair, element]);
  }
  for (const [pair, element] of measured.values()) {
    const [low, high] = pair.map(light).sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5)
      problems.push(`too little contrast (${contrast.toFixed(1)}): ${place(element)}, ${pair}`);
  }
  return [...new Set(problems)];
}
"""
AXE = ROOT / "tools" / "node_modules" / "axe-core" / "axe.min.js"
# KaTeX draws all formulas alike, and one word of each colour stands for the code: axe sees them all on the page that
# holds everything, and elsewhere, where they would take minutes, only these.
THINNED = """
() => {
  for (const formula of document.querySelectorAll(".katex")) formula.textContent = "x";
  const seen = new Set();
  for (const word of document.querySelectorAll("pre span[class]:not(:has(*))"))
    if (seen.has(word.className)) word.replaceWith(word.textContent);
    else seen.add(word.className);
}
"""
EXAMINE = """
async () => {
  // The theme's button floats over whatever was scrolled to last.
  document.getElementById("pst-back-to-top")?.style.setProperty("display", "none", "important");
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const result = await axe.run({resultTypes: ["violations"], runOnly: rules});
  return result.violations.map((each) => `${each.id}: ${each.nodes[0].html.slice(0, 120)} (${each.nodes.length})`);
}
"""
MOST_BYTES, MOST_REQUESTS = 350_000, 20


@pytest.fixture(scope="module")
def browser():
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@functools.cache
def context_of(browser, size, scheme, **options):
    """One context for each kind of view: the pages in it share what they load, and keep it between tests."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, **options)
    context.set_default_timeout(120_000)  # a machine may have other work to do
    return context


@contextmanager
def opened(browser, address, size="laptop", scheme="light", on_request=None, **options):
    """A page, and the list of what went wrong while it was loaded."""
    problems = []
    page = context_of(browser, size, scheme, **options).new_page()
    home = urlsplit(address).netloc

    def seen(request):
        asked = urlsplit(request.url)
        if on_request:
            on_request(request.url)
        if asked.scheme not in ("data", "blob", "file") and asked.netloc != home:
            problems.append(f"a request to another host: {request.url}")

    def on_response(response):
        if response.status >= 400:
            problems.append(f"a request answered {response.status}: {response.url}")

    page.on("request", seen)
    page.on("response", on_response)
    page.on("requestfailed", lambda request: problems.append(f"a request failed: {request.url} ({request.failure})"))
    page.on("pageerror", lambda error: problems.append(f"a script failed: {error}"))
    page.on("console", lambda said: said.type == "error" and problems.append(f"in the console: {said.text}"))
    try:
        page.goto(address, wait_until="load")
        if options.get("java_script_enabled", True):
            page.evaluate("() => document.fonts.ready.then(() => null)")
        yield page, problems
    finally:
        page.close()


# A box gets its tab stop when it comes near the window, so the whole page is brought there once.
READ_THROUGH = """
async () => {
  // What a page does when it is drawn needs frames. A browser with much to do may draw none for a while: it is waited
  // for at each place, half a minute in all, and whether that was enough is the answer.
  let patience = globalThis.patience ?? 30000;
  const comes = (wait) => new Promise((done) => {
    const late = setTimeout(() => done(false), wait);
    requestAnimationFrame(() => (clearTimeout(late), done(true)));
  });
  const frame = async () => { while (patience > 0 && !(await comes(5000))) patience -= 5000; };
  for (let y = 0; y < document.scrollingElement.scrollHeight; y += innerHeight) {
    window.scrollTo({top: y, behavior: "instant"});
    await frame();
    await frame();
  }
  window.scrollTo({top: 0, behavior: "instant"});
  await frame();
  return (globalThis.readThrough = patience > 0);
}
"""
FOLLOWED = "scheme => [undefined, scheme].includes(document.documentElement.dataset.theme)"


LONGEST_READING = 120_000  # milliseconds


def settles(page, condition, argument=None, timeout=10_000):
    """Whether a condition comes true within some milliseconds."""
    try:
        page.wait_for_function(
            condition, arg=argument, timeout=timeout, polling=100
        )  # not by frames: there may be none
    except playwright.TimeoutError:
        return False
    return True


def drawn_as(page, size, scheme):
    """Whether an open page has taken on a size and a scheme, and has been drawn from its top to its end."""
    page.bring_to_front()  # what is behind another page may not be drawn
    page.emulate_media(color_scheme=scheme)
    followed = settles(page, FOLLOWED, scheme)
    if page.viewport_size == SIZES[size] and page.evaluate("globalThis.readThrough"):
        return followed
    page.set_viewport_size(SIZES[size])
    # Not awaited in the page: where Chromium has stopped drawing, its timers may stop too, and no answer would come.
    page.evaluate(f"() => {{ globalThis.readThrough = null; ({READ_THROUGH})(); }}")
    return (
        settles(page, "globalThis.readThrough !== null", timeout=LONGEST_READING)
        and page.evaluate("readThrough")
        and followed
    )


def looked_at(page, size, scheme):
    """Everything that is wrong with one view of a page that is open."""
    if not drawn_as(page, size, scheme):
        return inspected(page.context.browser, page.url, size, scheme)
    return [f"{size}, {scheme}: {problem}" for problem in page.evaluate(INSPECT)]


def inspected(browser, address, size, scheme, attempts=3):
    """Everything that is wrong with one view of a page, and with loading it."""
    with opened(browser, address, size, scheme) as (page, problems):
        drawn = drawn_as(page, size, scheme)
        if drawn:
            problems += page.evaluate(INSPECT)
        theme, state = page.evaluate("() => [document.documentElement.dataset.theme, document.visibilityState]")
    # Chromium without a screen at times stops drawing a page for good. Such a page is opened once more, as a reader's
    # reload would: what a page owes its reader is asked of the second as of the first.
    if not drawn and attempts > 1:
        return inspected(browser, address, size, scheme, attempts - 1)
    if not drawn:
        wrong_theme = theme and theme != scheme
        problems.append(f"shown {theme}, not {scheme}" if wrong_theme else f"not drawn from top to end ({state})")
    return [f"{size}, {scheme}: {problem}" for problem in problems]


def examined(page):
    """What axe finds."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(EXAMINE)


def examined_thin(page, sizes, attempts=3):
    """What axe finds in a page without most of its formulas; a page that is no longer drawn is opened again."""
    if not drawn_as(page, "phone", "dark"):
        if attempts == 1:
            return ["not drawn from top to end, so not examined"]
        with opened(page.context.browser, page.url, "phone", "dark") as (again, problems):
            return examined_thin(again, sizes, attempts - 1) + problems
    page.evaluate(THINNED)
    found = []
    for size in sizes:
        page.set_viewport_size(SIZES[size])
        found += examined(page)
    return found


def weight(names, folder):
    """The compressed size of files that a page has asked for."""
    return sum(len(gzip.compress((folder / name).read_bytes(), 6)) for name in names)


# The book -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book():
    if not (HTML / "index.html").is_file():
        pytest.fail("there is no built book in _build/html: run make book", pytrace=False)
    with serving(HTML) as address:
        yield address


def test_the_address_of_the_book_leads_to_its_first_page(browser, book):
    with opened(browser, f"{book}/book/intro.html") as (page, problems):
        page.goto(f"{book}/index.html", wait_until="commit")
        page.wait_for_url("**/book/intro.html")
        # The address leads on at once, and the browser drops what the page that it leaves had still asked for.
        assert not [problem for problem in problems if "net::ERR_ABORTED" not in problem]
    assert "book/intro.html" in NAMES


def test_the_page_that_leads_on_is_a_page_by_itself(browser, book, tmp_path):
    # Held still: a browser that stays on it for a moment asks for an icon, and people may see the link.
    shutil.copytree(HTML / "_static", tmp_path / "_static")
    still = (HTML / "index.html").read_text(encoding="utf-8").replace('content="0;', 'content="600;')
    (tmp_path / "index.html").write_text(still, encoding="utf-8")
    with serving(tmp_path) as address, opened(browser, f"{address}/index.html") as (page, problems):
        page.wait_for_timeout(1000)
        assert page.url.endswith("/index.html")
        assert page.title() == page.get_by_role("link").inner_text()
        assert not problems


# A wide window shows the frame of the theme, the same around every page: axe sees it around these.
SEEN_WIDE = ["book/intro.html", "book/03_activations_and_losses.html", "genindex.html", "search.html"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_the_book(browser, book, name):
    """One load as a laptop, seen in all sizes and both schemes: a page adapts while it is open."""
    asked = []
    with opened(browser, f"{book}/{name}", on_request=asked.append) as (page, problems):
        page.wait_for_timeout(300)
        at_first = {urlsplit(each).path.lstrip("/") for each in asked}
        for size in ("laptop", "tablet", "phone"):
            for scheme in ("light", "dark"):
                problems += looked_at(page, size, scheme)
        assert not problems
        found = examined_thin(page, ["phone", "laptop"] if name in SEEN_WIDE else ["phone"])
        assert not problems + found
    if name.startswith("book/"):
        assert len(at_first) <= MOST_REQUESTS, sorted(at_first)
        assert weight(at_first, HTML) <= MOST_BYTES, sorted(at_first)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_the_book_opened_on_a_phone_in_the_dark(browser, book, name):
    assert not inspected(browser, f"{book}/{name}", "phone", "dark")


JUMPS = """
() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 500);
})
"""


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("book/")])
def test_nothing_jumps_while_a_page_is_loaded(browser, book, name):
    with opened(browser, f"{book}/{name}", "phone") as (page, _):
        assert page.evaluate(JUMPS) < 0.1  # what Lighthouse calls good


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("book/")])
def test_a_page_without_javascript(browser, book, name):
    with opened(browser, f"{book}/{name}") as (page, _):
        formulas = page.locator(".bd-article .katex").count()
        pictures = page.locator(".bd-article img").count()
    with opened(browser, f"{book}/{name}", java_script_enabled=False) as (page, problems):
        assert page.locator(".bd-article .katex math").count() == formulas
        assert page.locator(".bd-article img").count() == pictures
        assert page.locator(".bd-article h1").is_visible()
        assert all(tab.is_visible() for tab in page.locator(".sd-tab-content, .sd-tab-label").all())
        # The theme preloads scripts that the browser then refuses to run.
        assert not [problem for problem in problems if not re.search(r"request failed: .*\.js\b", problem)]


def test_conventions_are_printed_one_after_the_other(browser, book):
    with opened(browser, f"{book}/book/07_conventions.html") as (page, _):
        tabs = page.locator(".sd-tab-content").all()
        assert sum(tab.is_visible() for tab in tabs) == 2, "on a screen one tab of each set is open"
        page.emulate_media(media="print")
        assert len(tabs) == 9
        assert all(tab.is_visible() for tab in tabs)
        places = "() => [...document.querySelector('.sd-tab-set').querySelectorAll('label, .sd-tab-content')]"
        tops = page.evaluate(places + ".map((part) => part.offsetTop)")
        names = [name.strip() for name in page.locator(".sd-tab-label").all_text_contents()]
    assert names == ["This course, 000", "001", "002", "003", "PyTorch", "This course, 000", "002", "004", "PyTorch"]
    assert len(tops) == 10
    assert tops == sorted(tops), "each under its own name, in the order of the text"


# What the pages do, on a page that holds everything ------------------------------------------------------------------


@pytest.fixture(scope="module")
def showcase(site, tmp_path_factory):
    """The page that holds everything, made light as the book is."""
    folder = tmp_path_factory.mktemp("light") / "html"
    shutil.copytree(site.html, folder)
    lighten.lighten(folder)
    page = (folder / "book" / "showcase.html").read_text(encoding="utf-8")
    start = '<div class="reveal-content">'
    code = f"<div class='highlight'><pre>{300 * 'x'}</pre></div>"
    (folder / "book" / "folded.html").write_text(page.replace(start, start + code, 1), encoding="utf-8")
    with serving(folder) as address:
        yield f"{address}/book/showcase.html"


def test_a_page_that_holds_everything(browser, showcase):
    with opened(browser, showcase) as (page, problems):
        for size, scheme in VIEWS:
            problems += looked_at(page, size, scheme)
        assert not problems
        assert not examined(page)


def test_an_open_page_follows_the_scheme_of_the_device(browser, showcase):
    def follows():
        with opened(browser, showcase) as (page, _):
            return all(drawn_as(page, "laptop", scheme) for scheme in ("light", "dark", "light"))

    assert any(follows() for _ in range(3))


def test_the_reason_stands_beside_the_line_or_below_it(browser, showcase):
    def places(size):
        with opened(browser, showcase, size) as (page, _):
            line = page.locator(".derivation-line:not(.derivation-start)").first
            return line.locator(".math-display").bounding_box(), line.locator(".derivation-reason").bounding_box()

    math, reason = places("laptop")
    assert reason["x"] >= math["x"] + math["width"]
    math, reason = places("phone")
    assert reason["y"] >= math["y"] + math["height"]


def test_a_mark_explains_itself_on_hover_and_on_keyboard_focus(browser, showcase):
    with opened(browser, showcase) as (page, _):
        mark = page.locator(".evidence").first
        tip = mark.locator(".tip")
        assert not tip.is_visible()
        mark.hover()
        assert tip.is_visible()
        page.keyboard.press("Escape")
        assert not tip.is_visible()
        mark.locator("button").focus()
        assert tip.is_visible()


def test_a_mark_shows_its_word_where_there_is_room(browser, showcase):
    def word_widths(size):
        with opened(browser, showcase, size) as (page, _):
            return [
                page.locator(f".evidence {word}").first.bounding_box()["width"]
                for word in (".implied", ".word:not(.implied)")
            ]

    assert min(word_widths("laptop")) > 20
    proved, weaker = word_widths("phone")
    assert proved <= 1 < 20 < weaker


@pytest.mark.parametrize("size", SIZES)
def test_no_explanation_leaves_the_page(browser, showcase, size):
    with opened(browser, showcase, size) as (page, _):
        for mark in page.locator(".evidence button").all():
            mark.focus()
            box = mark.locator("xpath=following-sibling::*").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= SIZES[size]["width"]
            assert page.evaluate("document.scrollingElement.scrollWidth") <= SIZES[size]["width"]


def test_a_break_it_table_shows_all_its_columns_on_a_phone(browser, showcase):
    def seen(size):
        with opened(browser, showcase, size) as (page, _):
            table = page.locator("table.break-it")
            ends = [cell["x"] + cell["width"] for cell in (each.bounding_box() for each in table.locator("th").all())]
            word, legend = table.locator("td .word").first.bounding_box(), page.locator(".break-it-table .legend")
            return max(ends) <= SIZES[size]["width"], word["width"] > 1, legend.is_visible()

    assert seen("phone") == (True, False, True)
    assert seen("laptop") == (True, True, False)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_fold_holds_scrolls_and_is_named_once_it_is_open(browser, showcase, size):
    with opened(browser, showcase.replace("showcase", "folded"), size) as (page, _):
        page.locator(".prediction summary").click()
        box = page.locator(".prediction .highlight pre")
        page.wait_for_function(
            "box => box.getAttribute('aria-label') === 'Code'", arg=box.element_handle(), timeout=5000
        )
        page.evaluate(READ_THROUGH)
        assert not page.evaluate(INSPECT)


def test_an_equation_of_another_page_is_shown_on_hover(browser, showcase):
    with opened(browser, showcase.replace("showcase", "intro")) as (page, problems):
        link = page.locator('a[href$="showcase.html#equation-eq-demo-dw"]')
        link.hover()
        preview = page.locator(".equation-preview")
        preview.wait_for(timeout=5000)
        assert "X" in preview.locator("math").text_content()
        page.keyboard.press("Escape")
        assert preview.count() == 0
        assert not problems


def test_a_formula_takes_a_tab_stop_only_where_it_scrolls(browser, showcase):
    def stops(size):
        with opened(browser, showcase, size) as (page, _):
            page.evaluate(READ_THROUGH)
            return page.locator(".math-scroll[tabindex='0']").count()

    assert stops("phone") > stops("laptop")


def test_a_selected_formula_is_copied_as_latex(browser, showcase):
    with opened(browser, showcase, permissions=("clipboard-read", "clipboard-write")) as (page, _):
        page.evaluate(
            """() => {
              const range = document.createRange();
              range.selectNode(document.querySelector(".result .katex-display"));
              getSelection().removeAllRanges();
              getSelection().addRange(range);
            }"""
        )
        page.keyboard.press("Control+c")
        assert r"\frac{\partial L}{\partial W_{p q}}" in page.evaluate("navigator.clipboard.readText()")


def test_answers_stay_closed_until_asked_for_and_need_no_server(browser, site):
    address = (site.html / "book" / "showcase.html").as_uri()
    with opened(browser, address) as (page, _):
        answer = page.locator(".prediction .reveal-content")
        assert not answer.is_visible()
        page.locator(".prediction summary").click()
        assert answer.is_visible()
        right, wrong = page.locator(".choice.right"), page.locator(".choice.wrong").first
        wrong.locator("input").check()
        assert wrong.locator(".feedback").is_visible()
        right.locator("input").check()
        assert right.locator(".feedback").is_visible()
        assert not wrong.locator(".feedback").is_visible()


def test_a_derivation_can_be_read_line_by_line(browser, showcase):
    with opened(browser, showcase) as (page, _):
        derivation = page.locator(".derivation").first
        lines = derivation.locator(".derivation-line, .result")
        total = lines.count()
        button = derivation.locator(".stepper")
        button.click()
        shown = [sum(line.is_visible() for line in lines.all())]
        while shown[-1] < total:
            button.click()
            shown.append(sum(line.is_visible() for line in lines.all()))
        assert shown == list(range(1, total + 1))


def test_paper_is_white(browser, showcase):
    with opened(browser, showcase, scheme="dark") as (page, _):
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_what_is_unfolded_for_paper_is_there_at_once(browser, book):
    unfold = """() => {
      document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
      return document.getAnimations().length;
    }"""
    with opened(browser, f"{book}/book/intro.html") as (page, _):
        page.emulate_media(media="print")
        assert page.evaluate(unfold) == 0
        page.emulate_media(media="screen")
        page.reload(wait_until="load")
        assert page.evaluate(unfold) > 0, "on a screen it fades in: paper would have caught it halfway"


def test_the_search_finds_words_of_a_derivation(browser, showcase):
    address = showcase.replace("book/showcase.html", "search.html?q=survives")
    with opened(browser, address) as (page, problems):
        page.locator("#search-results a", has_text="Every kind of thing").first.wait_for(timeout=10000)
        assert not problems


def test_a_jump_lands_at_its_part_although_the_page_is_laid_out_on_the_way(browser, book):
    with opened(browser, f"{book}/book/01_linear_layer.html", "phone") as (page, problems):
        for part in ("exercises", "three-small-jacobians", "break-it"):
            page.evaluate("part => { location.hash = part; }", part)
            place = f"document.getElementById('{part}').getBoundingClientRect().top"
            page.wait_for_function(f"Math.abs({place}) < 150", timeout=10000)
            page.wait_for_timeout(700)
            assert abs(page.evaluate(place)) < 150
        assert not problems


# What is laid out late, with the height that stands in for it and its own.
STANDINS = """
() => {
  const late = ".bd-article section > :is(section, .cell, .box, .pst-scrollable-table-container)";
  const style = document.createElement("style");
  style.textContent = late + " { content-visibility: visible !important }";
  document.head.append(style);
  return [...document.querySelectorAll(late)].map((part) =>
    [parseFloat(part.style.getPropertyValue("--high")), part.getBoundingClientRect().height]);
}
"""


@pytest.mark.parametrize("name", ["04_softmax_cross_entropy", "07_conventions", "09_initialization", "ledger"])
def test_what_stands_in_for_a_part_is_nearly_always_as_high_on_a_phone(browser, book, name):
    with opened(browser, f"{book}/book/{name}.html", "phone") as (page, _):
        heights = page.evaluate(STANDINS)
    higher = [own / stands for stands, own in heights if not own <= stands]
    assert len(heights) >= 3
    assert len(higher) <= 0.03 * len(heights), f"{len(higher)} of {len(heights)}"
    assert max(higher, default=1) < 1.4


def test_symbols_explain_themselves_on_hover_and_on_keyboard_focus(browser, book):
    with opened(browser, f"{book}/book/01_linear_layer.html") as (page, problems):
        card = page.locator(".symbol-card")
        formula = page.locator(".bd-article section > p .math-inline:has(annotation:text-is('m')) .mord").first
        formula.scroll_into_view_if_needed()
        formula.hover()
        card.wait_for(timeout=10000)
        assert "how many samples" in card.text_content()
        page.keyboard.press("Escape")
        assert card.count() == 0
        page.mouse.move(0, 0)
        page.keyboard.press("Tab")
        stop = page.locator(".math-inline[tabindex='0']").first
        stop.wait_for(timeout=10000)
        stop.focus()
        card.wait_for(timeout=10000)
        assert stop.get_attribute("aria-describedby") == card.get_attribute("id")
        assert not problems


def test_a_numbered_equation_offers_its_latex_and_its_symbols(browser, book):
    rights = ("clipboard-read", "clipboard-write")
    with opened(browser, f"{book}/book/01_linear_layer.html", permissions=rights) as (page, problems):
        equation = page.locator(".math-display.numbered").first
        equation.scroll_into_view_if_needed()
        equation.locator("a.headerlink").focus()
        copy, explain = equation.locator(".math-tools button").all()
        copy.click()
        assert copy.text_content() == "Copied"
        assert page.evaluate("navigator.clipboard.readText()") == equation.locator("annotation").text_content()
        explain.click()
        page.locator(".symbol-card").wait_for(timeout=10000)
        assert not problems


@pytest.mark.parametrize(
    ("asked", "page_found"), [("δ", "Notation"), ("jacobian", "Glossary"), ("linear_backward", "")]
)
def test_the_search_finds_symbols_words_and_functions(browser, book, asked, page_found):
    with opened(browser, f"{book}/search.html?q={asked}") as (page, problems):
        page.locator("#search-results a", has_text=page_found).first.wait_for(timeout=20000)
        assert not problems


# The ground of the light and of the dark mode, and the least contrast of a line or a word in a figure.
GROUNDS, LEAST = ("#ffffff", "#15191e"), 3.0


def luminance(colour):
    parts = [int(colour[each : each + 2], 16) / 255 for each in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pale_colours(svg):
    """Colours of opaque lines and words that do not show on one of the grounds."""
    styles = [style for style in re.findall(r'style="([^"]*)"', svg) if "opacity" not in style]
    drawn = {colour for style in styles for colour in re.findall(r"(?<![-\w])stroke: (#[0-9a-f]{6})", style)}
    # White words stand on tiles, in colours that show on white.
    drawn |= {colour for style in styles for colour in re.findall(r"^fill: (#(?!ffffff)[0-9a-f]{6})$", style)}
    return {colour for colour in drawn if min(contrast(colour, ground) for ground in GROUNDS) < LEAST}


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_grounds_are_those_of_the_book(browser, book, ground):
    scheme = "light" if ground == GROUNDS[0] else "dark"
    with opened(browser, f"{book}/book/intro.html", scheme=scheme) as (page, _):
        red, green, blue = (int(ground[each : each + 2], 16) for each in (1, 3, 5))
        shown = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert shown == f"rgb({red}, {green}, {blue})"


def test_every_figure_shows_on_both_grounds():
    figures = sorted((HTML / "_images").glob("*.svg"))
    assert figures
    pale = {path.name: pale_colours(path.read_text(encoding="utf-8")) for path in figures}
    assert not {name: colours for name, colours in pale.items() if colours}


def test_a_figure_that_vanishes_in_one_mode_is_seen():
    assert pale_colours('<path style="fill: none; stroke: #ffe000"/>') == {"#ffe000"}
    assert pale_colours('<g style="fill: #222222"/>') == {"#222222"}
    assert pale_colours('<path style="stroke: #ffe000; stroke-opacity: 0.2"/><g style="fill: #2b7fc4"/>') == set()


# Each check is seen to fail ------------------------------------------------------------------------------------------

PLAIN = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Page</title>
<link rel="icon" href="data:,"></head><body><p>Words.</p>{planted}</body></html>"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PLANTED = {
    "a link to a CDN": (
        '<script src="https://cdn.jsdelivr.net/npm/x.js"></script>',
        "another host: https://cdn.jsdelivr",
    ),
    "a font from another host": (
        "<style>@font-face{font-family:F;src:url(https://fonts.example/f.woff2)}p{font-family:F}</style>",
        "another host: https://fonts.example",
    ),
    "a file that is missing": ('<script src="gone.js"></script>', "answered 404"),
    "a script that fails": ("<script>nothing.at.all</script>", "a script failed"),
    "an error in the console": ('<script>console.error("oh")</script>', "in the console: oh"),
    "a wide element": ('<div style="width:2000px">wide</div>', "the page scrolls sideways"),
    "a wide element in a page that hides it": (
        '<style>body{overflow-x:hidden}</style><div id="wide" style="width:2000px">wide</div>',
        "wider than the page: div#wide",
    ),
    "a display left in dollars": ("<p>$$x$$</p>", "LaTeX in the text of p: $$"),
    "inline math left in dollars": ("<p>so $x_1$ is</p>", "LaTeX in the text of p: $x_1$"),
    "a command left in the text": (r"<p>\frac{a}{b}</p>", r"LaTeX in the text of p: \frac"),
    "a printed error": ('<code class="math-error">x</code>', "an error is printed"),
    "an image that is missing": ('<img src="gone.png" alt="A graph.">', "an image is not loaded: gone.png"),
    "an image without a text alternative": (f'<img src="{PIXEL}">', "no text alternative"),
    "a file name as a text alternative": (
        f'<img src="{PIXEL}" alt="../_images/0a1b2c.svg">',
        "text alternative is its file name",
    ),
    "a page that is dark in a light room": (
        "<script>document.documentElement.dataset.theme = 'dark'</script>",
        "shown dark, not light",
    ),
    "a formula in no font of KaTeX": (
        "<style>@font-face{font-family:F;src:local(serif)}</style>"
        '<span class="katex"><math><mi>x</mi></math><span class="katex-html">x</span></span>',
        "no font of KaTeX",
    ),
    "a formula without MathML": ('<span class="katex"><span class="katex-html">x</span></span>', "without MathML"),
    "a formula that is not drawn": ('<span class="katex"><math><mi>x</mi></math></span>', "is not drawn"),
    "MathML alone": ("<math><mi>x</mi></math>", "outside a rendered formula"),
    "an equation cut by its number": (
        '<div class="math-display" style="display:flex;width:300px"><div class="math-scroll" tabindex="0" role="group" '
        'aria-label="x" style="overflow-x:auto"><div style="width:400px">x</div></div><b class="eqno">(1.1)</b></div>',
        "an equation is cut by its number (1.1)",
    ),
    "words that hardly show": (
        '<div class="bd-article"><p style="color:#999">pale</p></div>',
        "too little contrast (2.8)",
    ),
    "a control that no key reaches": ('<button tabindex="-1">Press</button>', "a control that no key reaches: button"),
    "a box that cannot be reached": (
        '<div class="math-scroll" style="overflow-x:auto;width:50px"><div style="width:90px">x</div></div>',
        "without a tab stop",
    ),
}
HARMLESS = {
    "a wide element in a box of its own": '<div style="overflow-x:auto"><div style="width:2000px">wide</div></div>',
    "LaTeX in code": "<pre>$x_1$ and \\frac{a}{b}</pre><code>$$</code>",
    "a price": "<p>It costs $5, or $ 6, or 7 $.</p>",
    "a link to another host": '<a href="https://example.org">there</a>',
    "a number below its equation": (
        '<div class="math-display" style="display:flex;flex-wrap:wrap;width:300px"><div class="math-scroll" '
        'tabindex="0" role="group" aria-label="x" style="overflow-x:auto;max-width:100%"><div style="width:400px">x'
        '</div></div><b class="eqno">(1.1)</b></div>'
    ),
    "an image with a text alternative": f'<img src="{PIXEL}" alt="A dot.">',
}


@pytest.fixture(scope="module")
def planted_pages(tmp_path_factory):
    """A server of small pages, each with one planted error, or with something that only looks like one."""
    folder = tmp_path_factory.mktemp("planted")
    for name, planted in [*((name, each[0]) for name, each in PLANTED.items()), *HARMLESS.items()]:
        (folder / f"{slug(name)}.html").write_text(PLAIN.format(planted=planted), encoding="utf-8")
    with serving(folder) as address:
        yield address


def slug(name):
    return re.sub(r"\W+", "-", name.lower())


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_is_seen(browser, planted_pages, name):
    problems = inspected(browser, f"{planted_pages}/{slug(name)}.html", "phone", "light")
    assert any(PLANTED[name][1] in problem for problem in problems), problems


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_an_error_is_not(browser, planted_pages, name):
    assert not inspected(browser, f"{planted_pages}/{slug(name)}.html", "phone", "light")


def test_axe_sees_a_control_without_a_name(browser, planted_pages):
    with opened(browser, f"{planted_pages}/{slug('a price')}.html") as (page, _):
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
        assert any("button-name" in found for found in examined(page))


STOPPED = {
    "nothing": "",
    "drawing": "globalThis.patience = 1; globalThis.requestAnimationFrame = () => 0;",
    "drawing and timers": "globalThis.requestAnimationFrame = globalThis.setTimeout = () => 0;",
}


@pytest.mark.parametrize("stopped", STOPPED)
def test_axe_is_asked_about_a_page_that_is_drawn(browser, planted_pages, monkeypatch, stopped):
    monkeypatch.setattr(sys.modules[__name__], "LONGEST_READING", 8000)
    # The control without a name is in the page that was open first, not in its file.
    with opened(browser, f"{planted_pages}/{slug('a price')}.html") as (page, _):
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
        page.evaluate(f"() => {{ {STOPPED[stopped]} }}")
        named = [found for found in examined_thin(page, ["phone"]) if "button-name" in found]
        assert bool(named) == (stopped == "nothing")


def test_a_page_that_is_never_drawn_is_not_passed_over(browser, planted_pages):
    with opened(browser, f"{planted_pages}/{slug('a price')}.html") as (page, _):
        page.evaluate(f"() => {{ {STOPPED['drawing']} }}")
        assert examined_thin(page, ["phone"], attempts=1) == ["not drawn from top to end, so not examined"]


def test_the_wrong_colour_scheme_is_seen(browser, showcase):
    with opened(browser, showcase, scheme="dark") as (page, _):
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    with opened(browser, showcase, scheme="light") as (page, _):
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_a_missing_chromium_is_found_missing(monkeypatch):
    monkeypatch.setenv("BACKPROP_CHROMIUM", "/nowhere/chromium")
    assert find_chromium() is None
    monkeypatch.delenv("BACKPROP_CHROMIUM")
    monkeypatch.setenv("PATH", "")
    assert find_chromium() is None
