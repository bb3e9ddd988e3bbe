// The conversation: asking, the streamed answer, citations, stop and going on.

import { Draft } from "./draft.js";
import { ConnectionError } from "./events.js";
import { openAssistant } from "./layout.js";
import { keepCookie, readCookie } from "./memory.js";
import { Modes } from "./modes.js";
import { AnswerStream, ProblemError, call } from "./stream.js";
import { Turn } from "./turns.js";

const CONVERSATION = "workshop_conversation";
const BROKEN = "The page could not show the answer. Reload it, then ask again.";
const STOP_PATIENCE = 4000;
const UNANSWERED = new Set(["failed", "interrupted"]);
const ELSEWHERE = new Set(["turn-open", "turn-answered"]);

class Assistant {
  constructor(page) {
    this.page = page;
    this.conversation = readCookie(CONVERSATION);
    this.turns = page.ui("turns");
    this.field = document.querySelector(".ask textarea");
    this.placeholder = this.field.placeholder;
    this.draft = new Draft(page, this.field);
    this.modes = new Modes(page);
    this.about = null;
    this.live = null;
  }

  get api() {
    return `${this.page.root}/api/v1/conversations`;
  }

  addressOf(number) {
    return `${this.api}/${encodeURIComponent(this.conversation)}/turns/${number}`;
  }

  async conversationId(signal) {
    if (!this.conversation) {
      const response = await call("POST", this.api, { signal });
      this.conversation = (await response.json()).id;
      keepCookie(this.page.root, CONVERSATION, this.conversation);
    }
    return this.conversation;
  }

  async *events(stream, message) {
    const send = async () => `${this.api}/${encodeURIComponent(await this.conversationId(stream.signal))}/messages`;
    try {
      yield* stream.ask(await send(), message);
    } catch (error) {
      if (error.status !== 404 || stream.address) throw error;
      // The kept conversation is gone, or was someone else's on this computer.
      this.conversation = "";
      yield* stream.ask(await send(), message);
    }
  }

  ask(message) {
    const turn = Turn.begin(this.page, message);
    this.page.ui("welcome").hidden = true;
    this.page.ui("new").hidden = false;
    this.turns.append(turn.element);
    turn.status("Asking");
    return this.run(turn, (stream) => this.events(stream, message));
  }

  // Reads an answer that is being written already, from its beginning.
  resume(turn) {
    return this.begin(turn, "Fetching the answer", (stream) => stream.follow());
  }

  // Has a question answered anew that the server has kept without its answer; it stays one turn.
  retry(turn) {
    return this.begin(turn, "Asking again", (stream) => stream.ask(`${stream.address}/retry`));
  }

  begin(turn, status, events) {
    const { number } = turn.element.dataset;
    const fresh = Turn.begin(this.page, turn.message);
    fresh.element.dataset.number = number;
    turn.element.replaceWith(fresh.element);
    fresh.status(status);
    return this.run(fresh, events, this.addressOf(number));
  }

  async run(turn, begin, address = "") {
    const leaving = new AbortController();
    const stream = new AnswerStream(leaving.signal, address);
    const live = { turn, stream, leaving, stopping: false };
    this.live = live;
    this.show(turn);
    this.busy(true);
    let elsewhere = false;
    try {
      await this.read(turn, stream, begin(stream));
    } catch (error) {
      if (ELSEWHERE.has(error.slug)) elsewhere = true;
      else this.fail(turn, stream, error);
    } finally {
      clearTimeout(live.giveUp);
      if (this.live === live) {
        this.live = null;
        this.busy(false);
      }
    }
    // Another page of the same participant was quicker.
    if (elsewhere) await this.resume(turn);
  }

  async read(turn, stream, events) {
    for await (const { name, data } of events) {
      if (!turn.isKept && stream.address) {
        turn.address = stream.address;
        this.draft.taken();
      }
      if (this.live?.stopping && !this.live.sent) this.sendStop();
      if (name === "status") turn.status(data.message);
      else if (name === "block") turn.addBlock(data);
      else if (name === "check") turn.addCheck(data);
      else if (name === "reconnecting") turn.status("The connection broke. Connecting again");
      else if (name === "error") throw new ProblemError(data, data.status);
      else if (name === "done") {
        turn.finish(data);
        await this.showKeptQuestion(turn, stream, data.checks);
      }
    }
    this.modes.look();
  }

  // What a check has masked in a message is shown no longer than until the server has kept the message without it.
  async showKeptQuestion(turn, stream, checks) {
    const changed = checks.some(({ place, outcome }) => place === "message" && (outcome === "masked" || outcome === "blocked"));
    if (!changed || !stream.address) return;
    try {
      turn.showQuestion((await (await call("GET", stream.address)).json()).question);
    } catch {
      // A reload shows it.
    }
  }

