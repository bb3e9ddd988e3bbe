// The reader's conversations: find, open, name, take away, delete; and everything that is kept of them.

import { keepDraft } from "./draft.js";
import { openAssistant } from "./layout.js";
import { keepCookie, readCookie } from "./memory.js";

const CONVERSATION = "workshop_conversation";
const SHOW = "workshop:show-assistant";
const LISTED = 20;
const AWAY = "The server cannot be reached. Check your connection, then try again.";

async function call(address, method = "GET", body = null) {
  const response = await fetch(address, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  }).catch(() => { throw new Error(AWAY); });
  const told = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(told.detail || told.title || AWAY), { status: response.status });
  return told;
}

function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function when(moment) {
  const today = moment.toDateString() === new Date().toDateString();
  const year = moment.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  const time = { hour: "2-digit", minute: "2-digit" };
  return moment.toLocaleString([], today ? time : { day: "numeric", month: "short", ...year, ...time });
}

// After the page has been loaded anew the assistant is in front, as it was: on a phone it is one of several tabs.
function showAgain() {
  try {
    sessionStorage.setItem(SHOW, "1");
  } catch {
    // Refused: the page opens on the step.
  }
}

function wasShown() {
  try {
    const shown = sessionStorage.getItem(SHOW) !== null;
    sessionStorage.removeItem(SHOW);
    return shown;
  } catch {
    return false;
  }
}

function forgetHere(page) {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(`workshop:${page.root}:`)) localStorage.removeItem(key);
    }
  } catch {
    // Storage is refused, so nothing is in it.
  }
  keepCookie(page.root, CONVERSATION, "");
  keepDraft(page.root, "");
}

class Row {
  constructor(history, summary) {
    this.history = history;
    this.element = history.page.ui("conversation-template").content.firstElementChild.cloneNode(true);
    this.show(summary);
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  show(summary) {
    const { id, turns } = summary;
    const title = summary.title || "No question yet";
    const here = id === readCookie(CONVERSATION);
    const address = this.history.address(id);
    this.summary = summary;
    this.part(".past-title").textContent = title;
    this.part(".confirm-title").textContent = title;
    this.part(".here").hidden = !here;
    this.part(".past-open").ariaCurrent = here ? "true" : null;
    this.part("time").dateTime = summary.updated_at;
    this.part("time").textContent = when(new Date(summary.updated_at));
    this.part(".past-count").textContent = `· ${counted(turns, "question")}`;
    this.part(".as-markdown").href = `${address}/export?format=markdown`;
    this.part(".as-json").href = `${address}/export?format=json`;
    for (const [name, verb] of [["rename", "Rename"], ["files", "Download"], ["delete", "Delete"]]) {
      this.part(`[data-history="${name}"]`).setAttribute("aria-label", `${verb} “${title}”`);
    }
  }

  toggleFiles() {
    const files = this.part(".past-files");
    files.hidden = !files.hidden;
    this.part('[data-history="files"]').setAttribute("aria-expanded", String(!files.hidden));
    if (!files.hidden) files.querySelector("a").focus();
  }

  ask(part, focus) {
    for (const other of this.element.querySelectorAll(".past-rename, .confirm")) other.hidden = !other.matches(part);
    this.part(".past-line").hidden = true;
    this.part(focus).focus();
  }

  asked(name) {
    for (const other of this.element.querySelectorAll(".past-rename, .confirm")) other.hidden = true;
    this.part(".past-line").hidden = false;
    this.part(`[data-history="${name}"]`).focus();
  }

  startRename() {
    const field = this.part("input");
    field.value = this.summary.title;
    this.ask(".past-rename", "input");
    field.select();
  }

  async rename() {
    const title = this.part("input").value.trim();
    if (!title) return;
    this.show(await call(this.history.address(this.summary.id), "PATCH", { title }));
    this.asked("rename");
  }

  async delete() {
    const { id } = this.summary;
    await call(this.history.address(id), "DELETE").catch((error) => {
      // Gone already, in another window perhaps.
      if (error.status !== 404) throw error;
    });
    this.history.removed(this);
    if (id === readCookie(CONVERSATION)) this.history.page.ui("new").click();
  }
}

class History {
  constructor(page) {
    this.page = page;
    this.panel = page.ui("history-panel");
    this.rows = new Map();
  }

  part(selector) {
    return this.panel.querySelector(selector);
  }

  address(id) {
    return `${this.page.root}/api/v1/conversations/${encodeURIComponent(id)}`;
  }

  async open() {
    if (this.panel.open) return;
    this.rows.clear();
    this.part(".pasts").replaceChildren();
    this.closeForget();
    this.trouble("");
    this.status("Loading");
    this.panel.showModal();
    this.part("h2").focus();
    await this.try(async () => {
      const [me] = await Promise.all([call(`${this.page.root}/api/v1/me`), this.load()]);
      const days = me.retention_days;
      const kept = days ? `are kept for ${counted(days, "day")}, then deleted` : "are kept until you delete them";
      this.part(".kept-for").textContent = `Your questions, answers, feedback and progress in this workshop ${kept}.`;
    });
  }

