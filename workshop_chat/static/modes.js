// The three ways of helping: which one is chosen, and why one is shut. The server has the last word; this only shows it.

import { recall, remember } from "./memory.js";
import { call } from "./stream.js";

const OTHERWISE = "explain";
const MINUTE = 60_000;
const SOON = 500;

function opensIn(milliseconds) {
  const minutes = Math.max(1, Math.ceil(milliseconds / MINUTE));
  return minutes > 90 ? `in ${Math.round(minutes / 60)} h` : `in ${minutes} min`;
}

export class Modes {
  constructor(page) {
    this.page = page;
    this.key = `workshop:${page.workshop}:mode`;
    this.box = page.ui("modes");
    this.line = page.ui("mode-line");
    this.inputs = [...this.box.querySelectorAll("input")];
    this.shut = new Map();
    this.timer = 0;
    this.box.addEventListener("change", (event) => this.choose(event.target));
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.shut.size) this.look(); });
    this.show(recall(this.key, OTHERWISE));
    this.look();
  }

  get chosen() {
    return this.inputs.find((input) => input.checked)?.value ?? OTHERWISE;
  }

  choose(input) {
    if (this.shut.has(input.value)) {
      // It keeps the focus, so that arrow keys go on from here, and says why it is not to be had.
      this.show(this.shown);
      this.line.textContent = this.shut.get(input.value);
      return;
    }
    remember(this.key, input.value);
    this.show(input.value);
  }

  show(mode) {
    const wanted = this.inputs.find((input) => input.value === mode && !this.shut.has(mode));
    const input = wanted ?? this.inputs.find((other) => other.value === OTHERWISE);
    input.checked = true;
    this.shown = input.value;
    this.line.textContent = input.dataset.does;
  }

  async look() {
    clearTimeout(this.timer);
    let ways;
    let now;
    try {
      const response = await call("GET", `${this.page.root}/api/v1/steps/${encodeURIComponent(this.page.step)}/help`);
      ways = await response.json();
      // The server's clock, since the reader's may be wrong by minutes.
      now = Date.parse(response.headers.get("date")) || Date.now();
    } catch {
      // Whatever is asked for, the server holds to what is open.
      return;
    }
    const before = new Set(this.shut.keys());
    this.shut.clear();
    for (const way of ways) this.showWay(way, now);
    const opened = [...before].filter((mode) => !this.shut.has(mode));
    if (this.shut.has(this.shown)) this.show(OTHERWISE);
    else if (!before.size) this.show(recall(this.key, OTHERWISE));
    if (opened.length) this.line.textContent = `${opened.map((mode) => this.page.words.modes[mode]).join(", ")} is open now.`;
  }

  showWay({ mode, open, message, opens_at: opensAt }, now) {
    const input = this.inputs.find((other) => other.value === mode);
    if (!input) return;
    const label = input.closest("label");
    const rest = !open && opensAt ? Math.max(SOON, Date.parse(opensAt) - now) : 0;
    if (!open) this.shut.set(mode, message);
    input.toggleAttribute("data-shut", !open);
    if (open) input.removeAttribute("aria-disabled");
    else input.setAttribute("aria-disabled", "true");
    label.title = open ? "" : message;
    label.querySelector(".segment-lock").hidden = open;
    label.querySelector(".opens").hidden = !rest;
    label.querySelector(".opens").textContent = rest ? opensIn(rest) : "";
    document.getElementById(input.getAttribute("aria-describedby")).textContent = open ? input.dataset.does : message;
    // Asked again whenever the words change, which is each minute, and when it should open.
    if (rest) this.timer = setTimeout(() => this.look(), (rest % MINUTE || MINUTE) + SOON);
  }
}
