"""Code without the elements around tokens that look like any other code: thousands in a chapter, which nobody sees."""

from __future__ import annotations

import re

RULE = re.compile(
    r'^html\[data-theme="(?P<theme>\w+)"\] \.highlight(?: \.(?P<token>\w+))? \{(?P<says>[^}]*)\}', flags=re.MULTILINE
)
COLOUR = re.compile(r"(?<![-\w])color: (#\w+)")


def plain_tokens(css: str) -> set[str]:
    """The classes of tokens that have the colour of the box around them, and nothing else, in each of the themes.

    Examples
    --------
    >>> says = ["{ color: #000 }", ".n { color: #000 }", ".k { color: #00F }", ".c { color: #000; font-style: italic }"]
    >>> plain_tokens("\\n".join(f'html[data-theme="light"] .highlight {each}' for each in says))
    {'n'}
    """
    rules = list(RULE.finditer(css))
    grounds = {rule["theme"]: COLOUR.search(rule["says"])[1] for rule in rules if not rule["token"]}
    tokens = {rule["token"] for rule in rules if rule["token"]}
    seen = {rule["token"] for rule in rules if rule["token"] and not is_plain(rule["says"], grounds[rule["theme"]])}
    return tokens - seen


def is_plain(says: str, ground: str) -> bool:
    return says.strip(" ;") == f"color: {ground}"


def unwrapped(html: str, tokens: set[str]) -> str:
    """The page without the elements around tokens of these classes in its boxes of code.

    Examples
    --------
    >>> unwrapped('<pre><span class="n">x</span> <span class="o">+</span></pre><span class="n">x</span>', {"n"})
    '<pre>x <span class="o">+</span></pre><span class="n">x</span>'
    """
    token = re.compile(rf'<span class="(?:{"|".join(sorted(tokens))})">([^<]*)</span>')
    return re.sub(r"<pre\b.*?</pre>", lambda code: token.sub(r"\1", code[0]), html, flags=re.DOTALL)
