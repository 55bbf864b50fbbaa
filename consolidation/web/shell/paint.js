/* The shell of `consolidate paint`: goes through the pictures of a folder. */

import { loadTexts, text } from "../page/texts.js";
import { Drafts } from "./drafts.js";
import { FrameHost } from "./frame_host.js";

const about = JSON.parse(document.getElementById("about").textContent);
const $ = (id) => document.getElementById(id);
const language = await loadTexts(about.language || undefined);
document.documentElement.lang = language;
const drafts = await new Drafts().open();
let current = 0;

const host = new FrameHost($("frame"), drafts, {
  language,
  segments: about.segments,
  send: async (answer) => { about.done = (await post(`/answers/${current}`, answer)).done; },
  segment: (request) => post(`/segments/${current}`, request),
  onSent: () => {
    show();
    const next = about.done.indexOf(false, current) >= 0 ? about.done.indexOf(false, current) : about.done.indexOf(false);
    if (next >= 0) open(next);
    else $("notice").textContent = text("paint.all", { out: about.out });
  },
});

async function post(address, content) {
  const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.reason ?? `${answer.status}`);
  return body;
}

function open(number) {
  current = number;
  show();
  $("frame").title = about.pictures[number];
  host.open(about.tasks[number], `/frame/${number}`);
}

function show() {
  const count = about.done.filter(Boolean).length;
  $("previous").disabled = current === 0;
  $("next").disabled = current === about.pictures.length - 1;
  $("done").max = about.pictures.length;
  $("done").value = count;
  $("count").textContent = text("paint.count", { done: count, all: about.pictures.length });
  $("pictures").replaceChildren(...about.pictures.map((name, i) => {
    const option = new Option(`${about.done[i] ? "✓" : "○"} ${name}`, String(i));
    option.selected = i === current;
    return option;
  }));
  document.title = `${about.pictures[current]} · consolidate paint`;
}

for (const [id, step, sign] of [["previous", -1, "‹"], ["next", 1, "›"]]) {
  $(id).textContent = sign;
  $(id).title = $(id).ariaLabel = text(`paint.${id}`);
  $(id).addEventListener("click", () => open(current + step));
}
$("pictures").ariaLabel = text("paint.pictures");
$("done").ariaLabel = text("paint.progress");
$("pictures").addEventListener("change", () => open(Number($("pictures").value)));
open(Math.max(0, about.done.indexOf(false)));
