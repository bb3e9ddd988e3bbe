// Events from the server, listened to again after the browser has given up: it does on any answer that is no stream, such as a
// proxy's while the server behind it starts anew.

const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 60_000;

// `handlers` by the events' names. `lost` is told whether the browser goes on by itself (false) or has given up (true).
export function listen(address, handlers, { back = () => {}, lost = () => {} } = {}) {
  let source;
  let timer;
  let wait = FIRST_WAIT;
  const open = () => {
    source = new EventSource(address);
    for (const [name, handle] of Object.entries(handlers)) source.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
    source.addEventListener("open", () => { wait = FIRST_WAIT; back(); });
    source.addEventListener("error", () => {
      const gone = source.readyState === EventSource.CLOSED;
      lost(gone);
      if (!gone) return;
      // Not all of a class at one moment.
      timer = setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  };
  open();
  return { close: () => { clearTimeout(timer); source.close(); } };
}
