/* The polygon: click corner by corner or drag a line freehand; close it at its first corner or by Enter. */

import { dot, path, twice } from "./marks.js";
import { Tool } from "./tools.js";

const NEAR = 9;
/* Screen pixels from the first corner within which a click closes. */
const APART = 2.5;
/* Screen pixels between corners of a line drawn freehand. */

export class Polygon extends Tool {
  constructor(editor, name) {
    super(editor, name);
    this.points = [];
    this.dragging = false;
  }

  get pending() {
    return this.points.length > 0;
  }

  /* Whether a place is on the first corner. */
  closes(place) {
    if (this.points.length < 3) return false;
    const { view } = this.editor;
    return distance(view, place, this.points[0]) < NEAR * this.editor.look.ratio;
  }

  down(place, { subtract }) {
    const pixel = place.map(Math.floor);
    this.subtract = subtract;
    this.started = this.points.length;
    if (this.closes(pixel)) this.finish();
    else {
      this.points.push(pixel);
      this.dragging = true;
    }
    this.editor.refresh(false);
  }

  move(place) {
    if (!this.dragging) return;
    const pixel = place.map(Math.floor);
    if (distance(this.editor.view, pixel, this.points.at(-1)) < APART * this.editor.look.ratio) return;
    this.points.push(pixel);
    this.editor.refresh(false);
  }

  up() {
    // a line drawn in one go is closed when the pointer is lifted
    if (this.dragging && this.started === 0 && this.points.length > 4) this.finish();
    this.dragging = false;
  }

  finish() {
    const { points } = this;
    this.reset();
    if (points.length < 2 || !this.label) return;
    const { canvas } = this.editor;
    // subtracting takes away from this label alone
    if (this.subtract) canvas.begin(0, this.label, "picked");
    else canvas.begin(this.label, this.editor.at(points[0]));
    canvas.polygon(points);
    canvas.commit();
  }

  reset() {
    this.points = [];
    this.dragging = false;
    this.editor.refresh(false);
  }

  cancel() {
    this.reset();
  }

  undo() {
    if (!this.points.length) return false;
    this.points.pop();
    this.editor.refresh(false);
    return true;
  }

  key(name, { shiftKey }) {
    if (!this.points.length) return false;
    if (name === "accept") {
      this.subtract = this.subtract || shiftKey;
      this.finish();
    } else if (name === "back") this.undo();
    else if (name === "cancel") this.cancel();
    else return false;
    return true;
  }

  draw(context, view) {
    const { ratio } = this.editor.look;
    if (!this.points.length) return;
    const hovered = this.hovered && !this.dragging ? [this.hovered.map(Math.floor)] : [];
    twice(context, 1.6 * ratio, [], () => {
      path(context, view, [...this.points, ...hovered], false);
      context.stroke();
    });
    if (this.started === 0 && this.dragging && this.points.length > 1) return;
    for (const point of this.points) dot(context, view, point, ratio);
    if (hovered.length && this.closes(hovered[0])) dot(context, view, this.points[0], ratio, "#ffd54a", 6);
  }
}

function distance(view, a, b) {
  return view.scale * Math.hypot(a[0] - b[0], a[1] - b[1]);
}
