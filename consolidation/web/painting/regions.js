/* Actions on a region: each says which places of the map get which class. */

import { beside, parts, whole } from "./flood.js";

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
  const edge = (place) => place < width || place >= width * (height - 1) || place % width === 0 || place % width === width - 1;
  for (const places of parts(width, height, (place) => !mask[place])) {
    if (places.length > most || places.some(edge)) continue;
    for (const place of places) changes.add(placeIn(map, box, place), label);
  }
  return changes;
}

/* Pieces of a class of at most `most` pixels become what most of their neighbours are. */
export function dropSpecks(map, label, most) {
  const changes = new Changes();
  const selection = whole(map, label);
  if (!selection) return changes;
  const { box, mask } = selection;
  for (const places of parts(box[2], box[3], (place) => mask[place])) {
    if (places.length > most) continue;
    const counts = new Float64Array(256);
    const own = places.map((place) => placeIn(map, box, place));
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
      let votes = 0;
      let inside = 0;
      const counts = new Uint8Array(256);
      for (let v = Math.max(0, y - 1); v <= Math.min(map.height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(map.width - 1, x + 1); u++) {
          votes++;
          if (chosen(u, v)) inside++;
          else counts[map.at(u, v)]++;
        }
      }
      const is = chosen(x, y);
      if (!is && 2 * inside > votes) changes.add(y * map.width + x, label);
      counts[label] = 0;
      if (is && 2 * inside < votes) changes.add(y * map.width + x, mostOf(counts));
    }
  }
  return changes;
}

/* All of it becomes another class; 0 takes it away. */
export function change(map, { box, mask }, label) {
  const changes = new Changes();
  mask.forEach((value, inBox) => {
    if (value) changes.add(placeIn(map, box, inBox), label);
  });
  return changes;
}
