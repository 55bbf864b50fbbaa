/* What is edited: picture, class map, labels, view and look; and the frame that draws them. */

import { Canvas, MODES } from "../painting/canvas.js";
import { Labels, parseHex } from "../painting/labels.js";
import { GlRenderer } from "./gl.js";
import { PlainRenderer } from "./plain.js";
import { View } from "./view.js";

export const LARGEST_BRUSH = 500;
export const WIDEST_GAP = 5;

export class Editor extends EventTarget {
  constructor() {
    super();
    this.view = new View();
    this.labels = new Labels();
    this.canvas = null;
    this.label = null;
    this.tool = null;
    this.size = 12;
    this.square = false;
    this.gap = 0;
    this.mode = MODES[0];
    this.pressure = false;
    this.look = { opacity: 0.6, outlines: false, hidden: false, gaps: false, patterns: false, brightness: 0, contrast: 1, gamma: 1, ratio: 1 };
    this.dirty = [];
    this.wanted = 0;
    this.stale = true;
    this.busy = false;
    this.nothing = false;
    this.revision = 0;
    this.onAction = () => {};
  }

  get ready() {
    return this.canvas !== null;
  }

  /* Put it on a surface, a canvas element; `overlay` is the one above it. */
  attach(surface, overlay, { plain = false } = {}) {
    this.surface = surface;
    this.overlay = overlay;
    try {
      if (plain) throw new Error("asked for");
      this.renderer = new GlRenderer(surface, () => this.refresh());
    } catch {
      this.renderer = new PlainRenderer(surface);
    }
    if (this.ready) this.showAll();
  }

  /* Begin with a picture, an ImageBitmap, and nothing painted. */
  open(picture) {
    const { width, height } = picture;
    this.picture = picture;
    this.canvas = new Canvas(width, height);
    this.canvas.mode = this.mode;
    this.canvas.onChange = (box) => {
      this.dirty.push(box);
      this.refresh(false);
    };
    this.canvas.onAction = (packed) => {
      this.revision++;
      this.nothing = false;
      this.onAction(packed);
      this.notify("counts");
    };
    this.view.size = [width, height];
    this.view.fit();
    this.showAll();
    this.notify("open");
  }

  showAll() {
    const { map } = this.canvas;
    this.renderer.open(map, this.picture);
    this.dirty = [];
    if (this.canvas.counts[0] < map.data.length) this.dirty.push([0, 0, map.width, map.height]);
    this.paintPalette();
    this.refresh();
  }

  /* Colours by class, in bytes; what has no label stays clear. */
  paintPalette() {
    const bytes = new Uint8Array(1024);
    for (const { index, color } of this.labels.list) bytes.set([...parseHex(color), 255], 4 * index);
    this.renderer?.colors(bytes);
    this.refresh();
  }

  setLabels(names, colors) {
    const gone = this.labels.set(names, colors);
    if (this.ready && gone.length) {
      this.clear(gone.map(({ index }) => index));
      // what is undone must not bring back classes that have no label
      this.canvas.history.forget();
    }
    if (!this.labels.list.includes(this.label)) this.label = this.labels.list[0] ?? null;
    if (this.renderer) this.paintPalette();
    this.notify("labels");
  }

  /* Take away all pixels of some classes. */
  clear(classes) {
    const { canvas } = this;
    const { data, width, height } = canvas.map;
    const gone = new Set(classes);
    const locked = canvas.locked;
    canvas.locked = new Set();
    canvas.begin(0, 0, "everything");
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!gone.has(data[y * width + x])) continue;
        const start = x;
        while (x + 1 < width && gone.has(data[y * width + x + 1])) x++;
        canvas.span(y, start, x);
      }
    }
    canvas.tell();
    canvas.commit();
    canvas.locked = locked;
  }

  /* Change something that the panels show. */
  set(name, value) {
    this[name] = value;
    if (name === "size") this.size = Math.min(LARGEST_BRUSH, Math.max(1, Math.round(value)));
    if (name === "gap") this.gap = Math.min(WIDEST_GAP, Math.max(0, value));
    if (name === "mode" && this.ready) this.canvas.mode = value;
    this.notify(name);
    this.refresh();
  }

  setLook(changes) {
    Object.assign(this.look, changes);
    this.notify("look");
    this.refresh();
  }

  use(tool) {
    if (tool === this.tool) return;
    this.tool?.leave();
    this.tool = tool;
    this.notify("tool");
    this.refresh();
  }

  nextMode() {
    this.set("mode", MODES[(MODES.indexOf(this.mode) + 1) % MODES.length]);
  }

  toggleLock(label) {
    const { locked } = this.canvas;
    if (!locked.delete(label.index)) locked.add(label.index);
    this.notify("labels");
  }

  undo() {
    if (this.tool?.undo()) return;
    if (this.canvas.undo()) this.notify("history");
  }

  redo() {
    if (this.canvas.redo()) this.notify("history");
  }

  /* Class at a place of the picture; 0 outside. */
  at([x, y]) {
    const { map } = this.canvas;
    return map.has(Math.floor(x), Math.floor(y)) ? map.at(Math.floor(x), Math.floor(y)) : 0;
  }

  notify(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  /* Draw once, in the next frame: all of it, or only what was painted and what hovers above. */
  refresh(all = true) {
    this.stale ||= all;
    if (this.wanted || !this.ready || !this.renderer) return;
    this.wanted = requestAnimationFrame(() => {
      this.wanted = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.ready) return;
    if (this.renderer.lost) this.dispatchEvent(new CustomEvent("lost"));
    const boxes = joined(this.dirty);
    this.dirty = [];
    for (const box of boxes) this.renderer.changed(box);
    if (this.stale) this.renderer.draw(this.view, this.look, [0, 0, this.view.width, this.view.height]);
    else for (const box of boxes) this.renderer.draw(this.view, this.look, this.view.around(box));
    this.stale = false;
    this.drawOverlay();
  }

  drawOverlay() {
    const context = this.overlay.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    this.tool?.draw(context, this.view);
  }

  resize(width, height, ratio) {
    for (const surface of [this.surface, this.overlay]) {
      surface.width = width;
      surface.height = height;
    }
    this.look.ratio = ratio;
    this.view.resize(width, height);
    this.refresh();
  }
}

/* Boxes of a frame, those put together that are hardly larger together. */
function joined(boxes) {
  const out = [];
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  for (const box of boxes) {
    const last = out.at(-1);
    const both = last && [Math.min(last[0], box[0]), Math.min(last[1], box[1]), Math.max(last[2], box[2]), Math.max(last[3], box[3])];
    if (last && area(both) <= area(last) + area(box)) out[out.length - 1] = both;
    else out.push([...box]);
  }
  return out;
}
