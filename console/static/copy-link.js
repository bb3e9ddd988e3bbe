// Buttons that copy a link; without a clipboard (no https, no permission) the link is selected instead.
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.querySelector("span");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.parentElement.querySelector("a"));
      label.textContent = "Selected";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });
}
