/* The whole search: files in, answers out. It runs in the worker, and knows nothing of pages. */

import { Encoder } from "./encoder.js";
import { Passages } from "./passages.js";
import { marks, needless, wordsOf } from "./rank.js";
import { asked, find } from "./search.js";
import { WordPiece } from "./wordpiece.js";

const ANSWERS = 10;

export class Engine {
  constructor(files, index) {
    this.files = files;
    this.shape = index.model;
    this.notes = index.notes;
    this.rules = index.rules;
    this.words = new Map();
    this.texts = new Map();
  }

  /** What must be there before the first question: everything but words and texts. */
  async load() {
    const { shape, notes, files } = this;
    const [layers, pieces, index, ...vectors] = await Promise.all(
      [shape.file, shape.pieces, notes.index, ...notes.vectors].map((entry) => files.get(entry)),
    );
    this.encoder = new Encoder(shape, layers);
    this.pieces = new WordPiece(new TextDecoder().decode(pieces).split("\n"));
    this.passages = new Passages(index);
    this.vectors = vectors.map((data) => rowsOf(data, shape.hidden));
  }

  /** Bytes that `load` fetches. */
  get size() {
    const { shape, notes } = this;
    return [shape.file, shape.pieces, notes.index, ...notes.vectors].reduce((sum, [, size]) => sum + size, 0);
  }

  /** The unit vector of a text. */
  async encode(text) {
    const ids = this.pieces.ids(this.shape.prompt + text, this.shape.positions);
    const { each } = this.shape;
    await Promise.all([...new Set(ids.map((id) => Math.floor(id / each)))].map((shard) => this.shard(shard)));
    return this.encoder.encode(ids.map((id) => {
      const { scales, rows } = this.words.get(Math.floor(id / each));
      const { hidden } = this.shape, place = id % each;
      return { bytes: rows.subarray(place * hidden, (place + 1) * hidden), scale: scales[place] };
    }));
  }

  async shard(number) {
    if (this.words.has(number)) return;
    this.words.set(number, rowsOf(await this.files.get(this.shape.words[number]), this.shape.hidden));
  }

  /** The cosine of every passage with a vector, its best window's; NaN where it has none. */
  cosines(query) {
    const { hidden } = this.shape, { count, vectors: windows } = this.passages;
    const result = new Float32Array(count).fill(NaN);
    let passage = -1, left = 0;
    for (const { scales, rows } of this.vectors) {
      for (let row = 0; row < scales.length; row++) {
        while (!left) left = windows[++passage];
        left--;
        let sum = 0;
        for (let at = 0, from = row * hidden; at < hidden; at++) sum += rows[from + at] * query[at];
        const cosine = sum * scales[row];
        if (!(result[passage] >= cosine)) result[passage] = cosine;
      }
    }
    return result;
  }

  /** Every passage that answers, best first: [{id, score, cosine}], and the query as it was understood. */
  async rank(typed) {
    const query = asked(this.passages, typed, this.rules);
    if (!query.terms.length && !query.phrases.length) return { query, ranked: [] };
    // What the model has no words for is near to all for which it has none: then words alone count.
    const known = this.pieces.knows(query.text);
    const cosines = known ? this.cosines(await this.encode(query.text)) : new Float32Array(this.passages.count).fill(NaN);
    return { query, ranked: find(this.passages, query, cosines, this.rules) };
  }

  /** The answers to show: {hits, filters}; `stale` tells that nobody waits for them any more. */
  async answer(typed, stale = () => false) {
    const { query, ranked } = await this.rank(typed);
    const words = [...query.phrases, ...query.terms, ...query.others.map(({ other }) => other)];
    const hits = [];
    for (let at = 0; at < ranked.length && hits.length < ANSWERS && !stale(); at += ANSWERS) {
      const some = ranked.slice(at, at + ANSWERS);
      for (const hit of await Promise.all(some.map((one) => this.hit(one)))) {
        if (hits.length < ANSWERS && !needless(hit, hits, this.rules.alike)) hits.push(hit);
      }
    }
    const shown = hits.map(({ words: _, ...hit }) => ({ ...hit, marks: marks(hit.text, words) }));
    return { hits: shown, filters: query.filters };
  }

  async hit({ id, score, cosine }) {
    const { each } = this.notes;
    const piece = Math.floor(id / each);
    if (!this.texts.has(piece)) {
      const data = await this.files.get(this.notes.texts[piece]);
      this.texts.set(piece, JSON.parse(new TextDecoder().decode(data)));
    }
    const [url, title, heading, parents, text, date, noted, links] = this.texts.get(piece)[id % each];
    return {
      id, score, cosine, url, title, heading, parents, text, date, noted,
      page: url.split("#", 1)[0], words: wordsOf(text),
      links: links.map(([href, name, standing]) => ({ href, name, standing })),
    };
  }
}

/* Scales first, then int8 rows. */
function rowsOf(data, hidden) {
  const count = data.byteLength / (4 + hidden);
  return { scales: new Float32Array(data, 0, count), rows: new Int8Array(data, 4 * count) };
}
