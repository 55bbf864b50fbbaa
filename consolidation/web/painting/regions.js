/* Actions on a region: each says which places of the map get which class. */

import { beside, parts, placesOf, sizeOf, whole } from "./flood.js";

/* Places and the class of each. */
class Changes {
  constructor() {
    this.places = [];
    this.classes = [];
  }

  add(place, label) {
    this.places.push(place);
    this.classes.push(label);
  }
}

const placeIn = (map, [left, top, width], inBox) =>
  (top + Math.floor(inBox / width)) * map.width + left + (inBox % width);

/* Class of the selection. */
function labelOf(map, { box, mask }) {
  return map.data[placeIn(map, box, mask.findIndex((value) => value))];
}

/* Everything enclosed by the selection, in pieces of at most `most` pixels. */
export function fillHoles(map, selection, most) {
  const changes = new Changes();
  const { box, mask } = selection;
  const [, , width, height] = box;
  const label = labelOf(map, selection);
  for (const spans of parts(width, height, (place) => !mask[place])) {
    if (sizeOf(spans) > most || reachesEdge(spans, width, height)) continue;
    for (const place of placesOf(spans, width)) changes.add(placeIn(map, box, place), label);
  }
  return changes;
}

function reachesEdge(spans, width, height) {
  for (let i = 0; i < spans.length; i += 3) {
    const [row, left, right] = [spans[i], spans[i + 1], spans[i + 2]];
    if (row === 0 || row === height - 1 || left === 0 || right === width - 1) return true;
  }
  return false;
}

/* Pieces of a class of at most `most` pixels become what most of their neighbours are. */
export function dropSpecks(map, label, most) {
  const changes = new Changes();
  const selection = whole(map, label);
  if (!selection) return changes;
  const { box, mask } = selection;
  for (const spans of parts(box[2], box[3], (place) => mask[place])) {
    if (sizeOf(spans) > most) continue;
    const counts = new Float64Array(256);
    const own = Array.from(placesOf(spans, box[2]), (place) => placeIn(map, box, place));
    for (const place of own) for (const next of beside(place, map.width, map.height)) counts[map.data[next]]++;
    counts[label] = 0;
    const winner = mostOf(counts);
    if (counts[winner]) for (const place of own) changes.add(place, winner);
  }
  return changes;
}

/* Index of the largest count; of equal ones, the lowest. */
function mostOf(counts) {
  let best = 0;
  for (let label = 1; label < 256; label++) if (counts[label] > counts[best]) best = label;
  return best;
}

/* One pixel more on every side. */
export function grow(map, selection) {
  const changes = new Changes();
  const { box, mask } = selection;
  const label = labelOf(map, selection);
  const added = new Set();
  mask.forEach((value, inBox) => {
    if (!value) return;
    for (const next of beside(placeIn(map, box, inBox), map.width, map.height)) {
      if (map.data[next] !== label) added.add(next);
    }
  });
  for (const place of [...added].sort((a, b) => a - b)) changes.add(place, label);
  return changes;
}

/* One pixel less wherever something else, or nothing, is beside it; the image's edge does not count. */
export function shrink(map, selection) {
  const changes = new Changes();
  const { box, mask } = selection;
  const label = labelOf(map, selection);
  mask.forEach((value, inBox) => {
    if (!value) return;
    const place = placeIn(map, box, inBox);
    for (const next of beside(place, map.width, map.height)) {
      if (map.data[next] === label) continue;
      changes.add(place, 0);
      break;
    }
  });
  return changes;
}

/* Each pixel goes with the majority of the 3 x 3 around it, in or out; those outside the image
   do not vote. What goes out becomes the class that is there most often instead. */
export function smooth(map, selection) {
  const changes = new Changes();
  const { box, mask } = selection;
  const [left, top, width, height] = box;
  const label = labelOf(map, selection);
  const chosen = (x, y) => x >= left && y >= top && x < left + width && y < top + height && mask[(y - top) * width + x - left] === 1;
  for (let y = Math.max(0, top - 1); y <= Math.min(map.height - 1, top + height); y++) {
    for (let x = Math.max(0, left - 1); x <= Math.min(map.width - 1, left + width); x++) {
      const is = chosen(x, y);
      const around = chosen(x - 1, y) + chosen(x + 1, y) + chosen(x, y - 1) + chosen(x, y + 1);
      // with all four sides it stays in, with none it stays out, whatever the corners are
      if (around === (is ? 4 : 0)) continue;
      const [inside, votes] = [around + is + corners(x, y, chosen), inImage(map, x, y)];
      if (!is && 2 * inside > votes) changes.add(y * map.width + x, label);
      if (is && 2 * inside < votes) changes.add(y * map.width + x, otherAround(map, x, y, label, chosen));
    }
  }
  return changes;
}

const corners = (x, y, chosen) => chosen(x - 1, y - 1) + chosen(x + 1, y - 1) + chosen(x - 1, y + 1) + chosen(x + 1, y + 1);

/* Pixels of the 3 x 3 that are in the image. */
function inImage({ width, height }, x, y) {
  const across = 1 + (x > 0) + (x + 1 < width);
  return across * (1 + (y > 0) + (y + 1 < height));
}

/* The class that is most often in the 3 x 3, the selection's aside; of equal ones, the lowest. */
function otherAround(map, x, y, label, chosen) {
  const counts = new Uint8Array(256);
  for (let v = y - 1; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++) if (map.has(u, v) && !chosen(u, v)) counts[map.at(u, v)]++;
  }
  counts[label] = 0;
  return mostOf(counts);
}
