// The page of somebody who waits for a place: it tells them where they are in line, and goes on by itself when it is their turn.

const LOOK_AGAIN = 60_000;
const box = document.querySelector('[data-ui="full"]');
const source = new EventSource(`${box.dataset.root}/api/v1/live`);

source.addEventListener("session", ({ data }) => {
  const { state, position } = JSON.parse(data);
  if (state !== "waiting") {
    source.close();
    location.reload();
    return;
  }
  document.querySelector('[data-ui="position"]').textContent = position;
  document.querySelector('[data-ui="words"]').textContent = position === 1 ? "You are next in line." : `You are number ${position} in line.`;
});

// Where something on the way holds events back, the server still lets in whoever asks.
setTimeout(() => location.reload(), LOOK_AGAIN);
