"""Making the built book light: what the pages load, what is left of it, and every refusal when the theme changes."""

import re
import shutil

import lighten
import plain_code
import pytest
import standins

NAMES = [name.replace("mystnb.*", f"mystnb.{64 * 'a'}") for name in lighten.STYLES]
STYLES = "".join(f'<link rel="stylesheet" href="../_static/{name}?v=1" />' for name in NAMES)
PRELOADS = "".join(f'<link rel="preload" href="../_static/{name}" />' for name in lighten.PRELOADED)
SCRIPTS = "".join(f'<script src="../_static/{name}?v=1"></script>' for name in (lighten.INLINED, *lighten.SCRIPTS))
PAGE = f"<html><head>{STYLES}{PRELOADS}{SCRIPTS}</head><body>{{}}</body></html>"


def test_a_page_loads_one_stylesheet_and_one_script():
    made = lighten.lightened(PAGE.format(""), "const DOCUMENTATION_OPTIONS = {}")
    assert re.findall(r'href="([^"]*)"', made) == ["../_static/book.css"]
    assert re.findall(r'src="([^"]*)"', made) == ["../_static/book.js"]
    assert "<script>const DOCUMENTATION_OPTIONS = {}</script>" in made


def test_fonts_of_formulas_are_asked_for_early_where_there_are_formulas():
    made = lighten.lightened(PAGE.format('<span class="katex">x</span>'), "")
    assert made.count('rel="preload" as="font"') == len(lighten.MATH_FONTS)
    assert 'href="../_static/katex/fonts/' in made


def test_scripts_of_a_single_page_wait_for_the_shared_one():
    extra = '<script src="../_static/searchtools.js"></script><script src="../searchindex.js"></script>'
    made = lighten.lightened(PAGE.format(extra), "")
    assert '<script defer src="../_static/searchtools.js">' in made
    assert '<script defer src="../searchindex.js">' in made


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda page: page.replace("copybutton.css", "other.css"), "other.css"),
        (lambda page: page.replace("</head>", '<link rel="stylesheet" href="../_static/new.css" /></head>'), "new.css"),
        (lambda page: page.replace("</head>", '<script src="../_static/new.js"></script></head>'), "new.js"),
        (lambda page: page.replace('<script src="../_static/doctools.js?v=1"></script>', ""), "doctools.js"),
        (lambda page: page.replace("</head>", STYLES + "</head>"), "more than once"),
        (lambda page: page.replace('rel="preload" href', 'rel="preload" title="x" href', 1), None),
    ],
)
def test_a_theme_that_has_changed_is_seen(change, says):
    if says is None:
        lighten.lightened(change(PAGE.format("")), "")
        return
    with pytest.raises(lighten.ThemeChangedError, match=says):
        lighten.lightened(change(PAGE.format("")), "")


@pytest.mark.parametrize("name", lighten.SEARCHES)
def test_a_search_of_the_whole_page_must_be_found_once_in_its_script(name):
    search, instead = lighten.SEARCHES[name]
    assert lighten.searching_less(name, f"query({search})") == f"query({instead})"
    for script in ("query('pre')", f"{search} {search}"):
        with pytest.raises(lighten.ThemeChangedError, match="no longer holds"):
            lighten.searching_less(name, script)
    assert lighten.searching_less("doctools.js", search) == search


@pytest.mark.parametrize(
    "classes", ["margin", "cell tag_margin docutils", "admonition sidebar", "full-width", "popout"]
)
def test_what_stands_in_the_margin_is_refused_since_no_script_looks_for_it(classes):
    with pytest.raises(lighten.ThemeChangedError, match="margin"):
        lighten.lightened(PAGE.format(f'<div class="{classes}">x</div>'), "")
    for other in ("bd-sidebar", "margin-rule", "sidebar-toggle"):
        lighten.lightened(PAGE.format(f'<div class="{other}">x</div>'), "")


# Code without plain tokens, and heights ------------------------------------------------------------------------------

BOX, TOKEN = (
    'html[data-theme="{}"] .highlight {{ background: #FFF; color: #000 }}',
    'html[data-theme="{}"] .highlight .{} {{ {} }}',
)


def test_a_token_is_plain_only_if_it_is_so_in_every_theme():
    rules = [BOX.format(theme) for theme in ("light", "dark")]
    rules += [TOKEN.format("light", "n", "color: #000"), TOKEN.format("dark", "n", "color: #000")]
    rules += [TOKEN.format("light", "k", "color: #000"), TOKEN.format("dark", "k", "color: #00F")]
    rules += [TOKEN.format(theme, "c", "color: #000; font-style: italic") for theme in ("light", "dark")]
    assert plain_code.plain_tokens("\n".join(rules)) == {"n"}


