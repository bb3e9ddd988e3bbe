// An answer's events from the server: asked for, read, and taken up again where a broken connection left off.

import { ConnectionError, connectionError, readEvents } from "./events.js";

const TRIES = 5;
const FIRST_WAIT = 500;
const STREAM = "text/event-stream";

export class ProblemError extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || `The server answered with status ${status}.`);
    this.status = status;
    this.slug = (problem.type ?? "").split(":").at(-1);
  }
}

export async function call(method, address, { body, signal, accept = "application/json", headers = {} } = {}) {
  const sent = body === undefined ? headers : { ...headers, "content-type": "application/json" };
  const response = await fetch(address, {
    method,
    headers: { ...sent, accept },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  }).catch((error) => { throw connectionError(error); });
  if (!response.ok) throw new ProblemError(await response.json().catch(() => ({})), response.status);
  return response;
}

// Ends early when the browser finds the network again.
function pause(milliseconds, signal) {
  signal.throwIfAborted();
  return new Promise((go, stop) => {
    const end = () => { clearTimeout(timer); removeEventListener("online", end); go(); };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end);
    signal.addEventListener("abort", () => { end(); stop(signal.reason); }, { once: true });
  });
}

export class AnswerStream {
  // `address` is the turn's own, where it is known already.
  constructor(signal, address = "") {
    this.signal = signal;
    this.address = address;
    this.lastId = null;
    this.tries = 0;
  }

  async *ask(address, message) {
    const response = await call("POST", address, { body: message, signal: this.signal, accept: STREAM });
    const turn = response.headers.get("content-location");
    if (turn) this.address = new URL(turn, location.href).pathname;
    yield* this.follow(response);
  }

  // Events until the last one. Each time the connection breaks, `reconnecting` is given and the rest is asked for.
  async *follow(response = null) {
    for (;;) {
      try {
        for await (const event of readEvents(response ?? await this.resume())) {
          this.lastId = event.id ?? this.lastId;
          this.tries = 0;
          yield event;
          if (event.name === "done" || event.name === "error") return;
        }
        throw new ConnectionError("the stream ended before its last event");
      } catch (error) {
        const passing = error instanceof ConnectionError || error.status === 429 || error.status >= 500;
        if (!passing || !this.address) throw error;
        if (this.tries === TRIES) throw new ConnectionError("the connection stayed broken", { cause: error });
      }
      response = null;
      yield { name: "reconnecting" };
      await pause(FIRST_WAIT * 2 ** this.tries, this.signal);
      this.tries += 1;
    }
  }

  resume() {
    const headers = this.lastId === null ? {} : { "last-event-id": this.lastId };
    return call("GET", `${this.address}/events`, { signal: this.signal, accept: STREAM, headers });
  }

  stop() {
    return call("POST", `${this.address}/stop`);
  }
}
