/* What a person typed, taken apart as kb/search/query.py does: words, phrases, exclusions. */

const PART =
  /(?<minus>(?<!\S)-)?"(?<phrase>[^"]*)"|(?<!\S)(?<name>[A-Za-z]+):(?:"(?<quoted>[^"]+)"|(?<value>[^\s"]+))|(?<word>[^\s"]+)/gu;
const UNFIT = /[\x00-\x1f\x7f-\x9f]+|\p{Cs}+/gu;
const SAYABLE = /[\p{L}\p{N}]/u;

/** {text, terms, phrases, excluded, filters}: `filters` are those that only the command line knows. */
export function parseQuery(typed, { stop, filters: known }) {
  const stopWords = new Set(stop);
  const shown = [], words = [], phrases = [], excluded = [], filters = [];
  for (const { 0: whole, groups } of typed.replace(UNFIT, " ").matchAll(PART)) {
    if (groups.phrase !== undefined) {
      const phrase = groups.phrase.split(/\s+/u).filter(Boolean).join(" ");
      if (!SAYABLE.test(phrase)) continue;
      (groups.minus ? excluded : phrases).push(phrase);
      if (!groups.minus) shown.push(phrase);
    } else if (groups.name !== undefined && known.includes(groups.name.toLowerCase())) {
      filters.push(whole);
    } else {
      const word = groups.word || whole.replaceAll('"', " ").trim();
      if (word.startsWith("-") && SAYABLE.test([...word][1] ?? "")) {
        excluded.push(word.slice(1));
        continue;
      }
      shown.push(word);
      if (SAYABLE.test(word)) words.push(word);
    }
  }
  const told = words.filter((word) => !stopWords.has(bare(word.toLowerCase())));
  const terms = [...new Set(told.length ? told : words)];
  return { text: shown.join(" "), terms, phrases: [...new Set(phrases)], excluded, filters };
}

const bare = (word) => word.replace(/^[.,;:!?()[\]{}']+|[.,;:!?()[\]{}']+$/g, "");
