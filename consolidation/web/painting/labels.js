/* Labels: their classes and colours. A label keeps both for as long as it is known. */

/* What the labeling widget gives the first labels, in their order, and then the same tones lighter. */
export const WIDGET_COLORS = [
  ..."#2ca02c #1f77b4 #ff7f0e #d62728 #9467bd #8c564b #e377c2 #7f7f7f #bcbd22 #17becf".split(" "),
  ..."#98df8a #aec7e8 #ffbb78 #ff9896 #c5b0d5 #c49c94 #f7b6d2 #c7c7c7 #dbdb8d #9edae5".split(" "),
];

export const MOST = 255;
const GOLDEN = 0.61803398875;

export function parseHex(text) {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, value >> 8 & 255, value & 255];
}

/* Colour of the label at a position (from 0) that is none of `taken`. */
export function labelColor(position, taken = new Set()) {
  for (let step = position; ; step++) {
    const color = step < WIDGET_COLORS.length ? WIDGET_COLORS[step] : generated(step - WIDGET_COLORS.length);
    if (!taken.has(color)) return color;
    // the next free one, beyond all positions
    if (step < MOST) step = MOST;
  }
}

/* Hues in golden steps; lightness and saturation tell the rounds apart. */
function generated(step) {
  const hue = (step * GOLDEN) % 1;
  const lightness = [0.5, 0.35, 0.65, 0.42, 0.58][step % 5];
  const reach = (step % 2 ? 0.45 : 0.62) * (1 - Math.abs(2 * lightness - 1));
  const channel = (shift) => {
    const place = (shift + hue * 12) % 12;
    const value = lightness - (reach / 2) * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

export class Labels {
  constructor() {
    /* Colour and class of every label ever seen. */
    this.known = new Map();
    this.names = [];
  }

  /* Set the names; returns the labels that are gone. Throws where there are too many. */
  set(names, colors = {}) {
    const unique = [...new Set(names.map(String))];
    const fresh = unique.filter((name) => !this.known.has(name));
    if (this.known.size + fresh.length > MOST) {
      throw new RangeError(`${this.known.size + fresh.length} labels, the limit is ${MOST}`);
    }
    const taken = new Set([...this.known.values()].map((label) => label.color));
    for (const name of fresh) if (colors[name]) taken.add(colors[name]);
    for (const name of fresh) {
      const color = colors[name] ?? labelColor(unique.indexOf(name), taken);
      taken.add(color);
      this.known.set(name, { name, color, index: this.known.size + 1 });
    }
    const gone = this.names.filter((name) => !unique.includes(name)).map((name) => this.known.get(name));
    this.names = unique;
    return gone;
  }

  get list() {
    return this.names.map((name) => this.known.get(name));
  }

  /* The label of a class; undefined for what is unpainted. */
  of(index) {
    return this.list.find((label) => label.index === index);
  }
}
