// How an answer looks and how it was made. The words are the server's, from `wording.py`; the rules are those of `views.py`.

export function kindOf({ refused, general_knowledge: general, asks_back: asks, abstained, checks }) {
  if (refused) {
    const has = (where, what) => checks.some(({ place, outcome }) => place === where && outcome === what);
    if (has("message", "care")) return "care";
    return has("answer", "blocked") ? "held" : "refused";
  }
  if (general) return "general";
  if (asks) return "asks";
  return abstained ? "abstained" : "plain";
}

export function writerOf({ general_knowledge: general, written_by: writer, citations }) {
  if (general) return "general";
  if (writer === "model") return "model";
  if (!citations.length) return "fixed";
  return citations.some(({ document }) => document) ? "sources" : "workshop";
}

export function checkLine(words, { check, place, outcome, found }) {
  const plain = check.replaceAll("-", " ").toLowerCase();
  const name = words.checks[check] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
  return `${name} ${words.places[place]}: ${words.outcomes[outcome]}${found ? ` (${found})` : ""}`;
}

export function checkItem(words, verdict) {
  const item = document.createElement("li");
  item.dataset.outcome = verdict.outcome;
  item.textContent = checkLine(words, verdict);
  return item;
}

function seconds(milliseconds) {
  const tenths = Math.floor(milliseconds / 100);
  return tenths ? `${Math.floor(tenths / 10)}.${tenths % 10} s` : "less than 0.1 s";
}

export function timeLine(words, timings) {
  const known = Object.entries(words.times).filter(([stage]) => stage in timings);
  return known.map(([stage, said]) => `${said} ${seconds(timings[stage])}`).join(", ");
}

export function showMade(box, words, answer) {
  const fill = (part, text) => {
    box.querySelector(`.made-${part}`).textContent = text;
    box.querySelector(`.made-${part}`).parentElement.hidden = !text;
  };
  fill("writer", words.writers[writerOf(answer)]);
  fill("mode", words.modes[answer.mode]);
  fill("time", timeLine(words, answer.timings));
  if (answer.checks.length) {
    const list = document.createElement("ul");
    list.append(...answer.checks.map((verdict) => checkItem(words, verdict)));
    box.querySelector(".made-checks").replaceChildren(list);
  }
  box.hidden = !answer.answer;
}
