// What reading gains from a script; without one every page still shows all of its text, math and figures.
"use strict";

// What scrolls sideways takes a tab stop, and only where it really scrolls. A box is measured when it comes near the
// window, and again when its width changes: measuring a whole page at once would lay out all of it.
const SCROLLING = {
  ".math-scroll, .derivation-where, .derivation-given": "Formula", ".highlight pre": "Code",
  ".table-scroll, .pst-scrollable-table-container": "Table", ".cell_output > .output, pre": "Output",
};

function updateTabStops(boxes) {
  // A box whose content is not laid out yet would seem to hold it all; the browser says when it is.
  const laidOut = boxes.filter(({ firstElementChild: first }) => !first || first.checkVisibility({ contentVisibilityAuto: true }));
  const measured = laidOut.map((box) => [box, box.scrollWidth > box.clientWidth + 1]);
  for (const [box, scrolls] of measured) {
    if (!scrolls) {
      box.removeAttribute("tabindex");
      continue;
    }
    box.tabIndex = 0;
    if (!box.hasAttribute("role")) box.setAttribute("role", "group");
    if (!box.hasAttribute("aria-label")) box.setAttribute("aria-label", nameOf(box));
  }
}

function nameOf(box) {
  return Object.entries(SCROLLING).find(([boxes]) => box.matches(boxes))[1];
}

const resized = new ResizeObserver((entries) => updateTabStops(entries.map((entry) => entry.target)));
const near = new IntersectionObserver((entries) => {
  updateTabStops(entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target));
  for (const { target, isIntersecting } of entries) (isIntersecting ? resized.observe(target) : resized.unobserve(target));
}, { rootMargin: "100% 0px" });

function watchTabStops(within) {
  const boxes = Object.keys(SCROLLING).join();
  within.querySelectorAll(boxes).forEach((box) => near.observe(box));
  within.addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
    if (!skipped) updateTabStops([target, ...target.querySelectorAll(boxes)].filter((box) => box.matches(boxes)));
  });
}

// An equation referred to shows itself on hover and on keyboard focus, from this page or another of the book.
const pages = new Map();

async function findEquation(link) {
  const target = new URL(link.href);
  const here = target.pathname === location.pathname;
  if (!here && !pages.has(target.pathname)) {
    pages.set(target.pathname, fetch(target.pathname).then((answer) => (answer.ok ? answer.text() : ""))
      .then((text) => new DOMParser().parseFromString(text, "text/html")).catch(() => null));
  }
  const page = here ? document : await pages.get(target.pathname);
  return page && page.getElementById(decodeURIComponent(target.hash.slice(1)));
}

let preview = null;

function hidePreview() {
  if (preview) preview.remove();
  preview = null;
}

// A card beside what it explains: above it where there is room, and never past the edge of the window.
function showCard(anchor, className, ...content) {
  hidePreview();
  preview = document.createElement("div");
  preview.className = `hover-card ${className}`;
  preview.append(...content);
  document.body.append(preview);
  const at = anchor.getBoundingClientRect();
  const room = document.documentElement.clientWidth - preview.offsetWidth - 16;
  preview.style.left = `${Math.max(16, Math.min(at.left, room)) + window.scrollX}px`;
  const above = at.top - preview.offsetHeight - 8;
  preview.style.top = `${(above > 60 ? above : at.bottom + 8) + window.scrollY}px`;
  return preview;
}

async function showPreview(link) {
  if (location.protocol === "file:" && new URL(link.href).pathname !== location.pathname) return;
  const found = await findEquation(link);
  if (!found || !found.classList.contains("math-display") || !(link.matches(":hover") || link === document.activeElement)) return;
  const copy = found.cloneNode(true);
  copy.removeAttribute("id");
  copy.querySelectorAll("[tabindex]").forEach((part) => part.removeAttribute("tabindex"));
  copy.querySelectorAll(".headerlink, .math-tools").forEach((part) => part.remove());
  showCard(link, "equation-preview", copy).setAttribute("aria-hidden", "true");
}

// Symbols explain themselves, in the words of the notation page. Its rows come as a script of their own, when first
// asked for: a script also loads where a page was opened as a file.
let rows = null;

function notation() {
  rows ??= new Promise((resolve) => {
    globalThis.backpropNotation = (given) => resolve(given.flatMap((row) => patternsOf(row)).sort((a, b) => b.tokens.length - a.tokens.length));
    const script = document.createElement("script");
    script.src = new URL("_static/notation.js", new URL(document.documentElement.dataset.content_root || "./", location.href));
    script.onerror = () => resolve([]);
    document.head.append(script);
  });
  return rows;
}

const STYLED = String.raw`\\(?:mathrm|mathbf|mathcal|mathbb|operatorname|text|hat|bar|tilde)\*?\s*(?:\{[^{}]*\}|\\?[A-Za-z0-9]+)`;
const TOKEN = new RegExp(STYLED + String.raw`|\\[A-Za-z]+|\\.|[A-Za-z]|\d+|\S`, "g");

