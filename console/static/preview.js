// Shows which lines of the source each block of the preview came from, and goes to the line that a report names.
const content = document.getElementById("content");
const steps = document.getElementById("steps");
const source = document.getElementById("source-text");
const pages = document.getElementById("pages");
const places = JSON.parse(content.dataset.places);
const narrow = matchMedia("(max-width: 1199px)");
const firstLine = (block) => Number(block.dataset.line.split("-")[0]);
const placeOf = (block) => places[firstLine(block)];

const lineBeside = (place) => (place?.anchor ? document.getElementById(place.anchor) : null);

// The lines of the source that a block was made from, as far as they are shown.
function linesBeside(place) {
  const found = [];
  let line = lineBeside(place);
  while (line && Number(line.dataset.n) <= place.last) {
    found.push(line);
    line = line.nextElementSibling;
  }
  return found;
}

function scrollPages(line) {
  if (narrow.matches) return;
  const top = line.getBoundingClientRect().top - pages.getBoundingClientRect().top;
  pages.scrollTop += top - pages.clientHeight / 4;
}

function showSource(place, event) {
  const line = lineBeside(place);
  if (!line) return;
  event.preventDefault();
  source.open = true;
  for (const marked of pages.querySelectorAll(".marked")) marked.classList.remove("marked");
  for (const each of linesBeside(place)) each.classList.add("marked");
  if (narrow.matches) line.scrollIntoView({ block: "center" });
  else scrollPages(line);
}

function outside(place) {
  const link = document.createElement("a");
  link.className = "outside";
  link.href = place.web;
  link.rel = "noopener noreferrer";
  link.textContent = "in the repository";
  return link;
}

function label(place) {
  const box = document.createElement("small");
  const words = document.createElement(place.anchor || place.web ? "a" : "span");
  box.className = "from";
  words.textContent = `${place.file.split("/").at(-1)}:${place.first}`;
  words.title = `${place.file}:${place.first}`;
  if (place.anchor) {
    words.href = `#${place.anchor}`;
    words.addEventListener("click", (event) => showSource(place, event));
  } else if (place.web) {
    words.href = place.web;
    words.rel = "noopener noreferrer";
  }
  box.append(words);
  if (place.anchor && place.web) box.append(outside(place));
  return box;
}

function placedBlocks() {
  return [...content.children].filter((block) => block.dataset.line && placeOf(block));
}

function highlight(block, on) {
  for (const line of linesBeside(placeOf(block))) line.classList.toggle("at", on);
}

// The block whose place is shown stays so until another one is chosen, so that its label can be reached.
let chosen = null;

function choose(block) {
  chosen?.classList.remove("at");
  chosen = block;
  block.classList.add("at");
}

function showPlaces() {
  for (const block of placedBlocks()) {
    block.after(label(placeOf(block)));
    for (const type of ["click", "focusin"]) block.addEventListener(type, () => choose(block));
    block.addEventListener("pointerenter", () => {
      if (narrow.matches || !source) choose(block);
      highlight(block, true);
    });
    block.addEventListener("pointerleave", () => highlight(block, false));
  }
  content.classList.toggle("placed", content.querySelector(".from") !== null);
}

// As the reader goes down the page, the source goes along.
function follow() {
  const top = placedBlocks().find((block) => block.getBoundingClientRect().bottom > 120);
  const line = top && lineBeside(placeOf(top));
  if (line) scrollPages(line);
}

function followScrolling() {
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting || narrow.matches) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      follow();
    });
  }, { passive: true });
}

// The innermost block that holds the line, else the last one that begins before it.
function blockAt(line) {
  let before = null;
  for (const block of content.querySelectorAll("[data-line]")) {
    const [first, last] = block.dataset.line.split("-").map(Number);
    if (first <= line && (line <= last || before === null || firstLine(before) <= first)) before = block;
  }
  return before ?? content.querySelector("[data-line]");
}

function goTo(line) {
  const block = blockAt(line);
  if (!block) return;
  block.classList.add("marked");
  block.tabIndex = -1;
  block.focus({ preventScroll: true });
  block.scrollIntoView({ block: "center" });
  const named = pages?.querySelector(".named") ?? lineBeside(placeOf(block));
  if (named) scrollPages(named);
}

showPlaces();
if (matchMedia("(max-width: 760px)").matches) steps.open = false;
if (source && narrow.matches) source.open = false;
document.querySelector(".to-source")?.addEventListener("click", () => { source.open = true; });
const wanted = Number(new URLSearchParams(location.search).get("line"));
if (Number.isInteger(wanted) && wanted > 0) goTo(wanted);
if (source) followScrolling();
