/* What stands around the large view: figures, regions, small multiples, caption. */

const NONE = "0.0 %";

function describe(item, snapshot) {
  const { id, need, confidence, disputed, tied, undecided, unlabelled } = item.about;
  const { workers, warnings, regions } = item.about;
  $("image-id").textContent = id;
  $("image-place").textContent = `image ${order.indexOf(item) + 1} of ${order.length}`;
  const figures = [[confidence, "confidence"], [disputed, "disputed"], [String(workers), workers === 1 ? "worker" : "workers"]];
  if (need !== null) figures.unshift([need, "need of review"]);
  if (tied !== NONE) figures.push([tied, "tied"]);
  if (undecided !== NONE) figures.push([undecided, "undecided"]);
  if (unlabelled !== NONE) figures.push([unlabelled, "unlabelled"]);
  $("image-figures").replaceChildren(...figures.map(([value, name]) => {
    const figure = element("span");
    figure.append(element("b", "", value), ` ${name}`);
    return figure;
  }));
  $("image-warnings").replaceChildren(...warnings.map((text) => element("li", "", text)));
  $("image-regions").replaceChildren(...(snapshot ? regions.map(regionButton) : []));
  $("regions-part").hidden = $("layer-regions").hidden = !snapshot || regions.length === 0;
}

function regionButton(region, index) {
  const made = element("li");
  const button = element("button", "region");
  button.type = "button";
  button.append(element("b", "number", String(index + 1)), element("span", "", shortAll(region.reason)));
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
