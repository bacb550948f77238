// C99 functions that JavaScript's Math lacks or defines differently. The relative error of erf and erfc is about 1e-15.

// e^(−x²). The square of the rounded half is exact, so that its rounding is not amplified.
function gauss(x) {
  const half = Math.fround(x);
  return Math.exp(-half * half) * Math.exp((half - x) * (half + x));
}

// e^(−x²) · 2x/√π · Σ (2x²)^n / (2n + 1)!!, a sum without cancellation.
function erf(x) {
  if (Math.abs(x) > 2) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  let term = (2 * x) / Math.sqrt(Math.PI);
  let sum = term;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return x === 0 || Number.isNaN(x) ? x : gauss(x) * sum;
}

// The continued fraction e^(−x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))), computed from its end.
function erfc(x) {
  if (Number.isNaN(x)) return x;
  if (x < 0.5) return 1 - erf(x);
  if (x > 28) return 0;
  let tail = x;
  for (let n = Math.ceil(20 + 160 / (x * x)); n > 0; n--) tail = x + n / 2 / tail;
  return gauss(x) / Math.sqrt(Math.PI) / tail;
}

// C's fmin and fmax ignore a nan; C's pow returns 1 for 1 to any power and for -1 to an infinite power.
const fmin = (x, y) => (x < y || Number.isNaN(y) ? x : y);
const fmax = (x, y) => (x > y || Number.isNaN(y) ? x : y);
const pow = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y));
