// What reading gains from a script; without one every page still shows all of its text, math and figures.
"use strict";

// A formula takes a tab stop only where it really scrolls.
function updateTabStops() {
  for (const box of document.querySelectorAll(".math-scroll, .table-scroll")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
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

function prepare() {
  updateTabStops();
  window.addEventListener("resize", updateTabStops);
  for (const link of document.querySelectorAll('.bd-article a.reference.internal[href*="#equation-"]')) {
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => showPreview(link));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, hidePreview);
  }
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
document.fonts?.ready.then(updateTabStops);
