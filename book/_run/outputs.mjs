// Outputs in nbformat's form, drawn where the page's printed ones stood.

import {marked} from "marked";
import {code, drawn, element, formula, inline} from "./elements.mjs";

const PREFIX = "application/vnd.backprop.";
const SUFFIX = "+json";
const RICHEST = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain"];
const LATEX = /^\s*(?:\$\$([^]*)\$\$|\\\[([^]*)\\\]|\$([^]*)\$)\s*$/;

// Math in Markdown, before Markdown sees its underscores; found again by number.
const math = {
  extensions: [
    {
      name: "display",
      level: "block",
      start: (source) => source.indexOf("$$"),
      tokenizer(source) {
        const found = /^\$\$([^]+?)\$\$/.exec(source);
        return found ? {type: "display", raw: found[0], latex: found[1]} : undefined;
      },
      renderer: ({latex}) => formula(latex, "Formula").outerHTML,
    },
    {
      name: "inline",
      level: "inline",
      start: (source) => source.indexOf("$"),
      tokenizer(source) {
        const found = /^\$((?:\\.|[^$\\])+?)\$/.exec(source);
        return found ? {type: "inline", raw: found[0], latex: found[1]} : undefined;
      },
      renderer: ({latex}) => inline(latex).outerHTML,
    },
  ],
  renderer: {
    code: ({text, lang}) => code(text, lang).outerHTML,
  },
};
marked.use(math);

export function markdown(text) {
  const box = element("div");
  box.innerHTML = marked.parse(text, {async: false});
  for (const table of box.querySelectorAll("table")) {
    table.classList.add("table");
    const scroll = element("div", {classes: "pst-scrollable-table-container", tabindex: "0", role: "group", "aria-label": "Table"});
    table.replaceWith(scroll);
    scroll.append(table);
  }
  return [...box.childNodes];
}

// A line that ends in a carriage return is written over by the next, as progress bars want it.
export function overwritten(text) {
  return text.replaceAll(/[^\n\r]*\r(?=[^\n])/g, "").replaceAll("\r", "");
}

function pictured(mime, data, alternative) {
  const source = mime === "image/svg+xml" ? `data:${mime};utf8,${encodeURIComponent(data)}` : `data:${mime};base64,${data}`;
  return element("img", {classes: "dark-light", src: source, alt: alternative || "A figure without a description"});
}

function latexOf(text) {
  const found = LATEX.exec(text);
  return found ? found[1] ?? found[2] ?? found[3] : null;
}

export class Outputs {
  constructor(records) {
    this.records = records;
  }

  draw(output) {
    if (output.output_type === "stream") return this.stream(output);
    if (output.output_type === "error") return this.error(output);
    return this.shown(output);
  }

  stream({name, text}) {
    const box = code(overwritten(text), "none");
    box.className = `output ${name === "stderr" ? "stderr" : "stream"} highlight-myst-ansi notranslate bp-run-text`;
    return box;
  }

  // What went wrong first, then where.
  error({last, traceback}) {
    const where = element("details", {classes: "bp-run-where", open: ""}, element("summary", {}, "Where"), code(traceback.join("\n"), "none"));
    return element("div", {classes: "bp-run-error", role: "alert"}, element("p", {classes: "bp-run-last"}, element("code", {}, last)), where);
  }

  shown({data, metadata}) {
    const own = Object.keys(data).find((mime) => mime.startsWith(PREFIX) && mime.endsWith(SUFFIX));
    if (own) return this.records.draw(own.slice(PREFIX.length, -SUFFIX.length), data[own]);
    const mime = RICHEST.find((each) => each in data);
    if (!mime) return element("p", {}, `An output of the kind ${Object.keys(data).join(", ")} is not shown here.`);
    const content = data[mime];
    if (mime.startsWith("image/")) {
      return pictured(mime, content, metadata?.[mime]?.alt ?? data["text/plain"]?.replace(/^Figure: /, ""));
    }
    if (mime === "text/html") {
      const box = element("div", {classes: "output text_html"});
      box.innerHTML = content;
      return box;
    }
    if (mime === "text/markdown") {
      const parts = markdown(content);
      return parts.length === 1 && parts[0].nodeType === Node.ELEMENT_NODE ? parts[0] : element("div", {classes: "bp-run-markdown"}, parts);
    }
    if (mime === "text/latex") {
      const latex = latexOf(content);
      return latex === null ? element("div", {}, drawn(content, true)) : formula(latex, "Formula", "output text_latex");
    }
    const box = code(content, "none");
    box.className = "output text_plain highlight-myst-ansi notranslate bp-run-text";
    return box;
  }
}
