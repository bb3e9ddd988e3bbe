// The live board: what the server sends replaces what is shown, and whoever reads or types is not disturbed.

import { listen } from "./listening.js";

const board = document.querySelector("[data-ui=board]");
const trouble = document.querySelector("[data-ui=trouble]");
const root = board.dataset.root;

function say(text) {
  trouble.querySelector("p").textContent = text;
  trouble.hidden = !text;
}

// A part is exchanged only where it differs; what was unfolded stays so, and the focus stays where it was.
function exchange(old, fresh) {
  const opened = new Set([...old.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  const scrolled = [...old.querySelectorAll("ol, ul, .last-question")].map((one) => one.scrollTop);
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  fresh.querySelectorAll("details").forEach((one) => { one.open = opened.has(one.dataset.key); });
  if (old.isEqualNode(fresh)) return;
  old.replaceWith(fresh);
  [...fresh.querySelectorAll("ol, ul, .last-question")].forEach((one, place) => { one.scrollTop = scrolled[place] ?? 0; });
  if (focused === undefined) return;
  const target = [...fresh.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === focused);
  if (target) target.focus({ preventScroll: true });
}

function show(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const fresh of parsed.querySelectorAll("[data-part]")) {
    const old = document.querySelector(`[data-part="${CSS.escape(fresh.dataset.part)}"]`);
    if (old) exchange(old, document.adoptNode(fresh));
  }
}

const LOST = "The connection is lost, so this may be out of date. It is being tried again.";
const events = listen(`${root}/api/v1/board/events`, {
  board: ({ html }) => { say(""); show(html); },
  trouble: ({ detail }) => say(detail),
}, {
  back: () => say(""),
  lost: (gone) => say(gone ? `${LOST} If this stays, your sign-in may have ended: load the page again.` : LOST),
});
addEventListener("pagehide", () => events.close());

async function send(path, method, body) {
  try {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(root + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (response.ok) { say(""); return true; }
    const problem = await response.json().catch(() => ({}));
    say(problem.detail || problem.title || "That did not work. Try again in a moment.");
  } catch {
    say("The server cannot be reached, so nothing was changed. Try again in a moment.");
  }
  return false;
}

// Whoever looks elsewhere folds what they have unfolded: it lies over the rows below.
document.addEventListener("click", async (event) => {
  for (const one of board.querySelectorAll("details[open]")) if (!one.contains(event.target)) one.open = false;
  const lower = event.target.closest("[data-lower]");
  if (lower) {
    lower.disabled = true;
    const path = `/api/v1/board/participants/${encodeURIComponent(lower.dataset.lower)}/hand`;
    if (!await send(path, "POST", { raised: false })) lower.disabled = false;
  }
  const note = event.target.closest("[data-take-back]");
  if (note) {
    note.disabled = true;
    if (!await send(`/api/v1/notes/${note.dataset.takeBack}`, "DELETE")) note.disabled = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = board.querySelector(".people details[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

const form = document.querySelector("[data-ui=note]");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = form.elements.text;
  const text = field.value.trim();
  const button = form.querySelector("button");
  if (!text || button.disabled) return;
  button.disabled = true;
  if (await send("/api/v1/notes", "POST", { text })) field.value = "";
  button.disabled = false;
  field.focus();
});
