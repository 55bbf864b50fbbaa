/* Encoding away from the page: a worker packs and compresses strips of the map as they come.

   Inside the sandboxed frame no worker can be loaded by its address; it is made of the modules' text. */

import { Layout, Rows, assemble } from "./png.js";
import { deflate } from "./deflate.js";

const STRIP = 1 << 21;
/* Pixels handed over at a time: copying them takes the page a millisecond. */

/* At once, on this thread: for a template that reads the element's value. */
export function encodeNow(map, counts, colors) {
  const layout = new Layout(map.width, map.height, counts, colors);
  return assemble(layout, deflate(new Rows(layout).filter(map.data)));
}

/* The same picture, elsewhere, better compressed; resolves to base64. */
export async function encode(map, counts, colors) {
  const worker = await startWorker();
  try {
    return await new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.postMessage({ width: map.width, height: map.height, counts, colors });
      feed(worker, map);
    });
  } finally {
    worker.terminate();
  }
}

async function feed(worker, map) {
  const rows = Math.max(1, Math.floor(STRIP / map.width)) * map.width;
  for (let start = 0; start < map.data.length; start += rows) {
    const strip = map.data.slice(start, start + rows);
    worker.postMessage({ strip }, [strip.buffer]);
    // let the page breathe
    await new Promise((resume) => setTimeout(resume));
  }
  worker.postMessage({ end: true });
}

let address = null;

async function startWorker() {
  address ??= (async () => {
    const texts = await Promise.all(["png.js", "encode_worker.js"].map(async (name) => {
      const answer = await fetch(new URL(name, import.meta.url));
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
      return (await answer.text()).replace(/^import .*$/gm, "").replace(/^export /gm, "");
    }));
    return URL.createObjectURL(new Blob(texts, { type: "text/javascript" }));
  })();
  try {
    return new Worker(await address);
  } catch (error) {
    address = null;
    throw error;
  }
}
