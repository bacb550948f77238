// Numbers and names in the notation of the Python package.

// Formats a number like Python's "g" format (like repr for 17 digits), with a true minus sign.
function show(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "−inf";
  const [digits, exponent] = rounded(Math.abs(x));
  const most = Math.min(graph.digits, 16);
  let text = digits;
  if (exponent >= most || exponent < -4) {
    text = `${digits[0]}${digits.length > 1 ? "." : ""}${digits.slice(1)}e${String(exponent).replace("-", "−")}`;
  } else if (exponent < 0) {
    text = `0.${"0".repeat(-exponent - 1)}${digits}`;
  } else if (digits.length > exponent + 1) {
    text = `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
  } else {
    text = digits.padEnd(exponent + 1, "0");
  }
  return x < 0 || Object.is(x, -0) ? `−${text}` : text;
}

// Returns the significant digits and the exponent. Ties round to even, as in Python; JavaScript would round up.
function rounded(x) {
  const parts = (text) => [text.split("e")[0].replace(".", ""), Number(text.split("e")[1])];
  const shortest = parts(x.toExponential());
  if (graph.digits >= 17) return shortest;
  let [digits, exponent] = parts(x.toExponential(graph.digits - 1));
  if (graph.digits > 14 || (shortest[0].length === graph.digits + 1 && shortest[0].endsWith("5"))) {
    const all = parts(x.toExponential(60));
    const even = "02468".includes(all[0][graph.digits - 1]);
    if (even && /^50*$/.test(all[0].slice(graph.digits))) [digits, exponent] = [all[0].slice(0, graph.digits), all[1]];
  }
  return [digits.replace(/0+$/, "") || "0", exponent];
}

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);
const times = (factors) => factors.map((text, i) => (i ? bracketed(text) : text)).join(" · ");
const name = (i) => nodes[i].name;
const partial = (above, below) => `∂${name(above)}/∂${name(below)}`;
