// What reading gains from a script; without one every page still shows all of its text, math and figures.
"use strict";

// What scrolls sideways takes a tab stop, and only where it really scrolls. A box is measured when it comes near the
// window, and again when its width changes: measuring a whole page at once would lay out all of it.
const SCROLLING = {
  ".math-scroll": "Formula", ".table-scroll, .pst-scrollable-table-container": "Table", ".highlight pre": "Code",
  ".cell_output > .output, .derivation-where, .derivation-given, pre": "Output",
};

function updateTabStops(boxes) {
  const measured = boxes.map((box) => [box, box.scrollWidth > box.clientWidth + 1]);
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
  for (const { target, isIntersecting } of entries) (isIntersecting ? resized.observe(target) : resized.unobserve(target));
}, { rootMargin: "100% 0px" });

function watchTabStops(within) {
  within.querySelectorAll(Object.keys(SCROLLING).join()).forEach((box) => near.observe(box));
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

async function showPreview(link) {
  if (location.protocol === "file:" && new URL(link.href).pathname !== location.pathname) return;
  const found = await findEquation(link);
  if (!found || !found.classList.contains("math-display") || !(link.matches(":hover") || link === document.activeElement)) return;
  hidePreview();
  preview = document.createElement("div");
  preview.className = "equation-preview";
  preview.setAttribute("aria-hidden", "true");
  const copy = found.cloneNode(true);
  copy.removeAttribute("id");
  copy.querySelectorAll("[tabindex], .headerlink").forEach((part) => (part.matches(".headerlink") ? part.remove() : part.removeAttribute("tabindex")));
  preview.append(copy);
  document.body.append(preview);
  const at = link.getBoundingClientRect();
  const room = document.documentElement.clientWidth - preview.offsetWidth - 16;
  preview.style.left = `${Math.max(16, Math.min(at.left, room)) + window.scrollX}px`;
  const above = at.top - preview.offsetHeight - 8;
  preview.style.top = `${(above > 60 ? above : at.bottom + 8) + window.scrollY}px`;
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

function prepare() {
  followContents();
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
