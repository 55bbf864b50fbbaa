/* The class map in squares of 64 x 64 pixels: what undo keeps and what drafts send. */

export const SIDE = 64;

export const columnsOf = (map) => Math.ceil(map.width / SIDE);

/* Left, top, width and height of a tile; those at the right and bottom may be smaller. */
export function boxOf(map, tile) {
  const columns = columnsOf(map);
  const left = (tile % columns) * SIDE;
  const top = Math.floor(tile / columns) * SIDE;
  return [left, top, Math.min(SIDE, map.width - left), Math.min(SIDE, map.height - top)];
}

/* Pixels of a tile, row by row. */
export function copyTile(map, tile) {
  const [left, top, width, height] = boxOf(map, tile);
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * map.width + left;
    pixels.set(map.data.subarray(start, start + width), y * width);
  }
  return pixels;
}

export function pasteTile(map, tile, pixels) {
  const [left, top, width, height] = boxOf(map, tile);
  for (let y = 0; y < height; y++) {
    map.data.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * map.width + left);
  }
}

/* Pixels as runs: a class, then the length in groups of seven bits, lowest first. */
function writeRuns(pixels, out, end) {
  for (let at = 0; at < pixels.length;) {
    const value = pixels[at];
    let length = 1;
    while (at + length < pixels.length && pixels[at + length] === value) length++;
    at += length;
    out[end++] = value;
    for (; length > 127; length >>>= 7) out[end++] = length & 127 | 128;
    out[end++] = length;
  }
  return end;
}

function readRuns(bytes, start, end, pixels) {
  let at = 0;
  while (start < end) {
    const value = bytes[start++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[start++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    pixels.fill(value, at, at + length);
    at += length;
  }
  return at;
}

/* Tiles packed together: their numbers, where the runs of each end, and the runs. */
export function pack(numbers, pixelsOf) {
  const tiles = Int32Array.from(numbers);
  const ends = new Int32Array(tiles.length);
  let bytes = new Uint8Array(1024);
  let end = 0;
  tiles.forEach((tile, i) => {
    const pixels = pixelsOf(tile);
    // two bytes a pixel at worst
    if (bytes.length < end + 2 * pixels.length) {
      const grown = new Uint8Array(2 * (end + 2 * pixels.length));
      grown.set(bytes.subarray(0, end));
      bytes = grown;
    }
    end = ends[i] = writeRuns(pixels, bytes, end);
  });
  return { tiles, ends, bytes: bytes.slice(0, end) };
}

export const packMap = (map, numbers) => pack(numbers, (tile) => copyTile(map, tile));

/* Calls `use(tile, pixels)` for each; throws where the runs do not fit the tile. */
export function unpack(map, packed, use) {
  let start = 0;
  packed.tiles.forEach((tile, i) => {
    const [, , width, height] = boxOf(map, tile);
    const pixels = new Uint8Array(width * height);
    if (readRuns(packed.bytes, start, packed.ends[i], pixels) !== pixels.length) {
      throw new RangeError(`tile ${tile} is not ${width} x ${height} pixels`);
    }
    start = packed.ends[i];
    use(tile, pixels);
  });
}

export const sizeOf = (packed) => packed.tiles.byteLength + packed.ends.byteLength + packed.bytes.byteLength;

/* Packed tiles put together: of each tile the last. */
export function merge(list) {
  const last = new Map();
  for (const packed of list) {
    let start = 0;
    packed.tiles.forEach((tile, i) => {
      last.set(tile, packed.bytes.subarray(start, packed.ends[i]));
      start = packed.ends[i];
    });
  }
  const tiles = [...last.keys()].sort((a, b) => a - b);
  const ends = new Int32Array(tiles.length);
  const bytes = new Uint8Array(tiles.reduce((sum, tile) => sum + last.get(tile).length, 0));
  let end = 0;
  tiles.forEach((tile, i) => {
    bytes.set(last.get(tile), end);
    end = ends[i] = end + last.get(tile).length;
  });
  return { tiles: Int32Array.from(tiles), ends, bytes };
}
