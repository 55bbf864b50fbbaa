/* Pointers on the stage: mouse, pen and fingers become places, strokes, pans and zooms. */

const ERASER_END = 32;
const MIDDLE = 4;
const WHEEL = 0.0016;

export class Pointers {
  constructor(editor, stage) {
    this.editor = editor;
    this.stage = stage;
    this.fingers = new Map();
    this.penSeen = false;
    this.active = null;
    this.panning = false;
    /* Where the pointer was last. */
    this.last = null;
    /* Held keys that change what a pointer does. */
    this.held = { pan: false, erase: false };
    const on = (type, handle, options) => stage.addEventListener(type, handle.bind(this), options);
    on("pointerdown", this.down);
    on("pointermove", this.move);
    on("pointerup", this.up);
    on("pointercancel", this.lost);
    on("pointerleave", this.leave);
    on("wheel", this.wheel, { passive: false });
    on("contextmenu", (event) => event.preventDefault());
  }

  /* Place on the screen, in the device's pixels. */
  onScreen(event) {
    const box = this.box ?? this.stage.getBoundingClientRect();
    const { ratio } = this.editor.look;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  place(event) {
    return this.editor.view.toPicture(...this.onScreen(event));
  }

  modifiers(event) {
    return {
      erase: this.held.erase || event.altKey || (event.pointerType === "pen" && (event.buttons & ERASER_END) !== 0),
      subtract: event.shiftKey,
      straight: event.shiftKey,
      pressure: event.pointerType === "pen" ? event.pressure : 0,
      detail: event.detail,
    };
  }

  /* Whether this pointer moves the picture. */
  pans(event) {
    const finger = event.pointerType === "touch" && this.penSeen;
    return this.held.pan || finger || (event.buttons & MIDDLE) !== 0 || this.editor.tool.name === "pan";
  }

  down(event) {
    const { editor } = this;
    if (!editor.ready || editor.busy) return;
    this.stage.focus({ preventScroll: true });
    if (event.pointerType === "pen") this.penSeen = true;
    if (event.button === 2) {
      editor.dispatchEvent(new CustomEvent("menu", { detail: { place: this.place(event), x: event.clientX, y: event.clientY } }));
      return;
    }
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, this.onScreen(event));
      if (this.fingers.size === 2) {
        // a second finger: this was no stroke
        editor.tool.cancel();
        this.active = null;
        this.pinch = this.pinched();
        return;
      }
    }
    if (this.active !== null) return;
    event.preventDefault();
    this.box = this.stage.getBoundingClientRect();
    try {
      this.stage.setPointerCapture(event.pointerId);
    } catch {
      // a pointer of a test, which the browser does not know
    }
    this.active = event.pointerId;
    this.panning = this.pans(event);
    this.from = this.onScreen(event);
    if (!this.panning) editor.tool.down(this.place(event), this.modifiers(event));
  }

  move(event) {
    const { editor } = this;
    if (!editor.ready || editor.busy) return;
    if (this.fingers.has(event.pointerId)) {
      this.fingers.set(event.pointerId, this.onScreen(event));
      if (this.fingers.size === 2) {
        this.spread();
        return;
      }
    }
    const place = this.last = this.place(event);
    if (event.pointerType !== "touch") {
      editor.tool.hover(place);
      editor.dispatchEvent(new CustomEvent("pointed", { detail: place }));
    }
    if (this.active !== event.pointerId) return;
    if (this.panning) {
      const at = this.onScreen(event);
      editor.view.pan(at[0] - this.from[0], at[1] - this.from[1]);
      this.from = at;
      editor.notify("view");
      editor.refresh();
      return;
    }
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) editor.tool.move(this.place(each), this.modifiers(each));
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.fingers.size < 2) this.pinch = null;
    if (this.active !== event.pointerId) return;
    this.active = null;
    this.box = null;
    if (!this.panning) this.editor.tool.up(this.place(event), this.modifiers(event));
    this.panning = false;
  }

  /* The browser took the pointer away. */
  lost(event) {
    this.fingers.delete(event.pointerId);
    if (this.active !== event.pointerId) return;
    this.active = null;
    this.box = null;
    if (!this.panning) this.editor.tool.up(this.place(event), this.modifiers(event));
    this.panning = false;
  }

  leave() {
    if (this.active !== null || !this.editor.ready) return;
    this.editor.tool.hover(null);
    this.editor.dispatchEvent(new CustomEvent("pointed", { detail: null }));
  }

  pinched() {
    const [a, b] = [...this.fingers.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  }

  spread() {
    const before = this.pinch ?? this.pinched();
    this.pinch = this.pinched();
    const { view } = this.editor;
    view.pan(this.pinch.middle[0] - before.middle[0], this.pinch.middle[1] - before.middle[1]);
    view.zoom(view.scale * (this.pinch.apart / Math.max(1, before.apart)), ...this.pinch.middle);
    this.editor.notify("view");
    this.editor.refresh();
  }

  wheel(event) {
    if (!this.editor.ready) return;
    event.preventDefault();
    const { view } = this.editor;
    const lines = event.deltaMode === 1 ? 30 : 1;
    view.zoom(view.scale * Math.exp(-event.deltaY * lines * WHEEL), ...this.onScreen(event));
    this.editor.notify("view");
    this.editor.refresh();
  }
}
