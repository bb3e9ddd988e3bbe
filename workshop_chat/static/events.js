// Server-sent events of a fetch: of a POST, and of a GET that names the last event it has seen, neither of which EventSource can do.

export class ConnectionError extends Error {}

// What fetch and its streams throw when the network fails; stopping on purpose stays an AbortError.
export function connectionError(error) {
  return error.name === "AbortError" ? error : new ConnectionError(error.message, { cause: error });
}

export async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  let name = "message";
  let id = null;
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read().catch((error) => { throw connectionError(error); });
      if (done) return;
      buffer += value;
      const lines = buffer.split("\n");
      buffer = lines.pop();
      for (const raw of lines) {
        const line = raw.replace(/\r$/, "");
        if (!line) {
          if (data.length) yield { name, id, data: JSON.parse(data.join("\n")) };
          name = "message";
          data = [];
        } else if (line.startsWith("event:")) {
          name = line.slice(6).trim();
        } else if (line.startsWith("data:")) {
          data.push(line.slice(5).replace(/^ /, ""));
        } else if (line.startsWith("id:")) {
          id = line.slice(3).trim();
        }
      }
    }
  } finally {
    reader.releaseLock();
  }
}
