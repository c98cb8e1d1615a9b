// The runs of a folder: searched, filtered and sorted, two of them chosen to be compared.

const table = document.querySelector(".runs-table");
const body = table.tBodies[0];
const rows = [...body.rows];
const search = document.getElementById("runs-search");
const filters = { verdict: document.getElementById("runs-verdict"), recipe: document.getElementById("runs-recipe") };
const count = document.getElementById("runs-count");
const compare = document.getElementById("runs-compare");
const NUMBERS = new Set(["rate", "rows"]);
let sorted = { by: "run", down: true };

function remember() {
  const query = new URLSearchParams(Object.entries({ search: search.value, verdict: filters.verdict.value,
    recipe: filters.recipe.value, sort: `${sorted.down ? "-" : ""}${sorted.by}` })
    .filter(([name, value]) => value && !(name === "sort" && value === "-run")));
  history.replaceState(null, "", `#${query}`);
}

function apply() {
  const wanted = search.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = row.textContent.toLowerCase().includes(wanted)
      && Object.entries(filters).every(([name, select]) => !select.value || row.dataset[name] === select.value);
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} runs`;
}

function order() {
  const { by, down } = sorted;
  const value = (row) => (NUMBERS.has(by) ? Number(row.dataset[by] || -1) : row.dataset[by]);
  const compared = (one, other) => (NUMBERS.has(by) ? value(one) - value(other)
    : value(one).localeCompare(value(other)));
  body.append(...rows.sort((one, other) => (down ? -1 : 1) * compared(one, other)));
  for (const head of table.tHead.querySelectorAll("[data-sort]")) {
    head.setAttribute("aria-sort", head.dataset.sort !== by ? "none" : down ? "descending" : "ascending");
  }
}

for (const head of table.tHead.querySelectorAll("[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sort";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const by = head.dataset.sort;
    sorted = { by, down: sorted.by === by ? !sorted.down : NUMBERS.has(by) || by === "run" };
    order();
    remember();
  });
}
for (const field of [search, ...Object.values(filters)]) {
  field.addEventListener("input", () => { apply(); remember(); });
}
table.addEventListener("change", () => {
  const chosen = [...body.querySelectorAll("input:checked")];
  if (compare) compare.disabled = chosen.length !== 2;
  for (const box of body.querySelectorAll("input:not(:checked)")) box.disabled = chosen.length === 2;
});
const stated = new URLSearchParams(location.hash.slice(1));
search.value = stated.get("search") ?? "";
for (const [name, select] of Object.entries(filters)) select.value = stated.get(name) ?? "";
const given = stated.get("sort") ?? "-run";
if (table.tHead.querySelector(`[data-sort="${CSS.escape(given.replace("-", ""))}"]`)) {
  sorted = { by: given.replace("-", ""), down: given.startsWith("-") };
}
order();
if (stated.size) apply();
