/* Pictures as they are stored: a camera's note to turn them is not followed. */

import { unturn } from "../painting/exif.js";

export async function openPicture(source) {
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`.trim());
  const window = /^([\d.e+-]+) ([\d.e+-]+)$/.exec(answer.headers.get("Consolidation-Window") ?? "");
  const bytes = unturn(new Uint8Array(await answer.arrayBuffer()));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  return { bitmap, window: window && { low: window[1], high: window[2] } };
}