  async load() {
    const last = [...this.rows.keys()].at(-1);
    const query = new URLSearchParams({ limit: LISTED, ...(last ? { before: last } : {}) });
    const page = await call(`${this.page.root}/api/v1/conversations?${query}`);
    for (const summary of page) {
      const row = new Row(this, summary);
      row.element.dataset.id = summary.id;
      this.rows.set(summary.id, row);
      this.part(".pasts").append(row.element);
    }
    this.part('[data-history="more"]').hidden = page.length < LISTED;
    this.tell();
    return page;
  }

  tell() {
    this.status(this.rows.size ? "" : "Nothing has been asked yet. What you ask is listed here.");
  }

  async more() {
    const [first] = await this.load();
    if (first) this.rows.get(first.id).part(".past-open").focus();
  }

  removed(row) {
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    this.rows.delete(row.summary.id);
    row.element.remove();
    this.tell();
    (next?.querySelector(".past-open") ?? this.part("h2")).focus();
  }

  status(words) {
    this.part(".history-status").textContent = words;
    this.part(".history-status").hidden = !words;
  }

  trouble(words) {
    this.part(".history-trouble").hidden = !words;
    this.part(".history-trouble p").textContent = words;
  }

  async try(act) {
    this.trouble("");
    try {
      await act();
    } catch (error) {
      this.tell();
      this.trouble(error.message);
    }
  }

  switchTo(id) {
    if (id === readCookie(CONVERSATION)) {
      this.panel.close();
      return;
    }
    keepCookie(this.page.root, CONVERSATION, id);
    showAgain();
    location.reload();
  }

  begin() {
    this.panel.close();
    this.page.ui("new").click();
  }

  askForget() {
    this.part(".my-data-tools").hidden = true;
    this.part('[data-history-confirm="forget"]').hidden = false;
    this.part('[data-history="forget-no"]').focus();
  }

  closeForget() {
    this.part(".my-data-tools").hidden = false;
    this.part('[data-history-confirm="forget"]').hidden = true;
  }

  async forget() {
    this.page.live.hush(true);
    const removed = await call(`${this.page.root}/api/v1/me`, "DELETE").catch((error) => {
      this.page.live.hush(false);
      throw error;
    });
    forgetHere(this.page);
    for (const part of this.panel.querySelectorAll(".history-list, .my-data")) part.hidden = true;
    this.part(".forgotten").hidden = false;
    this.part("h2").textContent = "Your data is deleted";
    const gone = `${counted(removed.conversations, "conversation")} with ${counted(removed.turns, "question")}`;
    this.part(".forgotten-words").textContent = `Everything that was kept of you here is deleted: ${gone}, your feedback and your progress.`;
    this.part('[data-history="again"]').focus();
    // What is behind this dialog is of a reader whom the server no longer knows.
    this.panel.addEventListener("close", () => location.assign(`${this.page.root}/`), { once: true });
  }
}

export function startHistory(page) {
  const history = new History(page);
  const { panel } = history;
  const forRow = {
    open: (row) => history.switchTo(row.summary.id),
    rename: (row) => row.startRename(),
    "rename-no": (row) => row.asked("rename"),
    files: (row) => row.toggleFiles(),
    delete: (row) => row.ask(".confirm", '[data-history="delete-no"]'),
    "delete-no": (row) => row.asked("delete"),
    "delete-yes": (row) => row.delete(),
  };
  const forAll = {
    close: () => panel.close(),
    again: () => panel.close(),
    new: () => history.begin(),
    more: () => history.more(),
    forget: () => history.askForget(),
    "forget-no": () => { history.closeForget(); history.part('[data-history="forget"]').focus(); },
    "forget-yes": () => history.forget(),
  };
  const rowOf = (element) => history.rows.get(element.closest(".past")?.dataset.id);
  page.ui("history").addEventListener("click", () => history.open());
  panel.addEventListener("click", (event) => {
    const name = event.target.closest("[data-history]")?.dataset.history;
    const row = name && rowOf(event.target);
    if (event.target === panel) panel.close();
    else if (row && forRow[name]) history.try(async () => forRow[name](row));
    else if (forAll[name]) history.try(async () => forAll[name]());
  });
  panel.addEventListener("submit", (event) => {
    const row = rowOf(event.target);
    if (!row) return;
    event.preventDefault();
    history.try(() => row.rename());
  });
  panel.addEventListener("keydown", (event) => {
    // The page's own keys are not for a dialog.
    event.stopPropagation();
    if (event.key !== "Escape") return;
    const open = event.target.closest(".past-rename, .confirm");
    if (!open) return;
    event.preventDefault();
    open.querySelector('[data-history$="-no"]').click();
  });
  if (wasShown()) openAssistant(page);
}
