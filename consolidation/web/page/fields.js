/* The simple elements: a native field each, and what Ground Truth makes of it in an answer. */

import { addChoice } from "./answer.js";
import { styleSheet } from "./frame_state.js";
import { make } from "./make.js";

class Field extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open", delegatesFocus: true }).adoptedStyleSheets = [styleSheet];
  }

  connectedCallback() {
    if (this.field) return;
    const early = Object.hasOwn(this, "value") ? this.value : null;
    delete this.value;
    this.build();
    for (const name of ["placeholder", "min", "max", "step", "rows", "type", "disabled", "pattern"]) {
      if (this.hasAttribute(name)) this.field.setAttribute(name, this.getAttribute(name));
    }
    if (this.hasAttribute("max-length")) this.field.maxLength = Number(this.getAttribute("max-length"));
    if (this.hasAttribute("auto-focus")) this.field.autofocus = true;
    if (early !== null) this.value = early;
    else if (this.hasAttribute("value")) this.initial(this.getAttribute("value"));
    // input events of the inside reach the outside by themselves, change events do not
    this.field.addEventListener("change", () => this.dispatchEvent(new Event("change", { bubbles: true })));
  }

  initial(value) {
    this.field.value = value;
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  get value() {
    return this.field?.value ?? "";
  }

  set value(value) {
    this.field.value = value;
  }

  get lacking() {
    return this.value.trim() === "";
  }

  addTo(answer, name) {
    if (this.value !== "") answer[name] = this.value;
  }
}

export class Input extends Field {
  build() {
    this.field = make("input");
    this.shadowRoot.append(make("label.field", {}, make("span", { hidden: !this.hasAttribute("label") }, this.getAttribute("label") ?? ""), this.field));
  }
}

export class TextArea extends Field {
  build() {
    this.field = make("textarea", { rows: 3 });
    this.shadowRoot.append(make("label.field", {}, make("span", { hidden: !this.hasAttribute("label") }, this.getAttribute("label") ?? ""), this.field));
  }
}

export class Slider extends Field {
  build() {
    this.field = make("input", { type: "range" });
    const shown = make("output");
    this.tell = () => { shown.textContent = this.field.value; };
    this.field.addEventListener("input", this.tell);
    this.shadowRoot.append(make("label.field.row", {}, this.field, shown));
    queueMicrotask(this.tell);
  }

  set value(value) {
    this.field.value = value;
    this.tell();
  }

  get value() {
    return this.field?.value ?? "";
  }

  addTo(answer, name) {
    answer[name] = Number(this.value);
  }
}

export class Checkbox extends Field {
  build() {
    this.field = make("input", { type: this.kind, checked: this.hasAttribute("checked") && this.getAttribute("checked") !== "false" });
    this.shadowRoot.append(make("label.check", {}, this.field, make("slot")));
  }

  get kind() {
    return "checkbox";
  }

  initial() {}

  get checked() {
    return this.field?.checked ?? false;
  }

  set checked(on) {
    this.field.checked = on;
  }

  get value() {
    return this.getAttribute("value") ?? "on";
  }

  set value(value) {
    this.setAttribute("value", value);
  }

  get lacking() {
    return !this.checked;
  }

  addTo(answer, name) {
    addChoice(answer, name, this.value, this.checked);
  }
}

/* Of a group, which stands around it, only one. */
export class RadioButton extends Checkbox {
  get kind() {
    return "radio";
  }

  build() {
    super.build();
    this.field.addEventListener("change", () => {
      for (const other of this.closest("crowd-radio-group")?.querySelectorAll("crowd-radio-button") ?? []) if (other !== this) other.checked = false;
    });
  }

  get value() {
    return this.getAttribute("value") ?? (this.textContent.trim() || "on");
  }
}

export class RadioGroup extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "radiogroup");
  }

  get lacking() {
    return ![...this.querySelectorAll("crowd-radio-button")].some((button) => button.checked);
  }
}

export class Button extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open", delegatesFocus: true }).adoptedStyleSheets = [styleSheet];
  }

  connectedCallback() {
    if (this.button) return;
    const main = this.getAttribute("variant") === "primary" || this.getAttribute("form-action") === "submit";
    this.button = make(main ? "button.submit" : "button", { disabled: this.hasAttribute("disabled") }, make("slot"));
    this.button.addEventListener("click", () => {
      if (this.getAttribute("form-action") === "reset") for (const field of this.closest("crowd-form")?.querySelectorAll("input, textarea, select") ?? []) field.value = field.defaultValue ?? "";
      if (this.hasAttribute("href")) window.open(this.getAttribute("href"), this.getAttribute("target") ?? "_blank", "noopener");
    });
    this.shadowRoot.append(this.button);
  }
}

/* Blocks that only hold text. */
export class Block extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styleSheet];
    const heading = this.getAttribute("heading");
    this.shadowRoot.append(make(`section.block.${this.localName.slice(6)}`, {}, make("h2", { hidden: !heading }, heading ?? ""), make("slot")));
  }
}

export class Alert extends Block {}
export class Card extends Block {}

/* Instructions behind a button. */
export class Instructions extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styleSheet];
    const dialog = make("dialog", {}, make("header", {}, make("h2", {}, this.getAttribute("header") ?? this.getAttribute("link-text") ?? ""), make("button.icon", { onclick: () => dialog.close() }, "×")), make("slot"));
    this.shadowRoot.append(make("button.link", { onclick: () => dialog.showModal() }, this.getAttribute("link-text") ?? "Instructions"), dialog);
  }
}
