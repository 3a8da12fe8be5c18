// The checked records of a cell, drawn as the book draws them: the same elements, classes and words (backprop.sphinxext).

import {code, element, formula, inline, textWithMath} from "./elements.mjs";

const RELATIONS = {"=": "=", "<=": "\\le"};
const NEGATED = {"=": "\\ne", "<=": "\\not\\le"};

// `words` are the book's own words for evidence, `page` knows the numbers and links that the printed page has.
export class Records {
  constructor(words, page) {
    this.words = words;
    this.page = page;
    this.serial = 0;
  }

  draw(kind, record) {
    return this[kind](record);
  }

  derivation({label, let: where, given, start, steps, result, evidence, proves}) {
    const figure = element("figure", {
      classes: `derivation evidence-${evidence}`,
      "aria-label": label ? `Derivation of ${label}` : "Derivation",
    });
    for (const [lead, formulas] of [["where", where], ["given", given]]) {
      if (!formulas.length) continue;
      const listed = formulas.map((each) => element("li", {}, inline(`\\displaystyle ${each.latex}`)));
      figure.append(element("div", {classes: `derivation-${lead}`}, element("span", {classes: "lead"}, lead), element("ul", {role: "list"}, listed)));
    }
    const alone = label !== null && steps.length === 1;
    if (alone) {
      figure.append(element("div", {classes: "derivation-only"}, this.numbered(result.latex, label), this.reason(steps[0])));
    } else {
      const first = element("li", {classes: "derivation-line derivation-start"}, formula(start.latex, "The starting point"));
      const lines = steps.map((step, place) =>
        element("li", {classes: "derivation-line"}, formula(`${RELATIONS[step.relation]} ${step.latex}`, `Line ${place + 1}`), this.reason(step)));
      figure.append(element("ol", {classes: "derivation-lines", role: "list"}, first, lines));
      if (label) figure.append(this.numbered(result.latex, label));
    }
    const said = alone ? [] : [this.mark(evidence)];
    said.push(element("span", {}, this.words[alone ? "one_line" : "whole"][evidence]));
    const about = this.page.link("what_proved_means.html", "What do the marks mean?");
    if (about) said.push(element("span", {classes: "about-marks"}, about));
    const caption = element("figcaption", {classes: "derivation-evidence"}, element("div", {classes: "whole"}, said));
    if (proves.length) {
      caption.append(element("span", {classes: "proves"}, proves.length === 1 ? "formula " : "formulas ", this.rows(proves)));
    }
    figure.append(caption);
    return figure;
  }

  reason({because, evidence, detail}) {
    return element("div", {classes: "derivation-reason"}, element("span", {classes: "because"}, textWithMath(because)), this.mark(evidence, detail));
  }

  mark(evidence, detail = null) {
    const id = `bp-run-evidence-${++this.serial}`;
    const explained = this.words.explained[evidence] + (detail ? ` Established by: ${detail}.` : "");
    const word = element("span", {classes: this.words.all_sizes.includes(evidence) ? "word implied" : "word"}, evidence);
    const sign = element("span", {"aria-hidden": "true"}, this.words.signs[evidence]);
    return element("span", {classes: `evidence evidence-${evidence}`},
      element("button", {classes: "sign", type: "button", "aria-describedby": id}, sign, word),
      element("span", {classes: "tip", role: "tooltip", id}, textWithMath(explained)));
  }

  numbered(latex, label) {
    const printed = this.page.equation(label);
    if (!printed) {
      // A label that the printed page does not have: the reader's own.
      const block = formula(latex, `Equation ${label}`, "result numbered");
      block.append(element("span", {classes: "eqno"}, element("code", {}, label)));
      return block;
    }
    const block = formula(latex, `Equation ${printed.number}`, "result numbered");
    if (printed.id) block.id = printed.id;
    block.append(printed.eqno.cloneNode(true));
    return block;
  }

  rows(names) {
    return names.flatMap((name, place) => [...(place ? [", "] : []), this.page.row(name) ?? name]);
  }

  refusal(record) {
    const {step, rung, relation, left, right, because, counterexample, hint, message} = record;
    const which = step === null ? "This step is refused." : `Step ${step} is refused.`;
    const between = rung === "proof" ? `\\overset{?}{${RELATIONS[relation]}}` : NEGATED[relation];
    const box = element("figure", {classes: `refusal refused-by-${rung}`, "aria-label": which},
      element("p", {classes: "refusal-title"}, this.sign("✗"), element("strong", {}, which), ` ${this.words.refused_by[rung]}`),
      formula(`${left.latex} \\;${between}\\; ${right.latex}`, "The refused step"));
    if (because) box.append(this.withLead("The reason given: ", because));
    if (counterexample) box.append(this.counterexample(counterexample));
    if (hint) box.append(this.withLead("Hint: ", hint));
    box.append(element("details", {}, element("summary", {}, "The message in full"), code(message, "none")));
    return box;
  }

