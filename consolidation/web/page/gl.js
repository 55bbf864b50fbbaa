/* Draws picture and classes with WebGL 2: the class map is a texture of whole numbers. */

import { PictureTiles } from "./picture_tiles.js";
import { CLASSES_FRAGMENT, CLASSES_VERTEX, PICTURE_FRAGMENT, PICTURE_VERTEX } from "./shaders.js";

export class GlRenderer {
  constructor(surface, onReady) {
    const gl = surface.getContext("webgl2", { alpha: true, antialias: false, depth: false, stencil: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("WebGL 2 is missing");
    Object.assign(this, { gl, surface });
    this.classesProgram = program(gl, CLASSES_VERTEX, CLASSES_FRAGMENT);
    this.pictureProgram = program(gl, PICTURE_VERTEX, PICTURE_FRAGMENT);
    gl.bindVertexArray(gl.createVertexArray());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.palette = texture(gl, gl.TEXTURE_2D);
    this.tiles = new PictureTiles(gl, onReady);
    this.lost = false;
    surface.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.lost = true; });
  }

  open(map, picture) {
    const { gl } = this;
    this.map = map;
    this.tiles.open(picture, map.width, map.height);
    const most = Math.min(gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS), 2048);
    this.bits = 10;
    while (this.layers > most) this.bits++;
    if (1 << this.bits > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Error(`${map.width} x ${map.height} pixels are too many for WebGL`);
    const side = 1 << this.bits;
    if (this.classes) gl.deleteTexture(this.classes);
    this.classes = texture(gl, gl.TEXTURE_2D_ARRAY);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.R8UI, Math.min(side, map.width), Math.min(side, map.height), this.layers);
  }

  get columns() {
    return Math.ceil(this.map.width / (1 << this.bits));
  }

  get layers() {
    return this.columns * Math.ceil(this.map.height / (1 << this.bits));
  }

  /* Colours by class, 256 of four bytes. */
  colors(bytes) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  }

  /* Upload a rectangle (left, top, right, bottom; ends outside) of the class map. */
  changed([left, top, right, bottom]) {
    const { gl, map, bits, columns } = this;
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.classes);
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, map.width);
    for (let row = top >> bits; row << bits < bottom; row++) {
      for (let column = left >> bits; column << bits < right; column++) {
        const x = Math.max(left, column << bits);
        const y = Math.max(top, row << bits);
        const width = Math.min(right, column + 1 << bits) - x;
        const height = Math.min(bottom, row + 1 << bits) - y;
        gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, x - (column << bits), y - (row << bits), row * columns + column,
          width, height, 1, gl.RED_INTEGER, gl.UNSIGNED_BYTE, map.data, y * map.width + x);
      }
    }
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
  }

  /* Draw a part (left, top, width, height) of the screen; the rest stays. */
  draw(view, look, [left, top, width, height]) {
    const { gl, surface } = this;
    if (!width || !height) return;
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(left, surface.height - top - height, width, height);
    gl.viewport(0, 0, surface.width, surface.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.drawPicture(view, look);
    if (!look.hidden) this.drawClasses(view, look);
  }

  drawPicture(view, look) {
    const { gl, pictureProgram: { handle, at } } = this;
    gl.useProgram(handle);
    gl.uniform2f(at.origin, view.x, view.y);
    gl.uniform1f(at.scale, view.scale);
    gl.uniform2f(at.screen, view.width, view.height);
    gl.uniform1f(at.brightness, look.brightness);
    gl.uniform1f(at.contrast, look.contrast);
    gl.uniform1f(at.gamma, look.gamma);
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(at.picture, 0);
    for (const { box, handle: tile } of this.tiles.visible(view)) {
      gl.bindTexture(gl.TEXTURE_2D, tile);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, view.scale > 2 ? gl.NEAREST : gl.LINEAR);
      gl.uniform4f(at.box, ...box);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
  }

  drawClasses(view, look) {
    const { gl, map, classesProgram: { handle, at } } = this;
    gl.useProgram(handle);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.classes);
    gl.uniform1i(at.classes, 0);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.uniform1i(at.palette, 1);
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform2f(at.origin, view.x, view.y);
    gl.uniform2f(at.screen, view.width, view.height);
    gl.uniform2i(at.size, map.width, map.height);
    gl.uniform1f(at.scale, view.scale);
    gl.uniform1f(at.opacity, look.opacity);
    gl.uniform1f(at.ratio, look.ratio);
    gl.uniform1i(at.bits, this.bits);
    gl.uniform1i(at.columns, this.columns);
    gl.uniform1i(at.outlines, Number(look.outlines));
    gl.uniform1i(at.gaps, Number(look.gaps));
    gl.uniform1i(at.patterns, Number(look.patterns));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /* RGBA of a pixel of the screen, as it was just drawn. */
  read(x, y) {
    const pixel = new Uint8Array(4);
    this.gl.readPixels(x, this.surface.height - 1 - y, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, pixel);
    return [...pixel];
  }

  close() {
    this.tiles.close();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function texture(gl, target) {
  const made = gl.createTexture();
  gl.bindTexture(target, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  return made;
}

/* A program and where its uniforms are. */
function program(gl, vertex, fragment) {
  const handle = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
  }
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(handle) || "no shader");
  const at = {};
  for (let i = 0; i < gl.getProgramParameter(handle, gl.ACTIVE_UNIFORMS); i++) {
    const { name } = gl.getActiveUniform(handle, i);
    at[name] = gl.getUniformLocation(handle, name);
  }
  return { handle, at };
}
