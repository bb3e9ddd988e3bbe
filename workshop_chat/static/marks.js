// Scrolling to a cited passage and marking it for a moment, on this page or after coming from another one (?mark=first-last&in=hints).

import { isNarrow, showTab } from "./layout.js";

const MARK_MILLISECONDS = 4000;
const still = matchMedia("(prefers-reduced-motion: reduce)");

function blocksBetween(container, first, last) {
  const hit = [...container.querySelectorAll("[data-line]")].filter((block) => {
    const [from, to] = block.dataset.line.split("-").map(Number);
    return from <= last && to >= first;
  });
  return hit.filter((block) => !hit.some((other) => other !== block && block.contains(other)));
}

export function mark(page, text, first, last) {
  const container = document.querySelector(`[data-text="${text}"]`);
  const blocks = container ? blocksBetween(container, first, last) : [];
  if (!blocks.length) return false;
  if (isNarrow()) showTab(page, "step");
  container.closest("details")?.setAttribute("open", "");
  blocks[0].closest("details")?.setAttribute("open", "");
  for (const block of blocks) block.closest("[hidden]")?.removeAttribute("hidden");
  for (const block of blocks) block.classList.add("marked");
  setTimeout(() => { for (const block of blocks) block.classList.remove("marked"); }, MARK_MILLISECONDS);
  blocks[0].tabIndex = -1;
  blocks[0].focus({ preventScroll: true });
  const tall = blocks[0].getBoundingClientRect().height > innerHeight / 2;
  blocks[0].scrollIntoView({ behavior: still.matches ? "auto" : "smooth", block: tall ? "start" : "center" });
  return true;
}

function readAddress(href) {
  const address = new URL(href, location.href);
  const lines = /^(\d{1,6})-(\d{1,6})$/.exec(address.searchParams.get("mark") ?? "");
  if (!lines) return null;
  const text = address.searchParams.get("in") === "hints" ? "hints" : "content";
  return { path: address.pathname, text, first: Number(lines[1]), last: Number(lines[2]) };
}

export function startMarks(page) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.go, .nearest a");
    const place = link && readAddress(link.href);
    if (place && place.path === location.pathname && mark(page, place.text, place.first, place.last)) event.preventDefault();
  });
  const here = readAddress(location.href);
  if (here && mark(page, here.text, here.first, here.last)) {
    history.replaceState(null, "", location.pathname + location.hash);
  }
}

function slug(heading) {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
}

// The same rule as `mark_address` on the server.
export function passageAddress(page, { step, file, first, last, heading }) {
  const shown = /^steps\/[^/]+\/(content|hints)\.md$/.exec(file);
  if (!shown) return "";
  const hints = shown[1] === "hints";
  const anchor = heading.length && !hints ? `#${slug(heading.at(-1))}` : "";
  return `${page.root}/steps/${encodeURIComponent(step)}?mark=${first}-${last}${hints ? "&in=hints" : ""}${anchor}`;
}
