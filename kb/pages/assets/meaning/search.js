/* Search, put together: kb/find.py over what the browser has. The constants come with the site's files. */

import { spaceless } from "./passages.js";
import { parseQuery } from "./query.js";
import { fuse } from "./rank.js";

/** What to look for: the query without words that are everywhere, and the glossary's other names for some. */
export function asked(passages, typed, rules) {
  const query = parseQuery(typed, rules);
  if (passages.count >= rules.few) {
    const counts = new Map(query.terms.map((term) => [term, passages.places(term, rules.weights).size]));
    const common = (term) => (counts.get(term) > passages.count * rules.remembered ? counts.get(term) : 0);
    const rare = query.terms.filter((term) => common(term) <= passages.count * rules.common);
    const rarest = [...query.terms].sort((one, other) => common(one) - common(other)).slice(0, 1);
    query.terms = rare.length ? rare : query.phrases.length ? [] : rarest;
  }
  return { ...query, others: widened(query, passages.names) };
}

const WORD = /[\p{L}\p{N}_]+/gu;
const lowered = (text) => (text.match(WORD) ?? []).map((word) => word.toLowerCase());

function widened(query, glossary) {
  const said = ` ${lowered(query.text).join(" ")} `;
  const found = [];
  for (const names of glossary) {
    const name = names.find((one) => lowered(one).length && said.includes(` ${lowered(one).join(" ")} `));
    if (name === undefined) continue;
    const words = lowered(name);
    const covers = query.terms.filter((term) => lowered(term).some((word) => words.includes(word)));
    for (const other of names) if (other !== name) found.push({ covers, other });
  }
  return found;
}

/** The passages that answer, best first: [{id, score, cosine}]. `cosines` has one number a passage, or NaN. */
export function find(passages, query, cosines, rules) {
  const keyword = byWords(passages, query, rules);
  const dense = byMeaning(passages, query, cosines, rules);
  const known = new Map(keyword.map(([id]) => [id, cosines[id]]).filter(([, cosine]) => !Number.isNaN(cosine)));
  const coverage = covered(passages, query, keyword, rules);
  const near = ({ id, cosine }) =>
    cosine === undefined || cosine >= rules.far || (coverage.get(id) ?? 0) >= rules.half;
  return fuse(keyword, dense, known, coverage, rules.keyword).filter(near);
}

function byWords(passages, query, rules) {
  const parts = [...query.terms, ...query.phrases];
  let found;
  if ([...parts, ...query.excluded].some(spaceless)) {
    found = passages.score([...query.phrases.filter((one) => !spaceless(one)), ...query.terms], rules.weights);
    for (const part of parts) {
      for (const [id, score] of passages.spaceless(part)) found.set(id, (found.get(id) ?? 0) + score);
    }
  } else {
    const any = new Set([...query.phrases, ...query.terms, ...query.others.map(({ other }) => other)]);
    // The command's expression names a phrase twice: as what must be there, and among what may.
    const must = any.size > 1 ? query.phrases : [];
    found = passages.score([...must, ...any], rules.weights);
  }
  const fits = allowed(passages, query, rules);
  return [...found].filter(([id]) => fits(id)).sort(best).slice(0, rules.depth);
}

const best = (one, other) => other[1] - one[1] || one[0] - other[0];

/* Phrases must be there, what is excluded must not. */
function allowed(passages, query, rules) {
  const holding = (part) => (spaceless(part) ? passages.spaceless(part) : passages.places(part, rules.weights));
  const wanted = query.phrases.map(holding), unwanted = query.excluded.map(holding);
  return (id) => wanted.every((one) => one.has(id)) && !unwanted.some((one) => one.has(id));
}

function byMeaning(passages, query, cosines, rules) {
  const words = [...query.phrases, ...query.terms];
  const stranger = words.length === 1 && !passages.places(words[0], rules.weights).size;
  const least = stranger ? rules.stranger : rules.least;
  const fits = allowed(passages, query, rules);
  const near = [];
  for (let id = 0; id < passages.count; id++) if (cosines[id] >= least && fits(id)) near.push([id, cosines[id]]);
  return near.sort(best).slice(0, rules.depth);
}

/* The share of the query's words that each passage holds, each word counting by its rarity. */
function covered(passages, query, keyword, rules) {
  const shares = new Map(keyword.map(([id]) => [id, 0]));
  let total = 0;
  for (const part of [...query.phrases, ...query.terms]) {
    const holding = passages.places(part, rules.weights);
    const weight = Math.log(1 + (passages.count - holding.size + 0.5) / (holding.size + 0.5));
    total += weight;
    const others = query.others.filter(({ covers }) => covers.includes(part));
    const also = others.map(({ other }) => passages.places(other, rules.weights));
    if (spaceless(part)) also.push(passages.spaceless(part));
    for (const id of shares.keys()) {
      if (holding.has(id) || also.some((one) => one.has(id))) shares.set(id, shares.get(id) + weight);
    }
  }
  for (const [id, share] of shares) shares.set(id, total ? share / total : 0);
  return shares;
}
