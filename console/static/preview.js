// Shows beside each block of the preview the file and line that it came from, and goes to the line that a report names.
const content = document.getElementById("content");
const steps = document.getElementById("steps");
const places = JSON.parse(content.dataset.places);
const firstLine = (block) => Number(block.dataset.line.split("-")[0]);

function label([file, line, address]) {
  const box = document.createElement("small");
  const words = document.createElement(address ? "a" : "span");
  box.className = "from";
  words.textContent = `${file.split("/").at(-1)}:${line}`;
  words.title = `${file}:${line}`;
  if (address) {
    words.href = address;
    words.rel = "noopener noreferrer";
  }
  box.append(words);
  return box;
}

function placedBlocks() {
  return [...content.children].filter((block) => block.dataset.line && places[firstLine(block)]);
}

function showPlaces() {
  for (const block of placedBlocks()) {
    block.after(label(places[firstLine(block)]));
    const enter = () => block.classList.add("at");
    const leave = () => block.classList.remove("at");
    block.addEventListener("pointerenter", enter);
    block.addEventListener("pointerleave", leave);
    block.addEventListener("focusin", enter);
    block.addEventListener("focusout", leave);
  }
  content.classList.toggle("placed", content.querySelector(".from") !== null);
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
}

showPlaces();
if (matchMedia("(max-width: 760px)").matches) steps.open = false;
const wanted = Number(new URLSearchParams(location.search).get("line"));
if (Number.isInteger(wanted) && wanted > 0) goTo(wanted);
