// The code of a page, run where it is read. Loaded by run.js when a reader asks for it; Python itself by worker.mjs.

import {element} from "./elements.mjs";
import {Outputs} from "./outputs.mjs";
import {Printed} from "./printed.mjs";
import {Records} from "./records.mjs";
import {Session} from "./session.mjs";
import {Bar} from "./bar.mjs";

const RUN = new URL("./", import.meta.url);
const OUTPUTS = ".cell_output";

class Cell {
  constructor(page, place, box, given) {
    this.page = page;
    this.place = place;
    this.box = box;
    this.given = given.source;
    this.text = given.source;
    this.raises = given.tags.includes("raises-exception");
    this.ran = false;
    this.input = box?.querySelector(".cell_input") ?? null;
    this.printed = box?.querySelector(OUTPUTS) ?? null;
    this.shown = this.printed;
    if (this.input) this.addTools();
  }

  get name() {
    return `cell ${this.place + 1}`;
  }

  addTools() {
    const button = (words, title, act) => {
      const made = element("button", {type: "button", classes: "bp-run-tool", title}, words);
      made.addEventListener("click", act);
      return made;
    };
    this.runButton = button("Run", "Run this cell (Shift+Enter while editing)", () => this.page.run([this]));
    this.resetButton = button("Reset", "The code and the output of the printed page", () => this.reset());
    this.resetButton.hidden = true;
    this.state = element("span", {classes: "bp-run-state"});
    this.tools = element("div", {classes: "bp-run-tools", role: "group", "aria-label": `Python, ${this.name}`},
      this.runButton,
      button("Edit", "Change the code of this cell", () => this.edit()),
      button("Run above", "Run all cells above this one", () => this.page.run(this.page.above(this))),
      this.resetButton,
      this.state);
    this.input.querySelector(".bp-run-button")?.remove();
    this.input.after(this.tools);
  }

  async edit() {
    if (!this.editor) {
      const {openEditor} = await import("./editor.mjs");
      if (this.editor) return;
      this.listing = this.input.querySelector(":scope > [class*='highlight']");
      this.editor = openEditor({
        text: this.text,
        label: `Code of ${this.name}. Shift+Enter runs it, Escape leaves it.`,
        run: () => this.page.run([this]),
        leave: () => this.runButton.focus(),
        changed: (text) => {
          this.text = text;
          this.resetButton.hidden = false;
        },
      });
      this.editing = element("div", {classes: "highlight bp-run-editor"}, this.editor.dom);
      this.listing.hidden = true;
      this.listing.after(this.editing);
    }
    this.editor.focus();
  }

  reset() {
    const focused = this.tools.contains(document.activeElement);
    this.editor?.destroy();
    this.editing?.remove();
    this.editor = this.editing = null;
    if (this.listing) this.listing.hidden = false;
    this.text = this.given;
    if (this.printed) this.shown.replaceWith(this.printed);
    else this.shown?.remove();
    this.shown = this.printed;
    this.mark("", "");
    this.resetButton.hidden = true;
    if (focused) this.runButton.focus();
  }

  mark(state, words) {
    if (!this.box) return;
    if (state) this.box.dataset.bpRun = state;
    else delete this.box.dataset.bpRun;
    if (this.state) this.state.textContent = words;
  }

  // What was printed stays until there is something in its place.
  begin() {
    this.fresh = null;
    this.last = null;
    this.outputs = [];
    this.mark("waiting", "waiting");
  }

  put(drawn) {
    if (!this.box) return;
    if (!this.fresh) {
      this.fresh = element("div", {classes: "cell_output docutils container bp-run-output"});
      if (this.shown) this.shown.replaceWith(this.fresh);
      else this.placeForFirst().append(this.fresh);
      this.shown = this.fresh;
      if (this.resetButton) this.resetButton.hidden = false;
    }
    this.fresh.append(drawn);
    return drawn;
  }

  // Where the first output of a cell goes that printed none: in the box, or in its fold when all of the cell is folded.
  placeForFirst() {
    return this.box.querySelector(":scope.tag_hide-cell > details") ?? this.box;
  }

  add(output) {
    if (output.output_type === "clear") {
      this.clearNext = output.wait;
      if (!output.wait) this.fresh?.replaceChildren();
      this.last = null;
      return;
    }
    if (this.clearNext) {
      this.fresh?.replaceChildren();
      this.clearNext = false;
    }
    const last = this.last;
    if (last && output.output_type === "stream" && last.output.output_type === "stream" && last.output.name === output.name) {
      last.output.text += output.text;
      const drawn = this.page.outputs.draw(last.output);
      last.drawn?.replaceWith(drawn);
      last.drawn = drawn;
      return;
    }
    const known = output.update && this.page.displays.get(output.display_id);
    const drawn = this.page.outputs.draw(output);
    if (known) {
      known.replaceWith(drawn);
      this.page.displays.set(output.display_id, drawn);
      return;
    }
    if (output.display_id) this.page.displays.set(output.display_id, drawn);
    this.outputs.push(output);
    this.last = {output, drawn: this.put(drawn) ?? null};
    if (output.output_type === "error") this.unfold();
    if (output.unknown && this.page.above(this).some((each) => !each.ran)) this.suggest(output.unknown);
  }

