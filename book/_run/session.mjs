// The page's end of the worker: what is asked of it, what it answers, and how it is stopped.

const BASE = new URL("./", import.meta.url);

export class Session {
  // `tell` hears: {type: "status", text}, {type: "ready"}, and everything that the worker says about a cell.
  constructor(published, release, tell) {
    this.published = published;
    this.release = release;
    this.tell = tell;
    this.total = 0;
    this.bytes = 0;
    this.worker = null;
    this.started = null;
    this.executing = false;
    this.waiting = new Map();
  }

  start() {
    if (this.started) return this.started;
    const isolated = self.crossOriginIsolated && typeof SharedArrayBuffer !== "undefined";
    this.interrupts = isolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
    this.total = this.release.core.bytes;
    this.bytes = 0;
    this.what = "Python";
    this.worker = new Worker(new URL("worker.mjs", BASE), {type: "module", name: "Python"});
    this.started = new Promise((resolve, reject) => {
      this.whenStarted = resolve;
      this.whenNot = reject;
    });
    this.started.catch(() => null); // every run that waits for it hears of it
    this.worker.onmessage = ({data}) => this.hear(data);
    this.worker.onerror = (event) => this.fail(event.message || "the worker could not be started");
    const base = new URL(this.published.base, BASE).href;
    const course = new URL(this.published.course, BASE).href;
    this.worker.postMessage({type: "start", base, course, release: this.release, interrupts: this.interrupts});
    this.progress();
    return this.started;
  }

  progress() {
    const done = this.bytes / 1e6;
    const all = Math.max(this.total / 1e6, done);
    const left = all - done;
    // Between two files the interpreter compiles what has come: nothing arrives, and yet it goes on.
    const text = left > 0.05
      ? `Loading ${this.what}: ${left.toFixed(1)} of ${all.toFixed(1)} MB left`
      : `Starting ${this.what}`;
    this.tell({type: "status", text, done, all});
  }

  hear(data) {
    if (data.type === "loading") {
      this.what = data.what;
      this.bytes = data.bytes;
      this.progress();
    } else if (data.type === "wanted") {
      this.total = this.bytes + data.bytes;
    } else if (data.type === "provided") {
      this.total = this.bytes;
    } else if (data.type === "started") {
      this.bytes = this.total = data.bytes;
      this.whenStarted();
      this.tell({type: "ready", version: data.version});
    } else if (data.type === "failed" && data.asked === "start") {
      this.fail(data.message);
    } else {
      if (data.type === "running") this.executing = true;
      else if (data.type !== "output") this.executing = false;
      this.tell(data);
      const end = {done: data.good, failed: false}[data.type];
      if (end !== undefined) this.settle(data.cell, end);
    }
  }

  settle(cell, good) {
    this.waiting.get(cell)?.(good);
    this.waiting.delete(cell);
  }

  fail(message) {
    this.whenNot(new Error(message));
    this.end();
    this.tell({type: "broken", message});
  }

  // Resolves to true when nothing was raised, to null when the session ended before.
  async run(cell, code, name) {
    try {
      await this.start();
    } catch {
      return null;
    }
    const end = new Promise((resolve) => this.waiting.set(cell, resolve));
    if (this.interrupts) this.interrupts[0] = 0; // what came too late for the cell before
    this.worker.postMessage({type: "run", cell, code, name});
    return end;
  }

  // Where the page is isolated Python is told to stop and keeps its variables; elsewhere only ending it helps.
  stop() {
    if (this.interrupts && this.executing) {
      this.interrupts[0] = 2;
      return "asked";
    }
    this.end();
    return "ended";
  }

  end() {
    this.worker?.terminate();
    this.worker = null;
    this.started = null;
    this.executing = false;
    for (const cell of [...this.waiting.keys()]) this.settle(cell, null);
  }
}
