// One row, opened: prompt, both answers, what the judge said to them, and what people say.

const VERDICTS = { A: "A wins", B: "B wins", tie: "tie", inconsistent: "flip", error: "error" };
const GIVEN = { A: "A wins", B: "B wins", tie: "tie", both_bad: "both bad" };

function excerpt(text, most = 240) {
  return (text ?? "").slice(0, most).replace(/\s+/g, " ");
}

/** A text in a box of its own: as Markdown, or as it stands. */
function textBlock(title, text, view, parts = null) {
  if (text === null || text === undefined) return null;
  const shown = parts ?? (view === "plain" ? [text] : markdown(text));
  const look = parts || view === "plain" ? "text plain-text" : "text prose";
  const block = element("div", { class: look, dir: "auto", tabindex: "0", role: "group",
    "aria-label": title }, ...shown);
  return element("div", {}, element("h3", {}, title), block);
}

function answers(row, view) {
  const told = view === "diff" ? wordDifference(row.answerA ?? "", row.answerB ?? "") : null;
  const shown = view === "diff" ? "plain" : view;
  const pair = element("div", { class: "pair" },
    textBlock("Answer A", row.answerA, shown, told?.[0]) ?? element("div"),
    textBlock("Answer B", row.answerB, shown, told?.[1]) ?? element("div"));
  const apart = view === "diff" && !told
    ? element("p", { class: "small faint" }, "These answers have too little in common to be compared word by word.")
    : null;
  return element("div", {}, pair, apart);
}

function order(title, verdict, output) {
  const unscored = verdict.unscored !== undefined;
  const told = unscored ? `no verdict: ${verdict.unscored}` : GIVEN[verdict];
  return element("div", { class: "order" },
    element("p", {}, element("span", { class: "faint small" }, `${title}: `),
      element("strong", { dir: "auto" }, told)),
    output === undefined || output === null
      ? element("p", { class: "small faint" }, "The judge's text was not kept.")
      : element("div", { class: "text prose", dir: "auto", tabindex: "0", role: "group",
        "aria-label": `The judge's text, ${title}` }, ...markdown(output)));
}

function score(criterion, side) {
  const value = criterion[side];
  if (criterion.type === "binary") return value ? "yes" : "no";
  return `${value} of 5`;
}

function criteria(row) {
  if (row.rubricError) return element("p", { class: "small" }, `No rubric: ${row.rubricError}`);
  if (!row.criteria) return null;
  const why = (side, text) => (text
    ? element("p", { class: "small" }, element("b", { class: `badge-${side}` }, side.toUpperCase()),
      " ", ...inline(text)) : null);
  const lines = row.criteria.map((c) => element("li", { class: "criterion" },
    element("p", { class: "criterion-head" }, element("strong", { dir: "auto" }, c.name),
      element("span", { class: "faint small" }, `weight ${c.weight}`),
      element("span", { class: "number" }, `A ${score(c, "a")} · B ${score(c, "b")}`)),
    c.description ? element("p", { class: "small faint", dir: "auto" }, c.description) : null,
    element("div", { class: "reasons", dir: "auto" }, why("a", c.whyA), why("b", c.whyB))));
  return element("div", {}, element("h3", {}, "Criteria"), element("ul", { class: "criteria-list" }, ...lines));
}

function labels(row) {
  if (!row.reviews?.length) return null;
  const lines = row.reviews.map((review) => element("li", {},
    element("strong", {}, review.by), `: ${GIVEN[review.verdict]}`,
    review.note ? element("span", { class: "faint", dir: "auto" }, ` – ${review.note}`) : null));
  return element("div", {}, element("h3", {}, "People"), element("ul", { class: "small" }, ...lines));
}

/** The row for a document or an issue. */
function asMarkdown(row) {
  const quoted = (text) => (text ?? "").split("\n").map((line) => `> ${line}`).join("\n");
  const parts = [`**Row ${row.line}** (${row.id}): ${VERDICTS[row.verdict]}`,
    `Prompt\n\n${quoted(row.prompt)}`, `Answer A\n\n${quoted(row.answerA)}`,
    `Answer B\n\n${quoted(row.answerB)}`];
  if (row.reference) parts.push(`Reference\n\n${quoted(row.reference)}`);
  if (row.forwardOutput) parts.push(`Judge, A shown first\n\n${quoted(row.forwardOutput)}`);
  if (row.backwardOutput) parts.push(`Judge, B shown first\n\n${quoted(row.backwardOutput)}`);
  if (row.overall) parts.push(`Judge, overall\n\n${quoted(row.overall)}`);
  return `${parts.join("\n\n")}\n`;
}

function copyButton(name, content) {
  const button = element("button", { type: "button", class: "quiet" }, name);
  button.addEventListener("click", async () => {
    const told = await navigator.clipboard.writeText(content()).then(() => "Copied", () => "Not copied");
    button.textContent = told;
    setTimeout(() => { button.textContent = name; }, 1500);
  });
  return button;
}

function plainRow(row) {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== "haystack"));
}

function detail(row, view) {
  const facts = [`line ${row.line}`, `id ${row.id}`];
  if (row.label) facts.push(`label ${GIVEN[row.label]}`);
  if (row.margin !== undefined) facts.push(`margin A − B ${row.margin.toFixed(3)}`);
  const link = element("a", { href: `#row-${row.line}`, class: "small" }, "Link to this row");
  return element("div", { class: "detail" },
    textBlock("Prompt", row.prompt, view === "diff" ? "prose" : view),
    answers(row, view),
    textBlock("Reference", row.reference, view === "diff" ? "prose" : view),
    element("h3", {}, "Verdicts"),
    element("div", { class: "pair orders" },
      order("A shown first", row.forward, row.forwardOutput),
      order("B shown first", row.backward, row.backwardOutput)),
    textBlock("The judge's overall justification", row.overall, "prose"),
    criteria(row), labels(row),
    element("p", { class: "row-foot" }, element("span", { class: "small faint", dir: "auto" }, facts.join(" · ")),
      copyButton("Copy as JSON", () => JSON.stringify(plainRow(row), null, 2)),
      copyButton("Copy as Markdown", () => asMarkdown(row)), link));
}

function chip(name, text) {
  return element("span", { class: `chip chip-${name}` }, text);
}

/** True where people and the judge name different outcomes; null where one of them names none. */
function disagrees(row) {
  if (!row.label || row.verdict === "error") return null;
  const people = row.label === "both_bad" ? "tie" : row.label;
  return row.verdict !== people;
}

function item(row, view) {
  const label = row.label && element("span", { class: disagrees(row) ? "differs" : null },
    `label ${GIVEN[row.label]}`);
  const opened = element("details", { id: `row-${row.line}` },
    element("summary", {},
      element("span", { class: "faint small number" }, `line ${row.line}`),
      chip(row.verdict, VERDICTS[row.verdict]),
      element("span", { class: "excerpt", dir: "auto" }, excerpt(row.prompt)),
      element("span", { class: "faint small" }, excerpt(row.category, 30),
        row.category && label ? " · " : null, label ?? null)));
  opened.addEventListener("toggle", () => {
    if (opened.open && opened.children.length === 1) opened.append(detail(row, view()));
  });
  return element("li", {}, opened);
}
