/* The frame's side of the way to the shell: it alone can store and send.

   frame -> shell  ready; draft {packed, state}; submit {id, answer}; segment {id, request};
                   keys {keys}; preferences {preferences}
   shell -> frame  start {language, keys, preferences, draft, segments}; saved {sequence | reason};
                   submitted {id | reason}; segmented {id, result | reason} */

export class Link extends EventTarget {
  constructor() {
    super();
    this.alone = window.parent === window;
    this.port = null;
    this.number = 0;
    this.waiting = new Map();
    this.started = this.alone
      ? Promise.resolve({ keys: {}, preferences: {}, draft: null, segments: false })
      : new Promise((resolve) => {
        window.addEventListener("message", (event) => {
          if (event.source !== window.parent || event.data?.kind !== "start" || this.port) return;
          [this.port] = event.ports;
          this.port.onmessage = ({ data }) => this.take(data);
          resolve(event.data);
        });
        window.parent.postMessage({ kind: "ready" }, "*");
      });
  }

  take(message) {
    const waiting = this.waiting.get(message.id);
    if (waiting) {
      this.waiting.delete(message.id);
      if (message.reason) waiting.reject(new Error(message.reason));
      else waiting.resolve(message);
    } else this.dispatchEvent(new CustomEvent(message.kind, { detail: message }));
  }

  send(kind, content = {}, transfer = []) {
    this.port?.postMessage({ kind, ...content }, transfer);
  }

  /* Send, and wait for the answer to it. */
  ask(kind, content) {
    if (!this.port) return Promise.reject(new Error("no shell"));
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send(kind, { id, ...content });
    });
  }
}
