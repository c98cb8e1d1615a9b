// A review: one pair at a time, blind, its answers left and right by chance. Every answer is kept
// by the server at once, so that the page can be closed at any time.

const main = document.getElementById("review");
const bar = document.querySelector(".review-bar");
const pairPlace = document.getElementById("pair");
const note = document.getElementById("note");
const viewButton = document.getElementById("view");
const KEYS = { a: "left", b: "right", t: "tie", x: "both_bad", s: "skip" };
const total = Number(main.dataset.rows);
let shownPair = null;
let busy = false;

async function ask(path, body = null) {
  const answer = await fetch(path, body === null ? {} : { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function box(title, text, parts = null, chosen = false) {
  const plain = parts !== null;
  const block = element("div", { class: plain ? "text plain-text" : "text prose", dir: "auto", tabindex: "0",
    role: "group", "aria-label": title }, ...(parts ?? markdown(text)));
  return element("div", { class: chosen ? "chosen" : null }, element("h2", {}, title), block);
}

function progress(pair) {
  const done = pair.labelled + pair.skipped;
  document.getElementById("progress").value = done;
  document.getElementById("progress-text").textContent = `Row ${pair.place + 1} of ${pair.rows} · `
    + `${pair.labelled} labelled${pair.skipped ? `, ${pair.skipped} skipped` : ""}`;
}

function draw() {
  const pair = shownPair;
  const compared = viewButton.getAttribute("aria-pressed") === "true"
    ? wordDifference(pair.left, pair.right) ?? [[pair.left], [pair.right]] : [null, null];
  const reference = pair.reference ? element("details", { class: "plain small" },
    element("summary", {}, "Reference answer"),
    element("div", { class: "text prose", dir: "auto" }, ...markdown(pair.reference))) : null;
  pairPlace.replaceChildren(...[
    box("Prompt", pair.prompt), reference,
    element("div", { class: "pair" },
      box("Left answer", pair.left, compared[0], pair.said === "left"),
      box("Right answer", pair.right, compared[1], pair.said === "right")),
  ].filter(Boolean));
  for (const button of bar.querySelectorAll(".choices button")) {
    button.setAttribute("aria-pressed", String(button.dataset.said === pair.said));
  }
  progress(pair);
}

async function show(place) {
  if (place >= total) return finished();
  shownPair = await ask(`rows/${place}`);
  bar.hidden = false;
  note.value = shownPair.note;
  draw();
  scrollTo(0, 0);
  pairPlace.focus({ preventScroll: true });
  return null;
}

function finished() {
  shownPair = null;
  bar.hidden = true;
  document.getElementById("progress").value = total;
  document.getElementById("progress-text").textContent = `All ${total} rows are done`;
  const told = element("p", { role: "status", "aria-live": "polite" },
    "Your labels are kept. Others can label the same rows under their own names.");
  const button = element("button", { type: "button", class: "primary" }, "Make the report anew");
  const back = element("button", { type: "button", class: "quiet" }, "Look at the rows again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.textContent = "Writing the report…";
    told.textContent = (await ask("report", {}).catch((error) => ({ told: error.message }))).told;
    button.disabled = false;
  });
  back.addEventListener("click", () => show(0));
  pairPlace.replaceChildren(element("div", { class: "finished" },
    element("h2", {}, "Done"), told, button, back));
  button.focus();
}

async function say(said) {
  if (!shownPair || busy) return;
  busy = true;
  try {
    const { next } = await ask("labels", { place: shownPair.place, said, note: note.value });
    await show(next);
  } catch (error) {
    document.getElementById("progress-text").textContent = `Not kept: ${error.message}. Is the command still running?`;
  }
  busy = false;
}

async function step(by) {
  if (!shownPair) return;
  const place = shownPair.place + by;
  if (place >= 0 && place < total) await show(place);
}

bar.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.said) say(button.dataset.said);
  if (button?.dataset.step) step(Number(button.dataset.step));
});
viewButton.addEventListener("click", () => {
  viewButton.setAttribute("aria-pressed", String(viewButton.getAttribute("aria-pressed") !== "true"));
  if (shownPair) draw();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === note) {
    if (event.key === "Enter" || event.key === "Escape") pairPlace.focus({ preventScroll: true });
    return;
  }
  const key = event.key.toLowerCase();
  if (KEYS[key]) say(KEYS[key]);
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "d") viewButton.click();
  else if (key === "n") {
    event.preventDefault();
    note.focus();
  }
});
await show(Number(main.dataset.first));
