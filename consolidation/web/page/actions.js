/* What keys and buttons do. */

import { dropSpecks, fillHoles, grow, shrink, smooth } from "../painting/regions.js";
import { region, whole } from "../painting/flood.js";
import { Gaps } from "../painting/gaps.js";
import { HELD, labelOf, nameOf } from "./keys.js";

const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STEP = 0.1;
/* Share of the screen that an arrow moves by. */

export class Actions {
  constructor(editor, tools, keys, pointers) {
    Object.assign(this, { editor, tools, keys, pointers });
    this.gaps = null;
    this.before = null;
    const { view } = editor;
    const zoom = (factor) => () => this.see(() => view.zoom(view.scale * factor));
    this.table = {
      "key.swap": () => this.swap(),
      "key.smaller": () => editor.set("size", Math.min(editor.size - 1, Math.round(editor.size / 1.25))),
      "key.larger": () => editor.set("size", Math.max(editor.size + 1, Math.round(editor.size * 1.25))),
      "key.mode": () => editor.nextMode(),
      "key.lock": () => editor.label && editor.toggleLock(editor.label),
      "key.fainter": () => editor.setLook({ opacity: Math.max(0, editor.look.opacity - 0.1) }),
      "key.stronger": () => editor.setLook({ opacity: Math.min(1, editor.look.opacity + 0.1) }),
      undo: () => editor.undo(),
      redo: () => editor.redo(),
      "view.outlines": () => editor.setLook({ outlines: !editor.look.outlines }),
      "view.gaps": () => editor.setLook({ gaps: !editor.look.gaps }),
      "view.hide": () => editor.setLook({ hidden: !editor.look.hidden }),
      "zoom.in": zoom(1.5),
      "zoom.out": zoom(1 / 1.5),
      "zoom.fit": () => this.see(() => view.fit()),
      "zoom.actual": () => this.see(() => view.zoom(editor.look.ratio)),
      "rest.next": () => this.nextGap(),
      rest: () => this.paintRest(),
    };
    for (const name of tools.keys()) this.table[`tool.${name}`] = () => this.use(name);
  }

  run(action) {
    if (this.editor.ready && !this.editor.busy) this.table[action]?.();
  }

  use(name) {
    this.editor.use(this.tools.get(name));
  }

  /* Between eraser and the tool before it. */
  swap() {
    const { tool } = this.editor;
    if (tool.name === "eraser") this.use(this.before ?? "brush");
    else {
      this.before = tool.name;
      this.use("eraser");
    }
  }

  choose(label) {
    this.editor.set("label", label);
    if (["eraser", "pick", "pan"].includes(this.editor.tool.name)) this.use("brush");
  }

  see(move) {
    move();
    this.editor.notify("view");
    this.editor.refresh();
  }

  nextGap() {
    const { canvas, view, revision } = this.editor;
    if (this.gaps?.revision !== revision) this.gaps = { revision, walk: new Gaps(canvas.map) };
    const box = this.gaps.walk.next();
    if (!box) return;
    this.editor.setLook({ gaps: true });
    this.see(() => view.show(box));
  }

  paintRest() {
    const { canvas, label } = this.editor;
    if (!label || canvas.counts[0] === 0) return;
    const { width, height } = canvas.map;
    canvas.begin(label.index, 0, "unpainted");
    for (let y = 0; y < height; y++) canvas.span(y, 0, width - 1);
    canvas.tell();
    canvas.commit();
  }

  /* An action on the region at a place; returns whether it changed anything. */
  onRegion(kind, [x, y], { all = false, most = 0, label = 0 } = {}) {
    const { canvas } = this.editor;
    const { map } = canvas;
    [x, y] = [Math.floor(x), Math.floor(y)];
    if (!map.has(x, y)) return false;
    const from = map.at(x, y);
    const selection = all ? whole(map, from) : region(map, x, y);
    const kinds = {
      holes: () => fillHoles(map, selection, most),
      specks: () => dropSpecks(map, from, most),
      grow: () => grow(map, selection),
      shrink: () => shrink(map, selection),
      smooth: () => smooth(map, selection),
    };
    if (kind in kinds) {
      const { places, classes } = kinds[kind]();
      canvas.begin(0, from, "everything");
      canvas.assign(places, classes);
    } else {
      canvas.begin(kind === "delete" ? 0 : label, from, "everything");
      canvas.stamp(selection.box, selection.mask);
    }
    return canvas.commit();
  }

  /* Correct the region at a place by clicks. */
  refine(place) {
    const [x, y] = place.map(Math.floor);
    const { map } = this.editor.canvas;
    this.use("auto");
    this.tools.get("auto").refine(region(map, x, y), map.at(x, y));
  }

  /* A key that is pressed; returns whether it meant something. */
  keyDown(event) {
    const { editor, keys, pointers } = this;
    if (!editor.ready || editor.busy) return false;
    if (event.key === "Alt") pointers.held.erase = true;
    const name = nameOf(event);
    const action = keys.action(name) ?? keys.action(name.replace("Shift+", ""));
    const short = action?.replace("key.", "");
    if (["accept", "back", "cancel", "alternative"].includes(short)) return editor.tool.key(short, event);
    if (HELD.has(action)) {
      if (!event.repeat) this.hold(action, true);
      return true;
    }
    if (action && (action in this.table)) {
      this.table[action]();
      return true;
    }
    const label = editor.labels.list[labelOf(name)];
    if (label) this.choose(label);
    else if (ARROWS[event.key] && !event.ctrlKey && !event.altKey) {
      const [dx, dy] = ARROWS[event.key];
      this.see(() => editor.view.pan(dx * STEP * editor.view.width, dy * STEP * editor.view.height));
    } else return false;
    return true;
  }

  keyUp(event) {
    if (event.key === "Alt") this.pointers.held.erase = false;
    const action = this.keys.action(nameOf(event));
    if (HELD.has(action)) this.hold(action, false);
  }

  hold(action, on) {
    if (action === "tool.pan") this.pointers.held.pan = on;
    else this.editor.setLook({ hidden: on });
    this.editor.notify("held");
  }

  /* All keys are up: the window lost its focus. */
  release() {
    this.pointers.held.pan = this.pointers.held.erase = false;
  }
}
