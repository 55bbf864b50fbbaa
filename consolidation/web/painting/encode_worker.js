/* The worker's side of the encoder. */

import { Layout, Rows, assemble } from "./png.js";

let layout = null;
let rows = null;
let writer = null;
let written = null;

function toBase64(bytes) {
  let text = "";
  // a multiple of three, so that the pieces join
  for (let at = 0; at < bytes.length; at += 0x6000) text += btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000)));
  return text;
}

async function take(message) {
  if (message.strip) {
    await writer.write(rows.filter(message.strip));
  } else if (message.end) {
    await writer.close();
    const stream = new Uint8Array(await written);
    postMessage(toBase64(assemble(layout, stream)));
  } else {
    layout = new Layout(message.width, message.height, message.counts, message.colors);
    rows = new Rows(layout);
    const compression = new CompressionStream("deflate");
    writer = compression.writable.getWriter();
    written = new Response(compression.readable).arrayBuffer();
  }
}

let turn = Promise.resolve();
onmessage = ({ data }) => {
  turn = turn.then(() => take(data)).catch((error) => postMessage({ error: String(error.message ?? error) }));
};