  fail(turn, stream, error) {
    if (error.slug === "message-too-long") this.takeBack(turn, error.message);
    else if (error.name === "AbortError") turn.trouble("stopped");
    else if (error.slug === "answer-interrupted") turn.trouble("interrupted");
    else if (error instanceof ProblemError) turn.trouble("failed", error.message);
    else if (error instanceof ConnectionError) turn.trouble(stream.address ? "lost" : "offline");
    else {
      turn.trouble("failed", BROKEN);
      throw error;
    }
  }

  // Asked again it would be refused again: whoever wrote it shortens it.
  takeBack(turn, words) {
    turn.element.remove();
    this.page.ui("welcome").hidden = this.turns.querySelector(".turn") !== null;
    this.draft.giveBack(turn.message.text, words);
  }

  // The server ends the answer and its stream with it. Where it cannot be told, this page leaves it.
  stop() {
    const live = this.live;
    if (!live || live.stopping) return;
    live.stopping = true;
    live.turn.status("Stopping");
    live.giveUp = setTimeout(() => live.leaving.abort(), STOP_PATIENCE);
    if (live.stream.address) this.sendStop();
  }

  async sendStop() {
    const live = this.live;
    live.sent = true;
    try {
      await live.stream.stop();
    } catch {
      clearTimeout(live.giveUp);
      live.leaving.abort();
    }
  }

  show(turn) {
    this.turns.querySelector(".latest")?.classList.remove("latest");
    turn.element.classList.add("latest");
    const box = this.page.ui("conversation");
    box.scrollTop += turn.element.getBoundingClientRect().top - box.getBoundingClientRect().top - 8;
  }

  busy(is) {
    this.page.ui("stop").hidden = !is;
    this.page.ui("send").hidden = is;
    if (!is && document.activeElement === document.body) this.field.focus();
  }

  message(text) {
    return { text, step: this.page.step, mode: this.modes.chosen };
  }

  submit() {
    const text = this.field.value.trim();
    if (!text || this.live || !this.draft.look()) return;
    this.draft.sent();
    const message = this.about ? { ...this.message(text), about: this.about } : this.message(text);
    this.setAbout(null);
    this.ask(message);
  }

  setAbout(about, words = "") {
    this.about = about;
    const chip = this.page.ui("about");
    chip.hidden = !about;
    chip.querySelector("code").textContent = words;
    this.field.placeholder = this.placeholder;
  }

  explain(about, words) {
    if (this.live) {
      this.setAbout(about, words);
      this.draft.put("Explain this.");
      this.field.focus();
    } else {
      this.ask({ ...this.message("Explain this."), mode: "explain", about });
    }
  }

  takeError(about, words) {
    this.setAbout(about, words);
    this.field.placeholder = "Paste what the terminal said";
    this.field.focus();
  }

  again(turn) {
    const { state } = turn.element.dataset;
    if (this.live) return;
    if (state === "lost") {
      this.resume(turn);
      return;
    }
    if (turn.isKept && UNANSWERED.has(state)) {
      this.retry(turn);
      return;
    }
    // What the participant stopped stays; what never reached the server is replaced.
    if (!turn.isKept) turn.element.remove();
    this.ask(turn.message);
  }

  clear() {
    // The answer is written on and kept; this page only stops reading it.
    this.live?.leaving.abort();
    this.live = null;
    this.busy(false);
    this.conversation = "";
    keepCookie(this.page.root, CONVERSATION, "");
    this.turns.replaceChildren();
    this.page.ui("welcome").hidden = false;
    this.page.ui("new").hidden = true;
    this.field.focus();
  }
}

function openCitation(chip) {
  const source = chip.closest(".turn")?.querySelector(`.source[data-n="${Number(chip.dataset.n)}"] details`);
  if (!source) return;
  source.open = true;
  source.querySelector("summary").focus({ preventScroll: true });
  source.scrollIntoView({ block: "nearest" });
}

export function startAssistant(page) {
  const assistant = new Assistant(page);
  page.ui("ask-form").addEventListener("submit", (event) => { event.preventDefault(); assistant.submit(); });
  page.ui("stop").addEventListener("click", () => assistant.stop());
  page.ui("new").addEventListener("click", () => assistant.clear());
  page.ui("about-off").addEventListener("click", () => { assistant.setAbout(null); assistant.field.focus(); });
  assistant.field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    assistant.submit();
  });
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    const chip = hit("a.citation");
    if (chip) {
      event.preventDefault();
      openCitation(chip);
    } else if (hit(".retry")) {
      assistant.again(Turn.of(page, hit(".turn")));
    } else if (hit(".suggestion") && !assistant.live) {
      openAssistant(page);
      assistant.ask(assistant.message(hit(".suggestion").textContent));
    }
  });
  const box = page.ui("conversation");
  box.scrollTop = box.scrollHeight;
  // Until here what was typed would have gone nowhere.
  assistant.field.disabled = false;
  page.ui("send").disabled = false;
  const open = [...assistant.turns.querySelectorAll('.turn[data-state="answering"]')].at(-1);
  if (open && assistant.conversation) assistant.resume(Turn.of(page, open));
  return assistant;
}
