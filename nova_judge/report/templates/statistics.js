// The win rate's interval and the verdict, step by step as nova_judge/statistics/win_rate.py,
// dirichlet_mean.py, distributions.py and verdict.py compute them (docs/statistics.md).

const NODES = [];
const NODE_WEIGHTS = [];
for (let place = 0; place < 800; place += 1) {
  const step = -3.4 + (place * (34.0 - -3.4)) / 799;
  NODES.push(Math.exp(step - Math.exp(-step)));
  NODE_WEIGHTS.push(((34.0 - -3.4) / 799) * (1 + Math.exp(-step)));
}
const MOST_MODULUS = 90; // a node whose share is below exp(-45) adds nothing, nor do those after it
const TOLERANCE = 1e-10;
const EDGE = 1e-13;

function meanBelow(threshold, values, weights) {
  const offsets = values.map((value) => value - threshold);
  const scale = Math.sqrt(offsets.reduce((sum, offset, i) => sum + weights[i] * offset * offset, 0));
  let total = 0;
  for (let place = 0; place < NODES.length; place += 1) {
    let phase = 0;
    let modulus = 0;
    for (let i = 0; i < offsets.length; i += 1) {
      const scaled = (offsets[i] / scale) * NODES[place];
      phase += weights[i] * Math.atan(scaled);
      modulus += weights[i] * Math.log1p(scaled * scaled);
    }
    if (modulus > MOST_MODULUS) break;
    total += Math.sin(phase) * Math.exp(-0.5 * modulus) * NODE_WEIGHTS[place];
  }
  return 0.5 - total / Math.PI;
}

function endOf(excess, centre, width) {
  for (;;) {
    const end = Math.min(1 - EDGE, Math.max(EDGE, centre + width));
    const value = excess(end);
    if (value * width >= 0 || end === EDGE || end === 1 - EDGE) return [end, value];
    width *= 2;
  }
}

function root(excess, centre, width) {
  let [left, atLeft] = endOf(excess, centre, -width);
  let [right, atRight] = endOf(excess, centre, width);
  if (atLeft >= 0 || atRight <= 0) return atLeft >= 0 ? left : right;
  let stayed = 0;
  for (let step = 0; step < 100; step += 1) {
    const middle = (left * atRight - right * atLeft) / (atRight - atLeft);
    const at = excess(middle);
    if (Math.abs(at) < TOLERANCE || right - left < TOLERANCE) return middle;
    if (at < 0) [left, atLeft, atRight] = [middle, at, atRight / (stayed > 0 ? 2 : 1)];
    else [right, atRight, atLeft] = [middle, at, atLeft / (stayed < 0 ? 2 : 1)];
    stayed = at < 0 ? 1 : -1;
  }
  return (left + right) / 2;
}

function quantile(probability, values, weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = values.reduce((sum, value, i) => sum + weights[i] * value, 0) / total;
  const variance = values.reduce((sum, value, i) => sum + weights[i] * (value - mean) ** 2, 0) / total;
  const excess = (threshold) => meanBelow(threshold, values, weights) - probability;
  return root(excess, mean, 2.5 * Math.sqrt(variance / (total + 1)));
}

/** The mean score of B with its interval, from rows won by A, tied, and won by B. */
function scoreInterval(a, ties, b, level) {
  const rows = a + ties + b;
  if (rows === 0) return null;
  const held = [[0, a + 0.5], [0.5, ties], [1, b + 0.5]].filter(([, weight]) => weight > 0);
  const values = held.map(([value]) => value);
  const turned = b < a;
  const weights = held.map(([, weight]) => weight);
  if (turned) weights.reverse();
  const tail = (1 - level) / 2;
  let low = quantile(tail, values, weights);
  let high = a === b ? 1 - low : quantile(1 - tail, values, weights);
  if (turned) [low, high] = [1 - high, 1 - low];
  const estimate = (b + ties / 2) / rows;
  return { estimate, low: estimate === 0 ? 0 : Math.min(low, estimate),
    high: estimate === 1 ? 1 : Math.max(high, estimate) };
}

/** The bound that the mean score of B exceeds at most with 1 - level: one observation on top. */
function upperBound(a, ties, b, level) {
  const held = [[0, a], [0.5, ties], [1, b + 1]].filter(([, weight]) => weight > 0);
  if (held.length === 1) return 1;
  const bound = quantile(level, held.map(([value]) => value), held.map(([, weight]) => weight));
  return Math.max(bound, (b + ties / 2) / (a + ties + b));
}

function logGamma(value) {
  let [shift, at] = [0, value];
  while (at < 10) { shift -= Math.log(at); at += 1; }
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return shift + (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series;
}

/** Two-sided exact p-value that both counts are equally likely. */
function signTest(first, second) {
  const [fewer, trials] = [Math.min(first, second), first + second];
  if (2 * fewer >= trials) return 1;
  let [term, series] = [1, 1];
  for (let at = fewer; at > 0 && term > 1e-18 * series; at -= 1) {
    term *= at / (trials - at + 1);
    series += term;
  }
  const largest = logGamma(trials + 1) - logGamma(fewer + 1) - logGamma(trials - fewer + 1)
    - trials * Math.LN2;
  return Math.min(1, 2 * Math.exp(largest) * series);
}

/** The verdict's word: a side only where test, corrected for the looks, and interval name it. */
function verdictWord(a, ties, b, rate, settings) {
  if (rate === null || settings.blocked) return "inconclusive";
  if (settings.margin !== null) {
    const low = 1 - upperBound(b, ties, a, settings.level);
    const high = upperBound(a, ties, b, settings.level);
    if (low >= 0.5 - settings.margin && high <= 0.5 + settings.margin) return "equivalent";
  }
  if (settings.looks * signTest(a, b) >= 1 - settings.level) return "inconclusive";
  if (b > a && rate.low > 0.5) return "B better";
  if (a > b && rate.high < 0.5) return "A better";
  return "inconclusive";
}