// The tokens of a formula, each with whether it stands in a lower index.
function tokensOf(tex) {
  const bare = tex.replace(/\\(?:left|right|displaystyle|begin\{\w+\}|end\{\w+\})/g, " ");
  const found = [];
  const lower = [];  // for each open brace: whether a lower index opened it
  let opened = false;
  for (const [raw] of bare.matchAll(TOKEN)) {
    if (raw === "{") lower.push(opened || Boolean(lower.at(-1)));
    else if (raw === "}") lower.pop();
    else if (!/^\\[,;:! ]$/.test(raw)) found.push({ text: raw.replace(/[\s{}*]/g, ""), below: opened || Boolean(lower.at(-1)) });
    opened = raw === "_";
  }
  return found;
}

// A row explains its symbols as they are written there; a decorated one also explains its bare letter, if no other does.
function patternsOf(row) {
  return row.symbols.map((tex) => tokensOf(tex).map(({ text }) => text)).flatMap((tokens) => {
    if (tokens.length === 2 && tokens[0] === "d") return [{ row, tokens: ["d", null] }];
    const bare = tokens.length > 1 && tokens[0] !== "\\Delta" ? [{ row, tokens: tokens.slice(0, 1), weak: true }] : [];
    return [{ row, tokens }, ...bare];
  });
}

// Whole symbols first; then letters, where a lower index is explained by the row of an index, if there is one.
function explainedBy(tex, patterns) {
  const tokens = tokensOf(tex);
  const taken = new Map();
  const fits = (pattern, at) => pattern.tokens.every((token, step) => !taken.has(at + step) &&
    (token === null ? /[A-Za-z]/.test(tokens[at + step]?.text ?? "") : token === tokens[at + step]?.text));
  const rounds = [
    (pattern) => pattern.tokens.length > 1,
    (pattern, at) => !pattern.weak && pattern.row.index === tokens[at].below,
    (pattern) => !pattern.weak,
    () => true,
  ];
  for (const suits of rounds) {
    for (const pattern of patterns) {
      for (let at = 0; at < tokens.length; at += 1) {
        if (fits(pattern, at) && suits(pattern, at)) pattern.tokens.forEach((token, step) => token !== null && taken.set(at + step, pattern.row));
      }
    }
  }
  return [...new Set([...taken.keys()].sort((a, b) => a - b).map((at) => taken.get(at)))];
}

function texOf(formula) {
  return formula.querySelector("annotation[encoding='application/x-tex']")?.textContent ?? "";
}

async function showSymbols(formula, anchor = formula) {
  const found = explainedBy(texOf(formula), await notation());
  const wanted = anchor.matches(":hover, :focus, :focus-within");
  if (!found.length || !wanted) return;
  const list = document.createElement("dl");
  list.innerHTML = found.map((row) => row.html).join("");
  const card = showCard(anchor, "symbol-card", list);
  card.id = "symbol-card";
  card.setAttribute("role", "tooltip");
  anchor.setAttribute("aria-describedby", card.id);
}

// Readers of the keyboard stop at the first formula of the page in which a symbol appears; there are too many for more.
async function addSymbolStops() {
  const patterns = await notation();
  const known = new Set();
  for (const formula of document.querySelectorAll(".bd-article section > p .math-inline, .bd-article section > ul .math-inline")) {
    const found = explainedBy(texOf(formula), patterns);
    if (found.length === 1 && !known.has(found[0])) formula.tabIndex = 0;
    found.forEach((row) => known.add(row));
  }
}

function explainSymbols() {
  let waiting = 0;
  const formulaAt = (event) => event.target.closest?.(".bd-article .math-inline");
  document.addEventListener("mouseover", (event) => {
    const formula = formulaAt(event);
    if (!formula || formula.closest("a, button, summary, .tip")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => showSymbols(formula), 250);
    formula.addEventListener("mouseleave", () => { clearTimeout(waiting); hidePreview(); }, { once: true });
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches?.(".math-inline")) showSymbols(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target.matches?.(".math-inline")) hidePreview(); });
  document.addEventListener("keydown", function atFirstTab(event) {
    if (event.key !== "Tab") return;
    document.removeEventListener("keydown", atFirstTab);
    addSymbolStops();
  });
}

// A numbered equation offers its LaTeX and its symbols; one pair of buttons wanders to the equation in hand.
function offerTools() {
  const tools = document.createElement("span");
  tools.className = "math-tools";
  const add = (text, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => act(tools.closest(".math-display"), button));
    tools.append(button);
    return button;
  };
  const copy = add("Copy LaTeX", async (equation) => {
    await navigator.clipboard.writeText(texOf(equation));
    copy.textContent = "Copied";
  });
  const explain = add("Symbols", (equation) => (preview ? hidePreview() : showSymbols(equation, explain)));
  for (const event of ["blur", "mouseleave"]) explain.addEventListener(event, hidePreview);
  for (const event of ["mouseover", "focusin"]) {
    document.addEventListener(event, ({ target }) => {
      const equation = target.closest?.(".bd-article .math-display.numbered");
      if (!equation || tools.parentElement === equation) return;
      copy.textContent = "Copy LaTeX";
      equation.append(tools);
    });
  }
}

