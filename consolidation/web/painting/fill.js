/* The bucket: fills the region of one class around a place, and need not run out through gaps.

   A gap is closed by filling only where a square of one pixel more can go. What stays over in
   corners is filled too, if it leads nowhere else. */

import { Selection, beside, flood, parts, placesOf, region } from "./flood.js";

/* Selection to fill from (x, y), with gaps of up to `gap` pixels closed. */
export function fillFrom(map, x, y, gap = 0) {
  const all = region(map, x, y);
  for (let side = gap + 1; side > 1; side--) {
    const swept = sweep(all, x - all.box[0], y - all.box[1], side);
    if (swept) return new Selection(all.box, swept);
  }
  return all;
}

/* Where a square of `side` pixels comes to from the place (x, y); null if it does not fit there. */
function sweep({ box: [, , width, height], mask }, x, y, side) {
  const fits = squares(mask, width, height, side);
  const reached = new Uint8Array(mask.length);
  for (let top = Math.max(0, y - side + 1); top <= y; top++) {
    for (let left = Math.max(0, x - side + 1); left <= x; left++) {
      flood(width, height, left, top, (place) => fits[place] && !reached[place], (row, from, to) => {
        reached.fill(1, row * width + from, row * width + to + 1);
      });
    }
  }
  if (!reached.includes(1)) return null;
  const swept = spread(reached, width, height, side);
  const others = spread(fits.map((value, place) => (reached[place] ? 0 : value)), width, height, side);
  for (const spans of parts(width, height, (place) => mask[place] && !swept[place] && !others[place])) {
    let near = false;
    let elsewhere = false;
    for (const place of placesOf(spans, width)) {
      for (const next of beside(place, width, height)) {
        if (swept[next] === 1) near = true;
        else if (others[next]) elsewhere = true;
      }
    }
    // 2: filled, but no square was here
    if (near && !elsewhere) for (const place of placesOf(spans, width)) swept[place] = 2;
  }
  return swept;
}

/* Left upper corners of the squares that lie in the mask. */
function squares(mask, width, height, side) {
  const across = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    for (let x = width - 1, run = 0; x >= 0; x--) {
      run = mask[y * width + x] ? run + 1 : 0;
      across[y * width + x] = run >= side ? 1 : 0;
    }
  }
  const fits = new Uint8Array(mask.length);
  for (let x = 0; x < width; x++) {
    for (let y = height - 1, run = 0; y >= 0; y--) {
      run = across[y * width + x] ? run + 1 : 0;
      fits[y * width + x] = run >= side ? 1 : 0;
    }
  }
  return fits;
}

/* Pixels of the squares with these left upper corners. */
function spread(corners, width, height, side) {
  const across = new Uint8Array(corners.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0, left = 0; x < width; x++) {
      left = corners[y * width + x] ? side : left - 1;
      across[y * width + x] = left > 0 ? 1 : 0;
    }
  }
  const covered = new Uint8Array(corners.length);
  for (let x = 0; x < width; x++) {
    for (let y = 0, left = 0; y < height; y++) {
      left = across[y * width + x] ? side : left - 1;
      covered[y * width + x] = left > 0 ? 1 : 0;
    }
  }
  return covered;
}
