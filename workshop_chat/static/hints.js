// Hints one at a time, each asked for, where an author has written them as a numbered list.

export function startHints() {
  const list = document.querySelector('[data-text="hints"] > ol');
  const items = list ? [...list.children] : [];
  if (items.length < 2) return;
  for (const item of items.slice(1)) item.hidden = true;
  const more = document.createElement("button");
  more.type = "button";
  const name = () => { more.textContent = `Next hint (${items.filter((item) => item.hidden).length} left)`; };
  name();
  list.after(more);
  more.addEventListener("click", () => {
    const next = items.find((item) => item.hidden);
    if (next) {
      next.hidden = false;
      next.tabIndex = -1;
      next.focus();
    }
    if (items.every((item) => !item.hidden)) more.remove();
    else name();
  });
}
