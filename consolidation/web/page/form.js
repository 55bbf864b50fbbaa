/* <crowd-form>: gathers what is inside it and sends it to the shell. */

import { link, styleSheet } from "./frame_state.js";
import { make } from "./make.js";
import { text } from "./texts.js";
import { answerOf, missing } from "./answer.js";

const FIRST_WAIT = 2;
const LONGEST_WAIT = 60;
/* Seconds until a failed answer is sent again. */

export class Form extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styleSheet];
    this.busy = false;
    this.wait = FIRST_WAIT;
  }

  connectedCallback() {
    if (this.bar) return;
    this.state = make("span.state", { role: "status" });
    this.again = make("button", { hidden: true, onclick: () => this.send() }, text("submit.again"));
    this.blank = make("button.quiet", { hidden: true, onclick: () => this.nothing() }, text("nothing"));
    this.button = make("button.submit", { onclick: () => this.submit() }, text("submit"), make("kbd", {}, "Ctrl+Enter"));
    this.bar = make("footer.bar", {}, this.state, this.again, make("span.space"), this.blank, this.button);
    this.dialog = make("dialog.ask");
    this.shadowRoot.append(make("slot"), this.bar, this.dialog);
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("input", () => this.changed());
    this.addEventListener("change", () => this.changed());
    link.addEventListener("saved", ({ detail }) => this.saved(detail));
    link.addEventListener("draft", ({ detail }) => this.keep(detail));
    window.addEventListener("beforeunload", (event) => { if (this.unsaved) event.preventDefault(); });
    this.sequence = 0;
    this.acknowledged = 0;
  }

  /* Once the elements inside are there. */
  arrange() {
    this.button.hidden = this.querySelector("crowd-button[form-action=submit]") !== null;
    this.blank.hidden = this.masks.length === 0;
    this.toggleAttribute("whole", this.children.length > 0 && [...this.children].every((child) => child.matches("crowd-semantic-segmentation, crowd-image-classifier, script, style, link, template, [hidden]")));
  }

  get masks() {
    return [...this.querySelectorAll("crowd-semantic-segmentation")];
  }

  get unsaved() {
    return this.acknowledged < this.sequence;
  }

  clicked(event) {
    // not the buttons inside of our elements
    const button = event.composedPath().find((node) => node.matches?.("button, input[type=submit], crowd-button") && node.getRootNode() === this.getRootNode());
    if (!button) return;
    const submits = button.localName === "crowd-button" ? button.getAttribute("form-action") === "submit" : button.type === "submit" && !button.form;
    if (submits) this.submit();
  }

  /* As a form does: the event first, which a template's script may stop. */
  async submit() {
    if (this.busy) return;
    if (this.masks.some((mask) => !mask.editor.ready || mask.editor.busy)) {
      this.tell(text("submit.early"), true);
      return;
    }
    const field = missing(this);
    if (field) {
      this.tell(text("submit.required", { field: field.getAttribute("label") ?? field.name ?? "" }));
      field.focus();
      return;
    }
    const painting = this.masks.filter((mask) => mask.blank && !mask.editor.nothing);
    if (painting.length && !(await this.ask(text("nothing.ask")))) return;
    if (!this.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }))) return;
    await this.send();
  }

  /* The worker says that there is nothing to paint. */
  async nothing() {
    if (this.busy) return;
    if (this.masks.some((mask) => !mask.blank)) {
      if (!(await this.ask(text("nothing.painted")))) return;
      for (const mask of this.masks) mask.clear();
    }
    for (const mask of this.masks) mask.editor.nothing = true;
    await this.submit();
  }

  ask(question) {
    return new Promise((resolve) => {
      const answer = (value) => () => this.dialog.close(value);
      this.dialog.replaceChildren(make("p", {}, question), make("div.buttons", {},
        make("button", { onclick: answer("no") }, text("nothing.no")),
        make("button.submit", { onclick: answer("yes") }, text("nothing.yes"))));
      this.dialog.onclose = () => resolve(this.dialog.returnValue === "yes");
      this.dialog.returnValue = "no";
      this.dialog.showModal();
    });
  }

  async send() {
    if (link.alone) {
      this.tell(text("submit.nowhere"));
      return;
    }
    clearTimeout(this.timer);
    clearTimeout(this.typing);
    this.hold(true, text("submit.packing"));
    try {
      const answer = await answerOf(this);
      this.tell(text("submit.sending"));
      await link.ask("submit", { answer });
      this.wait = FIRST_WAIT;
      this.acknowledged = this.sequence;
      this.hold(false, text("submit.sent"));
      this.dispatchEvent(new CustomEvent("sent"));
    } catch (error) {
      this.hold(false, text("submit.failed", { reason: error.message, seconds: this.wait }));
      this.again.hidden = false;
      this.timer = setTimeout(() => this.send(), 1000 * this.wait);
      this.wait = Math.min(LONGEST_WAIT, 2 * this.wait);
    }
  }

  /* While the answer is on its way nothing is painted. */
  hold(busy, words) {
    this.busy = busy;
    this.button.disabled = this.blank.disabled = busy;
    this.again.hidden = true;
    for (const mask of this.masks) mask.editor.busy = busy;
    this.tell(words);
  }

  tell(words, failed = false) {
    this.state.textContent = words;
    this.state.classList.toggle("failed", failed);
  }

  /* Other fields changed: they are part of the draft too. */
  changed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.keep({ element: null }), 300);
  }

  /* Hand a change to the shell, at once. */
  keep(change) {
    if (link.alone || this.busy) return;
    this.sequence++;
    clearTimeout(this.timer);
    this.again.hidden = true;
    this.tell(text("draft.saving"));
    link.send("draft", { ...change, sequence: this.sequence, fields: fieldsOf(this) });
  }

  saved({ sequence, reason }) {
    if (reason) this.tell(text("draft.failed", { reason }), true);
    else {
      this.acknowledged = Math.max(this.acknowledged, sequence);
      if (!this.unsaved && !this.busy) this.tell(text("draft.saved"));
    }
  }

  restore(draft) {
    for (const [name, index, value] of draft?.fields ?? []) {
      const field = [...this.querySelectorAll(FIELDS)].filter((each) => each.getAttribute("name") === name)[index];
      if (!field) continue;
      if (typeof value === "boolean") field.checked = value;
      else field.value = value;
    }
  }
}

const FIELDS = "input[name], textarea[name], select[name], crowd-input[name], crowd-text-area[name], crowd-checkbox[name], crowd-radio-button[name], crowd-slider[name]";

/* Name, position among those of the name, and value of every field. */
function fieldsOf(form) {
  const counts = new Map();
  return [...form.querySelectorAll(FIELDS)].map((field) => {
    const name = field.getAttribute("name");
    const index = counts.get(name) ?? 0;
    counts.set(name, index + 1);
    const checks = field.matches("[type=checkbox], [type=radio], crowd-checkbox, crowd-radio-button");
    return [name, index, checks ? field.checked : field.type === "file" ? "" : String(field.value)];
  });
}
