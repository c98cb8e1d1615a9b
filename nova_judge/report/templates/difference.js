// Word by word, where two answers differ (Myers 1986), up to a bound: beyond it they are two texts.

const MOST_WORDS = 6000;
const MOST_STEPS = 1000;

function words(text) {
  return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

/** The places in each text that the other does not have, as two sets; null where too many differ. */
function differences(one, other) {
  if (one.length > MOST_WORDS || other.length > MOST_WORDS) return null;
  const trace = [];
  const reached = new Map([[1, 0]]);
  for (let steps = 0; steps <= Math.min(MOST_STEPS, one.length + other.length); steps += 1) {
    trace.push(new Map(reached));
    for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
      const down = diagonal === -steps || (diagonal !== steps
        && (reached.get(diagonal - 1) ?? -1) < (reached.get(diagonal + 1) ?? -1));
      let x = down ? reached.get(diagonal + 1) : reached.get(diagonal - 1) + 1;
      let y = x - diagonal;
      while (x < one.length && y < other.length && one[x] === other[y]) [x, y] = [x + 1, y + 1];
      reached.set(diagonal, x);
      if (x >= one.length && y >= other.length) return walkedBack(trace, one.length, other.length);
    }
  }
  return null;
}

function walkedBack(trace, x, y) {
  const [ofOne, ofOther] = [new Set(), new Set()];
  for (let steps = trace.length - 1; steps > 0; steps -= 1) {
    const reached = trace[steps];
    const diagonal = x - y;
    const down = diagonal === -steps || (diagonal !== steps
      && (reached.get(diagonal - 1) ?? -1) < (reached.get(diagonal + 1) ?? -1));
    const before = down ? diagonal + 1 : diagonal - 1;
    const fromX = reached.get(before);
    const fromY = fromX - before;
    if (down) ofOther.add(fromY);
    else ofOne.add(fromX);
    [x, y] = [fromX, fromY];
  }
  return [ofOne, ofOther];
}

function marked(tokens, places, tag) {
  const parts = [];
  let [held, lone] = ["", false];
  const flush = () => {
    if (held) parts.push(lone ? element(tag, {}, held) : held);
    held = "";
  };
  tokens.forEach((token, place) => {
    if (places.has(place) !== lone) {
      flush();
      lone = places.has(place);
    }
    held += token;
  });
  flush();
  return parts;
}

/** Both texts with what only one of them has marked; null where they have too little in common. */
function wordDifference(one, other) {
  const [mine, theirs] = [words(one), words(other)];
  const found = differences(mine, theirs);
  return found && [marked(mine, found[0], "del"), marked(theirs, found[1], "ins")];
}
