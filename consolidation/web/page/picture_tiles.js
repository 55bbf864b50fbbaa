/* The picture as textures: one of all of it, and tiles in full for what is seen from near. */

const SIDE = 1024;
const OVERVIEW = 4096;
const MOST = 32;
/* Tiles kept, at most: 170 MB with their smaller copies. */

export class PictureTiles {
  constructor(gl, onReady) {
    Object.assign(this, { gl, onReady });
    this.tiles = new Map();
    this.overview = null;
  }

  async open(picture, width, height) {
    this.close();
    Object.assign(this, { picture, width, height });
    const side = Math.min(OVERVIEW, this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE));
    this.ratio = Math.min(1, side / Math.max(width, height));
    let small = picture;
    if (this.ratio < 1) {
      const size = { resizeWidth: Math.max(1, Math.round(width * this.ratio)), resizeHeight: Math.max(1, Math.round(height * this.ratio)) };
      small = await createImageBitmap(picture, { ...size, resizeQuality: "low" });
    }
    if (this.picture !== picture) return;
    this.overview = { box: [0, 0, width, height], handle: this.upload(small) };
    if (small !== picture) small.close();
    this.onReady();
  }

  upload(bitmap) {
    const { gl } = this;
    const handle = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, handle);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return handle;
  }

  /* Textures to draw, in order; asks for those that are missing. */
  *visible(view) {
    if (this.overview) yield this.overview;
    if (!this.picture || view.scale <= this.ratio || this.ratio === 1) return;
    const [right, bottom] = view.toPicture(view.width, view.height);
    for (let top = Math.max(0, Math.floor(view.y / SIDE)) * SIDE; top < Math.min(bottom, this.height); top += SIDE) {
      for (let left = Math.max(0, Math.floor(view.x / SIDE)) * SIDE; left < Math.min(right, this.width); left += SIDE) {
        const tile = this.tiles.get(`${left},${top}`);
        if (!tile) this.ask(left, top);
        else if (tile.handle) {
          this.tiles.delete(tile.name);
          this.tiles.set(tile.name, tile);
          yield tile;
        }
      }
    }
  }

  async ask(left, top) {
    const { picture } = this;
    const box = [left, top, Math.min(SIDE, this.width - left), Math.min(SIDE, this.height - top)];
    const tile = { name: `${left},${top}`, box, handle: null };
    this.tiles.set(tile.name, tile);
    const bitmap = await createImageBitmap(picture, ...box);
    if (this.picture === picture) {
      tile.handle = this.upload(bitmap);
      this.drop();
      this.onReady();
    }
    bitmap.close();
  }

  /* Those seen last are at the end. */
  drop() {
    for (const [name, tile] of this.tiles) {
      if (this.tiles.size <= MOST) return;
      if (!tile.handle) continue;
      this.gl.deleteTexture(tile.handle);
      this.tiles.delete(name);
    }
  }

  close() {
    for (const tile of [this.overview, ...this.tiles.values()]) if (tile?.handle) this.gl.deleteTexture(tile.handle);
    this.tiles.clear();
    this.overview = null;
    this.picture = null;
  }
}
