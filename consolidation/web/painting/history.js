/* Undo and redo: the tiles that each action changed, as they were. */

import { packMap, pasteTile, sizeOf, unpack } from "./tiles.js";

export const BUDGET = 128 * 1024 * 1024;
/* Bytes kept at most; the oldest actions go first. */

export class History {
  constructor(map, budget = BUDGET) {
    this.map = map;
    this.budget = budget;
    this.done = [];
    this.undone = [];
    this.bytes = 0;
  }

  /* Remember an action by the tiles it changed, packed as they were before. */
  add(before) {
    this.drop(this.undone.splice(0));
    this.done.push(before);
    this.bytes += sizeOf(before);
    while (this.bytes > this.budget && this.done.length > 1) this.drop([this.done.shift()]);
  }

  /* Nothing can be undone any more. */
  forget() {
    this.drop([...this.done.splice(0), ...this.undone.splice(0)]);
  }

  drop(steps) {
    for (const step of steps) this.bytes -= sizeOf(step);
  }

  /* Go back one action; returns the tiles as they are now, or null if there was none. */
  undo(replace = pasteTile) {
    return this.exchange(this.done, this.undone, replace);
  }

  redo(replace = pasteTile) {
    return this.exchange(this.undone, this.done, replace);
  }

  exchange(from, to, replace) {
    const step = from.pop();
    if (!step) return null;
    const other = packMap(this.map, step.tiles);
    unpack(this.map, step, (tile, pixels) => replace(this.map, tile, pixels));
    to.push(other);
    this.bytes += sizeOf(other) - sizeOf(step);
    return step;
  }
}
