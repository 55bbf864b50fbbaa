/* The element's insides: tools, stage, labels, and what is said below. */

import { Actions } from "./actions.js";
import { AutoSegment } from "./auto_tool.js";
import { keyTable } from "./key_table.js";
import { LabelList } from "./label_list.js";
import { keys, link } from "./frame_state.js";
import { Look } from "./look.js";
import { icon, make } from "./make.js";
import { Options } from "./options.js";
import { Pointers } from "./pointers.js";
import { Polygon } from "./polygon_tool.js";
import { Rail } from "./rail.js";
import { regionMenu } from "./region_menu.js";
import { isolated, text } from "./texts.js";
import { Brush, Fill, Pan, Pick } from "./tools.js";

const SAID = 6000;
/* Milliseconds that a passing message stays. */

export class Layout {
  constructor(host) {
    this.host = host;
    const { editor } = this;
    this.surface = make("canvas");
    this.overlay = make("canvas.overlay");
    this.stage = make("div.stage", { tabIndex: 0, role: "application", ariaLabel: text("stage"), dir: "ltr" }, this.surface, this.overlay);
    this.curtain = make("p.curtain", { hidden: true });
    this.message = make("p.message", { role: "status", hidden: true });
    this.hint = make("p.hint", { role: "status" });
    this.spoken = make("p.spoken", { ariaLive: "polite" });
    this.hiddenSign = make("p.sign", { hidden: true }, text("view.hidden"));
    this.pointers = new Pointers(editor, this.stage);
    this.tools = new Map([
      new Brush(editor, "brush"), new Brush(editor, "eraser", true), new Polygon(editor, "polygon"),
      new AutoSegment(editor, "auto", link), new Fill(editor, "fill"), new Pick(editor, "pick"), new Pan(editor, "pan"),
    ].map((tool) => [tool.name, tool]));
    editor.tool = this.tools.get("brush");
    this.actions = new Actions(editor, this.tools, keys, this.pointers);
    this.rail = new Rail(editor, this.actions, keys);
    this.options = new Options(editor, this.actions, keys);
    this.labels = new LabelList(editor, this.actions);
    this.look = new Look(editor, this.actions, keys);
    this.node = make("div.page", {}, this.left(), this.middle(), make("aside.right", {}, this.labels.node, this.look.node), this.full());
    this.listen();
  }

  get editor() {
    return this.host.editor;
  }

  left() {
    this.heading = make("h1", { dir: "auto" });
    this.link = make("button.link", { onclick: () => this.dialog.showModal() }, text("instructions.full"));
    this.short = make("aside.left", {}, this.heading, make("slot", { name: "short" }), this.link);
    return this.short;
  }

  middle() {
    this.place = make("span.place");
    this.under = make("bdi");
    this.zoom = make("output");
    const button = (action, picture) => make("button.icon", { onclick: () => this.actions.run(action), title: text(action), ariaLabel: text(action) }, icon(picture));
    const bar = make("div.status", {}, this.place, this.under, make("span.space"),
      button("zoom.out", "minus"), this.zoom, button("zoom.in", "plus"), button("zoom.fit", "fit"),
      make("button.icon", { onclick: () => this.showKeys(), title: `${text("keys")} (?)`, ariaLabel: text("keys") }, icon("keys")));
    this.drawer = make("button.icon.drawer", { onclick: () => this.node.classList.toggle("open"), title: text("instructions"), ariaLabel: text("instructions") }, icon("info"));
    this.options.node.prepend(this.drawer);
    const frame = make("div.frame", {}, this.stage, this.curtain, this.hint, this.spoken, this.hiddenSign, this.message);
    return make("main", {}, this.options.node, this.rail.node, frame, bar);
  }

  full() {
    const name = make("h2", { dir: "auto" });
    const close = make("button.icon", { onclick: () => this.dialog.close(), title: text("close"), ariaLabel: text("close") }, icon("close"));
    this.dialog = make("dialog", {}, make("header", {}, name, close), make("slot", { name: "full" }));
    this.dialog.heading = name;
    return this.dialog;
  }

  title(words) {
    this.heading.textContent = words;
    this.heading.hidden = !words;
  }

  /* Show what instructions there are. */
  instructions() {
    const full = this.host.querySelector(":scope > full-instructions");
    this.link.hidden = !full;
    this.dialog.heading.textContent = full?.getAttribute("header") || text("instructions.title");
    this.node.classList.toggle("bare", !full && !this.host.querySelector(":scope > short-instructions"));
  }

  attach() {
    this.editor.attach(this.surface, this.overlay, { plain: this.host.hasAttribute("plain") });
    new ResizeObserver(() => this.resize()).observe(this.stage);
    this.resize();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.stage;
    if (clientWidth && clientHeight) this.editor.resize(Math.round(clientWidth * ratio), Math.round(clientHeight * ratio), ratio);
  }

  listen() {
    const { editor } = this;
    editor.addEventListener("change", ({ detail }) => this.show(detail));
    editor.addEventListener("pointed", ({ detail }) => this.point(detail));
    editor.addEventListener("menu", ({ detail }) => regionMenu(this, detail));
    editor.addEventListener("lost", () => this.replaceSurface());
    document.addEventListener("keydown", (event) => this.keyDown(event));
    document.addEventListener("keyup", (event) => this.actions.keyUp(event));
    window.addEventListener("blur", () => this.actions.release());
  }

