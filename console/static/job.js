// Follows a job while it runs: progress, steps and log as they come; when it ends, the page is read anew.
const section = document.getElementById("progress");
const message = document.getElementById("message");
const bar = document.getElementById("bar");
const timeline = document.getElementById("timeline");
const log = document.getElementById("log");
const state = document.getElementById("state");
const FINAL = new Set(["succeeded", "failed", "cancelled"]);

function showProgress({ done, total, message: text }) {
  message.textContent = text;
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
    row.append(`${name} `, document.createElement("span"));
    row.lastChild.className = "muted";
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
  badge.textContent = now;
  badge.className = "badge busy";
  if (FINAL.has(now)) {
    events.close();
    window.location.reload();
  }
}

const events = new EventSource(section.dataset.events);
const handlers = { progress: showProgress, step: showStep, log: showLine, state: showState };
for (const [type, handle] of Object.entries(handlers)) {
  events.addEventListener(type, (event) => handle(JSON.parse(event.data).data));
}
