// The two npm tools behind lighten.py, in one process: rules that no page uses are dropped, then all is minified.
// Reads {css, ours, words, kept, scripts} as JSON from standard input, writes {css, scripts} to standard output.
import { transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { css, ours, words, kept, scripts } = JSON.parse(Buffer.concat(chunks).toString("utf8"));

const [purged] = await new PurgeCSS().purge({
  content: [{ raw: words.join(" "), extension: "words" }],
  extractors: [{ extensions: ["words"], extractor: (text) => text.split(" ") }],
  css: [{ raw: css }],
  keyframes: true,
  safelist: { greedy: kept.map((pattern) => new RegExp(pattern)) },
  dynamicAttributes: ["data-theme", "data-mode", "aria-expanded", "aria-selected", "aria-describedby", "open", "data-popper-placement"],
});
// Our own stylesheet holds nothing in vain, and selectors such as :is(:hover, :focus-within), which PurgeCSS would drop.
const minified = await transform(`${purged.css}\n${ours}`, { loader: "css", minify: true, legalComments: "none" });
const shrunk = [];
for (const script of scripts) {
  const { code } = await transform(script, { loader: "js", minifyWhitespace: true, minifySyntax: true, legalComments: "none" });
  shrunk.push(code.trim());
}
process.stdout.write(JSON.stringify({ css: minified.code, scripts: shrunk }));
