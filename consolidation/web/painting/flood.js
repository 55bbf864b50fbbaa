/* Connected pixels: those of one class that hang together by their sides. */

/* Calls `emit(y, left, right)` for the spans of the region around (x, y) where `inside(place)`.
   What was emitted must not be inside any more: marking it is up to the caller. */
export function flood(width, height, x, y, inside, emit) {
  if (!inside(y * width + x)) return;
  const waiting = [[x, y]];
  while (waiting.length) {
    const [startX, row] = waiting.pop();
    const first = row * width;
    if (!inside(first + startX)) continue;
    let left = startX;
    let right = startX;
    while (left > 0 && inside(first + left - 1)) left--;
    while (right + 1 < width && inside(first + right + 1)) right++;
    emit(row, left, right);
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      let open = false;
      for (let at = left; at <= right; at++) {
        const here = inside(next * width + at);
        if (here && !open) waiting.push([at, next]);
        open = here;
      }
    }
  }
}

/* A selection: box (left, top, width, height) and which of its pixels are in it. */
export class Selection {
  constructor(box, mask) {
    this.box = box;
    this.mask = mask;
  }
}

/* The connected region of the class at (x, y). */
export function region(map, x, y, seen = new Uint8Array(map.data.length)) {
  const { data, width, height } = map;
  const label = map.at(x, y);
  const spans = [];
  let [left, top, right, bottom] = [x, y, x, y];
  flood(width, height, x, y, (place) => data[place] === label && !seen[place], (row, from, to) => {
    seen.fill(1, row * width + from, row * width + to + 1);
    spans.push(row, from, to);
    left = Math.min(left, from);
    right = Math.max(right, to);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
  });
  const box = [left, top, right - left + 1, bottom - top + 1];
  const mask = new Uint8Array(box[2] * box[3]);
  for (let i = 0; i < spans.length; i += 3) {
    const first = (spans[i] - top) * box[2] - left;
    mask.fill(1, first + spans[i + 1], first + spans[i + 2] + 1);
  }
  return new Selection(box, mask);
}

/* All pixels of a class; null if there are none. */
export function whole(map, label) {
  const { data, width, height } = map;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    const first = data.indexOf(label, y * width);
    if (first < 0) break;
    y = Math.floor(first / width);
    const last = data.lastIndexOf(label, (y + 1) * width - 1);
    left = Math.min(left, first % width);
    right = Math.max(right, last % width);
    top = Math.min(top, y);
    bottom = y;
  }
  if (right < 0) return null;
  const box = [left, top, right - left + 1, bottom - top + 1];
  const mask = new Uint8Array(box[2] * box[3]);
  for (let y = 0; y < box[3]; y++) {
    for (let x = 0; x < box[2]; x++) mask[y * box[2] + x] = map.at(left + x, top + y) === label ? 1 : 0;
  }
  return new Selection(box, mask);
}

/* Connected parts of a mask, each as its spans: row, left, right, and so on. */
export function* parts(width, height, inside) {
  const seen = new Uint8Array(width * height);
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !inside(start)) continue;
    const spans = [];
    const free = (place) => !seen[place] && inside(place);
    flood(width, height, start % width, Math.floor(start / width), free, (row, from, to) => {
      seen.fill(1, row * width + from, row * width + to + 1);
      spans.push(row, from, to);
    });
    yield spans;
  }
}

/* How many places spans have. */
export function sizeOf(spans) {
  let size = 0;
  for (let i = 0; i < spans.length; i += 3) size += spans[i + 2] - spans[i + 1] + 1;
  return size;
}

/* Places of spans in a mask of some width. */
export function* placesOf(spans, width) {
  for (let i = 0; i < spans.length; i += 3) {
    for (let x = spans[i + 1]; x <= spans[i + 2]; x++) yield spans[i] * width + x;
  }
}

/* Places beside a place, by its sides. */
export function* beside(place, width, height) {
  const x = place % width;
  if (x > 0) yield place - 1;
  if (x + 1 < width) yield place + 1;
  if (place >= width) yield place - width;
  if (place + width < width * height) yield place + width;
}
