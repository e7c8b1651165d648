/* What a reader sees of the search by meaning: progress, answers, and a sentence where it cannot be. */

import { hit, element } from "./hits.js";

const PAUSE = 250; // ms without a key before a question is asked
const SAY = {
  offline: () => "There is no network now, and this browser does not hold the model yet.",
  lost: () => "The connection broke off.",
  missing: () => "This site does not have all of its files any more; reloading the page may help.",
  broken: (detail) => `Something is wrong with this site's search by meaning (${detail}).`,
  unable: (detail) => `This browser cannot search by meaning: it has no ${detail}. The search by words works as before.`,
};

export class Panel {
  constructor({ here, dialog, place, input, toggle, button }) {
    Object.assign(this, { dialog, place, input, toggle, button, here });
    this.base = new URL("../", here).href;
    this.root = new URL("../../../", this.base).href;
    this.status = element("p", { class: "kb-meaning-status", role: "status" });
    this.bar = element("progress", { "aria-label": "Fetching the search by meaning" });
    this.bytes = element("span", { class: "kb-meaning-bytes", "aria-hidden": "true" });
    this.fetching = element("div", { class: "kb-meaning-fetching" }, this.bar, this.bytes);
    this.again = element("button", { type: "button", class: "kb-meaning-again" }, "Try again");
    this.list = element("ol", { class: "kb-meaning-hits", "aria-label": "Answers" });
    this.section = element("section", { class: "kb-meaning", "aria-label": "Search by meaning" },
      this.status, this.fetching, this.again, this.list);
    place.append(this.section);
    this.number = 0;
    this.ready = false;
    this.again.addEventListener("click", () => this.begin());
    input.addEventListener("input", () => this.wait());
    input.form?.addEventListener("reset", () => setTimeout(() => this.wait()));
    dialog.addEventListener("keydown", (event) => this.key(event), true);
    button.addEventListener("click", () => this.on && this.ask());
    this.begin();
  }

  get on() {
    return this.place.classList.contains("kb-meaning-on");
  }

  show({ status, fetching = false, again = false }) {
    if (status !== undefined && this.status.textContent !== status) this.status.textContent = status;
    this.fetching.hidden = !fetching;
    this.again.hidden = !again;
  }

  begin() {
    const lacking = ["Worker", "DecompressionStream", "TransformStream"].find((name) => !(name in window));
    if (lacking) return this.fail("unable", lacking);
    if (!this.worker) {
      try {
        this.worker = new Worker(new URL("worker.js", this.here), { type: "module" });
      } catch (error) {
        return this.fail("unable", `worker here: ${error.message}`);
      }
      this.worker.addEventListener("message", ({ data }) => this.hear(data));
      this.worker.addEventListener("error", (event) => {
        event.preventDefault();
        this.worker.terminate();
        this.worker = null;
        this.fail(navigator.onLine ? "broken" : "offline", event.message || "its script did not start");
      });
    }
    this.failed = false;
    this.bar.removeAttribute("value");
    this.bytes.textContent = "";
    this.show({ status: "Fetching what the search by meaning needs. It stays in this browser.", fetching: true });
    this.worker.postMessage({ kind: "load", base: this.base });
    return this.ask();
  }

  hear(message) {
    if (message.kind === "progress") this.progress(message);
    else if (message.kind === "ready") {
      this.ready = true;
      if (!this.asking) this.idle();
    } else if (message.kind === "failed") {
      if (message.number === undefined || message.number === this.number) this.fail(message.reason, message.detail);
    } else if (message.number === this.number) this.found(message);
  }

  progress({ done, total }) {
    if (this.ready || this.failed) return; // what was under way when another file failed comes in still
    const mega = (bytes) => (bytes / 1e6).toFixed(1);
    this.bar.max = total;
    this.bar.value = done;
    this.bytes.textContent = `${mega(done)} of ${mega(total)} MB`;
    // Said aloud in quarters only.
    const quarter = Math.floor((4 * done) / total) * 25;
    this.show({ status: quarter ? `Fetching what the search by meaning needs: ${quarter} %.` : undefined, fetching: true });
  }

  fail(reason, detail = "") {
    this.failed = true;
    this.fill([]);
    this.show({ status: SAY[reason]?.(detail) ?? SAY.broken(detail), again: reason !== "unable" });
  }

  idle() {
    this.fill([]);
    this.show({ status: "Ask in your own words: a question, or what you remember of it." });
  }

  wait() {
    clearTimeout(this.timer);
    if (this.on) this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  ask() {
    const text = this.input.value.trim();
    this.number++;
    this.asking = text !== "";
    if (!this.worker) return;
    if (text) this.worker.postMessage({ kind: "ask", number: this.number, text: this.input.value });
    else if (this.ready) this.idle();
  }

  found({ hits, filters }) {
    this.asking = false;
    this.fill(hits);
    const count = hits.length === 1 ? "1 passage" : `${hits.length} passages, best first`;
    const beside = filters.length ? ` ${filters.join(" ")} narrows on the command line alone.` : "";
    this.show({ status: (hits.length ? `${count}.` : "Nothing here is near to that. Other words, or fewer, may help.") + beside });
  }

  /* Who has walked into the list before new answers came stays at the same place in it. */
  fill(hits) {
    const at = [...this.list.children].findIndex((one) => one.contains(document.activeElement));
    this.list.replaceChildren(...hits.map((one) => hit(one, this.root)));
    if (at < 0) return;
    const links = this.list.querySelectorAll(".kb-meaning-to");
    (links[Math.min(at, links.length - 1)] ?? this.input).focus();
  }

  /* Arrows walk through the answers, Enter opens the best; Escape is the theme's. */
  key(event) {
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const first = this.list.querySelector("a");
    if (step) {
      const stops = [this.input, ...this.list.querySelectorAll(".kb-meaning-to")];
      const at = Math.max(0, stops.indexOf(document.activeElement));
      stops[(at + stops.length + step) % stops.length].focus();
    } else if (event.key === "Enter" && event.target === this.input) first?.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
