/* Actions on the region under the pointer, where the pointer is. */

import { make, press } from "./make.js";
import { isolated, text } from "./texts.js";

const SIZES = [16, 64, 256, 1024, 4096];
let all = false;
let most = 64;

export function regionMenu(layout, { place, x, y }) {
  const { editor, actions } = layout;
  if (!editor.canvas.map.has(Math.floor(place[0]), Math.floor(place[1]))) return;
  const label = editor.labels.of(editor.at(place));
  const menu = make("div.menu", { popover: "auto", role: "menu", ariaLabel: text("region") });
  const act = (kind, options = {}) => () => {
    menu.hidePopover();
    if (!actions.onRegion(kind, place, { all, most, ...options })) layout.say(text("region.nothing"), true);
    layout.stage.focus({ preventScroll: true });
  };
  const scope = make("button.switch", { onclick: () => { all = !all; press(scope, all); } }, text("region.whole"));
  press(scope, all);
  const size = make("select", { ariaLabel: text("region.most", { most: "" }), onchange: () => { most = Number(size.value); } },
    ...SIZES.map((value) => make("option", { value, selected: value === most }, text("region.most", { most: value.toLocaleString() }))));
  const item = (kind, words, options) => make("button", { role: "menuitem", onclick: act(kind, options) }, words);
  const name = label ? isolated(label.name) : text("labels.unpainted");
  const swatch = make("span.swatch");
  swatch.style.background = label?.color ?? "none";
  menu.append(make("h2", {}, swatch, text("region.of", { label: name })), scope);
  if (label) {
    menu.append(make("div.sized", {}, item("holes", text("region.holes")), item("specks", text("region.specks")), size),
      item("grow", text("region.grow")), item("shrink", text("region.shrink")), item("smooth", text("region.smooth")));
  }
  const { label: target } = editor;
  if (target && target !== label) menu.append(item("change", text("region.change", { label: isolated(target.name) }), { label: target.index }));
  if (label && actions.tools.get("auto").there) menu.append(make("button", { role: "menuitem", onclick: () => { menu.hidePopover(); actions.refine(place); } }, text("auto.refine")));
  if (label) menu.append(item("delete", text("region.delete")));
  menu.addEventListener("toggle", ({ newState }) => { if (newState === "closed") menu.remove(); });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("button, select")];
    items[(items.indexOf(layout.host.shadowRoot.activeElement) + step + items.length) % items.length].focus();
  });
  layout.node.append(menu);
  menu.showPopover();
  const { offsetWidth, offsetHeight } = menu;
  menu.style.left = `${Math.max(4, Math.min(x, window.innerWidth - offsetWidth - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, window.innerHeight - offsetHeight - 4))}px`;
  menu.querySelector("[role=menuitem]").focus();
}
