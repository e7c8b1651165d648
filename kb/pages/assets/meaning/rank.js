/* Two lists made one, and what says the same thing said once: kb/search/rank.py in JavaScript. */

const WORD = /[\p{L}\p{N}_]+/gu;
const ENDING = /(?<=[\p{L}\p{N}_]{3})(?:ings?|ed|ers?|es|e|s|ly)$/u;

/** [{id, score, cosine}], best first: cosine + weight x (BM25 / the best BM25) x coverage squared.

    `keyword` and `dense` are [id, score], best first. */
export function fuse(keyword, dense, cosines, coverage, weight) {
  const best = keyword.length ? keyword[0][1] : 0;
  const byWords = new Map(keyword.map(([id, score]) => [id, best > 0 ? score / best : 0]));
  const byMeaning = new Map(dense);
  const ranked = [];
  for (const id of new Set([...byWords.keys(), ...byMeaning.keys()])) {
    const cosine = byMeaning.get(id) ?? cosines.get(id);
    const share = weight * (coverage.get(id) ?? 0) ** 2 * (byWords.get(id) ?? 0);
    ranked.push({ id, score: (cosine ?? 0) + share, cosine });
  }
  return ranked.sort((one, other) => other.score - one.score || one.id - other.id);
}

/** Whether a better hit says the same, word for word or nearly, or is its parent or child. */
export function needless(hit, kept, alike) {
  return kept.some((other) => saysSame(hit, other, alike) || isKin(hit, other));
}

function saysSame(hit, other, alike) {
  if (!hit.words.size) return hit.text === other.text;
  let shared = 0;
  for (const word of hit.words) shared += other.words.has(word);
  return shared >= alike * (hit.words.size + other.words.size - shared);
}

function isKin(hit, other) {
  const same = hit.page === other.page && String(hit.heading) === String(other.heading);
  return same && (isParent(hit, other) || isParent(other, hit));
}

const isParent = (parent, child) =>
  child.parents.length === parent.parents.length + 1 &&
  [...parent.parents, parent.text].every((text, at) => text === child.parents[at]);

export const wordsOf = (text) => new Set(text.toLowerCase().match(WORD) ?? []);

/** Where words of the query stand in a text: [start, end] in order. */
export function marks(text, words) {
  const asked = new Set(words.flatMap((word) => word.match(WORD) ?? []).map((part) => cut(part.toLowerCase())));
  asked.delete("");
  const found = [];
  for (const match of text.matchAll(WORD)) {
    const lower = match[0].toLowerCase();
    if (asked.has(lower) || asked.has(cut(lower))) found.push([match.index, match.index + match[0].length]);
  }
  for (const word of words.filter((one) => /[^\0-\x7f]/.test(one))) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      if (!found.some(([start, end]) => start <= at && at + word.length <= end)) found.push([at, at + word.length]);
    }
  }
  return found.sort((one, other) => one[0] - other[0]);
}

const cut = (word) => word.replace(ENDING, "");