  /* The graphics card is gone: go on without it. */
  replaceSurface() {
    const fresh = make("canvas");
    fresh.width = this.surface.width;
    fresh.height = this.surface.height;
    this.surface.replaceWith(fresh);
    this.surface = fresh;
    this.editor.attach(fresh, this.overlay, { plain: true });
  }

  /* Of several elements on a page the keys are for the one in use, else for the first. */
  get addressed() {
    const used = document.activeElement?.closest("crowd-semantic-segmentation");
    return (used ?? document.querySelector("crowd-semantic-segmentation")) === this.host;
  }

  keyDown(event) {
    if (!this.addressed) return;
    const target = event.composedPath()[0];
    if (event.defaultPrevented || (target.matches?.("input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]"))) return;
    if (this.node.getRootNode().querySelector("dialog[open], [popover]:popover-open") || document.querySelector("dialog[open]")) return;
    const pressed = target.closest?.("button, a, summary, input");
    if (pressed && ["Enter", " ", "Tab"].includes(event.key) && pressed !== this.stage) return;
    if (target.matches?.("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (event.key === "Tab" && target !== this.stage) return;
    const action = keys.action(event.key);
    if (action === "keys") this.showKeys();
    else if (keys.action(event.ctrlKey && event.key === "Enter" ? "Ctrl+Enter" : event.key) === "key.submit") this.host.form?.submit();
    else if (action === "key.region" || event.key.toUpperCase() === keys.of("key.region")) this.menuAtPointer();
    else if (!this.actions.keyDown(event)) return;
    event.preventDefault();
  }

  menuAtPointer() {
    const { last: place } = this.pointers;
    if (!place) return;
    const box = this.stage.getBoundingClientRect();
    const [x, y] = this.editor.view.toScreen(...place);
    const { ratio } = this.editor.look;
    regionMenu(this, { place, x: box.left + x / ratio, y: box.top + y / ratio });
  }

  showKeys() {
    keyTable(this, keys, (chosen) => {
      link.send("keys", { keys: chosen });
      this.show("keys");
    });
  }

  show(what) {
    const { editor } = this;
    const all = what === "keys" || what === "open";
    if (what === "labels") this.labels.build();
    if (all || ["tool", "history", "counts", "labels"].includes(what)) this.rail.show();
    if (all || ["tool", "size", "square", "gap", "mode", "pressure", "auto"].includes(what)) this.options.show();
    if (all || ["label", "counts"].includes(what)) this.labels.show();
    if (what === "label") this.labels.reveal();
    if (all || ["look", "counts", "label", "labels"].includes(what)) this.look.show();
    if (all || what === "view") this.zoom.textContent = `${Math.round((100 * editor.view.scale) / editor.look.ratio)} %`;
    this.hiddenSign.hidden = !editor.look.hidden;
    this.tell(what);
    this.speak(what);
    if (what === "counts" || what === "history") this.point(this.pointers.last);
    this.stage.dataset.tool = this.pointers.held.pan ? "pan" : editor.tool.name;
  }

  /* What the tool does, until it is used; what it waits for, for as long as it does. */
  tell(what) {
    const { tool } = this.editor;
    if (what === "tool" || what === "open") this.used = false;
    if (what === "counts") this.used = true;
    const pending = tool.hint?.();
    this.hint.textContent = pending ?? text(`hint.${tool.name}`);
    this.hint.hidden = this.used && !pending;
  }

  /* Say what a key has changed to those who do not see it. */
  speak(what) {
    const { editor } = this;
    const words = {
      tool: () => text(`tool.${editor.tool.name}`),
      label: () => editor.label?.name ?? "",
      size: () => text("size.pixels", { size: editor.size }),
      mode: () => `${text("mode")} ${text(`mode.${editor.mode}`)}`,
    }[what];
    if (words) this.spoken.textContent = words();
  }

  point(place) {
    const inside = place && this.editor.ready && this.editor.canvas.map.has(Math.floor(place[0]), Math.floor(place[1]));
    this.place.textContent = inside ? text("pointed.at", { x: Math.floor(place[0]), y: Math.floor(place[1]) }) : "";
    this.under.textContent = inside ? this.editor.labels.of(this.editor.at(place))?.name ?? text("labels.unpainted") : "";
  }

  wait(words) {
    this.curtain.className = "curtain";
    this.curtain.textContent = words;
    this.curtain.hidden = false;
  }

  fail(words) {
    this.wait(words);
    this.curtain.className = "curtain failed";
  }

  opened() {
    this.curtain.hidden = true;
    this.show("open");
  }

  /* Say something under the picture; `passing` ones go away by themselves. */
  say(words, passing = false) {
    clearTimeout(this.saying);
    this.message.textContent = words;
    this.message.hidden = !words;
    if (passing) this.saying = setTimeout(() => { this.message.hidden = true; }, SAID);
  }
}

export const named = (label) => isolated(label.name);
