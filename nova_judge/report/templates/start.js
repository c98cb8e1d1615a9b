// Starts what the page holds. Without script, everything but rows and sliders is there already.

const weights = await unpack("held-weights");
if (weights) showWeights(weights);
const rows = await unpack("held-rows");
if (rows) await showRows(heldRows(rows));
