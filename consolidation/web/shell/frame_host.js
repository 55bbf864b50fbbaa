/* The shell's side of the way to the frame: starts it, keeps drafts, keys and preferences, sends answers.

   The frame runs a template's code: what it says is checked, and it is told nothing but its own task. */

const STORED_KEYS = "consolidation-keys";

export class FrameHost {
  /* `send(answer)` and `segment(request)` resolve or throw an Error with the reason. */
  constructor(frame, drafts, { language, segments, send, segment, onSent }) {
    Object.assign(this, { frame, drafts, language, segments, send, segment, onSent });
    this.task = null;
    this.port = null;
    this.turn = Promise.resolve();
    window.addEventListener("message", (event) => {
      if (event.source === this.frame.contentWindow && event.data?.kind === "ready" && this.task && !this.port) this.start();
    });
  }

  open(task, address) {
    this.port?.close();
    this.port = null;
    this.task = task;
    this.frame.src = address;
  }

  async start() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const { task } = this;
    port1.onmessage = ({ data }) => { if (this.port === port1) this.take(task, data); };
    const draft = await this.drafts.load(task).catch(() => null);
    const start = { kind: "start", language: this.language, keys: storedKeys(), draft, segments: this.segments };
    // the frame has no origin that could be named
    this.frame.contentWindow.postMessage(start, "*", [port2]);
    this.frame.focus();
  }

  take(task, message) {
    const handle = { draft: this.keep, keys: this.keepKeys, submit: this.submit, segment: this.suggest }[message?.kind];
    if (handle) handle.call(this, task, message);
  }

  /* One after the other: a change must not overtake another. */
  keep(task, { sequence, ...change }) {
    this.turn = this.turn.then(async () => {
      try {
        await this.drafts.add(task, change);
        this.tell({ kind: "saved", sequence });
      } catch (error) {
        this.tell({ kind: "saved", sequence, reason: String(error?.message ?? error) });
      }
    });
  }

  keepKeys(_, { keys }) {
    try {
      localStorage.setItem(STORED_KEYS, JSON.stringify(keys));
    } catch {
      // without storage they hold until the page is closed
    }
  }

  async submit(task, { id, answer }) {
    try {
      await this.send(answer);
      await this.turn;
      await this.drafts.drop(task);
      this.tell({ kind: "submitted", id });
      this.onSent();
    } catch (error) {
      this.tell({ kind: "submitted", id, reason: String(error?.message ?? error) });
    }
  }

  async suggest(_, { id, request }) {
    try {
      this.tell({ kind: "segmented", id, result: await this.segment(request) });
    } catch (error) {
      this.tell({ kind: "segmented", id, reason: String(error?.message ?? error) });
    }
  }

  tell(message) {
    this.port?.postMessage(message);
  }
}

function storedKeys() {
  try {
    return JSON.parse(localStorage.getItem(STORED_KEYS)) ?? {};
  } catch {
    return {};
  }
}
