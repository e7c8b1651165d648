/* The site's files as the worker needs them: fetched once, unpacked, and kept by the browser. */

/** Why a file could not be had: `offline`, `missing` (the site answered otherwise), `broken`, `lost`. */
export class Unavailable extends Error {
  constructor(reason, name) {
    super(`${reason}: ${name}`);
    this.reason = reason;
  }
}

export class Files {
  /** `base` is the address of the folder; `told` hears of bytes: (name, so far). */
  constructor(base, told = () => {}) {
    this.base = base;
    this.told = told;
    this.store = null;
    this.waiting = new Map();
  }

  /** The list of files. It alone has the same name for ever, so the site is asked each time. */
  async index() {
    // Only a page from a safe address has a store; elsewhere the browser's own cache has to do.
    this.store ??= await self.caches?.open(`kb-meaning ${this.base}`).catch(() => null) ?? null;
    const url = new URL("index.json", this.base).href;
    try {
      const response = await fetched(url, "index.json", { cache: "no-cache" });
      const copy = response.clone();
      const index = await response.json().catch(() => { throw new Unavailable("broken", "index.json"); });
      await this.keep(url, copy);
      await this.tidy(index);
      return index;
    } catch (error) {
      const known = error.reason === "broken" ? null : await this.store?.match(url);
      if (known) return known.json();
      throw error;
    }
  }

  /** A file named by an entry [name, bytes], unpacked: an ArrayBuffer. */
  get([name, size]) {
    if (!this.waiting.has(name)) {
      // What failed may be asked for again; what came is its asker's to hold.
      this.waiting.set(name, this.find(name, size).finally(() => this.waiting.delete(name)));
    }
    return this.waiting.get(name);
  }

  async find(name, size) {
    const url = new URL(name, this.base).href;
    const known = await this.store?.match(url);
    if (known) {
      this.told(name, size);
      return known.arrayBuffer();
    }
    const response = await fetched(url, name);
    const counted = response.body.pipeThrough(counter((bytes) => this.told(name, Math.min(bytes, size))));
    let data;
    try {
      data = await new Response(counted.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
    } catch {
      throw new Unavailable(navigator.onLine ? "lost" : "offline", name);
    }
    this.told(name, size);
    await this.keep(url, new Response(data));
    return data;
  }

  async keep(url, response) {
    await this.store?.put(url, response).catch(() => {}); // no room: it will be fetched again
  }

  /* Drop what the site no longer has. */
  async tidy(index) {
    if (!this.store) return;
    const { model, notes } = index;
    const entries = [model.file, model.pieces, ...model.words, notes.index, ...notes.vectors, ...notes.texts];
    const current = new Set(["index.json", ...entries.map(([name]) => name)].map((name) => new URL(name, this.base).href));
    const kept = await this.store.keys().catch(() => []);
    await Promise.all(kept.filter(({ url }) => !current.has(url)).map((request) => this.store.delete(request)));
  }
}

async function fetched(url, name, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch {
    throw new Unavailable(navigator.onLine ? "lost" : "offline", name);
  }
  if (!response.ok) throw new Unavailable("missing", name);
  return response;
}

function counter(told) {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      told(bytes += chunk.byteLength);
      controller.enqueue(chunk);
    },
  });
}