def test_code_reads_the_same_without_plain_tokens(site):
    css = lighten.file_of(site.html / "_static", "pygments.css").read_text(encoding="utf-8")
    tokens = plain_code.plain_tokens(css)
    assert {"n", "p", "w"} <= tokens
    assert not tokens & {"k", "o", "s2", "c1", "mi"}
    html = (site.html / "book" / "showcase.html").read_text(encoding="utf-8")
    made = plain_code.unwrapped(html, tokens)
    assert len(made) < len(html)
    texts = [re.sub(r"<[^>]*>", "", each) for each in (made, html)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("content", "high"),
    [
        ("", 0),
        ("<pre>" + 10 * "a line\n" + "</pre>", standins.CODE + 10 * standins.CODE_LINE),
        ("<pre>" + 10 * '<span class="k">for</span>\n' + "</pre>", standins.CODE + 10 * standins.CODE_LINE),
        ("<pre>" + 100 * "x" + "</pre>", standins.CODE + 3 * standins.CODE_LINE),
        ("<p>" + 300 * "x" + "</p>", standins.BLOCK + -(-300 // standins.PER_LINE) * standins.LINE),
        ("<p>one</p><p>two</p>", 2 * (standins.BLOCK + standins.LINE)),
        ("<ul><li>one<li>two</ul>", 2 * (standins.BLOCK + standins.LINE)),
        ("<p>" + 20 * "&amp;" + "</p>", standins.BLOCK + standins.LINE),
        ("<p>x<math><mi>" + 900 * "x" + "</mi></math></p>", standins.BLOCK + standins.LINE),
        ('<img width="656" height="400" src="a.svg" alt="A.">', 200),
        ('<img width="100" height="90" src="a.svg" alt="A.">', 90),
        ("<details><pre>" + 40 * "\n" + "</pre></details>", standins.FOLDED),
        ('<div class="math-display">x</div>', standins.EQUATION + standins.EQUATION_LINE),
        ("<table><tr><td>" + 52 * "x" + "</td><td>y</td></tr></table>", standins.ROW + 2 * standins.LINE),
        ("<table><tr><td><p>a</p><p>b</p></td>" + 4 * "<td>y</td>" + "</tr></table>", standins.ROW + standins.LINE),
    ],
)
def test_a_height_is_what_the_part_holds(content, high):
    made = standins.heights(f'<section><div class="cell">{content}</div><p>Below.</p></section>')
    assert list(made.values()) == [-(-high // standins.STEP) * standins.STEP]


def test_a_height_is_written_to_what_is_laid_out_late_and_to_nothing_else():
    html = '<section><p>a</p><section><div class="cell">b</div></section><div><div class="cell">c</div></div></section>'
    made = standins.reserved(html)
    assert re.findall(r"<(\w+) style=", made) == ["section", "div"]
    assert re.sub(r' style="--high:\d+px"', "", made) == html


def test_imported_stylesheets_and_addresses_are_followed(tmp_path):
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "a.css").write_text('@import "../b.css"; p { background: url(x.png) }', encoding="utf-8")
    (tmp_path / "b.css").write_text("q { background: url('data:image/png;base64,AA') }", encoding="utf-8")
    made = lighten.merged_css(tmp_path, ("styles/a.css",))
    assert "@import" not in made
    assert "url(styles/x.png)" in made
    assert "url('data:image/png;base64,AA')" in made


def test_rules_in_use_stay_and_others_go():
    css = ".used { color: red } .unused { color: blue } .show { top: 0 } .tooltip-inner { top: 1px }"
    ours = ".mine:is(:hover, :focus-within) > .part { top: 2px }"
    made, (script,) = lighten.shrunk(css, ours, {"used", "p"}, ['"use strict";\nconst answer = 1 + 1;'])
    for rule in (".used", ".show", ".tooltip-inner", ".mine"):
        assert rule in made
    assert ".unused" not in made
    assert script == '"use strict";const answer=2;'


def test_pictures_have_their_sizes(tmp_path):
    (tmp_path / "_images").mkdir()
    (tmp_path / "book").mkdir()
    svg = '<svg width="90pt" height="45pt" viewBox="0 0 90 45" xmlns="http://www.w3.org/2000/svg"></svg>'
    (tmp_path / "_images" / "a.svg").write_text(svg, encoding="utf-8")
    made = lighten.sized('<img alt="A." src="../_images/a.svg" />', tmp_path / "book" / "page.html")
    assert made.startswith('<img width="120" height="60" loading="lazy"')
    (tmp_path / "_images" / "b.svg").write_text("<svg></svg>", encoding="utf-8")
    with pytest.raises(ValueError, match=r"b\.svg does not say"):
        lighten.sized('<img alt="B." src="../_images/b.svg" />', tmp_path / "book" / "page.html")


def test_the_icon_font_must_be_where_it_was(tmp_path):
    with pytest.raises(lighten.ThemeChangedError, match="icon font"):
        lighten.with_icons("p{color:red}", tmp_path)


def test_a_folder_without_pages_is_refused(tmp_path):
    with pytest.raises(lighten.ThemeChangedError, match="build the book first"):
        lighten.lighten(tmp_path)


def test_a_built_site_is_made_light_once(site, tmp_path):
    folder = tmp_path / "html"
    shutil.copytree(site.html, folder)
    assert "pages lightened" in lighten.lighten(folder)
    page = (folder / "book" / "showcase.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<link[^>]*rel=\"stylesheet\"", page)) == 1
    assert len((folder / "_static" / "book.css").read_bytes()) < 200_000
    css = (folder / "_static" / "book.css").read_text(encoding="utf-8")
    assert css.count("font/woff2;base64") == 1
    for font in re.findall(r"url\((katex/[^)]+)\)", css):
        assert (folder / "_static" / font).is_file()
    assert lighten.lighten(folder).startswith("0 of")


def test_the_redirect_at_the_books_address_has_a_title_an_icon_and_a_link(tmp_path):
    (tmp_path / "book").mkdir()
    first = '<title>The course</title>\n<link rel="icon" href="../_static/favicon.svg"/>'
    (tmp_path / "book" / "intro.html").write_text(first, encoding="utf-8")
    index = tmp_path / "index.html"
    index.write_text('<meta http-equiv="Refresh" content="0; url=book/intro.html" />\n', encoding="utf-8")
    lighten.lead_on(index)
    made = index.read_text(encoding="utf-8")
    assert '<meta http-equiv="refresh" content="0; url=book/intro.html">' in made
    assert '<link rel="icon" href="_static/favicon.svg">' in made
    assert '<a href="book/intro.html">The course</a>' in made
    lighten.lead_on(index)
    assert index.read_text(encoding="utf-8") == made
