/* Words as the keyword index has them: SQLite's unicode61 tokenizer with its diacritics removed, then
   Porter's stemmer (M. F. Porter, An algorithm for suffix stripping, 1980) as FTS5 applies it. */

const LETTER = /[\p{L}\p{N}\p{Co}]/u;
const ACCENT = /[\u0300-\u0304\u0306-\u030c\u030f\u0311\u031b\u0323-\u0328\u032d\u032e\u0330\u0331]/u;
// Letters that stand for others, and that lowering leaves as they are: micro, long s, Greek variants.
const OTHERS = new Map(["\u00b5\u03bc", "\u017fs", "\u03c2\u03c3", "\u03d0\u03b2", "\u03d1\u03b8", "\u03d5\u03c6",
  "\u03d6\u03c0", "\u03f0\u03ba", "\u03f1\u03c1", "\u03f5\u03b5"].map(([one, other]) => [one, other]));

/** The stems of a text, in order. */
export function stems(text) {
  const found = [];
  let word = "";
  for (const char of text) {
    if (LETTER.test(char)) word += fold(char);
    else if (!ACCENT.test(char)) {
      if (word) found.push(stem(word));
      word = "";
    }
  }
  if (word) found.push(stem(word));
  return found;
}

/* Latin letters lose their accents, others keep theirs. */
function fold(char) {
  if (char < "\x80") return char.toLowerCase();
  const lower = OTHERS.get(char) ?? char.toLowerCase();
  const bare = lower.normalize("NFD").replace(/\p{Mn}/gu, "");
  return /^[a-z]$/.test(bare) ? bare : lower;
}

const VOWEL = /[aeiou]/;

function isVowel(word, at) {
  return VOWEL.test(word[at]) || (word[at] === "y" && at > 0 && !isVowel(word, at - 1));
}

/* How many runs of vowels are followed by a consonant. */
function measure(word) {
  let count = 0, before = false;
  for (let at = 0; at < word.length; at++) {
    const vowel = isVowel(word, at);
    if (before && !vowel) count++;
    before = vowel;
  }
  return count;
}

const hasVowel = (word) => [...word].some((_, at) => isVowel(word, at));
const doubled = (word) => word.length > 1 && word.at(-1) === word.at(-2) && !isVowel(word, word.length - 1);
const short = (word) =>
  word.length > 2 && !isVowel(word, word.length - 3) && isVowel(word, word.length - 2) &&
  !isVowel(word, word.length - 1) && !/[wxy]$/.test(word);

const SECOND = [
  ["ational", "ate"], ["tional", "tion"], ["enci", "ence"], ["anci", "ance"], ["izer", "ize"], ["logi", "log"],
  ["bli", "ble"], ["alli", "al"], ["entli", "ent"], ["eli", "e"], ["ousli", "ous"], ["ization", "ize"],
  ["ation", "ate"], ["ator", "ate"], ["alism", "al"], ["iveness", "ive"], ["fulness", "ful"],
  ["ousness", "ous"], ["aliti", "al"], ["iviti", "ive"], ["biliti", "ble"],
];
const THIRD = [
  ["icate", "ic"], ["ative", ""], ["alize", "al"], ["iciti", "ic"], ["ical", "ic"], ["ful", ""], ["ness", ""],
];
const FOURTH = [
  "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ou", "ism", "ate", "iti",
  "ous", "ive", "ize",
];

function replaced(word, table) {
  for (const [ending, other] of table) {
    if (word.endsWith(ending)) {
      const base = word.slice(0, -ending.length);
      return measure(base) > 0 ? base + other : word;
    }
  }
  return word;
}

/** The stem of a folded word. */
export function stem(word) {
  const bytes = new TextEncoder().encode(word).length;
  if (bytes < 3 || bytes > 64 || /[^\0-\x7f]/.test(word)) return word;
  word = word.replace(/(?<=.)sses$/, "ss").replace(/(?<=.)ies$/, "i").replace(/([^s])s$/, "$1");
  if (/.eed$/.test(word)) {
    if (measure(word.slice(0, -3)) > 0) word = word.slice(0, -1);
  } else {
    const ending = /(?:ed|ing)$/.exec(word);
    if (ending && hasVowel(word.slice(0, ending.index))) {
      word = word.slice(0, ending.index);
      if (/(?:at|bl|iz)$/.test(word)) word += "e";
      else if (doubled(word) && !/[lsz]$/.test(word)) word = word.slice(0, -1);
      else if (measure(word) === 1 && short(word)) word += "e";
    }
  }
  if (word.endsWith("y") && hasVowel(word.slice(0, -1))) word = `${word.slice(0, -1)}i`;
  word = replaced(replaced(word, SECOND), THIRD);
  for (const ending of [...FOURTH, "ion"]) {
    if (!word.endsWith(ending)) continue;
    const base = word.slice(0, -ending.length);
    if (measure(base) > 1 && (ending !== "ion" || /[st]$/.test(base))) word = base;
    break;
  }
  if (word.endsWith("e")) {
    const base = word.slice(0, -1);
    if (measure(base) > 1 || (measure(base) === 1 && !short(base))) word = base;
  }
  if (measure(word) > 1 && word.endsWith("ll")) word = word.slice(0, -1);
  return word;
}
