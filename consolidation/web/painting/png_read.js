/* Reads masks byte by byte: a browser's own decoder changes colours. */

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PASSES = [[0, 0, 8, 8], [0, 4, 8, 8], [4, 0, 8, 4], [0, 2, 4, 4], [2, 0, 4, 2], [0, 1, 2, 2], [1, 0, 2, 1]];

/* Width, height and what else a PNG says of itself; throws where it is none. */
export function readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(0) !== 0x89504e47) throw new Error("the mask is no PNG file");
  const png = { palette: [], alpha: [], data: [] };
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") {
      [png.width, png.height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
      [png.depth, png.type, , , png.interlaced] = content.subarray(8);
    } else if (name === "PLTE") png.palette = content;
    else if (name === "tRNS") png.alpha = content;
    else if (name === "IDAT") png.data.push(content);
    else if (name === "IEND") break;
    at += 12 + length;
  }
  if (!(png.type in CHANNELS) || !png.width || !png.height) throw new Error("the mask is no PNG file that can be read");
  if (png.depth === 16) throw new Error("the mask has 16 bits a channel; masks have 8 or fewer");
  return png;
}

export async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* Classes of a mask by its colours: `classOf` maps red << 16 | green << 8 | blue to a class.
   What is clear is unpainted; `unknown` counts opaque pixels of no label's colour, white and
   black aside, which mean nothing too. */
export async function readMask(bytes, classOf) {
  const png = readChunks(bytes);
  const raw = await inflate(png.data);
  const classes = new Uint8Array(png.width * png.height);
  const lookup = new Lookup(png, classOf);
  let at = 0;
  for (const [top, left, down, right] of png.interlaced ? PASSES : [[0, 0, 1, 1]]) {
    const rows = Math.ceil((png.height - top) / down);
    const columns = Math.ceil((png.width - left) / right);
    if (rows <= 0 || columns <= 0) continue;
    const bits = png.depth * CHANNELS[png.type];
    const length = Math.ceil((columns * bits) / 8);
    const step = Math.max(1, bits >> 3);
    let above = new Uint8Array(length);
    for (let y = 0; y < rows; y++) {
      if (at + 1 + length > raw.length) throw new Error("the mask's PNG ends before its last row");
      const row = raw.subarray(at + 1, at + 1 + length);
      unfilter(raw[at], row, above, step);
      lookup.row(row, columns, classes, (top + y * down) * png.width + left, right);
      above = row;
      at += 1 + length;
    }
  }
  return { width: png.width, height: png.height, classes, unknown: lookup.unknown };
}

/* PNG 1.2, 6: the five filters, undone in place. */
function unfilter(filter, row, above, step) {
  if (filter > 4) throw new Error("the mask's PNG is damaged");
  if (filter === 0) return;
  for (let i = 0; i < row.length; i++) {
    const left = i >= step ? row[i - step] : 0;
    const up = above[i];
    if (filter === 1) row[i] += left;
    else if (filter === 2) row[i] += up;
    else if (filter === 3) row[i] += (left + up) >> 1;
    else row[i] += paeth(left, up, i >= step ? above[i - step] : 0);
  }
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/* From samples to classes. */
class Lookup {
  constructor(png, classOf) {
    this.png = png;
    this.classOf = classOf;
    this.unknown = 0;
    const { type, depth, palette, alpha } = png;
    if (type === 3 || type === 0) {
      this.table = Array.from({ length: 1 << depth }, (_, i) => {
        if (type === 3) return this.find(palette[3 * i] ?? 0, palette[3 * i + 1] ?? 0, palette[3 * i + 2] ?? 0, 3 * i < palette.length ? alpha[i] ?? 255 : 0);
        const grey = (i * 255) / ((1 << depth) - 1);
        return this.find(grey, grey, grey, alpha.length && alpha[1] === i ? 0 : 255);
      });
    }
  }

  /* Class of a colour; -1 if it is no label's. */
  find(red, green, blue, alpha) {
    if (alpha === 0) return 0;
    const rgb = red << 16 | green << 8 | blue;
    const label = alpha === 255 ? this.classOf.get(rgb) : undefined;
    if (label !== undefined) return label;
    return alpha === 255 && (rgb === 0 || rgb === 0xffffff) ? 0 : -1;
  }

  row(row, columns, classes, start, step) {
    const { depth, type } = this.png;
    const channels = CHANNELS[type];
    let last = -1;
    let known = 0;
    for (let x = 0, to = start; x < columns; x++, to += step) {
      let label;
      if (this.table) {
        const bit = x * depth;
        label = this.table[row[bit >> 3] >> (8 - depth - (bit & 7)) & ((1 << depth) - 1)];
      } else {
        const i = x * channels;
        const [red, green, blue] = channels < 3 ? [row[i], row[i], row[i]] : [row[i], row[i + 1], row[i + 2]];
        const alpha = channels % 2 ? 255 : row[i + channels - 1];
        const color = ((red * 256 + green) * 256 + blue) * 256 + alpha;
        if (color !== last) [last, known] = [color, this.find(red, green, blue, alpha)];
        label = known;
      }
      if (label < 0) this.unknown++;
      else classes[to] = label;
    }
  }
}
