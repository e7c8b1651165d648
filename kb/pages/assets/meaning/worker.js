/* The worker: loads what a search needs, then answers, the newest question only. */

import { Engine } from "./engine.js";
import { Files } from "./files.js";

let engine = null, loading = null, place = "", newest = 0;

async function load(base) {
  const done = new Map();
  const files = new Files(base, (name, bytes) => {
    done.set(name, bytes);
    if (!engine && total) postMessage({ kind: "progress", total, done: Math.min(total, sum(done.values())) });
  });
  let total = 0;
  const index = await files.index();
  const made = new Engine(files, index);
  total = made.size;
  await made.load();
  engine = made;
}

const sum = (numbers) => [...numbers].reduce((total, one) => total + one, 0);

async function handle({ kind, base, number, text }) {
  if (kind === "ask") newest = number;
  else place = base;
  try {
    loading ??= load(place);
    await loading;
    if (kind === "load") postMessage({ kind: "ready" });
    else if (number === newest) {
      const found = await engine.answer(text, () => number !== newest);
      if (number === newest) postMessage({ kind: "found", number, ...found });
    }
  } catch (error) {
    if (!engine) loading = null; // so that it can be tried again
    postMessage({ kind: "failed", number, reason: error.reason ?? "broken", detail: String(error.message ?? error) });
  }
}

addEventListener("message", (event) => handle(event.data));
