/* What is drawn for each pixel of the screen. */

export const PICTURE_VERTEX = `#version 300 es
uniform vec4 box;    // left, top, width, height in the picture
uniform vec2 origin; // what lies at the upper left corner
uniform float scale;
uniform vec2 screen;
out vec2 place;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  place = corner;
  vec2 at = (box.xy + corner * box.zw - origin) * scale / screen;
  gl_Position = vec4(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0);
}`;

export const PICTURE_FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D picture;
uniform float brightness, contrast, gamma;
in vec2 place;
out vec4 color;
void main() {
  vec4 seen = texture(picture, place);
  vec3 shown = pow(max(seen.rgb, 0.0), vec3(gamma));
  color = vec4(clamp((shown - 0.5) * contrast + 0.5 + brightness, 0.0, 1.0), 1.0) * seen.a;
}`;

export const CLASSES_VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(corner * 4.0 - 1.0, 0.0, 1.0);
}`;

export const CLASSES_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform highp usampler2DArray classes;
uniform sampler2D palette;
uniform vec2 origin, screen;
uniform ivec2 size;
uniform float scale, opacity, ratio;
uniform int bits, columns;
uniform bool outlines, gaps, patterns;
out vec4 color;

int classAt(ivec2 at) {
  at = clamp(at, ivec2(0), size - 1);
  ivec2 tile = at >> bits;
  return int(texelFetch(classes, ivec3(at - (tile << bits), tile.y * columns + tile.x), 0).r);
}

/* Stripes tell classes apart where colours do not. */
float stripes(int label, vec2 at) {
  int kind = (label - 1) % 6;
  float step = 7.0 * ratio;
  if (kind == 0) return 0.0;
  if (kind == 1) return float(mod(at.x + at.y, step) < step * 0.35);
  if (kind == 2) return float(mod(at.x - at.y, step) < step * 0.35);
  if (kind == 3) return float(mod(at.y, step) < step * 0.35);
  if (kind == 4) return float(mod(at.x, step) < step * 0.35);
  vec2 cell = mod(at, step) - step * 0.5;
  return float(dot(cell, cell) < step * step * 0.07);
}

vec4 layer(vec2 at, vec2 place) {
  ivec2 pixel = ivec2(floor(place));
  if (place.x < 0.0 || place.y < 0.0 || pixel.x >= size.x || pixel.y >= size.y) return vec4(0.0);
  int label = classAt(pixel);
  if (label == 0) {
    if (!gaps) return vec4(0.0);
    float stripe = mod(at.x + at.y, 12.0 * ratio);
    return stripe < 5.0 * ratio ? vec4(1.0, 0.36, 0.05, 1.0) * 0.85 : vec4(1.0) * 0.3;
  }
  vec4 tone = texelFetch(palette, ivec2(label, 0), 0);
  float alpha = opacity * tone.a;
  if (outlines) {
    // a line of about two screen pixels, inside the region, or of one pixel of the picture
    float reach = max(1.0, 1.5 * ratio / scale);
    bool edge = false;
    for (int i = 0; i < 8; i++) {
      float turn = float(i) * 0.7853981634;
      edge = edge || classAt(ivec2(floor(place + reach * vec2(cos(turn), sin(turn))))) != label;
    }
    alpha = edge ? tone.a : 0.0;
  }
  vec3 shade = tone.rgb;
  if (patterns) shade = mix(shade, shade * 0.35, stripes(label, at));
  return vec4(shade, 1.0) * alpha;
}

void main() {
  vec2 at = vec2(gl_FragCoord.x, screen.y - gl_FragCoord.y);
  if (scale >= 0.67) {
    color = layer(at, origin + at / scale);
    return;
  }
  // seen from afar, a pixel of the screen is several of the picture
  vec4 sum = vec4(0.0);
  for (int i = 0; i < 4; i++) {
    vec2 shift = vec2(i & 1, i >> 1) * 0.5 - 0.25;
    sum += layer(at, origin + (at + shift) / scale);
  }
  color = sum * 0.25;
}`;
