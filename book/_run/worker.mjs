// Python in a worker: the page stays responsive, and a computation that does not end can be ended.

// What is loaded is counted as it arrives, so that the page can say how much is left.
let bytes = 0;
let told = 0;
let what = "Python";

function tell(force = false) {
  const now = performance.now();
  if (!force && now - told < 100) return;
  told = now;
  postMessage({type: "loading", what, bytes});
}

// Of a file that does not come while Python starts, the interpreter itself says nothing: it waits for ever.
function missing(message) {
  if (!kernel) postMessage({type: "failed", asked: "start", message});
}

const plainFetch = self.fetch.bind(self);
self.fetch = async (...request) => {
  const asked = String(request[0]?.url ?? request[0]);
  const answer = await plainFetch(...request).catch((error) => {
    missing(`${asked} did not come (${error.message})`);
    throw error;
  });
  if (!answer.ok) missing(`${asked} answered ${answer.status}`);
  if (!answer.body) return answer;
  const counting = new TransformStream({
    transform(piece, stream) {
      bytes += piece.byteLength;
      tell();
      stream.enqueue(piece);
    },
  });
  return new Response(answer.body.pipeThrough(counting), {
    status: answer.status,
    statusText: answer.statusText,
    headers: answer.headers,
  });
};

let pyodide = null;
let kernel = null;
let page = null;
let current = null;
let packages = {};
const loaded = new Set();

async function start({base, course, release, interrupts}) {
  packages = release.packages;
  const {loadPyodide} = await import(/* the release's own module */ `${base}pyodide.mjs`);
  const archive = fetch(course).then((answer) => {
    if (!answer.ok) throw new Error(`${course} answered ${answer.status}`);
    return answer.arrayBuffer();
  });
  archive.catch(() => null); // reported below, where it is awaited
  pyodide = await loadPyodide({indexURL: base, packageBaseUrl: base, stdout: () => null, stderr: () => null});
  if (interrupts) pyodide.setInterruptBuffer(interrupts);
  what = "the course's package";
  tell(true);
  const site = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
  pyodide.unpackArchive(await archive, "zip", {extractDir: site});
  page = pyodide.pyimport("page_kernel");
  kernel = page.Kernel((output) => postMessage({type: "output", cell: current, output: JSON.parse(output)}));
  postMessage({type: "started", bytes, version: pyodide.runPython("import platform; platform.python_version()")});
}

function bytesOf(names, seen = new Set()) {
  let sum = 0;
  for (const name of names) {
    if (seen.has(name) || loaded.has(name) || !packages[name]) continue;
    seen.add(name);
    sum += packages[name].bytes + bytesOf(packages[name].depends, seen);
  }
  return sum;
}

// Packages of the release are loaded when the first cell that needs one runs.
async function provide(code) {
  const byImport = {};
  for (const [name, each] of Object.entries(packages)) for (const top of each.imports) byImport[top] = name;
  const found = JSON.parse(page.needed(code, JSON.stringify(Object.keys(byImport))));
  const missing = [...new Set(found.map((top) => byImport[top]))].filter((name) => !loaded.has(name));
  if (!missing.length) return;
  what = missing.join(", ");
  postMessage({type: "wanted", bytes: bytesOf(missing)});
  tell(true);
  const failures = [];
  const got = await pyodide.loadPackage(missing, {messageCallback: () => null, errorCallback: (each) => failures.push(each)});
  for (const each of got) loaded.add(each.name);
  const absent = missing.filter((name) => !pyodide.loadedPackages[name]);
  if (absent.length) throw new Error(`could not be loaded: ${absent.join(", ")}${failures.length ? ` (${failures[0]})` : ""}`);
  for (const name of missing) loaded.add(name);
  postMessage({type: "provided"});
}

async function run({cell, code, name}) {
  current = cell;
  await provide(code);
  postMessage({type: "running", cell});
  const started = performance.now();
  const good = await kernel.run(code, name);
  postMessage({type: "done", cell, good, seconds: (performance.now() - started) / 1000, bytes});
}

// One after the other, in the order asked for.
let last = Promise.resolve();
self.onmessage = ({data}) => {
  last = last.then(() => (data.type === "start" ? start(data) : run(data))).catch((error) => {
    postMessage({type: "failed", asked: data.type, cell: data.cell ?? null, message: String(error.message ?? error)});
  });
};
