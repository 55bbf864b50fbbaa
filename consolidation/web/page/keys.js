/* Keys: what each action is called, its first key, and what a pressed key is called. */

export const DEFAULT_KEYS = {
  "tool.brush": "B",
  "tool.eraser": "E",
  "tool.polygon": "P",
  "tool.auto": "A",
  "tool.fill": "F",
  "tool.pick": "I",
  "tool.pan": "Space",
  "key.swap": "X",
  "key.smaller": "[",
  "key.larger": "]",
  "key.mode": "V",
  "key.lock": "L",
  "key.region": "M",
  "key.accept": "Enter",
  "key.back": "Backspace",
  "key.cancel": "Escape",
  "key.alternative": "Tab",
  "undo": "Ctrl+Z",
  "redo": "Ctrl+Shift+Z",
  "view.hide": "H",
  "view.outlines": "O",
  "view.gaps": "U",
  "rest.next": "N",
  "rest": "R",
  "key.fainter": ",",
  "key.stronger": ".",
  "zoom.in": "+",
  "zoom.out": "-",
  "zoom.fit": "0",
  "zoom.actual": "Shift+0",
  "key.submit": "Ctrl+Enter",
  "keys": "?",
};

/* Keys that do the same besides, whatever is chosen. */
const ALSO = { "Ctrl+Y": "redo", "=": "zoom.in" };

/* Keys that are held, not pressed. */
export const HELD = new Set(["tool.pan", "view.hide"]);

/* Name of a key event: `B`, `Shift+3`, `Ctrl+Z`, `?`. */
export function nameOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  const latin = /^Key([A-Z])$/.exec(event.code);
  let name = event.key;
  let shift = event.shiftKey;
  if (digit) name = digit[1];
  else if (name === " ") name = "Space";
  else if (/^[a-z]$/i.test(name)) name = name.toUpperCase();
  // letters of other alphabets: by where they lie
  else if (latin && name.length === 1) name = latin[1];
  // what Shift makes of a key is its name
  else if (name.length === 1) shift = false;
  const control = (event.ctrlKey || event.metaKey) && !event.getModifierState?.("AltGraph");
  return `${control ? "Ctrl+" : ""}${shift ? "Shift+" : ""}${name}`;
}

export class Keys {
  constructor(chosen = {}) {
    this.chosen = {};
    for (const [action, key] of Object.entries(chosen)) if (action in DEFAULT_KEYS && typeof key === "string") this.chosen[action] = key;
  }

  of(action) {
    return this.chosen[action] ?? DEFAULT_KEYS[action];
  }

  /* Action of a key name; undefined if there is none. */
  action(name) {
    return Object.keys(DEFAULT_KEYS).find((action) => this.of(action) === name) ?? ALSO[name];
  }

  /* Give an action another key; the action that had it gets the old one. */
  choose(action, name) {
    const other = Object.keys(DEFAULT_KEYS).find((each) => this.of(each) === name);
    if (other && other !== action) this.chosen[other] = this.of(action);
    this.chosen[action] = name;
  }

  reset() {
    this.chosen = {};
  }
}

/* Position of the label that a key chooses, from 0; -1 if it is no such key. */
export function labelOf(name) {
  const found = /^(Shift\+)?([1-9])$/.exec(name);
  return found ? Number(found[2]) - 1 + (found[1] ? 9 : 0) : -1;
}
