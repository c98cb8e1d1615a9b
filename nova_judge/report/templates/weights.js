// The sliders: every row judged anew from whole numbers, exactly as `nova-judge reweight` does.

/** Rows won under the given weight per group; a row without any weight is left out. */
function reweigh(rows, weights) {
  const tally = { a: 0, b: 0, ties: 0, unscored: 0 };
  for (const row of rows) {
    let whole = 0;
    let lead = 0;
    for (let at = 0; at < row.length; at += 3) {
      const weight = weights[row[at]] ?? 0;
      whole += weight;
      lead += weight * (row[at + 1] - row[at + 2]);
    }
    tally[whole === 0 ? "unscored" : lead > 0 ? "a" : lead < 0 ? "b" : "ties"] += 1;
  }
  return tally;
}

function shown(share) {
  return `${(100 * share).toFixed(1)} %`;
}

const WORDS = { "A better": "A is better", "B better": "B is better",
  equivalent: "Equivalent", inconclusive: "Inconclusive" };

function showWeights(form) {
  const section = document.getElementById("weights");
  const sliders = [...section.querySelectorAll("input[type=range]")];
  const output = document.getElementById("weights-result");
  const strip = document.getElementById("weights-strip");
  const command = document.getElementById("weights-command");
  const parts = Object.fromEntries([...output.querySelectorAll("[data-part]")]
    .map((part) => [part.dataset.part, part]));
  const own = output.dataset.own ? JSON.parse(output.dataset.own) : null;

  const tell = (word, rate, tally) => {
    parts.word.textContent = WORDS[word];
    parts.rate.textContent = rate
      ? `${shown(rate.estimate)} [${(100 * rate.low).toFixed(1)}, ${(100 * rate.high).toFixed(1)}]`
      : "no row has a criterion with weight";
    parts.counts.textContent = `A wins ${tally.a.toLocaleString("en")}, `
      + `B ${tally.b.toLocaleString("en")}, ${tally.ties.toLocaleString("en")} tied`
      + (tally.unscored ? `, ${tally.unscored.toLocaleString("en")} without a weighted criterion` : "");
    Object.assign(output.dataset, { word, ...tally, estimate: rate?.estimate ?? "",
      low: rate?.low ?? "", high: rate?.high ?? "" });
    const [line, dot] = [strip.querySelector("line.reach-line"), strip.querySelector("circle")];
    line.setAttribute("x1", `${100 * (rate?.low ?? 0.5)}%`);
    line.setAttribute("x2", `${100 * (rate?.high ?? 0.5)}%`);
    dot.setAttribute("cx", `${100 * (rate?.estimate ?? 0.5)}%`);
  };
  const apply = () => {
    const weights = {};
    for (const slider of sliders) {
      weights[slider.dataset.code] = Number(slider.value);
      slider.nextElementSibling.textContent = slider.value;
    }
    const tally = reweigh(form.rows, weights);
    const rate = scoreInterval(tally.a, tally.ties, tally.b, form.level);
    tell(verdictWord(tally.a, tally.ties, tally.b, rate, form), rate, tally);
    const named = sliders.filter((slider) => Number(slider.value) > 0)
      .map((slider) => `${slider.dataset.group}=${slider.value}`);
    // Without any weight there is no command that gives the same.
    command.textContent = named.length
      ? `nova-judge reweight RUN --weights "${named.join(",")}"` : "";
  };
  const reset = () => {
    for (const slider of sliders) {
      slider.value = slider.defaultValue;
      slider.nextElementSibling.textContent = slider.value;
    }
    tell(own.word, own.rate, own);
    command.textContent = "nova-judge reweight RUN";
  };
  section.addEventListener("input", apply);
  document.getElementById("weights-reset").addEventListener("click", reset);
  section.querySelector(".weights").hidden = false;
  reset();
}
