/* Which image, which mask, which worker: state, lists and keys. */

const about = JSON.parse(document.getElementById("about").textContent);
const painter = new Painter(about.classes, about.undecided);
const uncounted = new Set(about.workers.filter((one) => !one.votes).map((one) => one.id));
const $ = (id) => document.getElementById(id);
/* A worker's id without what all ids of the job begin with. */
const short = (id) => (id.startsWith(about.prefix) ? id.slice(about.prefix.length) : id);

/* One image of the page; its masks are inflated when they are first looked at, and not kept long. */
class Item {
  static opened = [];
  static KEPT = 4;

  constructor(card) {
    this.card = card;
    this.button = card.querySelector("button");
    this.about = JSON.parse(card.querySelector(".about").textContent);
    this.agreement = new Map(this.about.agreement);
    this.has = Boolean(this.about.snapshot);
  }

  get picture() {
    const data = this.card.querySelector(".picture");
    return data ? `data:image/jpeg;base64,${data.textContent.trim()}` : null;
  }

  open() {
    this.snapshot ??= Snapshot.read(this.about.snapshot, this.card.querySelector(".masks").textContent.trim());
    Item.opened = [this, ...Item.opened.filter((one) => one !== this)];
    for (const old of Item.opened.splice(Item.KEPT)) old.snapshot = undefined;
    return this.snapshot;
  }

  async thumbnail() {
    if (!this.has) return;
    const snapshot = await Snapshot.read(this.about.snapshot, this.card.querySelector(".masks").textContent.trim());
    const masks = document.createElement("canvas");
    fill(masks, snapshot, painter.mask(snapshot, snapshot.consensus));
    const canvas = this.card.querySelector("canvas");
    const scale = Math.min(1, 320 / Math.max(snapshot.width, snapshot.height));
    canvas.width = Math.max(1, Math.round(snapshot.width * scale));
    canvas.height = Math.max(1, Math.round(snapshot.height * scale));
    const context = canvas.getContext("2d");
    if (this.picture) {
      const picture = new Image();
      picture.src = this.picture;
      await picture.decode().catch(() => {});
      if (picture.naturalWidth) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      context.globalAlpha = 0.7;
    }
    context.drawImage(masks, 0, 0, canvas.width, canvas.height);
  }
}

const items = [...document.querySelectorAll("#strip > li")].map((card) => new Item(card));
const viewable = items.some((item) => item.has);
const stage = viewable ? new Stage(painter, uncounted, short) : null;
let order = items;
let current = null;
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
  const changed = item !== current;
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

function describe(item, snapshot) {
  const { id, confidence, disputed, undecided, workers, warnings, regions } = item.about;
  $("image-id").textContent = id;
  $("image-place").textContent = `${order.indexOf(item) + 1} of ${order.length}`;
  const figures = [[confidence, "confidence"], [disputed, "disputed"], [String(workers), workers === 1 ? "worker" : "workers"]];
  if (undecided !== "0.0 %") figures.push([undecided, "undecided"]);
  $("image-figures").replaceChildren(...figures.map(([value, name]) => {
    const figure = element("span");
    figure.append(element("b", "", value), ` ${name}`);
    return figure;
  }));
  $("image-warnings").replaceChildren(...warnings.map((text) => element("li", "", text)));
  $("image-regions").replaceChildren(...(snapshot ? regions.map(regionButton) : []));
  $("regions-part").hidden = !snapshot || regions.length === 0;
}

function regionButton(region, index) {
  const made = element("li");
  const button = element("button", "region");
  button.type = "button";
  button.append(element("b", "number", String(index + 1)), element("span", "", region.reason));
  const choose = (chosen) => { stage.region = chosen; stage.drawMarks(); };
  button.addEventListener("pointerenter", () => choose(index));
  button.addEventListener("pointerleave", () => choose(-1));
  button.addEventListener("focus", () => choose(index));
  button.addEventListener("blur", () => choose(-1));
  made.append(button);
  return made;
}

/* The consensus, the confidence and each worker's mask, side by side; each is also a button. */
function multiples(item, snapshot) {
  const parts = [[snapshot.consensus, "Consensus", ""], [snapshot.confidence, "Confidence", ""]];
  snapshot.workers.forEach((worker, w) => {
    const value = item.agreement.get(worker);
    parts.push([w, worker, value === undefined || value === null ? "" : `IoU ${value.toFixed(2)}`]);
  });
  $("multiples").replaceChildren(...parts.map(([plane, name, figure]) => {
    const made = element("li");
    const button = element("button", "multiple");
    button.type = "button";
    button.dataset.plane = plane;
    button.dataset.kind = plane === snapshot.confidence ? "confidence" : "mask";
    button.title = name;
    const frame = element("span", "thumb");
    const canvas = element("canvas");
    canvas.setAttribute("aria-hidden", "true");
    fill(canvas, snapshot, plane === snapshot.confidence ? painter.doubt(snapshot) : painter.mask(snapshot, plane));
    frame.append(canvas, element("i", "dot"));
    const label = element("span", "name");
    label.append(element("bdi", "", plane < snapshot.workers.length ? short(name) : name));
    button.append(frame, label, element("span", "figure", figure));
    const kind = plane === snapshot.consensus ? "consensus" : plane === snapshot.confidence ? "confidence" : `worker:${name}`;
    button.addEventListener("click", () => { shown = kind; open(current); });
    made.append(button);
    return made;
  }));
}

function caption(item, snapshot, plane) {
  let text = "Consensus: the class that was decided.";
  if (plane === snapshot.confidence) text = "Confidence: the stronger the colour, the fewer votes the chosen class got.";
  else if (plane !== snapshot.consensus) text = `${short(snapshot.workers[plane])}: strong where the mask departs from the consensus, striped where it misses what the consensus has.`;
  $("caption").textContent = text;
  $("mask").setAttribute("role", "img");
  $("mask").setAttribute("aria-label", `${text} Image ${item.about.id}, confidence ${item.about.confidence}, ${item.about.disputed} of its pixels disputed.`);
  $("doubt-legend").hidden = plane !== snapshot.confidence;
  $("reduced").hidden = snapshot.step === 1;
  $("reduced").textContent = `Shown at 1 : ${snapshot.step}. Every dot is one real pixel of its block, the most disputed one, so that thin objects and disputes are not lost; they look a little thicker than they are. Figures count all pixels.`;
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
  darkScheme.addEventListener("change", () => { const again = current; current = null; open(again); });
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

if (viewable) start();
