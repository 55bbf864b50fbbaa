/* Drafts in the browser's database: each action adds the tiles it changed, and nothing is rewritten.

   A task's changes are put together when it is opened; of each tile only the last counts. */

import { merge } from "../painting/tiles.js";

const NAME = "consolidation-drafts";

export class Drafts {
  async open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("changes", { keyPath: ["task", "number"] });
      request.result.createObjectStore("tasks", { keyPath: "task" });
    };
    this.database = await done(request);
    // another window wants a newer version: let it
    this.database.onversionchange = () => this.database.close();
    return this;
  }

  /* Everything of a task: `elements` by name with size, labels, label and packed tiles; null if there is nothing. */
  async load(task) {
    const transaction = this.database.transaction(["changes", "tasks"], "readwrite");
    const changes = transaction.objectStore("changes");
    const [about, rows] = await Promise.all([
      done(transaction.objectStore("tasks").get(task)),
      done(changes.getAll(ofTask(task))),
    ]);
    if (!about) return null;
    const elements = {};
    for (const { element, packed } of rows) (elements[element] ??= { packed: [] }).packed.push(packed);
    for (const [name, state] of Object.entries(about.elements)) elements[name] = { packed: [], ...elements[name], ...state };
    this.number = rows.at(-1)?.number ?? 0;
    const merged = Object.entries(elements).filter(([, { packed }]) => packed.length > 1);
    if (merged.length) {
      changes.delete(ofTask(task));
      for (const [element, part] of Object.entries(elements)) {
        if (!part.packed.length) continue;
        part.packed = [merge(part.packed)];
        changes.put({ task, number: ++this.number, element, packed: part.packed[0] });
      }
    }
    await finished(transaction);
    return { saved: about.saved, elements, fields: about.fields };
  }

  /* Add a change; resolves once it is on its way to the disk. */
  async add(task, { element, size, labels, label, packed, fields }) {
    const transaction = this.database.transaction(["changes", "tasks"], "readwrite", { durability: "strict" });
    const tasks = transaction.objectStore("tasks");
    const about = (await done(tasks.get(task))) ?? { task, elements: {}, fields: [] };
    about.saved = Date.now();
    about.fields = fields ?? about.fields;
    if (element) about.elements[element] = { size, labels, label };
    tasks.put(about);
    if (packed) transaction.objectStore("changes").put({ task, number: ++this.number, element, packed });
    await finished(transaction);
  }

  async drop(task) {
    const transaction = this.database.transaction(["changes", "tasks"], "readwrite");
    transaction.objectStore("changes").delete(ofTask(task));
    transaction.objectStore("tasks").delete(task);
    this.number = 0;
    await finished(transaction);
  }

  number = 0;
}

const ofTask = (task) => IDBKeyRange.bound([task, 0], [task, Infinity]);

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another window holds an older version"));
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("the browser's storage is full"));
  });
}
