/* Reads what consolidation/report/snapshot.py wrote: a table of pixel stories, one index a pixel. */

async function inflate(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

class Snapshot {
  constructor(header, buffer) {
    const planes = header.workers.length + 2;
    const Labels = header.bytes === 1 ? Uint8Array : Uint16Array;
    this.workers = header.workers;
    [this.height, this.width] = header.shape;
    this.size = header.size;
    this.step = header.step;
    this.rows = header.rows;
    this.table = new Labels(buffer, 0, header.rows * planes);
    // an odd number of bytes may precede the two-byte indices
    this.patterns = header.exact ? null : new Uint16Array(buffer.slice(this.table.byteLength));
    this.none = header.bytes === 1 ? 255 : 65535;
    this.consensus = header.workers.length;
    this.confidence = header.workers.length + 1;
  }

  static async read(header, base64) {
    return new Snapshot(header, await inflate(base64));
  }

  /* Row of the table at a place: row times width plus column. */
  row(place) {
    return this.patterns ? this.patterns[place] : place;
  }

  value(plane, row) {
    return this.table[plane * this.rows + row];
  }

  disputed(row) {
    let seen = this.none;
    for (let w = 0; w < this.workers.length; w++) {
      const label = this.value(w, row);
      if (label === this.none) continue;
      if (seen !== this.none && label !== seen) return true;
      seen = label;
    }
    return false;
  }
}
