/* <crowd-image-classifier>: one choice for a picture, with an earlier mask drawn over it. */

import { readValue } from "../painting/attributes.js";
import { styleSheet } from "./frame_state.js";
import { make } from "./make.js";
import { openPicture } from "./picture.js";
import { text } from "./texts.js";

const MOST = 10;

export class ImageClassifier extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styleSheet];
  }

  connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.message = make("p.message", { hidden: true });
    this.picture = make("canvas");
    this.mask = make("canvas.mask");
    const stage = make("div.seen", {}, this.picture, this.mask, this.message);
    this.choices = make("div.choices", { role: "radiogroup", ariaLabel: this.getAttribute("header") ?? "" });
    this.comment = make("textarea", { rows: 3, placeholder: this.querySelector("worker-comment")?.getAttribute("placeholder") ?? "" });
    const comment = this.querySelector("worker-comment");
    this.commentPart = make("details", { hidden: !comment }, make("summary", {}, comment?.getAttribute("link-text") ?? text("classifier.comment")), make("slot", { name: "comment" }), this.comment);
    this.opacity = make("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0.6, oninput: () => { this.mask.style.opacity = this.opacity.value; } });
    this.shown = make("input", { type: "checkbox", checked: true, onchange: () => { this.mask.hidden = !this.shown.checked; } });
    this.overlayPart = make("div.overlay-part", { hidden: true }, make("label.check", {}, this.shown, text("classifier.overlay")), make("label.slide", {}, make("span", {}, text("view.opacity")), this.opacity), make("ul.legend"));
    const full = this.querySelector("full-instructions");
    const dialog = make("dialog", {}, make("header", {}, make("h2", {}, full?.getAttribute("header") || text("instructions.title")), make("button.icon", { onclick: () => dialog.close(), ariaLabel: text("close") }, "×")), make("slot", { name: "full" }));
    for (const child of this.children) {
      const slot = { "short-instructions": "short", "full-instructions": "full", "worker-comment": "comment" }[child.localName];
      if (slot) child.slot = slot;
    }
    this.shadowRoot.append(make("div.page.classifier", {},
      make("aside.left", {}, make("h1", {}, this.getAttribute("header") ?? ""), make("slot", { name: "short" }), make("button.link", { hidden: !full, onclick: () => dialog.showModal() }, text("instructions.full"))),
      make("main", {}, stage),
      make("aside.right", {}, this.choices, this.commentPart, this.overlayPart), dialog));
    this.mask.style.opacity = 0.6;
    document.addEventListener("keydown", (event) => this.keyDown(event));
    this.readCategories();
    this.open();
  }

  read(name) {
    try {
      return this.hasAttribute(name) ? readValue(this.getAttribute(name)) : null;
    } catch (error) {
      this.say(text("open.attribute", { attribute: name, reason: error.message }));
      return null;
    }
  }

  readCategories() {
    const names = (this.read("categories") ?? []).slice(0, MOST);
    this.fields = names.map((name) => make("input", { type: "radio", name: "choice", value: String(name), onchange: () => this.dispatchEvent(new Event("change", { bubbles: true })) }));
    this.choices.replaceChildren(...this.fields.map((field, i) => make("label.check", {}, field, make("bdi", {}, field.value), make("kbd", {}, String((i + 1) % 10)))));
  }

  async open() {
    try {
      if (!this.getAttribute("src")) return;
      const { bitmap } = await openPicture(this.getAttribute("src"));
      draw(this.picture, bitmap);
    } catch (error) {
      this.say(text("open.failed", { reason: error.message }));
    }
    const overlay = this.read("overlay")?.semanticSegmentation;
    if (!overlay?.src) return;
    try {
      const { bitmap } = await openPicture(overlay.src);
      draw(this.mask, bitmap);
      this.clearWhite();
      this.overlayPart.hidden = false;
      this.overlayPart.querySelector("ul").append(...Object.entries(overlay.labelMappings ?? {}).map(([name, { color }]) => {
        const swatch = make("span.swatch");
        swatch.style.background = color;
        return make("li", {}, swatch, make("bdi", {}, name));
      }));
    } catch (error) {
      this.say(text("open.initial", { reason: error.message }));
    }
  }

  /* A consolidated mask is white where there is nothing. This only shows it; nothing is read from it. */
  clearWhite() {
    const context = this.mask.getContext("2d");
    const image = context.getImageData(0, 0, this.mask.width, this.mask.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) if (pixels[i] === 0xffffffff) pixels[i] = 0;
    context.putImageData(image, 0, 0);
  }

  say(words) {
    this.message.textContent = words;
    this.message.hidden = false;
  }

  keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.composedPath()[0].matches?.("textarea, input:not([type=radio], [type=range], [type=checkbox])")) return;
    const digit = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : -1;
    if (this.fields[digit]) {
      this.fields[digit].checked = true;
      this.fields[digit].dispatchEvent(new Event("change"));
    }
  }

  get value() {
    const chosen = this.fields?.find((field) => field.checked);
    if (!chosen) return null;
    const comment = this.comment.value.trim();
    return { label: chosen.value, ...(comment && { workerComment: comment }) };
  }

  get lacking() {
    return this.value === null;
  }

  addTo(answer, name) {
    if (this.value) answer[name] = this.value;
  }
}

function draw(canvas, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}
