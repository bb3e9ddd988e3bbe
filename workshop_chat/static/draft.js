// The question that is being typed: kept for this tab until the server has it, over a reload, the next step, and a session that ended
// meanwhile; and held to the length that the server reads, where it is typed.

const keyOf = (root) => `workshop:${root}:draft`;

function recallDraft(root) {
  try {
    return sessionStorage.getItem(keyOf(root)) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(root, text) {
  try {
    if (text) sessionStorage.setItem(keyOf(root), text);
    else sessionStorage.removeItem(keyOf(root));
  } catch {
    // Storage is full or refused: a reload loses what is typed.
  }
}

export class Draft {
  constructor(page, field) {
    this.root = page.root;
    this.field = field;
    this.line = page.ui("refused");
    this.longest = Number(field.form.dataset.longest);
    this.bring();
    field.addEventListener("input", () => { keepDraft(this.root, field.value); this.look(); });
    // The browser's own copy of a page that was left is older than what was typed since.
    addEventListener("pageshow", ({ persisted }) => { if (persisted) this.bring(); });
  }

  bring() {
    this.put(recallDraft(this.root) || this.field.value);
  }

  put(text) {
    this.field.value = text;
    keepDraft(this.root, text);
    this.look();
  }

  // The field is free for the next question; the sent one is still kept, since nobody has it yet.
  sent() {
    this.field.value = "";
    this.say("");
  }

  taken() {
    if (!this.field.value) keepDraft(this.root, "");
  }

  // What the server would not read gives the field back, unless something else is typed there already.
  giveBack(text, words) {
    if (!this.field.value) this.put(text);
    this.say(words);
    this.field.focus();
  }

  // Whether it may be sent.
  look() {
    const count = this.longest && this.field.value.length > this.longest ? [...this.field.value.trim()].length : 0;
    const over = count > this.longest;
    const [has, most] = [count, this.longest].map((number) => number.toLocaleString("en"));
    this.say(over ? `${has} characters, and at most ${most} are read. Of a long output, the first error and the 20 lines around it are enough.` : "");
    return !over;
  }

  say(words) {
    if (this.line.textContent !== words) this.line.textContent = words;
    this.line.hidden = !words;
    if (words) this.field.setAttribute("aria-invalid", "true");
    else this.field.removeAttribute("aria-invalid");
  }
}
