// What the printed page knows and a new output needs: numbers and anchors of equations, links to rows and pages.

import {element} from "./elements.mjs";

// docutils' way from a label to an id.
const identifier = (label) => `equation-${label}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");

export class Printed {
  constructor(root) {
    this.equations = new Map();
    for (const block of root.querySelectorAll(".math-display[id]")) {
      const eqno = block.querySelector(":scope > .eqno");
      if (eqno) this.equations.set(block.id, {id: block.id, eqno: eqno.cloneNode(true), number: /\((.*?)\)/.exec(eqno.textContent)?.[1] ?? ""});
    }
    this.links = new Map();
    for (const link of root.querySelectorAll(".bd-article a.row-link")) this.links.set(link.textContent, link.cloneNode(true));
    this.others = new Map();
    for (const link of root.querySelectorAll(".bd-article a.reference.internal")) {
      this.others.set(link.getAttribute("href"), link.cloneNode(true));
    }
  }

  equation(label) {
    return this.equations.get(identifier(label)) ?? null;
  }

  reference(label) {
    const id = identifier(label);
    const here = this.equations.get(id);
    if (here) return element("a", {classes: "reference internal", href: `#${id}`}, `(${here.number})`);
    const [, link] = [...this.others].find(([address]) => address.endsWith(`#${id}`)) ?? [];
    return link ? link.cloneNode(true) : element("code", {}, label);
  }

  row(name) {
    return this.links.get(name)?.cloneNode(true) ?? null;
  }

  link(page, words) {
    const [, link] = [...this.others].find(([address, each]) => address.endsWith(page) && each.textContent === words) ?? [];
    return link ? link.cloneNode(true) : null;
  }
}
