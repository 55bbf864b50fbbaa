/* Drives the page's own tools, without a screen: what a test says, action by action. */

export async function run(web, actions, width, height, budget) {
  const load = (name) => import(`${web}/${name}`);
  const [{ Editor }, { Canvas }, { Brush, Fill }, { Polygon }, { Actions }] = await Promise.all(
    ["page/editor.js", "painting/canvas.js", "page/tools.js", "page/polygon_tool.js", "page/actions.js"].map(load));
  const editor = new Editor();
  const nothing = () => {};
  editor.renderer = { open: nothing, changed: nothing, colors: nothing, draw: nothing };
  editor.overlay = document.createElement("canvas");
  editor.setLabels(["a", "b", "c", "d"]);
  editor.open({ width, height });
  if (budget) Object.assign(editor.canvas.history, { budget });
  const tools = new Map([new Brush(editor, "brush"), new Brush(editor, "eraser", true), new Polygon(editor, "polygon"), new Fill(editor, "fill")].map((tool) => [tool.name, tool]));
  editor.tool = tools.get("brush");
  const all = new Actions(editor, tools, {}, {});
  const choose = (target) => { editor.label = editor.labels.list[target - 1] ?? editor.labels.list[0]; };
  const told = { pressure: 0 };
  const drafts = [];
  editor.onAction = (packed) => drafts.push(packed);
  const acts = {
    stroke({ points, size, square, target }) {
      Object.assign(editor, { size, square });
      choose(target);
      const tool = tools.get(target === 0 ? "eraser" : "brush");
      tool.down(points[0], told);
      for (const point of points.slice(1)) tool.move(point, told);
      tool.up();
    },
    polygon({ points, target, subtract }) {
      choose(target);
      const tool = tools.get("polygon");
      Object.assign(tool, { points: points.map((point) => point.map(Math.floor)), subtract });
      tool.finish();
    },
    fill({ place, gap, target }) {
      editor.gap = gap;
      choose(target);
      tools.get("fill").down(place);
    },
    rest({ target }) {
      choose(target);
      all.paintRest();
    },
    region({ place, kind, everything, most, target }) {
      all.onRegion(kind, place, { all: everything, most, label: target });
    },
    lock({ label }) {
      if (label === 0) {
        if (!editor.canvas.locked.delete(0)) editor.canvas.locked.add(0);
      } else editor.toggleLock(editor.labels.list[label - 1]);
    },
    set_mode: ({ mode }) => editor.set("mode", mode),
    undo: () => editor.undo(),
    redo: () => editor.redo(),
  };
  const maps = actions.map((action) => {
    acts[action.op](action);
    return [...editor.canvas.map.data];
  });
  // what drafts add up to is what is there
  const restored = new Canvas(width, height);
  for (const packed of drafts) restored.restore(packed);
  const { merge } = await load("painting/tiles.js");
  const merged = new Canvas(width, height);
  if (drafts.length) merged.restore(merge(drafts));
  return {
    maps,
    restored: [...restored.map.data],
    merged: [...merged.map.data],
    counts: [...editor.canvas.counts],
    bytes: editor.canvas.history.bytes,
    label: editor.label.index,
  };
}
