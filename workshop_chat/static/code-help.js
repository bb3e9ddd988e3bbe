// "Explain this" and "I got an error here" on the step's code blocks. On a narrow page they come out of a small menu.

import { openAssistant } from "./layout.js";

function firstLine(block) {
  return block.querySelector("code").textContent.trim().split("\n", 1)[0];
}

export function startCodeHelp(page, assistant) {
  for (const block of document.querySelectorAll('[data-text="content"] .code[data-line]')) {
    const ask = page.ui("code-template").content.firstElementChild.cloneNode(true);
    if (block.classList.contains("output")) ask.querySelector('[data-ask="error"]').remove();
    const more = page.ui("more-template").content.firstElementChild.cloneNode(true);
    block.querySelector(".code-bar").after(ask);
    block.querySelector(".copy").after(more);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".code-ask [data-ask], .code-more");
    if (!button) return;
    const block = button.closest(".code");
    const more = block.querySelector(".code-more");
    const open = button === more && !("asking" in block.dataset);
    block.toggleAttribute("data-asking", open);
    more.setAttribute("aria-expanded", String(open));
    if (button === more) return;
    const [first, last] = block.dataset.line.split("-").map(Number);
    const about = { first_line: first, last_line: last };
    openAssistant(page);
    if (button.dataset.ask === "explain") assistant.explain(about, firstLine(block));
    else assistant.takeError(about, firstLine(block));
  });
}
