/* A BERT encoder over int8 weights, post-norm with exact GELU and mean pooling: text in, direction out.

   The file of the layers holds 32-bit floats first, then the int8 matrices, each in the order in which
   they are taken here; kb/search/browser/model.py writes it so. */

import { Linear, Packed } from "./product.js";

export class Encoder {
  /** `shape` is that of index.json; `data` the file of the layers. */
  constructor(shape, data) {
    const { hidden, inner, layers, positions, floats } = shape;
    this.shape = shape;
    this.numbers = new Float32Array(data, 0, floats);
    this.bytes = new Int8Array(data, 4 * floats);
    this.atNumber = this.atByte = 0;
    this.type = this.take(hidden);
    this.norm = this.takeNorm();
    this.placeScales = this.take(positions);
    this.places = this.takeBytes(positions * hidden);
    this.layers = Array.from({ length: layers }, () => ({
      query: this.linear(hidden, hidden),
      key: this.linear(hidden, hidden),
      value: this.linear(hidden, hidden),
      attended: this.linear(hidden, hidden),
      inner: this.linear(inner, hidden),
      // Cut across its columns, so that each part has scales of its own: it would lose most by rounding.
      outer: Array.from({ length: inner / hidden }, () => this.linear(hidden, hidden)),
      attendedNorm: this.takeNorm(),
      outerNorm: this.takeNorm(),
    }));
  }

  take(count) {
    this.atNumber += count;
    return this.numbers.subarray(this.atNumber - count, this.atNumber);
  }

  takeBytes(count) {
    this.atByte += count;
    return this.bytes.subarray(this.atByte - count, this.atByte);
  }

  takeNorm() {
    return { weight: this.take(this.shape.hidden), bias: this.take(this.shape.hidden) };
  }

  linear(rows, columns) {
    const [longest] = this.take(1);
    const scales = this.take(rows), biases = this.take(rows);
    return new Linear(this.takeBytes(rows * columns), scales, biases, longest, columns);
  }

  /** The unit vector of a text whose tokens have these rows of the word table: each {bytes, scale}. */
  encode(words) {
    const { hidden, inner } = this.shape;
    const count = words.length;
    const rows = new Float32Array(count * hidden);
    words.forEach(({ bytes, scale }, token) => {
      for (let at = 0; at < hidden; at++) {
        rows[token * hidden + at] =
          bytes[at] * scale + this.places[token * hidden + at] * this.placeScales[token] + this.type[at];
      }
    });
    this.normalise(rows, this.norm);
    for (const layer of this.layers) {
      const mixed = this.attend(layer, rows, count);
      layer.attended.apply(new Packed(mixed, count, hidden), rows);
      this.normalise(rows, layer.attendedNorm);
      const grown = gelu(layer.inner.apply(new Packed(rows, count, hidden), new Float32Array(count * inner)));
      layer.outer.forEach((part, at) => part.apply(new Packed(grown, count, hidden, inner, at * hidden), rows));
      this.normalise(rows, layer.outerNorm);
    }
    return this.pool(rows, count);
  }

  attend(layer, rows, count) {
    const { hidden, heads } = this.shape;
    const size = hidden / heads;
    const packed = new Packed(rows, count, hidden);
    const [query, key, value] = [layer.query, layer.key, layer.value].map((linear) =>
      linear.apply(packed, new Float32Array(count * hidden)));
    const mixed = new Float32Array(count * hidden);
    const scores = new Float64Array(count);
    const scale = 1 / Math.sqrt(size);
    for (let from = 0; from < hidden; from += size) {
      for (let token = 0; token < count; token++) {
        const here = token * hidden + from;
        let most = -Infinity, total = 0;
        for (let other = 0; other < count; other++) {
          let sum = 0;
          for (let at = 0, there = other * hidden + from; at < size; at++) sum += query[here + at] * key[there + at];
          scores[other] = sum * scale;
          if (scores[other] > most) most = scores[other];
        }
        for (let other = 0; other < count; other++) total += scores[other] = Math.exp(scores[other] - most);
        for (let other = 0; other < count; other++) {
          const share = scores[other] / total;
          for (let at = 0, there = other * hidden + from; at < size; at++) mixed[here + at] += share * value[there + at];
        }
      }
    }
    return mixed;
  }

  normalise(rows, { weight, bias }) {
    const { hidden, epsilon } = this.shape;
    for (let from = 0; from < rows.length; from += hidden) {
      let mean = 0, variance = 0;
      for (let at = 0; at < hidden; at++) mean += rows[from + at];
      mean /= hidden;
      for (let at = 0; at < hidden; at++) variance += (rows[from + at] - mean) ** 2;
      const size = 1 / Math.sqrt(variance / hidden + epsilon);
      for (let at = 0; at < hidden; at++) rows[from + at] = (rows[from + at] - mean) * size * weight[at] + bias[at];
    }
  }

  pool(rows, count) {
    const { hidden } = this.shape;
    const sum = new Float64Array(hidden);
    for (let token = 0; token < count; token++) {
      for (let at = 0; at < hidden; at++) sum[at] += rows[token * hidden + at];
    }
    const length = Math.max(Math.hypot(...sum), 1e-12);
    return Float32Array.from(sum, (one) => one / length);
  }
}

/* x * Phi(x), with erf by Abramowitz and Stegun 7.1.26, as kb/search/bert.py has it. */
function gelu(values) {
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    const size = Math.abs(value) * Math.SQRT1_2;
    const step = 1 / (1 + 0.3275911 * size);
    const tail =
      ((((1.061405429 * step - 1.453152027) * step + 1.421413741) * step - 0.284496736) * step + 0.254829592) *
      step * Math.exp(-size * size);
    values[at] = Math.max(value, 0) - Math.abs(value) * tail * 0.5;
  }
  return values;
}
