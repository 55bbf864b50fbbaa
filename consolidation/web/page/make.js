/* Elements of the page, made in one line. */

/* `make("button.wide", {title: ..., onclick: ...}, "text", child)`. */
export function make(kind, properties = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  if (tag === "button") made.type = "button";
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name.startsWith("on") || name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export const press = (button, on) => button.setAttribute("aria-pressed", String(on));

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  brush: "M14.5 3.5l6 6-8.2 8.2-6-6zM6 12.5c-3 .8-2.6 4-4 6.5 3.2 1.5 7.6.6 8.5-2.5",
  eraser: "M14 4l6.5 6.5-8.5 8.5H7L3.5 15.5zM8.7 9.3l6.5 6.5M12 19h9",
  polygon: "M5 17L4 8l8-4 8 6-3 9zM5 17m-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0M12 4m-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0M20 10m-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0",
  auto: "M5 19L16 8M14.5 4v3M20 9.5h-3M19 5l-2 2M8 4.5v3M6.5 6h3M18 15v3M16.5 16.5h3",
  fill: "M10.5 3.5l8.5 8.5-7 7-8.5-8.5zM4 11h14.5M20.5 15.5c1 1.5 1.5 2.4 1.5 3.2a1.5 1.5 0 0 1-3 0c0-.8.5-1.7 1.5-3.2z",
  pick: "M13 6.5l4.5 4.5M11.5 8l-8 8V20.5H8l8-8M14.5 8.5l3-4a2 2 0 0 1 3 3l-4 3",
  pan: "M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5",
  undo: "M8 5L3.5 9.5 8 14M4 9.5h10a5.5 5.5 0 0 1 0 11h-4",
  redo: "M16 5l4.5 4.5L16 14M20 9.5H10a5.5 5.5 0 0 0 0 11h4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlock: "M6 11h12v9H6zM8.5 11V7a3.5 3.5 0 0 1 6.8-1",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  keys: "M3 6.5h18v11H3zM6.5 10h.01M10 10h.01M13.5 10h.01M17 10h.01M8 14h8",
  info: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 11v5.5M12 7.5h.01",
  close: "M6 6l12 12M18 6L6 18",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
