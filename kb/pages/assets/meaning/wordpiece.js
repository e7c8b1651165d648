/* BERT's WordPiece, uncased: text into the numbers of its pieces, the same as kb/search/wordpiece.py. */

const LONGEST_WORD = 100;
const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const ASCII_MARK = /[!-/:-@[-`{-~]/;
const MARK = /\p{P}/u;
const HIDDEN = /\p{C}/u;
const SPACE = /\s/u;
const CJK = [
  [0x4e00, 0x9fff], [0x3400, 0x4dbf], [0x20000, 0x2a6df], [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f], [0x2b920, 0x2ceaf], [0xf900, 0xfaff], [0x2f800, 0x2fa1f],
];

export class WordPiece {
  /** `pieces` in the order of their numbers. */
  constructor(pieces) {
    this.numbers = new Map(pieces.map((piece, number) => [piece, number]));
    this.unknown = this.numbers.get("[UNK]");
    this.first = this.numbers.get("[CLS]");
    this.last = this.numbers.get("[SEP]");
  }

  /** The numbers of a text's pieces between the two special ones, at most `limit` with them. */
  ids(text, limit) {
    const found = [];
    for (const part of text.split(/(\[(?:PAD|UNK|CLS|SEP|MASK)\])/)) {
      if (SPECIAL.includes(part) && this.numbers.has(part)) found.push(this.numbers.get(part));
      else for (const word of words(part)) this.cut(word, found);
    }
    return [this.first, ...found.slice(0, limit - 2), this.last];
  }

  /** Whether half of a text's pieces at least say something to the model. */
  knows(text) {
    const ids = this.ids(text, Infinity).slice(1, -1);
    return 2 * ids.filter((id) => id === this.unknown).length <= ids.length;
  }

  cut(word, found) {
    const before = found.length;
    if ([...word].length > LONGEST_WORD) return found.push(this.unknown);
    for (let start = 0, end; start < word.length; start = end) {
      let number;
      for (end = word.length; end > start; end--) {
        number = this.numbers.get((start ? "##" : "") + word.slice(start, end));
        if (number !== undefined) break;
      }
      if (number === undefined) {
        found.length = before;
        return found.push(this.unknown);
      }
      found.push(number);
    }
    return found.length;
  }
}

function words(text) {
  const found = [];
  for (const chunk of normalised(text).split(/\s+/u)) {
    let word = "";
    for (const char of chunk) {
      if (char < "\x80" ? ASCII_MARK.test(char) : MARK.test(char)) {
        if (word) found.push(word);
        found.push(char);
        word = "";
      } else word += char;
    }
    if (word) found.push(word);
  }
  return found;
}

function normalised(text) {
  let shown = "";
  for (const char of text) {
    const code = char.codePointAt(0);
    if (char === "\t" || char === "\n" || char === "\r") shown += " ";
    else if (code === 0xfffd || HIDDEN.test(char)) continue;
    else if (SPACE.test(char)) shown += " ";
    else if (code >= 0x3400 && CJK.some(([low, high]) => low <= code && code <= high)) shown += ` ${char} `;
    else shown += char;
  }
  // Character by character: as a whole, a Greek word's last sigma is turned around.
  return Array.from(shown.normalize("NFD").replace(/\p{Mn}/gu, ""), (char) => char.toLowerCase()).join("");
}
