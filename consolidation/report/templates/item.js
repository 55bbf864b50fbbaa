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
