// What both forward passes in plain JavaScript are made of, of the network that judges and of the one
// that writes. Gates are in torch's order: input, forget, cell, output. V8 multiplies fastest where eight rows of a matrix stand side by side, so that every number
// read of the state serves eight sums; rows are filled up to a multiple of eight with zeros.

const ROWS = 8;

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const tanh = (x) => 1 - 2 / (1 + Math.exp(2 * x)); // where exp overflows, 1

/** A matrix of `rows` by `columns`, made of matrices that stand beside each other. */
export class Matrix {
  constructor(rows, ...parts) {
    this.rows = Math.ceil(rows / ROWS) * ROWS;
    this.columns = parts.reduce((sum, part) => sum + part.length / rows, 0);
    this.numbers = new Float32Array(this.rows * this.columns);
    let offset = 0;
    for (const part of parts) {
      const width = part.length / rows;
      for (let row = 0; row < rows; row += 1) {
        const start = (row - (row % ROWS)) * this.columns + (row % ROWS);
        for (let column = 0; column < width; column += 1) {
          this.numbers[start + (offset + column) * ROWS] = part[row * width + column];
        }
      }
      offset += width;
    }
  }

  /** Write the product with a stretch of `x`, from `from` on, to `out`. */
  multiply(x, from, out) {
    const { numbers, rows, columns } = this;
    let at = 0;
    for (let row = 0; row < rows; row += ROWS) {
      let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let column = 0; column < columns; column += 1, at += ROWS) {
        const value = x[from + column];
        a += numbers[at] * value;
        b += numbers[at + 1] * value;
        c += numbers[at + 2] * value;
        d += numbers[at + 3] * value;
        e += numbers[at + 4] * value;
        f += numbers[at + 5] * value;
        g += numbers[at + 6] * value;
        h += numbers[at + 7] * value;
      }
      out[row] = a;
      out[row + 1] = b;
      out[row + 2] = c;
      out[row + 3] = d;
      out[row + 4] = e;
      out[row + 5] = f;
      out[row + 6] = g;
      out[row + 7] = h;
    }
  }

  /** The same for two vectors at once, which reads the matrix only once for both. */
  multiplyBoth(x, y, outX, outY) {
    const { numbers, rows, columns } = this;
    for (let row = 0; row < rows; row += ROWS / 2) {
      let at = (row - (row % ROWS)) * columns + (row % ROWS);
      let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let column = 0; column < columns; column += 1, at += ROWS) {
        const one = x[column];
        const other = y[column];
        const first = numbers[at];
        const second = numbers[at + 1];
        const third = numbers[at + 2];
        const fourth = numbers[at + 3];
        a += first * one;
        b += second * one;
        c += third * one;
        d += fourth * one;
        e += first * other;
        f += second * other;
        g += third * other;
        h += fourth * other;
      }
      outX[row] = a;
      outX[row + 1] = b;
      outX[row + 2] = c;
      outX[row + 3] = d;
      outY[row] = e;
      outY[row + 1] = f;
      outY[row + 2] = g;
      outY[row + 3] = h;
    }
  }
}

/** Move one layer's cell and state on, in place; `added` is what comes to the gates besides. */
export function remember(gates, added, hidden, cell, state, at) {
  for (let unit = 0; unit < hidden; unit += 1) {
    const opened = sigmoid(gates[unit] + added[unit]);
    const kept = sigmoid(gates[hidden + unit] + added[hidden + unit]);
    const fresh = tanh(gates[2 * hidden + unit] + added[2 * hidden + unit]);
    const shown = sigmoid(gates[3 * hidden + unit] + added[3 * hidden + unit]);
    const value = kept * cell[at + unit] + opened * fresh;
    cell[at + unit] = value;
    state[at + unit] = shown * tanh(value);
  }
}

export const sum = (a, b) => Float64Array.from(a, (value, at) => value + b[at]);
export const padded = (matrix) => new Float64Array(matrix.rows);
