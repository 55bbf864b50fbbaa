/* Unpainted places, one after the other. */

import { region } from "./flood.js";

export class Gaps {
  constructor(map) {
    this.map = map;
    this.seen = new Uint8Array(map.data.length);
    this.from = 0;
  }

  /* Box of the next unpainted region, from the top; after the last, the first again; null if there is none. */
  next() {
    for (const again of [false, true]) {
      const { data, width } = this.map;
      for (let place = data.indexOf(0, this.from); place >= 0; place = data.indexOf(0, place + 1)) {
        if (this.seen[place]) continue;
        this.from = place;
        return region(this.map, place % width, Math.floor(place / width), this.seen).box;
      }
      if (again) return null;
      this.seen.fill(0);
      this.from = 0;
    }
    return null;
  }
}
