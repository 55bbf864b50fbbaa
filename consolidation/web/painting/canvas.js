/* The class of every pixel, and the one way to change it: in actions that can be undone. */

import { History } from "./history.js";
import { polygon, stroke } from "./spans.js";
import { SIDE, columnsOf, boxOf, copyTile, pack, packMap, pasteTile, unpack } from "./tiles.js";

/* What a stroke may change. */
export const MODES = ["everything", "unpainted", "picked"];

export class ClassMap {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height);
  }

  has(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  at(x, y) {
    return this.data[y * this.width + x];
  }
}

export class Canvas {
  constructor(width, height, budget) {
    this.map = new ClassMap(width, height);
    this.history = new History(this.map, budget);
    this.mode = "everything";
    this.locked = new Set();
    /* Pixels of each class. */
    this.counts = new Float64Array(256);
    this.counts[0] = width * height;
    this.before = new Map();
    this.kept = new Uint8Array(columnsOf(this.map) * Math.ceil(height / SIDE));
    /* Called with a rectangle (left, top, right, bottom; ends outside) that changed. */
    this.onChange = () => {};
    /* Called with the tiles an action changed, packed as they are now. */
    this.onAction = () => {};
  }

  /* Begin an action that paints `target`; `picked` is the class it began on. */
  begin(target, picked = 0, mode = this.mode) {
    this.target = target;
    this.may = new Uint8Array(256).fill(mode === "everything" ? 1 : 0);
    if (mode === "picked") this.may[picked] = 1;
    // an eraser that may change only what is unpainted would do nothing
    if (mode === "unpainted") target === 0 ? this.may.fill(1) : (this.may[0] = 1);
    for (const label of this.locked) this.may[label] = 0;
    this.free = this.may.every((value) => value === 1);
  }

  /* Keep the tiles of a span, as they were before this action. */
  keep(y, left, right) {
    const first = Math.floor(y / SIDE) * columnsOf(this.map);
    for (let tile = first + Math.floor(left / SIDE); tile <= first + Math.floor(right / SIDE); tile++) {
      if (this.kept[tile]) continue;
      this.kept[tile] = 1;
      this.before.set(tile, copyTile(this.map, tile));
    }
  }

  /* Paint a span, its ends included. */
  span(y, left, right) {
    const { width, height, data } = this.map;
    if (y < 0 || y >= height || right < 0 || left >= width) return;
    left = Math.max(left, 0);
    right = Math.min(right, width - 1);
    this.keep(y, left, right);
    const start = y * width + left;
    const end = y * width + right + 1;
    if (this.free) data.fill(this.target, start, end);
    else {
      const { may, target } = this;
      for (let i = start; i < end; i++) if (may[data[i]]) data[i] = target;
    }
    this.grow(left, y, right + 1, y + 1);
  }

  grow(left, top, right, bottom) {
    const box = this.box;
    if (!box) {
      this.box = [left, top, right, bottom];
      return;
    }
    if (left < box[0]) box[0] = left;
    if (top < box[1]) box[1] = top;
    if (right > box[2]) box[2] = right;
    if (bottom > box[3]) box[3] = bottom;
  }

  /* Tell what changed since it was last told. */
  tell() {
    if (this.box) this.onChange(this.box);
    this.box = null;
  }

  stroke(from, to, size, square) {
    stroke(from, to, size, square, (y, left, right) => this.span(y, left, right));
    this.tell();
  }

  polygon(points) {
    polygon(points, (y, left, right) => this.span(y, left, right));
    this.tell();
  }

  /* Paint the pixels of a box (left, top, width, height) where `mask` is not 0. */
  stamp([left, top, width, height], mask) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!mask[y * width + x]) continue;
        const start = x;
        while (x + 1 < width && mask[y * width + x + 1]) x++;
        this.span(top + y, left + start, left + x);
      }
    }
    this.tell();
  }

  /* Give single pixels a class each; modes do not count, locks do. */
  assign(places, classes) {
    const { width } = this.map;
    places.forEach((place, i) => {
      this.target = classes[i];
      this.span(Math.floor(place / width), place % width, place % width);
    });
    this.tell();
  }

  /* End the action; returns whether anything changed. */
  commit() {
    const changed = [];
    for (const [tile, pixels] of this.before) {
      this.kept[tile] = 0;
      if (this.count(tile, pixels)) changed.push(tile);
    }
    if (changed.length) {
      this.history.add(pack(changed, (tile) => this.before.get(tile)));
      this.onAction(packMap(this.map, changed));
    }
    this.before.clear();
    return changed.length > 0;
  }

  /* Give up the action: all is as it was before. */
  cancel() {
    for (const [tile, pixels] of this.before) {
      this.kept[tile] = 0;
      this.replace(tile, pixels);
    }
    this.before.clear();
    this.tell();
  }

  /* Count what became of a tile; returns whether it differs. */
  count(tile, before) {
    const [left, top, width, height] = boxOf(this.map, tile);
    const { counts } = this;
    let differs = false;
    for (let y = 0, i = 0; y < height; y++) {
      let at = (top + y) * this.map.width + left;
      for (let x = 0; x < width; x++, i++, at++) {
        const now = this.map.data[at];
        if (before[i] === now) continue;
        counts[before[i]]--;
        counts[now]++;
        differs = true;
      }
    }
    return differs;
  }

  replace(tile, pixels) {
    const [left, top, width, height] = boxOf(this.map, tile);
    const before = copyTile(this.map, tile);
    pasteTile(this.map, tile, pixels);
    this.grow(left, top, left + width, top + height);
    return before;
  }

  /* Bytes held: the map, and what undo and redo keep. */
  get bytes() {
    return this.map.data.byteLength + this.kept.byteLength + this.history.bytes;
  }

  undo() {
    return this.exchange("undo");
  }

  redo() {
    return this.exchange("redo");
  }

  exchange(way) {
    const step = this.history[way]((map, tile, pixels) => this.count(tile, this.replace(tile, pixels)));
    if (!step) return false;
    this.tell();
    this.onAction(packMap(this.map, step.tiles));
    return true;
  }

  /* Put tiles back that a draft kept; no action, and nothing to undo. `now` is what each class
     of the draft is today. */
  restore(packed, now = null) {
    unpack(this.map, packed, (tile, pixels) => {
      this.count(tile, this.replace(tile, now ? pixels.map((label) => now[label]) : pixels));
    });
    this.tell();
  }

  /* Start from a mask; no action either. */
  load(data) {
    this.map.data.set(data);
    this.counts.fill(0);
    for (let i = 0; i < data.length; i++) this.counts[data[i]]++;
    this.grow(0, 0, this.map.width, this.map.height);
    this.tell();
  }
}
