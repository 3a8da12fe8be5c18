// The editor of a cell, loaded when a reader first wants to change one.

import {closeBrackets, closeBracketsKeymap} from "@codemirror/autocomplete";
import {defaultKeymap, history, historyKeymap, indentWithTab} from "@codemirror/commands";
import {python} from "@codemirror/lang-python";
import {bracketMatching, indentOnInput, indentUnit, syntaxHighlighting} from "@codemirror/language";
import {EditorState, Prec} from "@codemirror/state";
import {drawSelection, EditorView, keymap} from "@codemirror/view";
import {highlighter} from "./elements.mjs";

export function openEditor({text, label, run, leave, changed}) {
  // Tab indents; Escape leaves, so that the keyboard is never caught.
  const own = Prec.highest(keymap.of([
    {key: "Shift-Enter", run: () => (run(), true)},
    {key: "Mod-Enter", run: () => (run(), true)},
    {key: "Escape", run: () => (leave(), true)},
  ]));
  const view = new EditorView({
    doc: text,
    extensions: [
      own,
      history(),
      drawSelection(),
      indentOnInput(),
      indentUnit.of("    "),
      bracketMatching(),
      closeBrackets(),
      python(),
      syntaxHighlighting(highlighter),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
      EditorState.tabSize.of(4),
      EditorView.contentAttributes.of({"aria-label": label, autocapitalize: "off", autocorrect: "off", spellcheck: "false"}),
      EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
    ],
  });
  // The theme's shortcuts ("/" opens the search) must not take keys that are typed here.
  for (const event of ["keydown", "keypress", "keyup"]) view.dom.addEventListener(event, (each) => each.stopPropagation());
  return view;
}
