/* Matrix products of int8 weights in plain numbers, exact and quick.

   A number of JavaScript holds integers of 53 bits. So the activations of two tokens, scaled to
   integers a and b, go into one number, a + b * 2^26, and one multiplication serves both: as long as
   each sum stays under 2^25 the two come apart again without an error. How large the integers may be
   follows from Cauchy and Schwarz: a sum is at most the length of the row times the length of the token. */

const SHIFT = 2 ** 26;
const LIMIT = 2 ** 25 - 1;

/** A matrix of `rows` x `columns` int8, the scale and bias of each row, and the length of the longest row. */
export class Linear {
  constructor(weights, scales, biases, longest, columns) {
    this.weights = weights;
    this.scales = scales;
    this.biases = biases;
    this.longest = longest;
    this.columns = columns;
    this.rows = scales.length;
  }

  /** Add the product with `packed` tokens, and the bias, to `out`: (count, rows), token by token. */
  apply(packed, out) {
    const { weights, columns, rows } = this;
    const { pairs, count } = packed;
    packed.scale(this.longest);
    let pair = 0;
    for (; pair + 1 < pairs; pair += 2) {
      for (let row = 0; row < rows; row += 4) {
        twoByFour(weights, row * columns, packed.numbers, pair * columns, columns);
        for (let at = 0; at < 4; at++) {
          this.unpack(SUMS[at], row + at, 2 * pair, packed, out);
          this.unpack(SUMS[at + 4], row + at, 2 * pair + 2, packed, out);
        }
      }
    }
    if (pair < pairs) {
      for (let row = 0; row < rows; row += 4) {
        oneByFour(weights, row * columns, packed.numbers, pair * columns, columns);
        for (let at = 0; at < 4; at++) this.unpack(SUMS[at], row + at, 2 * pair, packed, out);
      }
    }
    return out;
  }

  unpack(sum, row, token, packed, out) {
    const high = Math.floor(sum / SHIFT + 0.5);
    const { rows } = this;
    out[token * rows + row] += (sum - high * SHIFT) * packed.back[token] * this.scales[row] + this.biases[row];
    if (token + 1 < packed.count) {
      out[(token + 1) * rows + row] += high * packed.back[token + 1] * this.scales[row] + this.biases[row];
    }
  }
}

/** Tokens on their way into a product: (count, columns), two in one number. Of longer ones, `stride` apart,
    the columns from `first` on. */
export class Packed {
  constructor(values, count, columns, stride = columns, first = 0) {
    this.values = values;
    this.stride = stride;
    this.first = first;
    this.count = count;
    this.columns = columns;
    this.pairs = (count + 1) >> 1;
    this.numbers = new Float64Array(this.pairs * columns);
    this.back = new Float64Array(this.pairs * 2);
    this.longest = 0;
  }

  /** Turn the tokens into integers that a matrix whose longest row has this length can take. */
  scale(longest) {
    if (longest === this.longest) return;
    this.longest = longest;
    const { values, columns, numbers, back, count } = this;
    const most = LIMIT / longest - Math.sqrt(columns) / 2; // rounding may add half a unit to each number
    for (let token = 0; token < count; token++) {
      const from = token * this.stride + this.first;
      let square = 0;
      for (let at = 0; at < columns; at++) square += values[from + at] * values[from + at];
      const factor = square > 0 ? most / Math.sqrt(square) : 1;
      back[token] = 1 / factor;
      const to = (token >> 1) * columns;
      if (token & 1) {
        for (let at = 0; at < columns; at++) numbers[to + at] += Math.floor(values[from + at] * factor + 0.5) * SHIFT;
      } else {
        for (let at = 0; at < columns; at++) numbers[to + at] = Math.floor(values[from + at] * factor + 0.5);
      }
    }
  }
}

const SUMS = new Float64Array(8);

/* Two pairs of tokens by four rows: as many sums as the processor has registers for. */
function twoByFour(weights, row, numbers, pair, columns) {
  let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
  let w0 = row, w1 = row + columns, w2 = w1 + columns, w3 = w2 + columns;
  let one = pair, two = pair + columns;
  for (const end = pair + columns; one < end; one++, two++, w0++, w1++, w2++, w3++) {
    const x = numbers[one], y = numbers[two];
    const p = weights[w0], q = weights[w1], r = weights[w2], s = weights[w3];
    a0 += p * x; a1 += q * x; a2 += r * x; a3 += s * x;
    b0 += p * y; b1 += q * y; b2 += r * y; b3 += s * y;
  }
  SUMS[0] = a0; SUMS[1] = a1; SUMS[2] = a2; SUMS[3] = a3;
  SUMS[4] = b0; SUMS[5] = b1; SUMS[6] = b2; SUMS[7] = b3;
}

function oneByFour(weights, row, numbers, pair, columns) {
  let a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  let w0 = row, w1 = row + columns, w2 = w1 + columns, w3 = w2 + columns;
  for (let one = pair, end = pair + columns; one < end; one++, w0++, w1++, w2++, w3++) {
    const x = numbers[one];
    a0 += weights[w0] * x; a1 += weights[w1] * x; a2 += weights[w2] * x; a3 += weights[w3] * x;
  }
  SUMS[0] = a0; SUMS[1] = a1; SUMS[2] = a2; SUMS[3] = a3;
}