  counterexample({sizes, index, left, right}) {
    const rows = [];
    if (sizes && Object.keys(sizes).length) rows.push(["Sizes", this.equations(sizes)]);
    if (index && typeof index === "object" && Object.keys(index).length) rows.push(["At", this.equations(index)]);
    else if (typeof index === "string" && index) rows.push(["At", `entry ${index}`]);
    for (const [name, value] of [["Left side", left], ["Right side", right]]) {
      rows.push([name, element("code", {classes: "docutils literal notranslate"}, element("span", {classes: "pre"}, value))]);
    }
    return element("dl", {classes: "counterexample"}, rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  }

  equations(values) {
    return Object.entries(values).flatMap(([name, value], place) => {
      const [stem, ...below] = name.replaceAll(/[^A-Za-z0-9_]/g, "").split("_");
      const subscript = below.length ? `_{\\mathrm{${below.join(",")}}}` : "";
      return [...(place ? [", "] : []), inline(`${stem}${subscript} = ${value}`)];
    });
  }

  withLead(lead, text) {
    return element("p", {}, element("span", {classes: "lead"}, lead), textWithMath(text));
  }

  sign(glyph) {
    return element("span", {classes: "sign", "aria-hidden": "true"}, glyph);
  }

  check({label, kind, bound}) {
    const words = ` agrees with ${this.words.checked_by[kind]}: error below ${bound}`;
    return element("p", {classes: "quiet-line check"}, this.sign("✓"), " Equation ", this.page.reference(label), words);
  }

  claim({ids}) {
    const noun = ids.length === 1 ? "claim" : "claims";
    return element("p", {classes: "quiet-line claim"}, this.sign("✓"), ` Settles ${noun} `, this.rows(ids), " of the notes");
  }

  feedback({passed, message}) {
    const verdict = element("strong", {}, passed ? "Right. " : "Not yet. ");
    return element("p", {classes: `quiet-line feedback-${passed ? "passed" : "open"}`}, verdict, message);
  }

  table({header, rows}) {
    const head = element("tr", {}, header.map((name) => element("th", {scope: "col"}, element("span", {}, textWithMath(name)))));
    const body = rows.map(([name, ...words]) => element("tr", {},
      element("th", {scope: "row"}, textWithMath(name)),
      words.map((word) => element("td", {classes: `outcome-${word.replaceAll(" ", "-")}`}, this.outcome(word)))));
    const drawn = element("table", {classes: "break-it"}, element("thead", {}, head), element("tbody", {}, body));
    const box = element("div", {classes: "table-scroll", tabindex: "0", role: "group", "aria-label": "Which check catches which bug"}, drawn);
    const seen = new Set(rows.flatMap((row) => row.slice(1)));
    const meanings = Object.keys(this.words.outcomes).filter((word) => seen.has(word));
    const legend = meanings.map((word) => element("span", {classes: `outcome-${word.replaceAll(" ", "-")}`}, this.outcome(word)));
    return element("div", {classes: "break-it-table"}, box, element("p", {classes: "legend", "aria-hidden": "true"}, legend));
  }

  outcome(word) {
    const glyph = this.words.outcomes[word];
    return glyph
      ? [element("span", {"aria-hidden": "true"}, glyph), " ", element("span", {classes: "word"}, word)]
      : [element("span", {}, word)];
  }

  summary({title, results, limits}) {
    const id = `bp-run-summary-${++this.serial}`;
    const heading = element("p", {classes: "box-title", id}, textWithMath(title));
    const listed = results.map(({text, label, latex, evidence}) => {
      const item = element("li", {}, element("span", {}, textWithMath(text)));
      if (label) {
        const number = element("span", {classes: "summary-number"}, this.page.reference(label));
        item.append(element("div", {classes: "summary-formula"}, formula(latex ?? "", `Result ${label}`), number, evidence ? [this.mark(evidence)] : []));
      }
      return item;
    });
    const box = element("section", {classes: "box summary-box", "aria-labelledby": id}, heading, element("ul", {classes: "summary-results"}, listed));
    if (limits.length) {
      box.append(element("p", {classes: "lead"}, "Limits"), element("ul", {}, limits.map((limit) => element("li", {}, textWithMath(limit)))));
    }
    return box;
  }
}
