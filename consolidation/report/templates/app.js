/* Which image, which mask, which worker: state and keys. */

const about = JSON.parse(document.getElementById("about").textContent);
const painter = new Painter(about.classes, about.undecided);
const uncounted = new Set(about.workers.filter((one) => !one.votes).map((one) => one.id));
const $ = (id) => document.getElementById(id);
/* A worker's id without what all ids of the job begin with. */
const shortAll = (text) => (about.prefix ? text.replaceAll(about.prefix, "") : text);
const short = (id) => (id.startsWith(about.prefix) ? id.slice(about.prefix.length) : id);

const items = [...document.querySelectorAll("#strip > li")].map((card) => new Item(card));
const modern = "DecompressionStream" in window;
const viewable = modern && items.some((item) => item.has);
const stage = viewable ? new Stage(painter, uncounted, short) : null;
let order = items;
let current = null;
let drawn = null;
let shown = "consensus";
let turn = 0;

/* Plane of what is shown: a worker who did not do this image gives way to the consensus. */
function planeOf(snapshot) {
  if (shown === "confidence") return snapshot.confidence;
  const worker = snapshot.workers.indexOf(shown.startsWith("worker:") ? shown.slice(7) : "");
  return worker < 0 ? snapshot.consensus : worker;
}

async function open(item) {
  const mine = ++turn;
  current = item;
  for (const one of items) one.button.setAttribute("aria-current", String(one === item));
  const strip = $("strip");
  const card = item.card;
  strip.scrollTo({ left: card.offsetLeft - (strip.clientWidth - card.offsetWidth) / 2, behavior: "smooth" });
  const snapshot = item.has ? await item.open() : null;
  if (mine !== turn) return;
  $("view").classList.toggle("empty", !snapshot);
  describe(item, snapshot);
  if (!snapshot) return;
  const changed = item !== drawn;
  drawn = item;
  if (changed) stage.region = -1;
  const plane = planeOf(snapshot);
  stage.show(item.about, snapshot, plane, item.picture);
  if (changed) multiples(item, snapshot);
  for (const button of $("multiples").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.plane) === plane));
  }
  caption(item, snapshot, plane);
  $("opacity").closest("label").hidden = $("layer-picture").hidden = !item.picture;
  fade();
}

/* Without a picture there is nothing to see through to. */
function fade() {
  $("mask").style.opacity = current.picture ? $("opacity").value / 100 : 1;
  $("opacity-value").textContent = `${$("opacity").value} %`;
}

function go(by) {
  const next = order.indexOf(current) + by;
  if (order[next]) open(order[next]);
}

function setLayer(name, on) {
  stage.layers[name] = on;
  $(`layer-${name}`).setAttribute("aria-pressed", String(on));
  stage.refresh();
}

/* Put the images where a worker departs most first. */
function chooseWorker(id) {
  const agreement = (item) => item.agreement.get(id) ?? 2;
  order = id === "" ? items : items.filter((item) => item.agreement.has(id)).sort((a, b) => agreement(a) - agreement(b));
  for (const item of items) item.card.hidden = !order.includes(item);
  $("strip").append(...order.map((item) => item.card));
  items.forEach((item) => {
    const value = item.agreement.get(id);
    item.card.querySelector(".departs").textContent = id && value != null ? `IoU ${value.toFixed(2)}` : "";
  });
  $("nobody").hidden = order.length > 0;
  $("worker").value = String(about.workers.findIndex((one) => one.id === id));
  shown = id === "" ? "consensus" : `worker:${id}`;
  if (order.length) open(order[0]);
}

function nextWorker() {
  if (!stage.snapshot) return;
  const { workers } = stage.snapshot;
  const at = workers.indexOf(shown.startsWith("worker:") ? shown.slice(7) : "");
  shown = `worker:${workers[(at + 1) % workers.length]}`;
  open(current);
}

const KEYS = {
  ArrowRight: () => go(1),
  ArrowLeft: () => go(-1),
  j: () => go(1),
  k: () => go(-1),
  c: () => { shown = "consensus"; open(current); },
  h: () => { shown = "confidence"; open(current); },
  w: nextWorker,
};
const LAYER_KEYS = { p: "picture", m: "mask", d: "disputed", r: "regions", n: "names" };
const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, .scroll")) return;
  if (event.target === stage.frame && event.shiftKey && STEPS[event.key]) {
    event.preventDefault();
    stage.nudge(...STEPS[event.key]);
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (LAYER_KEYS[key]) setLayer(LAYER_KEYS[key], !stage.layers[LAYER_KEYS[key]]);
  else if (KEYS[key] && !event.shiftKey) KEYS[key]();
  else return;
  event.preventDefault();
}

function start() {
  document.documentElement.classList.add("live");
  for (const item of items) item.button.addEventListener("click", () => open(item));
  for (const button of document.querySelectorAll("[data-worker]")) {
    button.addEventListener("click", () => { chooseWorker(about.workers[button.dataset.worker].id); $("images").scrollIntoView(); });
  }
  $("worker").addEventListener("change", (event) => chooseWorker(about.workers[event.target.value]?.id ?? ""));
  $("previous").addEventListener("click", () => go(-1));
  $("next").addEventListener("click", () => go(1));
  for (const name of Object.values(LAYER_KEYS)) $(`layer-${name}`).addEventListener("click", () => setLayer(name, !stage.layers[name]));
  $("opacity").addEventListener("input", fade);
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointed", ({ detail: place }) => {
    const at = place === null ? null : stage.xy(place);
    const style = $("multiples").style;
    style.setProperty("--dot", at ? "1" : "0");
    if (!at) return;
    style.setProperty("--x", `${(at.x + 0.5) / stage.snapshot.width * 100}%`);
    style.setProperty("--y", `${(at.y + 0.5) / stage.snapshot.height * 100}%`);
  });
  darkScheme.addEventListener("change", () => { drawn = null; open(current); });
  // one after the other, and only those that come into sight: a phone must not wait for all
  let queue = Promise.resolve();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      watch.unobserve(entry.target);
      const item = items.find((one) => one.card === entry.target);
      queue = queue.then(() => item.thumbnail());
    }
  }, { rootMargin: "200px" });
  for (const item of items) watch.observe(item.card);
  open(order[0]);
}

$("old").hidden = modern;
if (viewable) start();
