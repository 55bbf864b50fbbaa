/* What all elements of a frame share. */

import { Keys } from "./keys.js";
import { Link } from "./link.js";

export const link = new Link();
export const keys = new Keys();
export const styleSheet = new CSSStyleSheet();

export async function loadStyle() {
  const answer = await fetch(new URL("../page.css", import.meta.url));
  styleSheet.replaceSync(await answer.text());
}
