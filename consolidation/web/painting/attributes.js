/* Attribute values as templates write them: JSON, single quotes, names without quotes, commas too many. */

const NAME = /[\p{L}_$][\p{L}\p{N}_$-]*/uy;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /\s*/y;
const ESCAPES = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = new Map([["true", true], ["false", false], ["null", null]]);
const DEEPEST = 50;

/* The value of a text; SyntaxError says where it cannot be read. */
export function readValue(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.skip();
  if (reader.at < text.length) reader.fail("the end");
  return value;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(wanted) {
    const near = this.text.slice(this.at, this.at + 12);
    throw new SyntaxError(`column ${this.at + 1}: ${wanted} was expected, not ${near ? `"${near}"` : "the end"}`);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  skip() {
    this.match(SPACE);
  }

  /* Whether a character comes next, after spaces; takes it. */
  take(character) {
    this.skip();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  value(depth) {
    if (depth > DEEPEST) this.fail("less nesting");
    this.skip();
    const next = this.text[this.at];
    if (next === "[") return this.list(depth);
    if (next === "{") return this.object(depth);
    if (next === '"' || next === "'") return this.string();
    const number = this.match(NUMBER);
    if (number !== null) return Number(number);
    const start = this.at;
    const word = this.match(NAME);
    if (WORDS.has(word)) return WORDS.get(word);
    this.at = start;
    return this.fail("a value");
  }

  list(depth) {
    const values = [];
    this.take("[");
    while (!this.take("]")) {
      if (values.length && !this.take(",")) this.fail('"," or "]"');
      if (values.length && this.take("]")) break;
      values.push(this.value(depth + 1));
    }
    return values;
  }

  object(depth) {
    const entries = [];
    this.take("{");
    while (!this.take("}")) {
      if (entries.length && !this.take(",")) this.fail('"," or "}"');
      if (entries.length && this.take("}")) break;
      const name = this.name();
      if (!this.take(":")) this.fail('":"');
      entries.push([name, this.value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  name() {
    this.skip();
    const next = this.text[this.at];
    if (next === '"' || next === "'") return this.string();
    return this.match(NAME) ?? this.match(NUMBER) ?? this.fail("a name");
  }

  string() {
    const quote = this.text[this.at++];
    let out = "";
    for (;;) {
      if (this.at >= this.text.length) this.fail(`the closing ${quote}`);
      const character = this.text[this.at++];
      if (character === quote) return out;
      out += character === "\\" ? this.escape() : character;
    }
  }

  escape() {
    const character = this.text[this.at++] ?? this.fail("a character after \\");
    if (character !== "u") return ESCAPES[character] ?? character;
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("four hexadecimal digits");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }
}
