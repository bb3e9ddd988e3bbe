// What the reader thinks of an answer: a thumb, and a reason where they want to give one. Kept on the server at once.

import { readCookie } from "./memory.js";

const MISSING = "Not in this workshop, and it should be.";
const AWAY = "This was not kept: the server cannot be reached. Try again.";

async function send(address, method, body) {
  const response = await fetch(address, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  }).catch(() => { throw new Error(AWAY); });
  const told = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(told.detail || told.title || AWAY);
  return told;
}

class FeedbackBar {
  // `shown` is the conversation that the server has drawn; a turn that came since names its own.
  constructor(page, turn, shown) {
    const conversation = turn.dataset.conversation || shown || readCookie("workshop_conversation");
    this.turn = turn;
    this.bar = turn.querySelector(".feedback");
    this.address = `${page.root}/api/v1/conversations/${encodeURIComponent(conversation)}/turns/${turn.dataset.number}/feedback`;
    this.form = this.part("feedback-form");
    this.field = this.form.querySelector("textarea");
  }

  part(name) {
    return this.bar.querySelector(`.${name}`);
  }

  get rating() {
    return this.bar.querySelector('.rate[aria-pressed="true"]')?.dataset.rating ?? "";
  }

  get reason() {
    return this.part("feedback-reason").textContent;
  }

  show(given, words) {
    const { rating = "", reason = "" } = given ?? {};
    for (const button of this.bar.querySelectorAll(".rate")) button.setAttribute("aria-pressed", String(button.dataset.rating === rating));
    this.part("say-why").hidden = !rating;
    this.part("say-why").textContent = reason ? "Change what you wrote" : "Say why";
    this.part("feedback-reason").textContent = reason;
    this.part("feedback-reason").hidden = !reason;
    this.part("feedback-status").textContent = words;
    const tell = this.turn.querySelector(".tell");
    if (tell) {
      tell.hidden = rating === "down";
      this.turn.querySelector(".told").textContent = rating === "down" ? "The author will see that this is missing." : "";
    }
  }

  async keep(given, words, line = this.part("feedback-status")) {
    try {
      this.show(await send(this.address, given ? "PUT" : "DELETE", given) ?? given, words);
      return true;
    } catch (error) {
      line.textContent = error.message;
      return false;
    }
  }

  rate(rating) {
    if (rating === this.rating) return this.keep(null, "Taken back.");
    return this.keep({ rating, reason: this.reason }, "Thank you.");
  }

  open() {
    this.field.value = this.reason;
    this.form.hidden = false;
    this.field.focus();
  }

  close() {
    this.form.hidden = true;
    this.part("say-why").focus();
  }

  async say() {
    if (await this.keep({ rating: this.rating || "down", reason: this.field.value.trim() }, "Thank you. The author can read it.")) this.close();
  }

  // The question is the author's to see; the thumb stays the reader's to change.
  async tell() {
    const kept = await this.keep({ rating: "down", reason: this.reason || MISSING }, "", this.turn.querySelector(".told"));
    if (kept) this.part("say-why").focus();
  }
}

export function startFeedback(page) {
  const shown = readCookie("workshop_conversation");
  const drawn = new WeakSet(document.querySelectorAll(".turn"));
  const barOf = (element) => {
    const turn = element.closest(".turn");
    return turn?.querySelector(".feedback") ? new FeedbackBar(page, turn, drawn.has(turn) ? shown : "") : null;
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".rate, .say-why, .feedback-close, .tell");
    const bar = button && barOf(button);
    if (!bar) return;
    if (button.matches(".rate")) bar.rate(button.dataset.rating);
    else if (button.matches(".say-why")) bar.open();
    else if (button.matches(".tell")) bar.tell();
    else bar.close();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.(".feedback-form")) return;
    event.preventDefault();
    barOf(event.target).say();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.closest?.(".feedback-form")) return;
    event.preventDefault();
    barOf(event.target).close();
  });
}
