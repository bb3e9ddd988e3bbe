// Which steps are done: a step is, once its reader has gone on to the next one. Kept in this browser.

import { recall, remember } from "./memory.js";

function show(page, done) {
  let count = 0;
  for (const line of document.querySelectorAll(".rail li[data-step]")) {
    const isDone = done.includes(line.dataset.step);
    line.classList.toggle("done", isDone);
    line.querySelector(".done-text").hidden = !isDone;
    count += isDone;
  }
  const box = page.ui("progress");
  box.hidden = false;
  box.querySelector("progress").value = count;
  box.querySelector(".count").textContent = count;
}

export function startProgress(page) {
  const key = `workshop:${page.root}:done`;
  const kept = recall(key, []);
  let done = Array.isArray(kept) ? kept : [];
  const finish = () => {
    if (!done.includes(page.step)) done = [...done, page.step];
    remember(key, done);
    show(page, done);
  };
  document.querySelector(".pager [rel='next']")?.addEventListener("click", finish);
  const end = page.ui("end");
  if (end) {
    // The last step has no next one: reaching its end is what finishes it.
    new IntersectionObserver((seen) => { if (seen.some((entry) => entry.isIntersecting)) finish(); }).observe(end);
  }
  page.finish = finish;
  show(page, done);
}
