// One question and its answer on the page. The words of an answer come as HTML that the server has sanitized; all else is set as text.

import { prepareCode } from "./copy.js";
import { passageAddress } from "./marks.js";

function linesText(first, last) {
  return first === last ? `line ${first}` : `lines ${first}–${last}`;
}

// The same rules as `own_words` and `_title` on the server.
function ownWords({ written_by: writer, citations }) {
  if (writer !== "extractive" || !citations.length) return "";
  return citations.some(({ document }) => document) ? "In the sources’ own words." : "In the workshop’s own words.";
}

function titleOf({ heading, step, file, document: shared }) {
  const titles = shared && heading[0] !== shared.title ? [shared.title, ...heading] : heading;
  return titles.join(" › ") || step || file;
}

export class Turn {
  constructor(page, element) {
    this.page = page;
    this.element = element;
  }

  static begin(page, question) {
    const element = page.ui("turn-template").content.firstElementChild.cloneNode(true);
    element.querySelector(".question-text").textContent = question;
    element.dataset.step = page.step;
    return new Turn(page, element);
  }

  part(name) {
    return this.element.querySelector(`.${name}`);
  }

  status(words) {
    const line = this.part("turn-status");
    line.textContent = words;
    line.hidden = !words;
  }

  addBlock({ html, before }) {
    const answer = this.part("answer");
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const last = answer.lastElementChild;
    const first = holder.content.firstElementChild;
    const goesOn = Boolean(before) && !/\n[^\S\n]*\n/.test(before);
    // A sentence or an item that goes on in the same paragraph or list.
    if (goesOn && first && last?.tagName === first.tagName && /^(P|UL|OL)$/.test(first.tagName)) {
      last.append(before, ...first.childNodes);
      first.remove();
    }
    answer.append(holder.content);
    prepareCode(answer);
  }

  finish(answer) {
    this.status("");
    this.element.dataset.state = "done";
    this.element.classList.toggle("abstained", answer.abstained);
    this.part("not-here").hidden = !answer.abstained;
    this.showSources(answer.citations);
    this.showNearest(answer.nearest);
    const how = answer.note || ownWords(answer);
    this.part("how").textContent = how;
    this.part("how").hidden = !how;
  }

  showSources(citations) {
    const list = this.part("sources");
    list.replaceChildren(...citations.map((citation) => this.source(citation)));
    list.hidden = !citations.length;
  }

  source(citation) {
    const item = this.page.ui("source-template").content.firstElementChild.cloneNode(true);
    const { n, step, file, first_line: first, last_line: last, heading, document: shared } = citation;
    item.dataset.n = n;
    item.querySelector(".chip").textContent = n;
    item.querySelector(".source-heading").textContent = titleOf(citation);
    item.querySelector(".shared").hidden = !shared;
    item.querySelector(".lines").textContent = linesText(first, last);
    item.querySelector(".place").textContent = `${file}:${first}-${last}`;
    item.querySelector(".passage").textContent = citation.text;
    const address = shared ? "" : passageAddress(this.page, { step, file, first, last, heading });
    const go = item.querySelector(".go");
    go.href = address;
    go.hidden = !address;
    return item;
  }

  showNearest(sections) {
    const box = this.part("nearest");
    box.hidden = !sections.length;
    box.querySelector("ul").replaceChildren(...sections.map((section) => this.nearSection(section)));
  }

  nearSection(section) {
    const { step, heading, file, line, document: shared } = section;
    const item = document.createElement("li");
    if (shared) {
      const mark = this.page.ui("source-template").content.querySelector(".shared").cloneNode(true);
      mark.hidden = false;
      item.append(titleOf(section), " ", mark);
      return item;
    }
    const link = item.appendChild(document.createElement("a"));
    link.textContent = titleOf(section);
    link.href = passageAddress(this.page, { step, file, first: line, last: line, heading }) || `${this.page.root}/steps/${step}`;
    return item;
  }

  trouble(words, state) {
    this.status("");
    this.element.dataset.state = state;
    this.part("trouble-text").textContent = words;
    this.part("trouble").hidden = false;
  }
}
