/* Which pixels a shape covers, row by row: no pixel is half covered, ever.

   Every shape calls `emit(y, left, right)` with both ends inside. All is computed in whole numbers
   of half pixels, so that the same stroke covers the same pixels everywhere. */

/* Pixel that a place in the image lies in. */
export const pixelOf = (value) => Math.floor(value);

/* Middle of a brush, in half pixels: an odd brush sits on a pixel, an even one on a corner. */
export function brushCentre(value, size) {
  return size % 2 ? 2 * Math.floor(value) + 1 : 2 * Math.round(value);
}

/* A brush of `size` pixels, swept from one place (x, y) to the next. */
export function stroke(from, to, size, square, emit) {
  if (size === 1) {
    line(from.map(pixelOf), to.map(pixelOf), (x, y) => emit(y, x, x));
    return;
  }
  const [ax, ay] = from.map((value) => brushCentre(value, size));
  const [bx, by] = to.map((value) => brushCentre(value, size));
  const inside = square ? insideSquare(ax, ay, bx, by, size) : insideDisc(ax, ay, bx, by, size);
  const bounds = square ? boundsOfSquare(ax, ay, bx, by, size) : boundsOfDisc(ax, ay, bx, by, size);
  const top = Math.ceil((Math.min(ay, by) - size - 1) / 2);
  const bottom = Math.floor((Math.max(ay, by) + size - 1) / 2);
  for (let y = top; y <= bottom; y++) {
    const row = 2 * y + 1;
    let [left, right] = bounds(row);
    if (left > right) continue;
    // bounds are computed with roundings; whether a pixel is inside is not
    left = Math.ceil((left - 1) / 2);
    right = Math.floor((right - 1) / 2);
    while (inside(2 * left - 1, row)) left--;
    while (left <= right && !inside(2 * left + 1, row)) left++;
    while (inside(2 * right + 3, row)) right++;
    while (left <= right && !inside(2 * right + 1, row)) right--;
    if (left <= right) emit(y, left, right);
  }
}

/* Within the brush's radius of the segment. */
function insideDisc(ax, ay, bx, by, size) {
  const dx = bx - ax;
  const dy = by - ay;
  const squared = dx * dx + dy * dy;
  return (x, y) => {
    const along = (x - ax) * dx + (y - ay) * dy;
    if (along <= 0) return (x - ax) ** 2 + (y - ay) ** 2 <= size * size;
    if (along >= squared) return (x - bx) ** 2 + (y - by) ** 2 <= size * size;
    return ((x - ax) * dy - (y - ay) * dx) ** 2 <= size * size * squared;
  };
}

/* Ends of a row of it, about. */
function boundsOfDisc(ax, ay, bx, by, size) {
  const dx = bx - ax;
  const dy = by - ay;
  const length = Math.hypot(dx, dy);
  return (row) => {
    let left = Infinity;
    let right = -Infinity;
    const widen = (low, high) => {
      left = Math.min(left, low);
      right = Math.max(right, high);
    };
    for (const [x, y] of [[ax, ay], [bx, by]]) {
      const half = size * size - (row - y) ** 2;
      if (half >= 0) widen(x - Math.sqrt(half), x + Math.sqrt(half));
    }
    if (dy !== 0) {
      // the two long sides, where they cross this row
      for (const side of [-size, size]) {
        const x0 = ax - (side * dy) / length;
        const y0 = ay + (side * dx) / length;
        const t = (row - y0) / dy;
        if (t >= 0 && t <= 1) widen(x0 + t * dx, x0 + t * dx);
      }
    }
    return [left, right];
  };
}

/* Within half a side of the segment, both ways; what only touches is outside. */
function insideSquare(ax, ay, bx, by, size) {
  const dx = bx - ax;
  const dy = by - ay;
  const reach = size * (Math.abs(dx) + Math.abs(dy));
  const [low, high] = [Math.min(ax, bx) - size, Math.max(ax, bx) + size];
  const [top, bottom] = [Math.min(ay, by) - size, Math.max(ay, by) + size];
  const still = reach === 0;
  return (x, y) => x > low && x < high && y > top && y < bottom
    && (still || Math.abs((x - ax) * dy - (y - ay) * dx) < reach);
}

function boundsOfSquare(ax, ay, bx, by, size) {
  const dx = bx - ax;
  const dy = by - ay;
  const reach = size * (Math.abs(dx) + Math.abs(dy));
  return (row) => {
    let left = Math.min(ax, bx) - size;
    let right = Math.max(ax, bx) + size;
    if (dy !== 0) {
      const middle = ax + ((row - ay) * dx) / dy;
      left = Math.max(left, middle - reach / Math.abs(dy));
      right = Math.min(right, middle + reach / Math.abs(dy));
    }
    return [left, right];
  };
}

/* Pixels of a line of one pixel's width, each once. */
export function line([x0, y0], [x1, y1], plot) {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
  if (steps === 0) plot(x0, y0);
  else for (let i = 0; i <= steps; i++) plot(x0 + share(i, x1 - x0, steps), y0 + share(i, y1 - y0, steps));
}

/* `i / steps` of a way, to the nearest whole number, halves upwards. */
function share(i, way, steps) {
  return Math.floor((2 * i * way + steps) / (2 * steps));
}

/* The inside of a closed polygon of pixels, by the even-odd rule, its outline included. */
export function polygon(points, emit) {
  const edges = points.map((from, i) => [from, points[(i + 1) % points.length]]);
  const rows = new Map();
  for (const [[xa, ya], [xb, yb]] of edges) {
    if (ya === yb) continue;
    const [x0, y0, x1, y1] = ya < yb ? [xa, ya, xb, yb] : [xb, yb, xa, ya];
    for (let y = y0; y < y1; y++) {
      // a quotient of whole numbers: equal ones are equal, and whole ones are exact
      const crossing = (x0 * (y1 - y0) + (y - y0) * (x1 - x0)) / (y1 - y0);
      if (!rows.has(y)) rows.set(y, []);
      rows.get(y).push(crossing);
    }
  }
  for (const [y, crossings] of rows) {
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const left = Math.ceil(crossings[i]);
      const right = Math.floor(crossings[i + 1]);
      if (left <= right) emit(y, left, right);
    }
  }
  for (const [from, to] of edges) line(from, to, (x, y) => emit(y, x, x));
}
