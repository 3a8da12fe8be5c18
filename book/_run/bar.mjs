// The line at the foot of the page: what is loading and how much is left, what runs, stop and restart.

import {element} from "./elements.mjs";

export class Bar {
  constructor({version, base, here}, acts) {
    const button = (words, title, act) => {
      const made = element("button", {type: "button", classes: "bp-run-tool", title}, words);
      made.addEventListener("click", act);
      return made;
    };
    // Heard by a screen reader; the megabytes beside it, which change ten times a second, are not.
    this.words = element("span", {classes: "bp-run-words", role: "status"});
    this.loading = element("span", {classes: "bp-run-loading"});
    this.meter = element("progress", {classes: "bp-run-meter", max: "1", value: "0", "aria-label": "Loading Python"});
    this.stopButton = button("Stop", "Stop what is running", acts.stop);
    this.stopButton.disabled = true;
    const host = here ? "this site" : new URL(base).host;
    this.about = element("span", {classes: "bp-run-about"}, `Pyodide ${version}, from ${host}`);
    this.root = element("section", {classes: "bp-run-bar", "aria-label": "Python in this page"},
      element("div", {classes: "bp-run-line"}, this.words, this.loading, this.meter),
      element("div", {classes: "bp-run-acts"},
        button("Run all", "Run every cell of the page from the top", acts.all),
        this.stopButton,
        button("Restart", "Start Python anew, without variables", acts.restart)),
      this.about);
    this.meter.hidden = true;
    document.body.append(this.root);
  }

  // `box` is where to look, if somewhere.
  say(words, box = null) {
    this.words.textContent = words;
    if (!box) return;
    const show = element("button", {type: "button", classes: "bp-run-tool"}, "Show");
    show.addEventListener("click", () => box.scrollIntoView({block: "center"}));
    this.words.append(" ", show);
  }

  progress({text, done, all}) {
    this.loading.textContent = text;
    this.meter.hidden = false;
    this.meter.max = all;
    this.meter.value = Math.min(done, all);
  }

  quiet() {
    this.loading.textContent = "";
    this.meter.hidden = true;
  }

  ready(version) {
    this.quiet();
    this.about.textContent = this.about.textContent.replace(/^(Python .*?, )?/, `Python ${version}, `);
  }

  running(words) {
    this.quiet();
    this.say(words);
  }

  broken(words) {
    this.quiet();
    this.say(words);
  }

  working(is) {
    this.stopButton.disabled = !is;
  }
}
