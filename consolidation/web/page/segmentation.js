/* <crowd-semantic-segmentation>: labels, picture and mask of one task. */

import { encode, encodeNow } from "../painting/encoder.js";
import { parseHex } from "../painting/labels.js";
import { readMask } from "../painting/png_read.js";
import { readValue } from "../painting/attributes.js";
import { Editor } from "./editor.js";
import { link, styleSheet } from "./frame_state.js";
import { Layout } from "./layout.js";
import { openPicture } from "./picture.js";
import { text } from "./texts.js";

export class Segmentation extends HTMLElement {
  static observedAttributes = ["src", "labels", "initial-value", "header"];

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styleSheet];
    this.editor = new Editor();
    this.editor.onAction = (packed) => this.changed(packed);
    this.editor.addEventListener("change", ({ detail }) => {
      if (detail === "label" || detail === "mode") this.keepDraft(null);
    });
    this.encoded = null;
    this.first = null;
    this.opening = 0;
  }

  connectedCallback() {
    if (this.layout) return;
    // a script of the template may have set it before this class was here
    const early = Object.hasOwn(this, "labels") ? this.labels : null;
    delete this.labels;
    this.layout = new Layout(this);
    this.shadowRoot.append(this.layout.node);
    this.arrange();
    new MutationObserver(() => this.arrange()).observe(this, { childList: true });
    this.layout.attach();
    if (early) this.labels = early;
    else this.readLabels();
    this.layout.title(this.getAttribute("header") ?? "");
    this.form = this.closest("crowd-form");
    if (!this.form) this.layout.say(text("open.form"));
    this.open();
  }

  attributeChangedCallback(name, _, value) {
    if (!this.layout) return;
    if (name === "header") this.layout.title(value ?? "");
    else if (name === "labels") this.readLabels();
    else this.open();
  }

  /* Instructions go to their places; a script may put them there later. */
  arrange() {
    for (const child of this.children) {
      if (child.localName === "short-instructions") child.slot = "short";
      if (child.localName === "full-instructions") child.slot = "full";
    }
    this.layout.instructions();
  }

  /* Value of an attribute as templates write it; null if it is missing or wrong, which is said. */
  readAttribute(name) {
    if (!this.hasAttribute(name)) return null;
    try {
      return readValue(this.getAttribute(name));
    } catch (error) {
      this.layout.say(text("open.attribute", { attribute: name, reason: error.message }));
      return null;
    }
  }

  readLabels() {
    const names = this.readAttribute("labels");
    if (Array.isArray(names)) this.setLabels(names);
    else if (names !== null) this.layout.say(text("open.attribute", { attribute: "labels", reason: "[...]" }));
  }

  setLabels(names) {
    try {
      this.editor.setLabels(names, this.colors);
    } catch (error) {
      this.layout.say(text("open.attribute", { attribute: "labels", reason: error.message }));
    }
  }

  get labels() {
    return [...this.editor.labels.names];
  }

  set labels(names) {
    this.setLabels([...names]);
  }

  /* Colours that an earlier mask gives its labels. */
  get colors() {
    const mappings = this.initial?.labelMappings ?? {};
    return Object.fromEntries(Object.entries(mappings).filter(([, value]) => /^#[0-9a-f]{6}$/i.test(value?.color)).map(([name, value]) => [name, value.color.toLowerCase()]));
  }

  get initial() {
    return this.hasAttribute("initial-value") ? this.readAttribute("initial-value") : null;
  }

  /* Open the picture, then the earlier mask, then the draft: each on top of the one before. */
  async open() {
    const source = this.getAttribute("src");
    if (!source) return;
    const turn = ++this.opening;
    const { editor, layout } = this;
    layout.wait(text("open.loading"));
    editor.busy = true;
    try {
      const { bitmap, window: shown } = await openPicture(source);
      if (turn !== this.opening) return;
      editor.open(bitmap);
      if (shown) layout.say(text("open.window", shown));
    } catch (error) {
      if (turn === this.opening) layout.fail(text("open.failed", { reason: error.message }));
      return;
    }
    const { initial } = this;
    if (initial?.src) await this.openInitial(initial);
    const { draft } = await link.started;
    if (turn !== this.opening) return;
    this.restore(draft);
    editor.busy = false;
    layout.opened();
    this.dispatchEvent(new CustomEvent("ready"));
  }

  async openInitial(initial) {
    const { editor, layout } = this;
    try {
      const colors = this.colors;
      const answer = await fetch(initial.src);
      if (!answer.ok) throw new Error(`${answer.status}`);
      const classOf = new Map();
      for (const label of editor.labels.list) {
        const [red, green, blue] = parseHex(colors[label.name] ?? label.color);
        if (colors[label.name]) classOf.set(red << 16 | green << 8 | blue, label.index);
      }
      const mask = await readMask(new Uint8Array(await answer.arrayBuffer()), classOf);
      const { width, height } = editor.canvas.map;
      if (mask.width !== width || mask.height !== height) throw new Error(`${mask.width} x ${mask.height}, not ${width} x ${height}`);
      editor.canvas.load(mask.classes);
      editor.notify("counts");
      if (mask.unknown) layout.say(text("open.unknown", { count: mask.unknown.toLocaleString() }));
    } catch (error) {
      layout.say(text("open.initial", { reason: error.message }));
    }
    this.first = editor.canvas.map.data.slice();
  }

  restore(draft) {
    const part = draft?.elements?.[this.name];
    if (!part) return;
    const { editor } = this;
    const { width, height } = editor.canvas.map;
    if (part.size?.[0] !== width || part.size?.[1] !== height) return;
    // a draft has numbers: they mean the labels that they meant then, in whatever order these are now
    const now = new Uint8Array(256);
    for (const [name, index] of part.labels ?? []) now[index] = editor.labels.known.get(name)?.index ?? 0;
    for (const packed of part.packed) editor.canvas.restore(packed, now);
    const label = editor.labels.known.get(part.label);
    if (label && editor.labels.list.includes(label)) editor.set("label", label);
    editor.notify("counts");
    if (part.packed.length) this.layout.say(text("draft.restored", { when: new Date(draft.saved).toLocaleString() }), true);
  }

  changed(packed) {
    this.encoded = null;
    this.keepDraft(packed);
  }

  keepDraft(packed) {
    const { editor } = this;
    if (!editor.ready) return;
    const { width, height } = editor.canvas.map;
    const labels = [...editor.labels.known.values()].map(({ name, index }) => [name, index]);
    link.dispatchEvent(new CustomEvent("draft", { detail: { element: this.name, size: [width, height], labels, label: editor.label?.name ?? null, packed } }));
  }

  get name() {
    return this.getAttribute("name") ?? "crowd-semantic-segmentation";
  }

  get blank() {
    return !this.editor.ready || this.editor.canvas.counts[0] === this.editor.canvas.map.data.length;
  }

  get classColors() {
    const colors = [];
    for (const { index, color } of this.editor.labels.known.values()) colors[index] = parseHex(color);
    return colors;
  }

  /* The answer around a PNG in base64. */
  answer(picture) {
    const { map } = this.editor.canvas;
    const labels = this.editor.labels.list.map(({ name, color }) => [name, { color }]);
    const value = {
      inputImageProperties: { height: map.height, width: map.width },
      labelMappings: Object.fromEntries(labels),
      labeledImage: { pngImageData: picture },
    };
    if (this.first) value.initialValueModified = !equal(this.first, map.data);
    return value;
  }

  /* The answer, at once; null until the picture is open. */
  get value() {
    if (!this.editor.ready) return null;
    const { map, counts } = this.editor.canvas;
    this.encoded ??= toBase64(encodeNow(map, counts, this.classColors));
    return this.answer(this.encoded);
  }

  /* The answer, made without holding up the page. */
  async collect() {
    const { map, counts } = this.editor.canvas;
    return this.answer(await encode(map, counts, this.classColors));
  }

  /* Take everything away, in an action. */
  clear() {
    this.editor.clear([...this.editor.labels.known.values()].map(({ index }) => index));
  }
}

function equal(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function toBase64(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += 0x6000) out += btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000)));
  return out;
}
