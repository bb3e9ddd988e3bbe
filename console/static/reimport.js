// Typing in other words chooses them; what is chosen is told by its frame (CSS), so nothing else is needed.
for (const area of document.querySelectorAll(".conflict textarea")) {
  area.addEventListener("input", () => {
    const chosen = area.closest(".conflict").querySelector('input[value="text"]');
    if (chosen) chosen.checked = true;
  });
}
const open = document.querySelector(".conflict.open input");
if (open) open.focus();
