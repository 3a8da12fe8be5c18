// What every output is made of: elements, formulas, text with formulas in it, highlighted code.

import katex from "katex";
import {pythonLanguage} from "@codemirror/lang-python";
import {highlightCode, tagHighlighter, tags as t} from "@lezer/highlight";

export function element(tag, {classes = "", ...attributes} = {}, ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.flat());
  return made;
}

export function drawn(latex, display) {
  const holder = element("span");
  // throwOnError false: what a reader's own code shows may be LaTeX that KaTeX does not know; its source then stands there.
  holder.innerHTML = katex.renderToString(latex, {displayMode: display, throwOnError: false, strict: "ignore", trust: false});
  return [...holder.childNodes];
}

export function inline(latex) {
  return element("span", {classes: "math-inline notranslate nohighlight"}, drawn(latex, false));
}

export function formula(latex, spoken, classes = "") {
  const box = element("div", {classes: "math-scroll", tabindex: "0", role: "group", "aria-label": spoken}, drawn(latex, true));
  return element("div", {classes: `${classes} math-display notranslate nohighlight`.trim()}, box);
}

// `$…$` is math, `\$` a dollar sign.
export function textWithMath(text) {
  return text.split(/(?<!\\)\$/).map((piece, place) => (place % 2 ? inline(piece) : piece.replaceAll("\\$", "$")));
}

// The names that the book's stylesheet has for the parts of code, so that written code looks like printed code.
export const highlighter = tagHighlighter([
  {tag: [t.keyword, t.controlKeyword, t.definitionKeyword, t.modifier], class: "k"},
  {tag: t.moduleKeyword, class: "kn"},
  {tag: t.operatorKeyword, class: "ow"},
  {tag: [t.bool, t.null], class: "kc"},
  {tag: [t.string, t.docString], class: "s2"},
  {tag: t.special(t.string), class: "s2"},
  {tag: t.escape, class: "se"},
  {tag: t.number, class: "mi"},
  {tag: [t.comment, t.lineComment], class: "c1"},
  {tag: t.function(t.definition(t.variableName)), class: "nf"},
  {tag: t.definition(t.className), class: "nc"},
  {tag: t.meta, class: "nd"},
  {tag: [t.operator, t.arithmeticOperator, t.compareOperator, t.definitionOperator, t.derefOperator], class: "o"},
  {tag: [t.punctuation, t.paren, t.squareBracket, t.brace, t.separator], class: "p"},
  {tag: [t.variableName, t.propertyName], class: "n"},
]);

export function code(text, language) {
  // On a phone printed columns stay columns, and scroll: keys must reach them.
  const pre = element("pre", {tabindex: "0", role: "group", "aria-label": language ? "Code" : "Output"});
  if (language === "python") {
    const put = (piece, classes) => pre.append(classes ? element("span", {classes}, piece) : piece);
    highlightCode(text, pythonLanguage.parser.parse(text), highlighter, put, () => pre.append("\n"));
  } else {
    pre.append(text);
  }
  return element("div", {classes: `highlight-${language || "none"} notranslate`}, element("div", {classes: "highlight"}, pre));
}
