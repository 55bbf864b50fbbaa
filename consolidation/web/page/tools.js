/* Tools: what a pointer does. Places are in pixels of the picture, (0, 0) at its upper left corner. */

import { fillFrom } from "../painting/fill.js";
import { ring } from "./marks.js";

/* What all tools have; each overrides what it needs. */
export class Tool {
  constructor(editor, name) {
    this.editor = editor;
    this.name = name;
    this.hovered = null;
  }

  down() {}
  move() {}
  up() {}
  cancel() {}
  leave() { this.cancel(); }
  undo() { return false; }
  draw() {}

  /* What a key does here before it does anything else; returns whether it did. */
  key() { return false; }

  hover(place) {
    this.hovered = place;
    this.editor.refresh(false);
  }

  get label() {
    return this.editor.label?.index ?? 0;
  }
}

export class Brush extends Tool {
  constructor(editor, name, erases = false) {
    super(editor, name);
    this.erases = erases;
    this.last = null;
    this.end = null;
  }

  /* Class that is painted. */
  target(erase) {
    return this.erases || erase ? 0 : this.label;
  }

  sizeOf(pressure) {
    const { size, pressure: on } = this.editor;
    return on && pressure > 0 ? Math.max(1, Math.round(size * pressure)) : size;
  }

  down(place, { erase, straight, pressure }) {
    const { canvas, square } = this.editor;
    const target = this.target(erase);
    if (target === 0 && !this.erases && !erase) return;
    canvas.begin(target, this.editor.at(place));
    canvas.stroke(straight && this.end ? this.end : place, place, this.sizeOf(pressure), square);
    this.last = place;
  }

  move(place, { pressure }) {
    if (!this.last) return;
    this.editor.canvas.stroke(this.last, place, this.sizeOf(pressure), this.editor.square);
    this.last = place;
  }

  up() {
    if (!this.last) return;
    this.editor.canvas.commit();
    this.end = this.last;
    this.last = null;
  }

  cancel() {
    if (!this.last) return;
    this.editor.canvas.cancel();
    this.last = null;
  }

  draw(context, view) {
    if (this.hovered) ring(context, view, this.hovered, this.editor);
  }
}

export class Fill extends Tool {
  down(place) {
    const { canvas, gap } = this.editor;
    const [x, y] = place.map(Math.floor);
    if (!canvas.map.has(x, y) || !this.label) return;
    const label = canvas.map.at(x, y);
    if (label === this.label || canvas.locked.has(label)) return;
    const { box, mask } = fillFrom(canvas.map, x, y, gap);
    canvas.begin(this.label, label, "everything");
    canvas.stamp(box, mask);
    canvas.commit();
  }
}

/* Takes the label under the pointer. */
export class Pick extends Tool {
  down(place) {
    const label = this.editor.labels.of(this.editor.at(place));
    if (label) this.editor.set("label", label);
  }
}

export class Pan extends Tool {}
