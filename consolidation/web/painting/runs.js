/* Masks of a box as lengths of runs, row by row, beginning with what is outside. */

export function unpackRuns([, , width, height], runs) {
  const mask = new Uint8Array(width * height);
  let at = 0;
  runs.forEach((length, i) => {
    if (i % 2) mask.fill(1, at, at + length);
    at += length;
  });
  if (at !== mask.length) throw new Error(`a mask of ${at} pixels for a box of ${width} x ${height}`);
  return mask;
}

export function packRuns(mask) {
  const runs = [];
  let start = 0;
  for (let at = 0, value = 0; at < mask.length; at++) {
    if (Boolean(mask[at]) === Boolean(value)) continue;
    runs.push(at - start);
    start = at;
    value = mask[at];
  }
  runs.push(mask.length - start);
  return runs;
}
