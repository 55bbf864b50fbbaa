/* Auto-segmentation: four ends of an object become its mask; clicks correct it, or what is painted. */

import { packRuns, unpackRuns } from "../painting/runs.js";
import { dot, twice } from "./marks.js";
import { text } from "./texts.js";
import { Tool } from "./tools.js";

const POINTS = 4;

export class AutoSegment extends Tool {
  constructor(editor, name, link) {
    super(editor, name);
    this.link = link;
    this.there = false;
    link.started.then(({ segments }) => {
      this.there = segments;
      this.tell();
    });
    this.reset();
  }

  reset() {
    this.points = [];
    this.clicks = [];
    /* What is painted already and is to be corrected: a selection and its label. */
    this.painted = null;
    this.result = null;
    this.kind = 0;
    this.waiting = false;
    this.turn = (this.turn ?? 0) + 1;
  }

  get pending() {
    return this.points.length > 0 || this.painted !== null;
  }

  get complete() {
    return this.points.length === POINTS || this.painted !== null;
  }

  /* Correct a region that is painted, by clicks. */
  refine({ box, mask }, label) {
    this.reset();
    this.painted = { box, mask, label };
    this.result = [{ name: "painted", box, mask }];
    this.tell();
  }

  tell() {
    this.editor.notify("auto");
    this.editor.refresh(false);
  }

  down(place, { subtract }) {
    const pixel = place.map(Math.floor);
    if (!this.there || !this.label || !this.editor.canvas.map.has(...pixel)) return;
    if (this.complete) this.clicks.push([...pixel, subtract ? -1 : 1]);
    else this.points.push(pixel);
    if (this.complete) this.ask();
    this.tell();
  }

  /* What is asked later is answered later: an answer to an older question is not used. */
  async ask() {
    const turn = ++this.turn;
    this.waiting = true;
    try {
      const { painted, clicks } = this;
      const start = painted ? { mask: { box: painted.box, runs: packRuns(painted.mask) } } : { points: this.points };
      const { result } = await this.link.ask("segment", { request: { ...start, clicks } });
      if (turn !== this.turn) return;
      this.result = result.masks.map(({ name, box, runs }) => ({ name, box, mask: unpackRuns(box, runs) }));
      this.kind = Math.min(this.kind, this.result.length - 1);
      this.error = null;
    } catch (error) {
      if (turn !== this.turn) return;
      this.error = error.message;
    }
    this.waiting = false;
    this.picture = null;
    this.tell();
  }

  accept() {
    const result = this.result?.[this.kind];
    if (result) {
      const { canvas } = this.editor;
      const { painted } = this;
      if (painted) {
        canvas.begin(0, painted.label, "picked");
        canvas.stamp(painted.box, painted.mask);
      }
      const [x, y] = this.points[0] ?? [];
      canvas.begin(painted?.label ?? this.label, painted ? 0 : canvas.map.at(x, y));
      canvas.stamp(result.box, result.mask);
      canvas.commit();
    }
    this.reset();
    this.tell();
  }

  another() {
    if (!this.result) return;
    this.kind = (this.kind + 1) % this.result.length;
    this.picture = null;
    this.tell();
  }

  cancel() {
    this.reset();
    this.tell();
  }

  leave() {
    // what is seen when another tool is taken is what was wanted
    this.accept();
  }

  undo() {
    if (!this.pending) return false;
    if (!this.clicks.length && this.painted) this.reset();
    else if (this.clicks.length) this.clicks.pop();
    else {
      this.points.pop();
      this.result = null;
    }
    if (this.complete) this.ask();
    else this.turn++;
    this.tell();
    return true;
  }

  key(name) {
    if (!this.pending) return false;
    if (name === "accept") this.accept();
    else if (name === "cancel") this.cancel();
    else if (name === "back") this.undo();
    else this.another();
    return true;
  }

  hint() {
    if (!this.there) return text("hint.auto.none");
    if (this.error) return this.error;
    if (this.waiting) return text("hint.auto.waiting");
    if (this.result) return text("hint.auto.result", { kind: text(`auto.${this.result[this.kind].name}`) });
    return text("hint.auto.points", { count: this.points.length });
  }

  buttons() {
    if (!this.result) return [];
    return [[text("auto.other"), () => this.another()], [text("auto.drop"), () => this.cancel()], [text("auto.accept"), () => this.accept()]];
  }

  draw(context, view) {
    const { ratio } = this.editor.look;
    const result = this.result?.[this.kind];
    if (result) {
      this.picture ??= dotted(result, this.editor.label.color);
      const [left, top] = view.toScreen(result.box[0], result.box[1]);
      context.imageSmoothingEnabled = false;
      context.drawImage(this.picture, left, top, result.box[2] * view.scale, result.box[3] * view.scale);
    }
    for (const point of this.points) dot(context, view, point, ratio);
    for (const [x, y, sign] of this.clicks) {
      dot(context, view, [x, y], ratio, sign > 0 ? "#1a7f37" : "#b42318", 6);
      const [a, b] = view.toScreen(x + 0.5, y + 0.5);
      twice(context, 0.8 * ratio, [], () => {
        context.beginPath();
        context.moveTo(a - 3 * ratio, b);
        context.lineTo(a + 3 * ratio, b);
        if (sign > 0) { context.moveTo(a, b - 3 * ratio); context.lineTo(a, b + 3 * ratio); }
        context.stroke();
      });
    }
  }
}

/* The suggestion: a checkered veil within a line. */
function dotted({ box: [, , width, height], mask }, color) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const value = parseInt(color.slice(1), 16);
  const tone = [value >> 16, value >> 8 & 255, value & 255];
  const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      const edge = !inside(x - 1, y) || !inside(x + 1, y) || !inside(x, y - 1) || !inside(x, y + 1);
      const at = 4 * (y * width + x);
      if (edge) image.data.set([255, 255, 255, 255], at);
      else image.data.set([...tone, (x >> 1) + (y >> 1) & 1 ? 205 : 120], at);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
