/* Texts of the page, in the language of the reader; English where there is none. */

const LANGUAGES = ["en", "de"];
let texts = {};

export const language = () => {
  const asked = [document.documentElement.lang, ...navigator.languages].map((tag) => (tag ?? "").slice(0, 2).toLowerCase());
  return asked.find((tag) => LANGUAGES.includes(tag)) ?? "en";
};

export async function loadTexts(wanted = language()) {
  const name = LANGUAGES.includes(wanted) ? wanted : "en";
  const answer = await fetch(new URL(`../messages.${name}.json`, import.meta.url));
  texts = await answer.json();
  return name;
}

/* A text with its {values} filled in. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/* Isolated, so that a name written from right to left turns nothing around it. */
export const isolated = (name) => `\u2068${name}\u2069`;
