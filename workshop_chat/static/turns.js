// One question and its answer on the page. The words of an answer come as HTML that the server has sanitized; all else is set as text.

import { prepareCode } from "./copy.js";
import { checkItem, kindOf, showMade, writerOf } from "./made.js";
import { passageAddress } from "./marks.js";

const SHOWN_AT_ONCE = new Set(["blocked", "masked"]);

const made = new WeakMap();

function linesText(first, last) {
  return first === last ? `line ${first}` : `lines ${first}–${last}`;
}

// The same rule as `_title` on the server.
function titleOf({ heading, step, file, document: shared }) {
  const titles = shared && heading[0] !== shared.title ? [shared.title, ...heading] : heading;
  return titles.join(" › ") || step || file;
}

export class Turn {
  // `message` is what was sent, so that it can be asked again.
  constructor(page, element, message) {
    this.page = page;
    this.element = element;
    this.message = message;
    this.words = page.words;
    this.blocks = 0;
  }

  static begin(page, message) {
    const element = page.ui("turn-template").content.firstElementChild.cloneNode(true);
    if (message.step) element.dataset.step = message.step;
    const turn = new Turn(page, element, message);
    made.set(element, turn);
    turn.showQuestion(message.text);
    turn.showMode(message.mode);
    if (message.about) turn.showAbout(message);
    prepareCode(element);
    return turn;
  }

  // The turn of an element, be it of this page's making or the server's.
  static of(page, element) {
    const { step, mode, about } = element.dataset;
    const message = { text: element.querySelector(".question-text").textContent, step: step ?? null, mode };
    if (about) {
      const [first, last] = about.split("-").map(Number);
      message.about = { first_line: first, last_line: last };
    }
    return made.get(element) ?? new Turn(page, element, message);
  }

  part(name) {
    return this.element.querySelector(`.${name}`);
  }

  get isKept() {
    return this.element.dataset.number !== "0";
  }

  set address(address) {
    const [, conversation, number] = /\/conversations\/([^/]+)\/turns\/(\d+)$/.exec(address) ?? [];
    if (number) Object.assign(this.element.dataset, { conversation, number });
  }

  showQuestion(text) {
    this.message = { ...this.message, text };
    this.part("question-text").textContent = text;
    this.part("looked-for").textContent = text;
  }

  showAbout({ step, about: { first_line: first, last_line: last } }) {
    const link = this.part("asked-about");
    link.href = passageAddress(this.page, { step, file: `steps/${step}/content.md`, first, last, heading: [] });
    link.hidden = false;
    this.part("asked-lines").textContent = linesText(first, last);
    this.element.dataset.about = `${first}-${last}`;
  }

  showMode(mode) {
    this.element.dataset.mode = mode;
    this.part("asked-mode").textContent = this.words.modes[mode];
    this.part("asked-mode").hidden = mode === "explain";
  }

  status(words) {
    const line = this.part("turn-status");
    if (line.textContent !== words) line.textContent = words;
    line.hidden = !words;
  }

  // A block that comes again after a broken connection is passed over.
  addBlock({ n, html, before }) {
    if (n < this.blocks) return;
    this.blocks = n + 1;
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

  addCheck(verdict) {
    if (!SHOWN_AT_ONCE.has(verdict.outcome)) return;
    const list = this.part("findings");
    const item = checkItem(this.words, verdict);
    if ([...list.children].some(({ textContent }) => textContent === item.textContent)) return;
    list.append(item);
    list.hidden = false;
  }

  finish(answer) {
    this.status("");
    // From here on the note, the look and the details say it.
    this.part("findings").hidden = true;
    this.element.dataset.state = answer.stopped ? "stopped" : "done";
    if (answer.number) this.element.dataset.number = answer.number;
    this.element.dataset.conversation = answer.conversation;
    this.showMode(answer.mode);
    this.showKind(kindOf(answer));
    this.showSources(answer.citations);
    this.showNearest(answer.nearest);
    this.showOptions(answer.options);
    const how = answer.note || (this.words.own[writerOf(answer)] ?? "");
    this.part("how").textContent = how;
    this.part("how").hidden = !how;
    showMade(this.part("made"), this.words, answer);
    this.showTrouble(answer.stopped ? "stopped" : "");
  }

  showKind(kind) {
    this.element.classList.remove("plain");
    this.element.classList.add(kind);
    for (const line of this.element.querySelectorAll("[data-kind]")) line.hidden = line.dataset.kind !== kind;
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

  showOptions(options) {
    const list = this.part("options");
    list.hidden = !options.length;
    list.replaceChildren(...options.map((option) => {
      const item = document.createElement("li");
      const button = item.appendChild(document.createElement("button"));
      button.type = "button";
      button.className = "suggestion";
      button.textContent = option;
      return item;
    }));
  }

  showTrouble(state, words = "") {
    for (const box of this.element.querySelectorAll("[data-trouble]")) {
      box.hidden = box.dataset.trouble !== state;
      if (words && !box.hidden) box.querySelector(".trouble-text").textContent = words;
    }
  }

  trouble(state, words = "") {
    this.status("");
    this.element.dataset.state = state;
    this.showTrouble(state, words);
  }
}
