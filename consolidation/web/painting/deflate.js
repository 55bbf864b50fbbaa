/* A zlib stream at once, for those who ask for the answer and cannot wait: runs, fixed codes. */

const LENGTHS = [];
for (let code = 257, length = 3; code <= 284; code++) {
  const extra = code < 265 ? 0 : Math.floor((code - 261) / 4);
  LENGTHS.push([length, code, extra]);
  length += 1 << extra;
}

class Bits {
  constructor(capacity) {
    this.bytes = new Uint8Array(capacity);
    this.end = 0;
    this.hold = 0;
    this.count = 0;
  }

  /* Lowest bit first. */
  put(value, bits) {
    this.hold |= value << this.count;
    this.count += bits;
    while (this.count >= 8) {
      this.bytes[this.end++] = this.hold & 255;
      this.hold >>>= 8;
      this.count -= 8;
    }
  }

  /* A Huffman code: highest bit first. */
  code(value, bits) {
    let turned = 0;
    for (let i = 0; i < bits; i++) turned |= (value >> i & 1) << (bits - 1 - i);
    this.put(turned, bits);
  }

  /* A literal, an end or a length, by RFC 1951, 3.2.6. */
  symbol(value) {
    if (value < 144) this.code(48 + value, 8);
    else if (value < 256) this.code(256 + value, 9);
    else if (value < 280) this.code(value - 256, 7);
    else this.code(value - 88, 8);
  }

  /* Repeat the last byte. */
  run(length) {
    if (length === 258) this.symbol(285);
    else {
      let i = LENGTHS.length - 1;
      while (LENGTHS[i][0] > length) i--;
      const [from, code, extra] = LENGTHS[i];
      this.symbol(code);
      this.put(length - from, extra);
    }
    this.code(0, 5);
  }
}

function adler(bytes) {
  let a = 1;
  let b = 0;
  for (let start = 0; start < bytes.length; start += 3800) {
    const end = Math.min(bytes.length, start + 3800);
    for (let i = start; i < end; i++) b += a += bytes[i];
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}

export function deflate(bytes) {
  // nine bits a byte at worst
  const out = new Bits(Math.ceil((bytes.length * 9) / 8) + 16);
  out.put(0x78, 8);
  out.put(0x01, 8);
  out.put(1, 1);
  out.put(1, 2);
  for (let at = 0; at < bytes.length;) {
    const value = bytes[at++];
    out.symbol(value);
    let run = 0;
    while (at + run < bytes.length && bytes[at + run] === value) run++;
    at += run;
    while (run >= 3) {
      // never leave one or two over for a run
      const length = run > 258 && run < 261 ? 255 : Math.min(run, 258);
      out.run(length);
      run -= length;
    }
    while (run-- > 0) out.symbol(value);
  }
  out.symbol(256);
  out.put(0, 7);
  const end = out.end;
  new DataView(out.bytes.buffer).setUint32(end, adler(bytes));
  return out.bytes.subarray(0, end + 4);
}
