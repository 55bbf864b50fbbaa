/* Colours: of classes, of confidence, and of a worker who departs from the consensus. */

const LIGHT_DOUBT = [[255, 250, 240], [255, 206, 143], [247, 137, 46], [203, 66, 17], [92, 20, 24]];
const DARK_DOUBT = [[30, 33, 40], [112, 55, 22], [214, 96, 22], [255, 178, 92], [255, 243, 219]];
const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/* Confidence at which the ramp ends: with fewer, nearly nobody voted for what was chosen. */
const LEAST = 0.3;

/* Opacity, of 255, of what a worker has in common with the consensus. */
const AGREED = 130;

function rgba(red, green, blue, alpha) {
  return (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
}

function parseHex(text) {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, value >> 8 & 255, value & 255];
}

function doubtColor(confidence) {
  const ramp = darkScheme.matches ? DARK_DOUBT : LIGHT_DOUBT;
  const position = Math.min(1, (1 - confidence) / (1 - LEAST)) * (ramp.length - 1);
  const low = Math.min(Math.floor(position), ramp.length - 2);
  return ramp[low].map((value, i) => value + (ramp[low + 1][i] - value) * (position - low));
}

class Painter {
  constructor(classes, undecided) {
    this.classes = classes.map((one) => ({ name: one.name, rgb: parseHex(one.color) }));
    this.undecided = { name: "undecided", rgb: parseHex(undecided) };
    this.unknown = { name: "no label", rgb: [128, 128, 128] };
  }

  /* Class of a label of a plane. */
  of(snapshot, plane, label) {
    if (label !== snapshot.none) return this.classes[label] ?? this.unknown;
    return plane === snapshot.consensus ? this.undecided : this.unknown;
  }

  /* Colour of each row of the table, as canvas pixels: background is clear. */
  mask(snapshot, plane) {
    const colors = new Uint32Array(snapshot.rows);
    for (let row = 0; row < snapshot.rows; row++) {
      const label = snapshot.value(plane, row);
      if (label !== 0) colors[row] = rgba(...this.of(snapshot, plane, label).rgb, 255);
    }
    return colors;
  }

  /* The same, pale where the worker agrees with the consensus; what was missed is striped. */
  departure(snapshot, plane) {
    const colors = this.mask(snapshot, plane);
    const missed = new Uint32Array(snapshot.rows);
    for (let row = 0; row < snapshot.rows; row++) {
      const label = snapshot.value(plane, row);
      const decided = snapshot.value(snapshot.consensus, row);
      if (label === decided) colors[row] = (colors[row] & 0xffffff | (colors[row] ? AGREED << 24 : 0)) >>> 0;
      else if (label === 0) missed[row] = rgba(...this.of(snapshot, snapshot.consensus, decided).rgb, 255);
    }
    return { colors, missed };
  }

  doubt(snapshot) {
    const colors = new Uint32Array(snapshot.rows);
    for (let row = 0; row < snapshot.rows; row++) {
      const confidence = snapshot.value(snapshot.confidence, row) / 255;
      const alpha = Math.round(255 * Math.min(1, (1 - confidence) * 4));
      colors[row] = rgba(...doubtColor(confidence).map(Math.round), alpha);
    }
    return colors;
  }
}

/* Give every pixel of a canvas the colour of its row; `missed` only every fourth diagonal. */
function fill(canvas, snapshot, colors, missed) {
  const { width, height } = snapshot;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let place = 0; place < pixels.length; place++) {
    const row = snapshot.row(place);
    pixels[place] = colors[row];
    if (missed && missed[row] && (place % width + Math.floor(place / width)) % 5 < 2) pixels[place] = missed[row];
  }
  context.putImageData(image, 0, 0);
}