// A derivation can be read line by line, by those who want to predict the next one.
function addStepper(derivation) {
  const later = [...derivation.querySelectorAll(".derivation-line:not(.derivation-start), .math-display.result")];
  const caption = derivation.querySelector(".derivation-evidence");
  if (later.length < 3 || !caption) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "stepper";
  const describe = () => {
    const waiting = later.filter((line) => line.classList.contains("waiting")).length;
    button.textContent = waiting ? `Show the next line (${later.length - waiting + 1} of ${later.length})` : "Hide the lines, to predict them";
  };
  button.addEventListener("click", () => {
    const next = later.find((line) => line.classList.contains("waiting"));
    if (next) next.classList.remove("waiting");
    else later.forEach((line) => line.classList.add("waiting"));
    describe();
  });
  describe();
  caption.insertBefore(button, caption.querySelector(".proves, .report"));
}

// The entry of the part being read is marked in the page's contents. Bootstrap does this too, but asks first for the
// place of every part, and so lays out the whole page.
function followContents() {
  document.body.removeAttribute("data-bs-spy");
  const links = new Map();
  for (const link of document.querySelectorAll(".bd-toc-nav a[href^='#']")) {
    const part = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (part) links.set(part, link);
  }
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) (isIntersecting ? seen.add(target) : seen.delete(target));
    const current = [...links.keys()].filter((part) => seen.has(part)).at(-1);
    if (!current) return;
    for (const [part, link] of links) {
      for (const marked of [link, link.parentElement]) marked.classList.toggle("active", part === current);
    }
  }, { rootMargin: "0px 0px -60%" });
  for (const part of links.keys()) observer.observe(part);
}

// A jump lands where it should although what lies between is laid out only on the way: it is repeated until it stays.
function settleJump() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const stop = new AbortController();
  for (const event of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(event, () => stop.abort(), { once: true, passive: true });
  let calm = 0;
  const align = (frame) => {
    if (stop.signal.aborted) return;
    const before = target.getBoundingClientRect().top;
    target.scrollIntoView({ behavior: "instant" });
    calm = Math.abs(target.getBoundingClientRect().top - before) > 1 ? 0 : calm + 1;
    if (calm < 4 && frame < 60) requestAnimationFrame(() => align(frame + 1));
  };
  requestAnimationFrame(() => align(0));
}

function landJumps() {
  addEventListener("hashchange", settleJump);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href*='#']");
    if (link && link.href === location.href) settleJump();
  });
  settleJump();
}

// The search index knows the names of Greek letters and of signs, not the signs.
const NAMES = {
  α: "alpha", β: "beta", γ: "gamma", δ: "delta", Δ: "Delta", ε: "varepsilon", η: "eta", θ: "theta", κ: "kappa", λ: "lambda", μ: "mu",
  ξ: "xi", π: "pi", σ: "sigma", Σ: "sum", "∑": "sum", "∂": "partial", "⊙": "odot", "∇": "nabla", ℓ: "ell", "ŷ": "hat y", "∞": "infty", "ᵀ": " transpose",
};

function searchBySign() {
  const asked = new URLSearchParams(location.search);
  const query = asked.get("q");
  if (!query || !document.getElementById("search-results")) return;
  const named = query.replace(/./gu, (sign) => (sign in NAMES ? ` ${NAMES[sign]} ` : sign)).replace(/\s+/g, " ").trim();
  if (named === query) return;
  asked.set("q", named);
  history.replaceState(null, "", `?${asked}`);
}

function prepare() {
  followContents();
  landJumps();
  explainSymbols();
  offerTools();
  searchBySign();
  document.querySelectorAll(".derivation").forEach(addStepper);
  watchTabStops(document);
  for (const link of document.querySelectorAll('.bd-article a.reference.internal[href*="#equation-"]')) {
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => showPreview(link));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, hidePreview);
  }
  // Paper is white: print in the light mode, then go back.
  const root = document.documentElement;
  let screenTheme = root.dataset.theme;
  window.addEventListener("beforeprint", () => {
    screenTheme = root.dataset.theme;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => (root.dataset.theme = screenTheme));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hidePreview();
    document.querySelectorAll(".evidence").forEach((mark) => mark.classList.add("dismissed"));
  });
  for (const mark of document.querySelectorAll(".evidence")) {
    for (const event of ["mouseenter", "focusin"]) mark.addEventListener(event, () => mark.classList.remove("dismissed"));
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", prepare);
else prepare();
