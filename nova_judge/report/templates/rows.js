// The rows of a page: searched, filtered, sorted and opened, from what the page holds or, page by
// page, from the server on this machine. What is chosen stands in the address: `#row-17`,
// `#rows?verdict=B&sort=margin`.

const PAGE = 50;
const CHOSEN = ["search", "verdict", "category", "criterion", "ahead", "label", "margin", "sort", "view"];

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

function hasLabel(row, wanted) {
  if (wanted === "any") return Boolean(row.label);
  if (wanted === "differs") return disagrees(row) === true;
  return row.label === wanted;
}

function matches(row, wanted, groups) {
  if (wanted.verdict && row.verdict !== wanted.verdict) return false;
  if (wanted.category && (row.category ?? "") !== wanted.category) return false;
  if (wanted.label && !hasLabel(row, wanted.label)) return false;
  if (wanted.margin && !(Math.abs(row.margin) <= Number(wanted.margin))) return false;
  if (wanted.criterion) {
    const side = ahead(row, wanted.criterion, groups);
    if (side === null || (wanted.ahead && side !== wanted.ahead)) return false;
  }
  return !wanted.search || searchable(row).includes(wanted.search.toLowerCase());
}

const lengths = (row) => [(row.answerA ?? "").length, (row.answerB ?? "").length];
const SORTS = {
  margin: (row) => Math.abs(row.margin ?? Infinity),
  "-margin": (row) => (row.margin === undefined ? Infinity : -Math.abs(row.margin)),
  length: (row) => -(lengths(row)[0] + lengths(row)[1]),
  "length-difference": (row) => -Math.abs(lengths(row)[0] - lengths(row)[1]),
  disagreement: (row) => (disagrees(row) ? 0 : 1),
};

/** The rows that the page itself holds. */
function heldRows(held) {
  const distinct = (values) => [...new Set(values)].sort((one, other) => one.localeCompare(other));
  const { rows, groups } = held;
  return {
    where: "in this page",
    facets: {
      categories: distinct(rows.map((row) => row.category).filter(Boolean)),
      criteria: distinct(rows.flatMap((row) => (row.criteria ?? []).map((c) => groups[c.name] ?? c.name))),
      labels: rows.some((row) => row.label), margins: rows.some((row) => row.margin !== undefined),
    },
    async find(wanted, from, most) {
      const found = rows.filter((row) => matches(row, wanted, groups));
      const by = SORTS[wanted.sort];
      if (by) found.sort((one, other) => by(one) - by(other) || one.line - other.line);
      return { rows: found.slice(from, from + most), found: found.length, all: rows.length };
    },
    async row(line) { return rows.find((row) => row.line === line) ?? null; },
  };
}

/** All rows of the run, from the server that sent this page. */
async function servedRows(address) {
  const ask = async (query) => {
    const answer = await fetch(`${address}?${new URLSearchParams(query)}`);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  return {
    where: "of the run",
    facets: await ask({ facets: "1" }),
    find: (wanted, from, most) => ask({ ...wanted, from, most }),
    async row(line) { return (await ask({ line })).rows[0] ?? null; },
  };
}

function fill(select, values) {
  for (const value of values) select.append(element("option", { value }, excerpt(value)));
  if (values.length === 0) select.closest("label").hidden = true;
}

function stated() {
  const [, line, query] = /^#(?:rows|row-(\d+))(?:\?(.*))?$/.exec(location.hash) ?? [];
  return { line: line ? Number(line) : null, wanted: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

function address(wanted, line = null) {
  const given = CHOSEN.filter((name) => wanted[name]).map((name) => [name, wanted[name]]);
  const query = new URLSearchParams(given).toString();
  return `#${line === null ? "rows" : `row-${line}`}${query ? `?${query}` : ""}`;
}

async function showRows(source) {
  const form = document.getElementById("filters");
  const list = document.getElementById("row-list");
  const status = document.getElementById("row-count");
  const more = document.getElementById("more-rows");
  let [wanted, shown, asked] = [{}, 0, 0];
  const view = () => wanted.view || "markdown";
  const chosen = () => Object.fromEntries(CHOSEN.map((name) => [name, form.elements[name]?.value.trim() ?? ""])
    .filter(([, value]) => value));

  const append = async (most = PAGE) => {
    const turn = asked;
    const part = await source.find(wanted, shown, most);
    if (turn !== asked) return; // another question was asked meanwhile
    list.append(...part.rows.map((row) => item(row, view)));
    shown += part.rows.length;
    more.hidden = shown >= part.found;
    status.textContent = `${part.found.toLocaleString("en")} of ${part.all.toLocaleString("en")} rows `
      + source.where;
  };
  const apply = async () => {
    [wanted, shown] = [chosen(), 0];
    asked += 1;
    list.replaceChildren();
    await append();
  };
  const reveal = async (line) => {
    let place = document.getElementById(`row-${line}`);
    if (!place) {
      const row = await source.row(line);
      if (!row) {
        status.textContent = `Row ${line} is not ${source.where}.`;
        return;
      }
      list.prepend(item(row, view));
      place = document.getElementById(`row-${line}`);
    }
    place.open = true;
    place.scrollIntoView({ block: "start" });
    place.querySelector("summary").focus({ preventScroll: true });
  };
  const follow = async () => {
    const { line, wanted: given } = stated();
    if (!location.hash.startsWith("#row")) return;
    for (const name of CHOSEN) if (form.elements[name]) form.elements[name].value = given[name] ?? "";
    await apply();
    if (line !== null) await reveal(line);
  };
  const step = async (by) => {
    const places = () => [...list.querySelectorAll(":scope > li > details")];
    const at = places().findIndex((place) => place.contains(document.activeElement));
    if (at + by >= places().length && !more.hidden) await append();
    const next = places()[at === -1 ? (by > 0 ? 0 : places().length - 1) : at + by];
    if (!next) return;
    if (at !== -1) places()[at].open = false;
    history.replaceState(null, "", address(wanted, Number(next.id.slice(4))));
    next.open = true;
    next.scrollIntoView({ block: "start" });
    next.querySelector("summary").focus({ preventScroll: true });
  };
  const changed = () => {
    history.replaceState(null, "", address(chosen()));
    return apply();
  };

  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(changed, event.target.type === "search" ? 250 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => append());
  addEventListener("hashchange", follow);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
  fill(form.elements.category, source.facets.categories);
  fill(form.elements.criterion, source.facets.criteria);
  form.elements.ahead.closest("label").hidden = source.facets.criteria.length === 0;
  form.elements.label.closest("label").hidden = !source.facets.labels;
  form.elements.margin.closest("label").hidden = !source.facets.margins;
  for (const option of form.elements.sort.options) {
    option.hidden = (option.value.includes("margin") && !source.facets.margins)
      || (option.value === "disagreement" && !source.facets.labels);
  }
  if (location.hash.startsWith("#row")) await follow();
  else await apply();
}
