/* What is written over the masks: names of objects, disputed regions, the pixel pointed at. */

const GRID = 48;
const SMALLEST_NAMED = 7;
const MOST_NAMED = 14;

/* Where to write names: the largest connected parts of a plane, on a coarse grid. */
function namedParts(snapshot, plane) {
  const cell = Math.max(snapshot.width, snapshot.height) / GRID;
  const columns = Math.max(1, Math.floor(snapshot.width / cell));
  const rows = Math.max(1, Math.floor(snapshot.height / cell));
  const labels = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const y = Math.min(snapshot.height - 1, Math.floor((r + 0.5) * cell));
      const x = Math.min(snapshot.width - 1, Math.floor((c + 0.5) * cell));
      labels.push(snapshot.value(plane, snapshot.row(y * snapshot.width + x)));
    }
  }
  const parts = [];
  const seen = new Uint8Array(labels.length);
  for (let start = 0; start < labels.length; start++) {
    if (seen[start] || labels[start] === 0) continue;
    const cells = [start];
    seen[start] = 1;
    for (const at of cells) {
      const c = at % columns;
      for (const next of [c > 0 ? at - 1 : -1, c < columns - 1 ? at + 1 : -1, at - columns, at + columns]) {
        if (next < 0 || next >= labels.length || seen[next] || labels[next] !== labels[start]) continue;
        seen[next] = 1;
        cells.push(next);
      }
    }
    if (cells.length >= SMALLEST_NAMED) parts.push({ label: labels[start], cells });
  }
  parts.sort((a, b) => b.cells.length - a.cells.length);
  return parts.slice(0, MOST_NAMED).map(({ label, cells }) => {
    const mean = (of) => cells.reduce((sum, at) => sum + of(at), 0) / cells.length;
    const x = mean((at) => at % columns);
    const y = mean((at) => Math.floor(at / columns));
    const away = (at) => (at % columns - x) ** 2 + (Math.floor(at / columns) - y) ** 2;
    const best = cells.reduce((a, b) => (away(b) < away(a) ? b : a));
    return { label, x: (best % columns + 0.5) / columns, y: (Math.floor(best / columns) + 0.5) / rows };
  });
}

/* Write names at their places, none over another; sizes in CSS pixels. */
function drawNames(context, width, height, names) {
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  const taken = [];
  for (const { text, x, y } of names) {
    const short = text.length > 18 ? text.slice(0, 17) + "…" : text;
    const half = context.measureText(short).width / 2;
    const left = Math.min(Math.max(x * width - half, 4), Math.max(4, width - 2 * half - 4));
    const middle = Math.min(Math.max(y * height, 10), height - 10);
    const clash = taken.some((one) => Math.abs(one.middle - middle) < 17 && left < one.right && one.left < left + 2 * half);
    if (clash) continue;
    taken.push({ left, right: left + 2 * half, middle });
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = "rgba(255, 255, 255, 0.9)";
    context.strokeText(short, left, middle);
    context.fillStyle = "#14171c";
    context.fillText(short, left, middle);
  }
}

/* Lines around the disputed pixels. */
function drawDisputed(context, width, height, snapshot) {
  const disputed = new Uint8Array(snapshot.rows);
  for (let row = 0; row < snapshot.rows; row++) disputed[row] = snapshot.disputed(row) ? 1 : 0;
  const inside = (x, y) => x >= 0 && y >= 0 && x < snapshot.width && y < snapshot.height;
  const at = (x, y) => (inside(x, y) ? disputed[snapshot.row(y * snapshot.width + x)] : 0);
  const dx = width / snapshot.width;
  const dy = height / snapshot.height;
  const path = new Path2D();
  for (let y = 0; y <= snapshot.height; y++) {
    for (let x = 0; x <= snapshot.width; x++) {
      const here = at(x, y);
      if (here !== at(x, y - 1)) { path.moveTo(x * dx, y * dy); path.lineTo((x + 1) * dx, y * dy); }
      if (here !== at(x - 1, y)) { path.moveTo(x * dx, y * dy); path.lineTo(x * dx, (y + 1) * dy); }
    }
  }
  context.lineCap = "square";
  for (const [color, line] of [["rgba(255, 255, 255, 0.55)", 2], ["rgba(20, 23, 28, 0.95)", 0.9]]) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.stroke(path);
  }
}

/* Numbered boxes around the disputed regions. */
function drawRegions(context, width, height, size, regions, chosen) {
  context.font = "700 11px system-ui, sans-serif";
  context.textBaseline = "middle";
  regions.forEach((region, index) => {
    const [x0, y0, x1, y1] = region.box;
    const left = x0 / size[1] * width - 3;
    const top = y0 / size[0] * height - 3;
    const right = x1 / size[1] * width + 3;
    const bottom = y1 / size[0] * height + 3;
    for (const [color, line] of [["rgba(20, 23, 28, 0.9)", 4], ["#ffd54a", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = index === chosen ? line * 1.8 : line;
      context.setLineDash(index === chosen ? [] : [7, 4]);
      context.strokeRect(left, top, right - left, bottom - top);
    }
    context.setLineDash([]);
    const text = String(index + 1);
    const wide = context.measureText(text).width + 10;
    const x = Math.min(Math.max(left - 2, 0), width - wide);
    const y = Math.min(Math.max(top - 9, 0), height - 18);
    context.fillStyle = "#14171c";
    context.fillRect(x, y, wide, 18);
    context.fillStyle = "#ffd54a";
    context.fillText(text, x + 5, y + 9.5);
  });
}

function drawCursor(context, x, y) {
  for (const [color, line] of [["rgba(255, 255, 255, 0.95)", 4], ["#14171c", 1.75]]) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.stroke();
  }
}
