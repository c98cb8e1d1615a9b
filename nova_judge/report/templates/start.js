// Starts what the page holds. Without script, everything but rows and sliders is there already.

const held = await unpack("held-rows");
if (held && held.length > 0) showRows(held, {});
