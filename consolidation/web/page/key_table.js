/* The table of keys: what there is, and what it may be instead. */

import { DEFAULT_KEYS, HELD, nameOf } from "./keys.js";
import { icon, make } from "./make.js";
import { text } from "./texts.js";

const BARE = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"]);

export function keyTable(layout, keys, onChange) {
  const rows = make("div.keys");
  const close = () => dialog.close();
  const dialog = make("dialog.wide", { onclose: () => dialog.remove() },
    make("header", {}, make("h2", {}, text("keys.title")), make("button.icon", { onclick: close, title: text("close"), ariaLabel: text("close") }, icon("close"))),
    make("p.quiet", {}, text("keys.how")), rows,
    make("p.quiet", {}, `${text("key.labels")} · ${text("key.arrows")}`),
    make("button", { onclick: () => { keys.reset(); changed(); } }, text("keys.reset")));

  function changed() {
    onChange({ ...keys.chosen });
    show();
  }

  function show(asking = null) {
    rows.replaceChildren(...Object.keys(DEFAULT_KEYS).map((action) => {
      const words = action === asking ? text("keys.press") : keys.of(action);
      const button = make("button", { onclick: () => { show(action); }, "data-action": action }, make("kbd", {}, words));
      return make("div.row", {}, make("span", {}, text(action === "rest" ? "key.rest" : action)), make("span.quiet", {}, HELD.has(action) ? text("keys.hold") : ""), button);
    }));
    dialog.onkeydown = asking === null ? null : (event) => {
      if (BARE.has(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      keys.choose(asking, nameOf(event));
      changed();
      rows.querySelector(`[data-action="${asking}"]`).focus();
    };
    if (asking) rows.querySelector(`[data-action="${asking}"]`).focus();
  }

  show();
  layout.node.append(dialog);
  dialog.showModal();
}
