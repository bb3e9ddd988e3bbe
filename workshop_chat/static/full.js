// The page of somebody who waits for a place: it tells them where they are in line, and goes on by itself when it is their turn.

import { listen } from "./listening.js";

const LOOK_AGAIN = 60_000;
const box = document.querySelector('[data-ui="full"]');

const source = listen(`${box.dataset.root}/api/v1/live`, {
  session({ state, position }) {
    if (state !== "waiting") {
      source.close();
      location.reload();
      return;
    }
    document.querySelector('[data-ui="position"]').textContent = position;
    document.querySelector('[data-ui="words"]').textContent = position === 1 ? "You are next in line." : `You are number ${position} in line.`;
  },
});

// Where something on the way holds events back, the server still lets in whoever asks. It is asked from here, since a page that is
// loaded while the server is away is gone, and with it the place in line.
setInterval(async () => {
  const response = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (response?.ok) location.reload();
}, LOOK_AGAIN);
