/* The bar above the picture: what the tool in hand can be told, and what it does. */

import { MODES } from "../painting/canvas.js";
import { LARGEST_BRUSH, WIDEST_GAP } from "./editor.js";
import { make, press } from "./make.js";
import { text } from "./texts.js";

const SIZED = ["brush", "eraser"];
const MODED = ["brush", "eraser", "polygon", "auto"];

/* Sizes grow by shares, so that small ones can be hit. */
const STEPS = 100;
const toSize = (step) => Math.round(LARGEST_BRUSH ** (step / STEPS));
const toStep = (size) => Math.round((STEPS * Math.log(size)) / Math.log(LARGEST_BRUSH));

export class Options {
  constructor(editor, actions, keys) {
    Object.assign(this, { editor, actions, keys });
    this.sizeValue = make("output");
    this.size = make("input", { type: "range", min: 0, max: STEPS, step: 1, oninput: () => editor.set("size", toSize(this.size.value)) });
    this.sizePart = make("label.option.size", {}, make("span", {}, text("size")), this.size, this.sizeValue);
    this.shapes = make("div.choice", { role: "group", ariaLabel: text("shape") },
      ...["round", "square"].map((shape) => make("button", { onclick: () => editor.set("square", shape === "square"), "data-value": shape }, text(`shape.${shape}`))));
    this.gap = make("input", { type: "range", min: 0, max: WIDEST_GAP, step: 1, oninput: () => editor.set("gap", Number(this.gap.value)) });
    this.gapValue = make("output");
    this.gapPart = make("label.option.size", {}, make("span", {}, text("gap")), this.gap, this.gapValue);
    this.pressure = make("input", { type: "checkbox", onchange: () => editor.set("pressure", this.pressure.checked) });
    this.pressurePart = make("label.option", { hidden: true }, this.pressure, make("span", {}, text("pressure")));
    this.modeKey = make("kbd");
    this.modes = make("div.choice", { role: "group", ariaLabel: text("mode") },
      ...MODES.map((mode) => make("button", { onclick: () => editor.set("mode", mode), "data-value": mode }, text(`mode.${mode}`))));
    this.modePart = make("div.option", {}, make("span", {}, text("mode")), this.modes, this.modeKey);
    this.extra = make("div.option");
    this.node = make("div.options", {}, this.sizePart, this.shapes, this.gapPart, this.pressurePart, this.modePart, this.extra);
    this.show();
  }

  show() {
    const { editor } = this;
    const name = editor.tool?.name ?? "brush";
    this.sizePart.hidden = this.shapes.hidden = !SIZED.includes(name);
    this.gapPart.hidden = name !== "fill";
    this.modePart.hidden = !MODED.includes(name);
    this.pressurePart.hidden = !SIZED.includes(name) || !editor.penSeen;
    if (toSize(this.size.value) !== editor.size) this.size.value = toStep(editor.size);
    this.sizeValue.textContent = text("size.pixels", { size: editor.size });
    this.gap.value = editor.gap;
    this.gapValue.textContent = text("size.pixels", { size: editor.gap });
    for (const button of this.shapes.children) press(button, (button.dataset.value === "square") === editor.square);
    for (const button of this.modes.children) press(button, button.dataset.value === editor.mode);
    this.modeKey.textContent = this.keys.of("key.mode");
    this.extra.replaceChildren(...(editor.tool?.buttons?.() ?? []).map(([words, act]) => make("button", { onclick: act }, words)));
    this.extra.hidden = !this.extra.children.length;
  }
}
