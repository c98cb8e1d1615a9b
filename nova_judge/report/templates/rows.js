// The rows of the page: searched, filtered and opened. Texts of the evaluation only ever become
// text nodes; the page's policy forbids everything else.

const PAGE = 50;
const VERDICTS = { A: "A wins", B: "B wins", tie: "tie", inconsistent: "flip", error: "error" };
const GIVEN = { A: "A wins", B: "B wins", tie: "tie", both_bad: "both bad" };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

async function unpack(id) {
  const held = document.getElementById(id);
  if (!held) return null;
  const bytes = Uint8Array.from(atob(held.textContent.trim()), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function searchable(row) {
  row.haystack ??= [row.id, row.category, row.prompt, row.answerA, row.answerB, row.reference,
    row.forwardOutput, row.backwardOutput, row.overall, row.rubricError,
    ...(row.criteria ?? []).flatMap((c) => [c.name, c.description, c.whyA, c.whyB])]
    .filter(Boolean).join("\n").toLowerCase();
  return row.haystack;
}

function ahead(row, group, groups) {
  const told = (row.criteria ?? []).find((c) => (groups[c.name] ?? c.name) === group);
  if (!told) return null;
  return told.a === told.b ? "level" : told.a > told.b ? "A" : "B";
}

function matches(row, wanted, groups) {
  if (wanted.verdict && row.verdict !== wanted.verdict) return false;
  if (wanted.flips && row.verdict !== "inconsistent") return false;
  if (wanted.category && (row.category ?? "") !== wanted.category) return false;
  if (wanted.criterion) {
    const side = ahead(row, wanted.criterion, groups);
    if (side === null || (wanted.ahead && side !== wanted.ahead)) return false;
  }
  return !wanted.search || searchable(row).includes(wanted.search);
}

function textBlock(title, text) {
  if (text === null || text === undefined) return null;
  const block = element("div", { class: "text", dir: "auto", tabindex: "0", role: "group",
    "aria-label": title }, text);
  return element("div", {}, element("h3", {}, title), block);
}

function folded(title, ...content) {
  return element("details", { class: "plain small" }, element("summary", {}, title), ...content);
}

function orderRow(shown, verdict, output) {
  const unscored = verdict.unscored !== undefined;
  const told = unscored ? `no verdict: ${verdict.unscored}` : GIVEN[verdict];
  const judge = output === undefined ? "not kept"
    : folded("read", element("div", { class: "text", dir: "auto" }, output));
  return element("tr", {}, element("th", { scope: "row" }, shown),
    element("td", { dir: "auto", "data-name": "verdict" }, told),
    element("td", { class: "words", "data-name": "the judge's text" }, judge));
}

function orders(row) {
  const head = ["order shown", "verdict", "the judge's text"].map(
    (name) => element("th", { scope: "col" }, name));
  return element("table", { class: "fold" },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, orderRow("A, then B", row.forward, row.forwardOutput),
      orderRow("B, then A", row.backward, row.backwardOutput)));
}

function score(criterion, side) {
  const value = criterion[side];
  if (criterion.type === "binary") return value ? "yes" : "no";
  return `${value} of 5`;
}

function criteria(row) {
  if (row.rubricError) return element("p", { class: "small" }, `No rubric: ${row.rubricError}`);
  if (!row.criteria) return null;
  const head = ["criterion", "weight", "A", "B", "why"].map(
    (name) => element("th", { scope: "col" }, name));
  const lines = row.criteria.map((c) => element("tr", {},
    element("th", { scope: "row" }, c.name),
    element("td", { "data-name": "weight" }, String(c.weight)),
    element("td", { "data-name": "A" }, score(c, "a")),
    element("td", { "data-name": "B" }, score(c, "b")),
    element("td", { class: "words" }, folded("read", element("div", { class: "text", dir: "auto" },
      `${c.description}\n\nA: ${c.whyA}\n\nB: ${c.whyB}`)))));
  return element("div", {}, element("h3", {}, "Criteria"),
    element("table", { class: "fold criteria" }, element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...lines)));
}

function detail(row) {
  const facts = [`line ${row.line}`, `id ${row.id}`];
  if (row.label) facts.push(`label ${row.label}`);
  return element("div", { class: "detail" },
    textBlock("Prompt", row.prompt),
    element("div", { class: "pair" }, textBlock("Answer A", row.answerA) ?? element("div"),
      textBlock("Answer B", row.answerB) ?? element("div")),
    textBlock("Reference", row.reference),
    element("h3", {}, "Verdicts"), orders(row), criteria(row),
    textBlock("The judge's overall justification", row.overall),
    element("p", { class: "small faint" }, facts.join(" · ")));
}

function excerpt(text) {
  return (text ?? "").slice(0, 240).replace(/\s+/g, " ");
}

function item(row) {
  const opened = element("details", {},
    element("summary", {},
      element("span", { class: "faint small" }, `line ${row.line}`),
      element("span", { class: `chip chip-${row.verdict}` }, VERDICTS[row.verdict]),
      element("span", { class: "excerpt", dir: "auto" }, excerpt(row.prompt)),
      element("span", { class: "faint small" }, excerpt(row.category).slice(0, 30))));
  opened.addEventListener("toggle", () => {
    if (opened.open && opened.children.length === 1) opened.append(detail(row));
  });
  return element("li", {}, opened);
}

function fill(select, values) {
  for (const value of values) {
    select.append(element("option", { value }, value === "" ? "(none)" : excerpt(value)));
  }
  if (values.length === 0) select.closest("label").hidden = true;
}

function distinct(values) {
  return [...new Set(values)].sort((one, other) => one.localeCompare(other));
}

function showRows(rows, groups) {
  const form = document.getElementById("filters");
  const list = document.getElementById("row-list");
  const status = document.getElementById("row-count");
  const more = document.getElementById("more-rows");
  let found = rows;
  let shown = 0;

  const append = () => {
    list.append(...found.slice(shown, shown + PAGE).map(item));
    shown = Math.min(shown + PAGE, found.length);
    more.hidden = shown >= found.length;
  };
  const apply = () => {
    const wanted = Object.fromEntries(new FormData(form));
    wanted.search = (wanted.search ?? "").trim().toLowerCase();
    found = rows.filter((row) => matches(row, wanted, groups));
    shown = 0;
    list.replaceChildren();
    append();
    status.textContent = `${found.length.toLocaleString("en")} of `
      + `${rows.length.toLocaleString("en")} rows in this page`;
  };
  let waiting;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", append);
  fill(form.elements.category, distinct(rows.map((row) => row.category).filter(Boolean)));
  fill(form.elements.criterion, distinct(rows.flatMap(
    (row) => (row.criteria ?? []).map((c) => groups[c.name] ?? c.name))));
  form.elements.ahead.closest("label").hidden = form.elements.criterion.options.length === 1;
  apply();
}
