// What happens around the step: notes to all, the raised hand, and whether the session is still live. Tells the server that somebody
// is doing something; an open tab alone is not.

import { prepareCode } from "./copy.js";
import { listen } from "./listening.js";
import { keepCookie, readCookie } from "./memory.js";

const NOTES = "workshop_notes";
const PING_EVERY = 30_000;

class Live {
  constructor(page) {
    this.page = page;
    this.state = "live";
    this.raised = false;
    this.pinged = -Infinity;
    this.source = null;
    this.quiet = false;
  }

  connect() {
    if (this.source || document.hidden || this.quiet) return;
    this.source = listen(`${this.page.root}/api/v1/live`, {
      session: (session) => this.session(session),
      hand: () => this.handLowered(),
      note: ({ notes }) => this.notes(notes),
    });
  }

  // A hidden tab would keep one of the few connections that a browser has for a server.
  disconnect() {
    this.source?.close();
    this.source = null;
  }

  // For whoever has their data deleted: with it the session goes, and nobody is to be told that it ended.
  hush(quiet) {
    this.quiet = quiet;
    if (quiet) this.disconnect();
    else this.connect();
  }

  async post(path, body) {
    const response = await fetch(`${this.page.root}/api/v1/session/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (response.ok) this.session(await response.json());
    return response;
  }

  session({ state, hand_raised: raised }) {
    if (this.quiet) return;
    this.showHand(raised);
    if (state === this.state) return;
    this.state = state;
    const dialog = this.page.ui("session-over");
    if (state === "waiting") location.reload();
    else if (state === "over") {
      if (!dialog.open) dialog.showModal();
    } else if (dialog.open) dialog.close();
  }

  showHand(raised) {
    this.raised = raised;
    const button = this.page.ui("hand");
    if (!button) return;
    button.setAttribute("aria-pressed", String(raised));
    this.page.ui("hand-words").textContent = raised ? "Hand raised" : "Raise hand";
  }

  handLowered() {
    this.say(this.lowering ? "Your hand is lowered." : "Your hand was lowered by those who run the workshop.");
  }

  async toggleHand() {
    const raised = !this.raised;
    this.lowering = !raised;
    try {
      const response = await this.post("hand", { raised });
      if (!response.ok) throw new Error(`status ${response.status}`);
      if (raised) this.say("Your hand is raised. Those who run the workshop see it.");
    } catch {
      this.say("The server cannot be reached, so your hand is as it was. Try again.");
    }
  }

  // Shown for a moment beside the notes, and read out with them.
  say(words) {
    this.page.ui("notes").querySelector(".said")?.remove();
    const line = document.createElement("p");
    line.className = "note-card said";
    line.textContent = words;
    this.page.ui("notes").append(line);
    setTimeout(() => line.remove(), 6000);
  }

  away() {
    return readCookie(NOTES).split(".").filter(Boolean);
  }

  notes(standing) {
    const away = this.away();
    const box = this.page.ui("notes");
    const ids = standing.map(({ id }) => String(id));
    for (const card of box.querySelectorAll("[data-note]")) {
      if (!ids.includes(card.dataset.note)) card.remove();
    }
    for (const { id, text, author } of [...standing].reverse()) {
      if (away.includes(String(id)) || box.querySelector(`[data-note="${Number(id)}"]`)) continue;
      const card = this.page.ui("note-template").content.firstElementChild.cloneNode(true);
      card.dataset.note = id;
      card.querySelector(".note-text").textContent = text;
      card.querySelector(".note-author").textContent = author;
      card.querySelector(".note-author").hidden = !author;
      box.prepend(card);
      prepareCode(card);
    }
    const kept = away.filter((id) => ids.includes(id));
    if (kept.length !== away.length) keepCookie(this.page.root, NOTES, kept.join("."));
  }

  dismiss(card) {
    keepCookie(this.page.root, NOTES, [...this.away(), card.dataset.note].join("."));
    card.remove();
  }

  active() {
    const now = performance.now();
    if (this.quiet || this.state !== "live" || now - this.pinged < PING_EVERY) return;
    this.pinged = now;
    this.post("activity", { step: this.page.step }).catch(() => { this.pinged = now - PING_EVERY / 2; });
  }

  async leave() {
    const response = await this.post("leave").catch(() => null);
    if (!response?.ok) this.say("The server cannot be reached, so you are still in. Try again.");
  }
}

export function startLive(page) {
  const live = new Live(page);
  page.live = live;
  for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(name, () => live.active(), { passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) live.disconnect();
    else live.connect();
  });
  addEventListener("pagehide", () => live.disconnect());
  addEventListener("pageshow", () => live.connect());
  page.ui("hand")?.addEventListener("click", () => live.toggleHand());
  page.ui("notes").addEventListener("click", (event) => {
    const button = event.target.closest(".dismiss");
    if (button) live.dismiss(button.closest(".note-card"));
  });
  page.ui("come-back").addEventListener("click", () => location.reload());
  page.ui("leave")?.addEventListener("click", async () => {
    document.getElementById("ui:me").hidePopover();
    page.ui("over-words").textContent = "You left the workshop, so your place is free for others. Your conversations are kept.";
    await live.leave();
  });
  live.connect();
}
