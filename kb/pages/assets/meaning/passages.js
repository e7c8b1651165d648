/* The words of all passages, and BM25 over them as SQLite's FTS5 reckons it: k1 1.2, b 0.75, each column
   with its weight, a passage as long as all of its columns. A phrase is its stems side by side in a column.

   There is no index of places: each different column is scanned, a millisecond or two for 5,000 passages. */

import { stems } from "./words.js";

const K1 = 1.2, B = 0.75;
// Scripts without spaces, as kb/store/grams.py has them: looked for by pairs of characters.
const RUN = new RegExp(
  "[\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3005-\\u3007\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff" +
  "\\uac00-\\ud7af\\uf900-\\ufaff\\uff66-\\uff9f\\u{20000}-\\u{3134f}]+", "gu");

export const spaceless = (text) => text.match(RUN) !== null;

export class Passages {
  /** `data` as kb/search/browser/notes.py writes it: JSON with its length before it, then lists of numbers. */
  constructor(data) {
    const bytes = new Uint8Array(data), view = new DataView(data);
    const size = view.getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
    let at = 4 + size;
    const list = () => {
      const count = view.getUint32(at, true), numbers = new Uint32Array(count);
      at += 4;
      for (let one = 0; one < count; one++) {
        numbers[one] = bytes[at + one] | (bytes[at + count + one] << 8) | (bytes[at + 2 * count + one] << 16);
      }
      at += 3 * count;
      return numbers;
    };
    this.count = head.passages;
    this.names = head.names;
    this.numbers = numbered(head.stems);
    this.fields = new Runs(list(), list());
    this.columns = list();
    this.width = this.count ? this.columns.length / this.count : 0;
    this.gramNumbers = numbered(head.grams);
    this.grams = new Runs(list(), list());
    this.vectors = list();
    this.lengths = new Uint32Array(this.count);
    for (let passage = 0; passage < this.count; passage++) {
      for (let column = 0; column < this.width; column++) {
        this.lengths[passage] += this.fields.length(this.columns[column * this.count + passage]);
      }
    }
    this.mean = average(this.lengths, this.count);
    const written = Array.from({ length: this.grams.count }, (_, one) => this.grams.length(one)).filter(Boolean);
    this.gramMean = average(written, written.length);
    this.gramCount = written.length;
    this.found = new Map();
  }

  /** The weighted places of a word or phrase: Map(passage, weight). Empty for one without stems. */
  places(part, weights) {
    const known = this.found.get(part);
    if (known) return known;
    const wanted = stems(part).map((stem) => this.numbers.get(stem));
    const holding = new Map();
    if (wanted.length && !wanted.includes(undefined)) {
      const fields = this.fields.matches(wanted);
      for (let passage = 0; fields.size && passage < this.count; passage++) {
        let weight = 0;
        for (let column = 0; column < this.width; column++) {
          const times = fields.get(this.columns[column * this.count + passage]);
          if (times) weight += times * weights[column];
        }
        if (weight) holding.set(passage, weight);
      }
    }
    if (this.found.size > 500) this.found.clear();
    this.found.set(part, holding);
    return holding;
  }

  /** Passages that hold any of these words or phrases: Map(passage, score). */
  score(parts, weights) {
    const scores = new Map();
    for (const part of parts) {
      const holding = this.places(part, weights);
      const rarity = idf(this.count, holding.size);
      for (const [passage, weight] of holding) {
        const score = bm25(rarity, weight, this.lengths[passage] / this.mean);
        scores.set(passage, (scores.get(passage) ?? 0) + score);
      }
    }
    return scores;
  }

  /** Passages that hold every run of a text in a script without spaces: Map(passage, score). */
  spaceless(text) {
    const parts = (text.match(RUN) ?? []).map((run) => this.gramPlaces([...run]));
    const scores = new Map();
    if (!parts.length || !this.gramCount) return scores;
    for (const passage of parts[0].keys()) {
      if (!parts.every((part) => part.has(passage))) continue;
      const length = this.grams.length(passage) / this.gramMean;
      let score = 0;
      for (const part of parts) score += bm25(idf(this.gramCount, part.size), part.get(passage), length);
      scores.set(passage, score);
    }
    return scores;
  }

  gramPlaces(run) {
    if (run.length > 1) {
      const pairs = run.slice(1).map((char, at) => this.gramNumbers.get(run[at] + char));
      return pairs.includes(undefined) ? new Map() : this.grams.matches(pairs);
    }
    const found = new Map();
    for (const [gram, number] of this.gramNumbers) {
      if (!gram.startsWith(run[0])) continue;
      for (const [passage, times] of this.grams.matches([number])) {
        found.set(passage, (found.get(passage) ?? 0) + times);
      }
    }
    return found;
  }
}

/** Lists of numbers laid end to end. */
class Runs {
  constructor(lengths, numbers) {
    this.count = lengths.length;
    this.numbers = numbers;
    this.starts = new Uint32Array(lengths.length + 1);
    lengths.forEach((length, at) => { this.starts[at + 1] = this.starts[at] + length; });
  }

  length(list) {
    return this.starts[list + 1] - this.starts[list];
  }

  /** How often these numbers stand side by side in each list: Map(list, times). */
  matches(wanted) {
    const { numbers, starts } = this;
    const [first, ...rest] = wanted;
    const found = new Map();
    let list = 0;
    for (let at = numbers.indexOf(first); at >= 0; at = numbers.indexOf(first, at + 1)) {
      while (starts[list + 1] <= at) list++;
      if (at + wanted.length > starts[list + 1]) continue;
      if (rest.every((number, place) => numbers[at + 1 + place] === number)) found.set(list, (found.get(list) ?? 0) + 1);
    }
    return found;
  }
}

const numbered = (lines) => new Map((lines ? lines.split("\n") : []).map((word, number) => [word, number]));
const average = (lengths, count) => (count ? lengths.reduce((sum, one) => sum + one, 0) / count : 1);
/* FTS5 lets a word that stands in more than half of all rows count a little, never against them. */
const idf = (count, holding) => Math.max(Math.log((count - holding + 0.5) / (holding + 0.5)), 1e-6);
const bm25 = (rarity, weight, length) => (rarity * weight * (K1 + 1)) / (weight + K1 * (1 - B + B * length));
