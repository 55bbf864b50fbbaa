/* The large view of one image, and the words for the pixel pointed at. */

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function swatch(color) {
  const made = element("span", "swatch");
  made.style.background = `rgb(${color.join(" ")})`;
  made.setAttribute("aria-hidden", "true");
  return made;
}

class Stage {
  constructor(painter, uncounted, short) {
    this.painter = painter;
    this.short = short;
    this.uncounted = uncounted;
    this.frame = document.getElementById("frame");
    this.picture = document.getElementById("picture");
    this.mask = document.getElementById("mask");
    this.marks = document.getElementById("marks");
    this.readout = document.getElementById("readout");
    this.layers = { picture: true, mask: true, disputed: false, regions: true, names: true };
    this.place = null;
    this.pinned = null;
    this.region = -1;
    const move = (event) => this.point(this.placeOf(event));
    this.frame.addEventListener("pointermove", move);
    this.frame.addEventListener("pointerdown", (event) => { this.pinned = this.placeOf(event); move(event); });
    this.frame.addEventListener("pointerleave", () => this.point(this.pinned));
    new ResizeObserver(() => this.drawMarks()).observe(this.frame);
  }

  /* Show a plane of an image: a worker's mask, the consensus or the confidence. */
  show(about, snapshot, plane, picture) {
    if (about !== this.about) this.pinned = this.place = null;
    Object.assign(this, { about, snapshot, plane });
    this.frame.style.setProperty("--shape", `${about.snapshot.size[1]} / ${about.snapshot.size[0]}`);
    this.frame.style.setProperty("--wide", about.snapshot.size[1] / about.snapshot.size[0]);
    this.picture.hidden = !picture;
    if (picture && this.picture.dataset.of !== about.id) {
      this.picture.src = picture;
      this.picture.alt = `Picture of image ${about.id}`;
      this.picture.dataset.of = about.id;
    }
    this.frame.classList.toggle("bare", !picture);
    // colours that mean something must not mix with those of the picture
    this.frame.classList.toggle("grey", plane !== snapshot.consensus);
    if (plane === snapshot.confidence) {
      fill(this.mask, snapshot, this.painter.doubt(snapshot));
    } else if (plane === snapshot.consensus) {
      fill(this.mask, snapshot, this.painter.mask(snapshot, plane));
    } else {
      const { colors, missed } = this.painter.departure(snapshot, plane);
      fill(this.mask, snapshot, colors, missed);
    }
    const named = plane === snapshot.confidence ? snapshot.consensus : plane;
    this.names = namedParts(snapshot, named).map((part) => ({ ...part, text: this.painter.of(snapshot, named, part.label).name }));
    this.refresh();
    this.point(this.place);
  }

  refresh() {
    this.picture.style.visibility = this.layers.picture ? "visible" : "hidden";
    this.mask.style.visibility = this.layers.mask ? "visible" : "hidden";
    this.drawMarks();
  }

  drawMarks() {
    if (!this.snapshot) return;
    const { clientWidth: width, clientHeight: height } = this.frame;
    const ratio = window.devicePixelRatio || 1;
    this.marks.width = Math.round(width * ratio);
    this.marks.height = Math.round(height * ratio);
    const context = this.marks.getContext("2d");
    context.scale(ratio, ratio);
    if (this.layers.disputed) drawDisputed(context, width, height, this.snapshot);
    if (this.layers.names && this.layers.mask) drawNames(context, width, height, this.names);
    if (this.layers.regions) drawRegions(context, width, height, this.snapshot.size, this.about.regions, this.region);
    if (this.place !== null) {
      const { x, y } = this.xy(this.place);
      drawCursor(context, (x + 0.5) / this.snapshot.width * width, (y + 0.5) / this.snapshot.height * height);
    }
  }

  placeOf(event) {
    if (!this.snapshot) return null;
    const box = this.frame.getBoundingClientRect();
    const within = (value, size) => Math.min(size - 1, Math.max(0, Math.floor(value * size)));
    const x = within((event.clientX - box.left - this.frame.clientLeft) / this.frame.clientWidth, this.snapshot.width);
    const y = within((event.clientY - box.top - this.frame.clientTop) / this.frame.clientHeight, this.snapshot.height);
    return y * this.snapshot.width + x;
  }

  xy(place) {
    return { x: place % this.snapshot.width, y: Math.floor(place / this.snapshot.width) };
  }

  /* Move the pixel pointed at by keys; say aloud what is there. */
  nudge(dx, dy) {
    const { width, height } = this.snapshot;
    const middle = Math.floor(height / 2) * width + Math.floor(width / 2);
    const { x, y } = this.xy(this.place ?? middle);
    const moved = [Math.min(width - 1, Math.max(0, x + dx)), Math.min(height - 1, Math.max(0, y + dy))];
    this.pinned = moved[1] * width + moved[0];
    this.readout.setAttribute("aria-live", "polite");
    this.point(this.pinned);
  }

  point(place) {
    this.place = place;
    this.drawMarks();
    document.dispatchEvent(new CustomEvent("pointed", { detail: place }));
    if (place === null) {
      this.readout.replaceChildren(element("p", "quiet", "Point at or tap the image: class, confidence and who voted what appear here."));
      return;
    }
    this.readout.replaceChildren(...this.words(place));
  }

  words(place) {
    const { snapshot, painter } = this;
    const row = snapshot.row(place);
    const decided = painter.of(snapshot, snapshot.consensus, snapshot.value(snapshot.consensus, row));
    const confidence = snapshot.value(snapshot.confidence, row) / 255;
    const title = element("p", "decided");
    title.append(swatch(decided.rgb), element("bdi", "", decided.name), element("span", "sure", `${Math.round(100 * confidence)} % confidence`));
    const groups = new Map();
    snapshot.workers.forEach((worker, w) => {
      const { name, rgb } = painter.of(snapshot, w, snapshot.value(w, row));
      if (!groups.has(name)) groups.set(name, { rgb, workers: [] });
      groups.get(name).workers.push(worker);
    });
    const list = element("ul", "votes");
    for (const [name, { rgb, workers }] of [...groups].sort((a, b) => b[1].workers.length - a[1].workers.length)) {
      const item = element("li");
      const who = element("span", "who");
      workers.forEach((worker, i) => {
        who.append(i ? ", " : "", element("bdi", "", this.short(worker)), this.uncounted.has(worker) ? " (not counted)" : "");
      });
      item.append(swatch(rgb), element("b", "", `${workers.length} `), element("bdi", "", name), ": ", who);
      list.append(item);
    }
    return [element("p", "quiet where", this.where(place)), title, list];
  }

  where(place) {
    const { step, size } = this.snapshot;
    const { x, y } = this.xy(place);
    if (step === 1) return `row ${y}, column ${x}`;
    const span = (from, end) => `${from * step} to ${Math.min(end, (from + 1) * step) - 1}`;
    return `one pixel of rows ${span(y, size[0])}, columns ${span(x, size[1])}`;
  }
}
