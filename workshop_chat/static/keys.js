// Single-key shortcuts. They can be switched off, and never take a key from a field.

import { closeDrawer, openAssistant } from "./layout.js";
import { recall, remember } from "./memory.js";

const KEY = "workshop:keys";

function typing(target) {
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
}

function follow(page, relation) {
  const link = document.querySelector(`.pager [rel="${relation}"]`);
  if (link) link.click();
}

export function startKeys(page) {
  const dialog = page.ui("help-dialog");
  const choice = page.ui("keys-on");
  choice.checked = recall(KEY, true) !== false;
  choice.addEventListener("change", () => remember(KEY, choice.checked));
  const help = () => { if (!dialog.open) dialog.showModal(); };
  page.ui("help").addEventListener("click", help);

  const actions = {
    "/": () => { openAssistant(page); document.querySelector(".ask textarea").focus(); },
    "n": () => follow(page, "next"),
    "p": () => follow(page, "prev"),
    "?": help,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || dialog.open) return;
    if (event.key === "Escape") {
      if (!closeDrawer(page) && typing(event.target)) event.target.blur();
    } else if (choice.checked && !typing(event.target) && actions[event.key]) {
      event.preventDefault();
      actions[event.key]();
    }
  });
}
