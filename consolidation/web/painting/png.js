/* PNG files of class maps, written here: no colour management, nothing premultiplied.

   Palette of the classes that occur, unpainted first, in the fewest bits that hold them. */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crcOf(bytes, crc = -1) {
  for (let i = 0; i < bytes.length; i++) crc = CRC[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return crc;
}

function chunk(name, content) {
  const out = new Uint8Array(12 + content.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) out[4 + i] = name.charCodeAt(i);
  out.set(content, 8);
  view.setUint32(8 + content.length, ~crcOf(out.subarray(4, 8 + content.length)) >>> 0);
  return out;
}

/* What a mask needs: `colors` are those of the classes that occur, by class; 0 is clear. */
export class Layout {
  constructor(width, height, counts, colors) {
    this.width = width;
    this.height = height;
    const used = [...counts.keys()].filter((label) => label !== 0 && counts[label] > 0);
    // a blank mask still needs a colour; one of which all is painted needs none that is clear
    const classes = counts[0] > 0 || used.length === 0 ? [0, ...used] : used;
    this.palette = classes.map((label) => (label === 0 ? [0, 0, 0] : colors[label]));
    this.clear = classes[0] === 0;
    this.depth = [1, 2, 4, 8].find((depth) => classes.length <= 1 << depth);
    this.position = new Uint8Array(256);
    classes.forEach((label, i) => { this.position[label] = i; });
    this.rowBytes = Math.ceil((width * this.depth) / 8);
  }

  head() {
    const header = new Uint8Array(13);
    const view = new DataView(header.buffer);
    view.setUint32(0, this.width);
    view.setUint32(4, this.height);
    header.set([this.depth, 3, 0, 0, 0], 8);
    const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", header), chunk("PLTE", Uint8Array.from(this.palette.flat()))];
    if (this.clear) parts.push(chunk("tRNS", Uint8Array.of(0)));
    return parts;
  }
}

/* Packs and filters rows, some at a time: each row less the one above, so that equal rows are zeros. */
export class Rows {
  constructor(layout) {
    this.layout = layout;
    this.above = new Uint8Array(layout.rowBytes);
    this.row = new Uint8Array(layout.rowBytes);
  }

  /* Filtered bytes of rows of classes. */
  filter(classes) {
    const { width, rowBytes } = this.layout;
    const rows = classes.length / width;
    const out = new Uint8Array(rows * (rowBytes + 1));
    for (let y = 0, to = 0; y < rows; y++) {
      this.pack(classes, y * width);
      const { row, above } = this;
      out[to++] = 2;
      for (let i = 0; i < rowBytes; i++) out[to++] = row[i] - above[i];
      [this.row, this.above] = [above, row];
    }
    return out;
  }

  pack(classes, start) {
    const { row, layout: { width, depth, position } } = this;
    if (depth === 8) {
      for (let x = 0; x < width; x++) row[x] = position[classes[start + x]];
      return;
    }
    row.fill(0);
    for (let x = 0, bit = 0; x < width; x++, bit += depth) {
      row[bit >> 3] |= position[classes[start + x]] << (8 - depth - (bit & 7));
    }
  }
}

/* The file around a zlib stream. */
export function assemble(layout, stream) {
  const parts = [...layout.head(), chunk("IDAT", stream), chunk("IEND", new Uint8Array(0))];
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
