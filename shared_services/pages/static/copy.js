// Copy buttons on code blocks, and keyboard scrolling for blocks wider than the page or longer than their place.

async function copy(button) {
  const block = button.closest(".code");
  const code = block.querySelector("code");
  // A session shows prompts and what commands print; what is copied can be typed.
  const words = block.dataset.commands ?? code.textContent.replace(/\n$/, "");
  try {
    await navigator.clipboard.writeText(words);
    button.textContent = "Copied";
  } catch {
    // Without permission or https there is no clipboard: select it, so that one key is enough.
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function letScroll(box) {
  if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
}

// Also tells of what is hidden at first: behind the other tab of a phone, in a fold.
const sizes = new ResizeObserver((entries) => { for (const { target } of entries) letScroll(target); });

export function prepareCode(root) {
  for (const button of root.querySelectorAll("button.copy")) button.hidden = false;
  for (const box of root.querySelectorAll("pre, .table-scroll, .scrolls")) {
    letScroll(box);
    sizes.observe(box);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button.copy");
  if (button) copy(button);
});

prepareCode(document);
