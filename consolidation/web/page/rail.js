/* The column of tools beside the picture. */

import { icon, make, press } from "./make.js";
import { text } from "./texts.js";

export const TOOLS = ["brush", "eraser", "polygon", "auto", "fill", "pick", "pan"];

export class Rail {
  constructor(editor, actions, keys) {
    Object.assign(this, { editor, actions, keys });
    this.buttons = new Map();
    this.node = make("div.rail", { role: "toolbar", ariaLabel: text("tools"), ariaOrientation: "vertical" });
    for (const tool of TOOLS) this.add(`tool.${tool}`, tool);
    this.node.append(make("span.space"));
    for (const action of ["undo", "redo"]) this.add(action, action);
    this.show();
  }

  add(action, picture) {
    const hint = make("kbd");
    const button = make("button", { onclick: () => this.actions.run(action) }, icon(picture), hint);
    button.dataset.action = action;
    button.hint = hint;
    this.buttons.set(action, button);
    this.node.append(button);
  }

  show() {
    const { editor, keys } = this;
    for (const [action, button] of this.buttons) {
      const key = keys.of(action);
      button.hint.textContent = key.replace("Ctrl+Shift+", "⌃⇧").replace("Ctrl+", "⌃").replace("Space", "␣");
      button.title = `${text(action)} (${key})`;
      button.ariaLabel = text(action);
      button.setAttribute("aria-keyshortcuts", key.replace("Ctrl", "Control"));
      if (action.startsWith("tool.")) press(button, editor.tool?.name === action.slice(5));
    }
    this.buttons.get("undo").disabled = !editor.canvas?.history.done.length && !editor.tool?.pending;
    this.buttons.get("redo").disabled = !editor.canvas?.history.undone.length;
  }
}
