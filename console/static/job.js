// Follows a job while it runs: progress, steps and log as they come; when it ends, the page is read anew.
import { listen } from "./listening.js";

const section = document.getElementById("progress");
const message = document.getElementById("message");
const bar = document.getElementById("bar");
const timeline = document.getElementById("timeline");
const log = document.getElementById("log");
const state = document.getElementById("state");
const FINAL = new Set(["succeeded", "failed", "cancelled"]);

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
let said = message.textContent;

function say(text) {
  said = text;
  if (message.textContent !== text) message.textContent = text;
}

function showProgress({ done, total, message: text }) {
  if (text) say(text);
  if (total) {
    bar.max = total;
    bar.value = done;
  } else {
    bar.removeAttribute("value");
  }
}

function showStep({ name, state: now, seconds }) {
  let row = [...timeline.children].findLast((item) => item.dataset.name === name);
  if (!row) {
    row = document.createElement("li");
    row.dataset.name = name;
    row.append(`${capital(name)} `, document.createElement("span"));
    row.lastChild.className = "muted small";
    timeline.append(row);
  }
  row.dataset.state = now;
  row.querySelector("span").textContent = seconds === null ? now : `${seconds.toFixed(1)} s`;
}

function showLine({ message: text }) {
  log.hidden = false;
  const row = document.createElement("li");
  row.textContent = text;
  log.append(row);
  log.scrollTop = log.scrollHeight;
}

function showState({ state: now }) {
  const badge = state.querySelector(".badge");
  badge.textContent = capital(now);
  badge.classList.toggle("busy", now === "running");
  if (FINAL.has(now)) {
    events.close();
    window.location.reload();
  }
}

// The page already shows what was there when it was made; the stream begins at the first event, so the log is told anew.
log.replaceChildren();
const handlers = { progress: showProgress, step: showStep, log: showLine, state: showState };
const given = Object.entries(handlers).map(([type, handle]) => [type, ({ data }) => handle(data)]);
const events = listen(section.dataset.events, Object.fromEntries(given), {
  back: () => { if (message.textContent !== said) message.textContent = said; },
  lost: (gone) => {
    // Listened to anew, the stream begins at the first event again.
    if (gone) log.replaceChildren();
    message.textContent = `The connection is lost; the job goes on. Trying again.${gone ? " If this stays, load this page again." : ""}`;
  },
});
