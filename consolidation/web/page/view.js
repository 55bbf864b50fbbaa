/* Where the picture is on the screen: how large, and what lies at the upper left corner. */

const NEAREST = 64;
/* Screen pixels of a picture's pixel at most. */

export class View {
  constructor() {
    /* Screen pixels, as the device has them, of a pixel of the picture. */
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.width = 1;
    this.height = 1;
    this.size = [1, 1];
  }

  get least() {
    return Math.min(1, this.fitting / 2);
  }

  get fitting() {
    return Math.min(this.width / this.size[0], this.height / this.size[1]);
  }

  get fitted() {
    return Math.abs(this.scale - this.fitting * 0.97) < 1e-6;
  }

  resize(width, height) {
    const fitted = this.fitted;
    const [x, y] = this.toPicture(this.width / 2, this.height / 2);
    [this.width, this.height] = [width, height];
    if (fitted) this.fit();
    else this.centre(x, y);
  }

  fit() {
    this.scale = this.fitting * 0.97;
    this.centre(this.size[0] / 2, this.size[1] / 2);
  }

  centre(x, y) {
    this.x = x - this.width / 2 / this.scale;
    this.y = y - this.height / 2 / this.scale;
    this.hold();
  }

  toPicture(x, y) {
    return [this.x + x / this.scale, this.y + y / this.scale];
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale, (y - this.y) * this.scale];
  }

  /* The part of the screen, in whole pixels, where a box (left, top, right, bottom) is seen, and its rim. */
  around([left, top, right, bottom]) {
    const [x0, y0] = this.toScreen(left - 1, top - 1);
    const [x1, y1] = this.toScreen(right + 1, bottom + 1);
    const [x, y] = [Math.max(0, Math.floor(x0) - 3), Math.max(0, Math.floor(y0) - 3)];
    return [x, y, Math.max(0, Math.min(this.width, Math.ceil(x1) + 3) - x), Math.max(0, Math.min(this.height, Math.ceil(y1) + 3) - y)];
  }

  /* Zoom so that what lies at a place of the screen stays there. */
  zoom(scale, screenX = this.width / 2, screenY = this.height / 2) {
    const [x, y] = this.toPicture(screenX, screenY);
    this.scale = Math.min(NEAREST, Math.max(this.least, scale));
    this.x = x - screenX / this.scale;
    this.y = y - screenY / this.scale;
    this.hold();
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.hold();
  }

  /* Keep some of the picture in sight. */
  hold() {
    const margin = Math.min(this.width, this.height) / 4 / this.scale;
    const keep = (at, shown, size) => Math.min(size - Math.min(margin, size), Math.max(Math.min(margin, size) - shown, at));
    this.x = keep(this.x, this.width / this.scale, this.size[0]);
    this.y = keep(this.y, this.height / this.scale, this.size[1]);
  }

  /* Show a box (left, top, width, height), with room around it, no closer than 8 pixels a pixel. */
  show([left, top, width, height]) {
    const fitting = Math.min(this.width / width, this.height / height) / 3;
    this.scale = Math.min(8, Math.max(this.least, fitting, this.scale));
    this.centre(left + width / 2, top + height / 2);
  }
}
