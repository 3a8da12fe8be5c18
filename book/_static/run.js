// Offers to run the page's code. It loads nothing itself: what runs code is loaded when a reader asks for it.
"use strict";

(() => {
  const meta = document.querySelector('meta[name="bp-run"]');
  if (!meta) return;
  const published = JSON.parse(meta.content);

  function make(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function explain(title, ...text) {
    const close = make("button", {type: "button", class: "btn btn-sm btn-outline-primary"}, "Close");
    const dialog = make("dialog", {class: "bp-run-dialog", "aria-label": title}, make("p", {}, make("strong", {}, title)), ...text, close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  function begin(box) {
    if (location.protocol === "file:") {
      explain(
        "This page was opened as a file.",
        make("p", {}, "From a file a browser starts no Python. Any local server will do: in the folder of the book, run"),
        make("p", {}, make("code", {}, "python -m http.server --directory _build/html")),
        make("p", {}, "and open http://localhost:8000 in the browser."),
      );
      return;
    }
    import(new URL(published.run, document.baseURI)).then((page) => page.begin(published, box)).catch((error) => {
      explain("The page's code cannot be run now.", make("p", {}, String(error.message ?? error)), make("p", {}, "Is there a network? Nothing on the page has changed."));
    });
  }

  function menu() {
    const here = make("button", {type: "button", class: "btn btn-sm dropdown-item bp-run-here"}, "Run in this page");
    here.addEventListener("click", () => begin(null));
    const items = [make("li", {}, here)];
    if (published.lite) {
      items.push(make("li", {}, make("a", {class: "btn btn-sm dropdown-item bp-run-lite", href: published.lite, target: "_blank", rel: "noopener"}, "Open in JupyterLite")));
    }
    items.push(make("li", {class: "bp-run-note"}, published.note));
    const theirs = document.querySelector(".article-header-buttons .dropdown-launch-buttons .dropdown-menu");
    if (theirs) {
      theirs.prepend(...items);
      return;
    }
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({viewBox: "0 0 16 16", width: "16", height: "16", fill: "currentColor", "aria-hidden": "true"})) icon.setAttribute(name, value);
    icon.innerHTML = '<path d="M3 1.8v12.4a.8.8 0 0 0 1.2.7l10.2-6.2a.8.8 0 0 0 0-1.4L4.2 1.1A.8.8 0 0 0 3 1.8z"/>';
    const toggle = make("button", {class: "btn dropdown-toggle", type: "button", "data-bs-toggle": "dropdown", "aria-expanded": "false", "aria-label": "Run this page", title: "Run this page"}, icon);
    document.querySelector(".article-header-buttons")?.prepend(make("div", {class: "dropdown dropdown-launch-buttons bp-run-menu"}, toggle, make("ul", {class: "dropdown-menu"}, ...items)));
  }

  function offer() {
    for (const input of document.querySelectorAll(".bd-article .cell > .cell_input, .bd-article .cell > details > .cell_input")) {
      const button = make("button", {type: "button", class: "bp-run-button", title: "Run this cell in the page"}, "Run");
      button.addEventListener("click", () => begin(input.closest(".cell")));
      input.append(button);
    }
    menu();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", offer);
  else offer();
})();
