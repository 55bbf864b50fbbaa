/* How picture and labels are shown; nothing here changes the mask. */

import { make, press } from "./make.js";
import { text } from "./texts.js";
import { shareOf } from "./label_list.js";

const SLIDERS = [
  ["opacity", 0, 1, 0.6],
  ["brightness", -0.5, 0.5, 0],
  ["contrast", 0.25, 4, 1],
  ["gamma", 0.25, 4, 1],
];
const SWITCHES = [["outlines", "view.outlines"], ["hidden", "view.hide"], ["gaps", "view.gaps"], ["patterns", null]];

export class Look {
  constructor(editor, actions, keys) {
    Object.assign(this, { editor, actions, keys });
    this.sliders = new Map();
    this.switches = new Map();
    const rows = SLIDERS.map(([name, min, max, start]) => {
      // what multiplies is moved in shares
      const log = min > 0;
      const input = make("input", { type: "range", min: log ? Math.log2(min) : min, max: log ? Math.log2(max) : max, step: 0.05,
        oninput: () => editor.setLook({ [name]: log ? 2 ** input.value : Number(input.value) }),
        ondblclick: () => editor.setLook({ [name]: start }) });
      this.sliders.set(name, { input, log });
      return make("label.slide", {}, make("span", {}, text(`view.${name}`)), input);
    });
    const buttons = SWITCHES.map(([name, action]) => {
      const hint = make("kbd", { hidden: !action });
      const words = text(name === "hidden" ? "view.hide" : `view.${name}`);
      const button = make("button.switch", { onclick: () => editor.setLook({ [name]: !editor.look[name] }) }, words, hint);
      this.switches.set(name, { button, hint, action });
      return button;
    });
    this.left = make("span");
    this.next = make("button.small", { onclick: () => actions.run("rest.next"), title: text("rest.next") }, text("rest.next"), make("kbd"));
    this.rest = make("button.small", { onclick: () => actions.run("rest") });
    this.gaps = make("div.gaps", {}, this.left, this.next, this.rest);
    this.node = make("section", { ariaLabel: text("view") }, this.gaps, make("h2", {}, text("view")), make("div.switches", {}, ...buttons), ...rows);
    this.show();
  }

  show() {
    const { editor, keys } = this;
    for (const [name, { input, log }] of this.sliders) {
      const value = log ? Math.log2(editor.look[name]) : editor.look[name];
      if (Math.abs(input.value - value) > 0.026) input.value = value;
    }
    for (const [name, { button, hint, action }] of this.switches) {
      press(button, editor.look[name]);
      if (action) hint.textContent = keys.of(action);
    }
    if (!editor.ready) return;
    const { counts, map } = editor.canvas;
    this.left.textContent = counts[0] ? text("rest.left", { share: shareOf(counts[0], map.data.length) }) : text("rest.none");
    this.next.disabled = this.rest.disabled = counts[0] === 0;
    this.next.lastChild.textContent = keys.of("rest.next");
    const label = editor.label?.name ?? "";
    const [before, after] = text("rest", { label: "\u0000" }).split("\u0000");
    this.rest.replaceChildren(make("span", {}, before, make("bdi", {}, label), after), make("kbd", {}, keys.of("rest")));
    this.rest.hidden = !editor.label;
  }
}
