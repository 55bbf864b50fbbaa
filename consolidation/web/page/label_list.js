/* The labels: which is in hand, how much of each there is, which are locked. */

import { icon, make, press } from "./make.js";
import { isolated, text } from "./texts.js";

const MANY = 12;

export class LabelList {
  constructor(editor, actions) {
    Object.assign(this, { editor, actions });
    this.rows = new Map();
    this.find = make("input", { type: "search", placeholder: text("labels.find"), ariaLabel: text("labels.find"), oninput: () => this.filter() });
    this.list = make("ul.labels", { role: "list" });
    this.none = make("p.quiet", { hidden: true }, text("labels.none"));
    this.node = make("section", { ariaLabel: text("labels") }, make("h2", {}, text("labels")), this.find, this.none, this.list);
    this.build();
  }

  build() {
    this.rows.clear();
    const { editor, actions } = this;
    this.list.replaceChildren(...editor.labels.list.map((label, i) => {
      const swatch = make("span.swatch");
      swatch.style.background = label.color;
      const share = make("span.share");
      const hint = i < 9 ? String(i + 1) : i < 18 ? `⇧${i - 8}` : "";
      const choose = make("button.label", { onclick: () => actions.choose(label), title: label.name },
        swatch, make("bdi", {}, label.name), share, make("kbd", { hidden: !hint }, hint));
      const lock = make("button.lock", { onclick: () => editor.toggleLock(label) });
      this.rows.set(label.name, { choose, share, lock, row: make("li", {}, choose, lock) });
      return this.rows.get(label.name).row;
    }));
    this.find.hidden = editor.labels.list.length <= MANY;
    this.filter();
    this.show();
  }

  filter() {
    const wanted = this.find.hidden ? "" : this.find.value.trim().toLocaleLowerCase();
    let found = 0;
    for (const [name, { row }] of this.rows) {
      row.hidden = !name.toLocaleLowerCase().includes(wanted);
      if (!row.hidden) found++;
    }
    this.none.hidden = found > 0 || !this.rows.size;
  }

  show() {
    const { editor } = this;
    const { canvas } = editor;
    for (const label of editor.labels.list) {
      const { choose, share, lock } = this.rows.get(label.name) ?? {};
      if (!choose) continue;
      const locked = canvas?.locked.has(label.index) ?? false;
      press(choose, editor.label === label);
      share.textContent = canvas ? shareOf(canvas.counts[label.index], canvas.map.data.length) : "";
      press(lock, locked);
      if (lock.dataset.locked !== String(locked)) {
        lock.dataset.locked = String(locked);
        lock.replaceChildren(icon(locked ? "lock" : "unlock"));
      }
      lock.title = lock.ariaLabel = text(locked ? "labels.unlock" : "labels.lock", { label: isolated(label.name) });
    }
  }

  /* Bring the label in hand into sight. */
  reveal() {
    this.rows.get(this.editor.label?.name)?.row.scrollIntoView({ block: "nearest" });
  }
}

/* A share in per cent that never hides that there is something, or something else. */
export function shareOf(pixels, all) {
  if (pixels === 0) return "";
  const share = (100 * pixels) / all;
  if (share < 0.1) return "<0.1%";
  if (share >= 99.5 && pixels < all) return ">99%";
  return `${share < 9.95 ? share.toFixed(1) : Math.round(share)}%`;
}
