/* Draws with a plain 2-D canvas where there is no WebGL: coloured tiles over the picture. */

const SIDE = 512;
const MOST = 96;
/* Tiles kept, at most, of a megabyte each. */

export class PlainRenderer {
  constructor(surface) {
    this.surface = surface;
    this.context = surface.getContext("2d");
    this.tiles = new Map();
    this.lost = false;
  }

  open(map, picture) {
    Object.assign(this, { map, picture });
    this.tiles.clear();
  }

  colors(bytes) {
    this.palette = new Uint32Array(bytes.slice().buffer);
    this.tiles.clear();
  }

  changed([left, top, right, bottom]) {
    for (const tile of this.tiles.values()) {
      // outlines reach a pixel further
      if (tile.left < right + 1 && tile.left + SIDE > left - 1 && tile.top < bottom + 1 && tile.top + SIDE > top - 1) tile.stale = true;
    }
  }

  /* Draw a part (left, top, width, height) of the screen; the rest stays. */
  draw(view, look, part) {
    const { context } = this;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(...part);
    context.clip();
    context.clearRect(...part);
    this.drawAll(view, look);
    context.restore();
  }

  drawAll(view, look) {
    const { context, map } = this;
    context.setTransform(view.scale, 0, 0, view.scale, -view.x * view.scale, -view.y * view.scale);
    context.imageSmoothingEnabled = view.scale <= 2;
    context.filter = look.brightness === 0 && look.contrast === 1 ? "none" : `brightness(${1 + look.brightness}) contrast(${look.contrast})`;
    context.drawImage(this.picture, 0, 0, map.width, map.height);
    context.filter = "none";
    if (look.hidden) return;
    const kind = `${look.outlines} ${look.gaps}`;
    if (kind !== this.kind) this.tiles.clear();
    this.kind = kind;
    context.imageSmoothingEnabled = false;
    context.globalAlpha = look.outlines || look.gaps ? 1 : look.opacity;
    const [right, bottom] = view.toPicture(view.width, view.height);
    for (let top = Math.max(0, Math.floor(view.y / SIDE)) * SIDE; top < Math.min(bottom, map.height); top += SIDE) {
      for (let left = Math.max(0, Math.floor(view.x / SIDE)) * SIDE; left < Math.min(right, map.width); left += SIDE) {
        context.drawImage(this.tile(left, top, look), left, top);
      }
    }
    context.globalAlpha = 1;
  }

  tile(left, top, look) {
    const name = `${left},${top}`;
    let tile = this.tiles.get(name);
    if (!tile) {
      tile = { left, top, stale: true, canvas: document.createElement("canvas") };
      tile.canvas.width = Math.min(SIDE, this.map.width - left);
      tile.canvas.height = Math.min(SIDE, this.map.height - top);
    }
    this.tiles.delete(name);
    this.tiles.set(name, tile);
    if (this.tiles.size > MOST) this.tiles.delete(this.tiles.keys().next().value);
    if (tile.stale) this.paint(tile, look);
    return tile.canvas;
  }

  paint(tile, look) {
    const { map, palette } = this;
    const { width, height } = tile.canvas;
    const context = tile.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const label = map.at(tile.left + x, tile.top + y);
        if (label === 0) {
          if (look.gaps && (x + y) % 8 < 3) pixels[y * width + x] = 0xd80d5cff;
        } else if (!look.outlines || this.edge(tile.left + x, tile.top + y, label)) pixels[y * width + x] = palette[label];
      }
    }
    context.putImageData(image, 0, 0);
    tile.stale = false;
  }

  edge(x, y, label) {
    const { map } = this;
    return [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]].some(([u, v]) => map.has(u, v) && map.at(u, v) !== label);
  }

  read(x, y) {
    return [...this.context.getImageData(x, y, 1, 1).data];
  }

  close() {
    this.tiles.clear();
  }
}
