/* Pictures as they are stored: a camera's note to turn them is not followed. */

export async function openPicture(source) {
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`.trim());
  const window = /^([\d.e+-]+) ([\d.e+-]+)$/.exec(answer.headers.get("Consolidation-Window") ?? "");
  const bitmap = await createImageBitmap(await answer.blob(), { imageOrientation: "none" });
  return { bitmap, window: window && { low: window[1], high: window[2] } };
}
