// Tables that sort by a click on a head, and filter once they are long.
const MANY = 10;
const byText = new Intl.Collator(undefined, { numeric: true });

function sortBy(table, head) {
  const index = [...head.parentElement.children].indexOf(head);
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const words = (row) => row.children[index].textContent.trim();
  const rows = [...table.tBodies[0].rows].sort((a, b) => byText.compare(words(a), words(b)) * (down ? -1 : 1));
  table.tBodies[0].append(...rows);
}

function addFilter(table) {
  const rows = [...table.tBodies[0].rows];
  const box = document.createElement("p");
  const input = document.createElement("input");
  const count = document.createElement("span");
  box.className = "filter";
  input.type = "search";
  input.placeholder = "Filter";
  input.setAttribute("aria-label", `Filter ${table.closest("section").querySelector("h2").firstChild.textContent.trim().toLowerCase()}`);
  count.className = "muted small";
  count.setAttribute("role", "status");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    count.textContent = wanted ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
  });
  box.append(input, count);
  table.parentElement.before(box);
}

for (const table of document.querySelectorAll("table[data-table]")) {
  if (table.tBodies[0].rows.length < 2) continue;
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
  if (table.tBodies[0].rows.length > MANY) addFilter(table);
}