  // An error in a folded cell must be seen.
  unfold() {
    for (let fold = this.fresh?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  // The usual reason for a name that is not there.
  suggest(name) {
    const act = element("button", {type: "button", classes: "bp-run-tool"}, "Run all above, then this");
    act.addEventListener("click", () => this.page.run([...this.page.above(this), this]));
    this.put(element("p", {classes: "bp-run-hint"}, element("code", {}, name), " is made in a cell above that has not run yet. ", act));
  }

  end(good, seconds) {
    if (good !== null && this.ran && !this.fresh && this.shown) {
      // It shows nothing now.
      this.put("");
    }
    this.ran = true;
    this.mark(good ? "good" : "failed", good ? `ran in ${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(0)} s` : "stopped with an error");
  }
}

class Page {
  constructor(published, runtime, notebook) {
    this.published = published;
    this.printed = new Printed(document);
    this.outputs = new Outputs(new Records(runtime.words, this.printed));
    this.displays = new Map();
    this.session = new Session(runtime, runtime.release, (event) => this.hear(event));
    this.queue = [];
    this.busy = null;
    this.cells = this.pair(notebook);
    this.bar = new Bar(runtime, {
      all: () => this.run(this.cells),
      stop: () => this.stop(),
      restart: () => this.restart(),
    });
  }

  // The page shows every code cell of the notebook, in its order, except those tagged remove-cell.
  pair(notebook) {
    const boxes = [...document.querySelectorAll(".bd-article .cell")];
    const given = notebook.cells.filter((cell) => cell.cell_type === "code").map((cell) => ({
      source: [cell.source].flat().join(""),
      tags: cell.metadata.tags ?? [],
    }));
    const seen = given.filter((cell) => !cell.tags.includes("remove-cell"));
    if (seen.length !== boxes.length) throw new Error(`the page shows ${boxes.length} cells, its notebook has ${seen.length}`);
    return given.map((cell, place) => new Cell(this, place, cell.tags.includes("remove-cell") ? null : boxes.shift(), cell));
  }

  above(cell) {
    return this.cells.slice(0, cell.place);
  }

  async run(cells) {
    for (const cell of cells) {
      if (!this.queue.includes(cell)) this.queue.push(cell);
      cell.mark("waiting", "waiting");
    }
    if (this.busy) return this.busy;
    this.busy = this.work();
    const good = await this.busy;
    this.busy = null;
    return good;
  }

  async work() {
    let good = true;
    this.bar.working(true);
    while (good && this.queue.length) {
      const cell = this.queue.shift();
      this.current = cell;
      cell.begin();
      const done = await this.session.run(cell.place, cell.text, cell.name);
      cell.end(done, this.seconds);
      good = done === true || (done === false && cell.raises);
      if (!good && done === false) this.bar.say(`${cell.name} stopped with an error`, cell.box);
    }
    for (const cell of this.queue) cell.mark("", "");
    this.queue = [];
    this.current = null;
    this.bar.working(false);
    if (good) this.bar.say("Ready");
    return good;
  }

  hear(event) {
    if (event.type === "status") this.bar.progress(event);
    else if (event.type === "ready") this.bar.ready(event.version);
    else if (event.type === "running") this.started(this.cells[event.cell]);
    else if (event.type === "output") this.cells[event.cell].add(event.output);
    else if (event.type === "done") this.seconds = event.seconds;
    else if (event.type === "failed") this.fail(event);
    else if (event.type === "broken") this.bar.broken(`Python could not be loaded: ${event.message}. Is there a network?`);
  }

  // Python has what it needs and is at work on the cell.
  started(cell) {
    cell.mark("running", "running");
    this.bar.running(`Running ${cell.name}${this.queue.length ? `, ${this.queue.length} to go` : ""}`);
  }

  fail({cell, message}) {
    this.cells[cell]?.add({output_type: "error", last: message, traceback: [message]});
  }

  stop() {
    const cell = this.current;
    this.queue.forEach((each) => each.mark("", ""));
    this.queue = [];
    if (!cell) return;
    if (this.session.stop() === "ended") {
      this.forget();
      cell.mark("failed", "stopped");
      this.bar.say("Stopped. Python was ended, and its variables are gone: “Run above” brings them back.");
      return;
    }
    // What does not hear the interrupt is ended.
    setTimeout(() => {
      if (this.current !== cell) return;
      this.session.end();
      this.forget();
      this.bar.say("Python did not stop in time and was ended: its variables are gone.");
    }, 4000);
  }

  forget() {
    for (const cell of this.cells) cell.ran = false;
  }

  async restart() {
    this.queue.forEach((each) => each.mark("", ""));
    this.queue = [];
    this.session.end();
    await this.busy;
    this.forget();
    for (const cell of this.cells) cell.mark("", "");
    await this.session.start().then(() => this.bar.say("Restarted: no variables. The outputs stay until they are replaced."), () => null);
  }
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${new URL(address).pathname} answered ${answer.status}`);
  return answer.json();
}

const styled = (name) => element("link", {rel: "stylesheet", href: new URL(name, RUN).href});

let opening = null;

// The page with its tools; the same one however often it is asked for.
export function open(published) {
  opening ??= (async () => {
    const [runtime, notebook] = await Promise.all([
      fetched(new URL("runtime.json", RUN)),
      fetched(new URL(published.notebook, document.baseURI)),
    ]);
    // KaTeX's rules first, so that the book's own, which change some of them, still win.
    document.head.prepend(styled("katex.css"));
    document.head.append(styled("run.css"));
    document.documentElement.classList.add("bp-running");
    return new Page(published, runtime, notebook);
  })();
  opening.catch(() => (opening = null));
  return opening;
}

// What run.js calls: the tools, and where a cell was asked for, that cell's run.
export async function begin(published, box = null) {
  const page = await open(published);
  const cell = box && page.cells.find((each) => each.box === box);
  if (cell) return page.run([cell]);
  page.bar.say("Choose a cell and run it, or change it first.");
  return page.session.start().then(() => true, () => false);
}
