// The conversation: asking, the streamed answer, citations, stop and retry.

import { ConnectionError, connectionError, readEvents } from "./events.js";
import { openAssistant } from "./layout.js";
import { keepCookie, readCookie } from "./memory.js";
import { Turn } from "./turns.js";

const CONVERSATION = "workshop_conversation";
const OFFLINE = "The server cannot be reached. Check your connection, then ask again.";
const CUT = "The connection broke before the answer was finished. Ask again to get the whole of it.";

const BROKEN = "The page could not show the answer. Reload it, then ask again.";

class ProblemError extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || `The server answered with status ${status}.`);
    this.status = status;
  }
}

async function post(address, body, signal, accept) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: body === null ? undefined : JSON.stringify(body),
    signal,
  }).catch((error) => { throw connectionError(error); });
  if (!response.ok) throw new ProblemError(await response.json().catch(() => ({})), response.status);
  return response;
}

class Assistant {
  constructor(page) {
    this.page = page;
    this.conversation = readCookie(CONVERSATION);
    this.turns = page.ui("turns");
    this.field = document.querySelector(".ask textarea");
    this.stopping = null;
  }

  async conversationId(signal) {
    if (!this.conversation) {
      const response = await post(`${this.page.root}/api/v1/conversations`, null, signal, "application/json");
      this.conversation = (await response.json()).id;
      keepCookie(this.page.root, CONVERSATION, this.conversation);
    }
    return this.conversation;
  }

  async send(text, signal) {
    const { root, step } = this.page;
    const send = async () => post(
      `${root}/api/v1/conversations/${encodeURIComponent(await this.conversationId(signal))}/messages`,
      { text, step }, signal, "text/event-stream",
    );
    try {
      return await send();
    } catch (error) {
      if (error.status !== 404) throw error;
      // The kept conversation is gone, or was someone else's on this computer.
      this.conversation = "";
      return send();
    }
  }

  async ask(text) {
    const turn = Turn.begin(this.page, text);
    this.page.ui("welcome").hidden = true;
    this.page.ui("new").hidden = false;
    this.turns.querySelector(".latest")?.classList.remove("latest");
    turn.element.classList.add("latest");
    this.turns.append(turn.element);
    turn.status("Asking");
    const box = this.page.ui("conversation");
    box.scrollTop += turn.element.getBoundingClientRect().top - box.getBoundingClientRect().top - 8;
    this.busy(true);
    this.stopping = new AbortController();
    try {
      await this.follow(turn, await this.send(text, this.stopping.signal));
    } catch (error) {
      if (error.name === "AbortError") turn.trouble("Stopped.", "stopped");
      else if (error instanceof ProblemError) turn.trouble(error.message, "failed");
      else if (error instanceof ConnectionError) turn.trouble(turn.part("answer").childElementCount ? CUT : OFFLINE, "failed");
      else {
        turn.trouble(BROKEN, "failed");
        throw error;
      }
    } finally {
      this.busy(false);
    }
  }

  async follow(turn, response) {
    for await (const { name, data } of readEvents(response)) {
      if (name === "status") turn.status(data.message);
      else if (name === "block") turn.addBlock(data);
      else if (name === "error") throw new ProblemError(data, data.status);
      else if (name === "done") {
        turn.finish(data);
        return;
      }
    }
    throw new ConnectionError("the stream ended before its last event");
  }

  busy(is) {
    this.page.ui("stop").hidden = !is;
    this.page.ui("send").hidden = is;
    if (!is && document.activeElement === document.body) this.field.focus();
  }

  submit() {
    const text = this.field.value.trim();
    if (!text || !this.page.ui("stop").hidden) return;
    this.field.value = "";
    this.ask(text);
  }

  clear() {
    this.stopping?.abort();
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
  page.ui("stop").addEventListener("click", () => assistant.stopping?.abort());
  page.ui("new").addEventListener("click", () => assistant.clear());
  assistant.field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    assistant.submit();
  });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.("a.citation");
    const retry = event.target.closest?.(".retry");
    const suggestion = event.target.closest?.(".suggestion");
    if (chip) {
      event.preventDefault();
      openCitation(chip);
    } else if (retry && page.ui("stop").hidden) {
      const old = retry.closest(".turn");
      const question = old.querySelector(".question-text").textContent;
      old.remove();
      assistant.ask(question);
    } else if (suggestion) {
      openAssistant(page);
      assistant.ask(suggestion.textContent);
    }
  });
  const box = page.ui("conversation");
  box.scrollTop = box.scrollHeight;
  // Until here what was typed would have gone nowhere.
  assistant.field.disabled = false;
  page.ui("send").disabled = false;
}
