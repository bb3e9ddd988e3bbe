// Folding and resizing of the steps and the assistant, and the tabs of a phone. The server draws by the cookie that is kept here.

import { keepCookie } from "./memory.js";

const STEP = 20;
const PANES = {
  rail: { min: 200, max: 360, side: 1 },
  assistant: { min: 320, max: 640, side: -1 },
};
const narrow = matchMedia("(max-width: 760px)");
const medium = matchMedia("(max-width: 1100px)");

export function showTab(page, name) {
  page.frame.dataset.tab = name;
  for (const button of document.querySelectorAll("[data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === name));
  }
}

export function isNarrow() {
  return narrow.matches;
}

export function openAssistant(page) {
  if (narrow.matches) {
    showTab(page, "assistant");
  } else if ("assistantClosed" in page.frame.dataset) {
    setOpen(page, "assistant", true);
  }
}

export function closeDrawer(page) {
  const open = "drawer" in page.frame.dataset;
  delete page.frame.dataset.drawer;
  if (open) {
    page.ui("toggle-rail").setAttribute("aria-expanded", "false");
    page.ui("toggle-rail").focus();
  }
  return open;
}

function save({ root, frame }) {
  const part = (name) => frame.dataset[name] + (`${name}Closed` in frame.dataset ? "c" : "o");
  keepCookie(root, "workshop_layout", `r${part("rail")}.a${part("assistant")}`);
}

function setOpen(page, name, open) {
  if (open) delete page.frame.dataset[`${name}Closed`];
  else page.frame.dataset[`${name}Closed`] = "";
  page.ui(`toggle-${name}`).setAttribute("aria-expanded", String(open));
  save(page);
}

function toggleRail(page) {
  if (!medium.matches) {
    setOpen(page, "rail", "railClosed" in page.frame.dataset);
  } else if (!closeDrawer(page)) {
    page.frame.dataset.drawer = "";
    page.ui("toggle-rail").setAttribute("aria-expanded", "true");
    document.querySelector(".rail [aria-current]")?.focus();
  }
}

function setWidth(page, name, wanted) {
  const { min, max } = PANES[name];
  const width = Math.min(max, Math.max(min, Math.round(wanted / STEP) * STEP));
  page.frame.dataset[name] = width;
  page.ui(`resize-${name}`).setAttribute("aria-valuenow", width);
}

function makeResizable(page, name) {
  const divider = page.ui(`resize-${name}`);
  const { side } = PANES[name];
  divider.addEventListener("pointerdown", (down) => {
    const before = Number(page.frame.dataset[name]);
    const move = (event) => setWidth(page, name, before + side * (event.clientX - down.clientX));
    divider.setPointerCapture(down.pointerId);
    divider.addEventListener("pointermove", move);
    divider.addEventListener("lostpointercapture", () => {
      divider.removeEventListener("pointermove", move);
      save(page);
    }, { once: true });
    down.preventDefault();
  });
  divider.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    setWidth(page, name, Number(page.frame.dataset[name]) + side * direction * STEP);
    save(page);
    event.preventDefault();
  });
}

export function startLayout(page) {
  page.ui("toggle-rail").addEventListener("click", () => toggleRail(page));
  page.ui("toggle-assistant").addEventListener("click", () => setOpen(page, "assistant", "assistantClosed" in page.frame.dataset));
  for (const name of Object.keys(PANES)) makeResizable(page, name);
  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => showTab(page, button.dataset.show));
  }
  if (medium.matches) page.ui("toggle-rail").setAttribute("aria-expanded", "false");
  document.addEventListener("click", (event) => {
    if ("drawer" in page.frame.dataset && !event.target.closest(".rail, [data-ui='toggle-rail']")) closeDrawer(page);
  });
}
