"use strict";
// The page: replays the graph, walks it step by step, explains gradients. `F` and `D` are the rows, written above.

const find = (id) => document.getElementById(id);
const graph = JSON.parse(find("graph").textContent);
const nodes = graph.nodes;
const root = nodes.length - 1;
const SVG = "http://www.w3.org/2000/svg";

// Numbers come as texts, for JSON has no infinities.
const number = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text));
for (const node of nodes) {
  node.data = number(node.data);
  node.locals = node.locals.map((local) => (local === null ? null : number(local)));
}

// --- the engine ------------------------------------------------------------------------------------------------------

// For each value its uses, in the order of the backward pass: {user, place}.
const users = nodes.map(() => []);
for (let user = root; user >= 0; user--) {
  nodes[user].args.forEach((arg, place) => {
    if (typeof arg === "number") users[arg].push({ user, place });
  });
}

let data = nodes.map((node) => node.data);
let locals = nodes.map((node) => node.locals);

// Read by programs that drive the page; nothing here reads it.
window.micrograd = Object.freeze({ state: () => ({ step, last, data, locals, grad: backward(step - nodes.length - 1).adjoints }) });

// An argument is the place of a value in the order, or ["3.0"], a constant.
const valueOf = (arg) => (typeof arg === "number" ? data[arg] : number(arg[0]));

function forward() {
  nodes.forEach((node, i) => {
    if (node.op === null) return;
    const args = node.args.map(valueOf);
    data[i] = F[node.op](...args);
    locals[i] = node.args.map((arg, place) => (typeof arg === "number" ? D[node.op][place](...args, data[i]) : null));
  });
}

// What passes from a value to an argument: nothing where its adjoint is 0, nor what a relu, where, ... did not take.
const passes = (user, adjoint, local) =>
  adjoint !== 0 && !(nodes[user].selects && local === 0 && !Number.isFinite(adjoint));

// The contributions of the backward pass, in its order; which they are does not depend on the numbers.
const contributions = [];
for (let user = root; user >= 0; user--) {
  nodes[user].args.forEach((arg, place) => {
    if (typeof arg === "number") contributions.push({ node: arg, user, place });
  });
}

// The adjoints after the first `count` contributions, what each of these gave, and which values they reached.
function backward(count) {
  const adjoints = nodes.map(() => 0);
  const given = [];
  const reached = new Set();
  if (count < 0) return { adjoints, given, reached }; // not yet begun
  adjoints[root] = 1;
  reached.add(root);
  for (const { node, user, place } of contributions.slice(0, count)) {
    const local = locals[user][place];
    const amount = passes(user, adjoints[user], local) ? adjoints[user] * local : 0;
    adjoints[node] += amount;
    reached.add(node);
    given.push({ adjoint: adjoints[user], local, amount, total: adjoints[node] });
  }
  return { adjoints, given, reached };
}

// --- numbers and names -----------------------------------------------------------------------------------------------

// As the rest of the package writes numbers: Python's "g" format (17 digits: what repr gives), a true minus sign.
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

// The significant digits and the exponent; halves go to even, as in Python, where JavaScript would round up.
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

// --- the picture -----------------------------------------------------------------------------------------------------

function element(tag, attributes, parent, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

// Writes what has changed only: a large graph has to follow a slider.
const written = new WeakMap();
function set(element, key, value) {
  if (!written.has(element)) written.set(element, {});
  const before = written.get(element);
  if (before[key] === value) return;
  before[key] = value;
  if (key === "text") element.textContent = value;
  else if (value === null) element.removeAttribute(key);
  else element.setAttribute(key, value);
}

// A number in a card, drawn together where it is wider than its room.
function setNumber(text, x, room) {
  set(text, "text", x);
  set(text, "textLength", x.length * 6.7 > room ? room : null);
}

const svg = find("picture");
const natural = svg.width.baseVal.value;
svg.style.width = `clamp(${0.8 * natural}px, 100%, ${natural}px)`; // below that it scrolls
const lines = {};
const cards = [];
const constants = [];

function drawLines() {
  for (const [key, { points, at }] of Object.entries(graph.lines)) {
    const [user, place] = key.split("_").map(Number);
    const from = nodes[user].args[place];
    const path = points.map(([x, y], i) => `${i === 0 ? "M" : i === 1 ? "C" : ""}${x},${y}`).join(" ");
    const group = element("g", {}, svg);
    const curve = element("path", { d: path, "marker-end": "url(#arrow)" }, group);
    const label = at ? element("text", { x: at[0], y: at[1], class: "local" }, group) : null;
    lines[key] = { group, curve, label, user, from, constant: typeof from !== "number" };
  }
}

function drawCards() {
  for (const [key, [x, y, width, height]] of Object.entries(graph.boxes)) {
    const left = x - width / 2;
    const top = y - height / 2;
    if (key.includes("_")) {
      const [user, place] = key.split("_").map(Number);
      const group = element("g", {}, svg);
      constants.push(group);
      element("rect", { x: left, y: top, width, height, rx: 6 }, group);
      element("text", { x, y: y + 4, class: "middle" }, group, show(number(nodes[user].args[place][0])));
      continue;
    }
    const i = Number(key);
    const group = element("g", { tabindex: 0, role: "img", "aria-describedby": "why", id: `v${i}` }, svg);
    element("rect", { x: left, y: top, width, height, rx: 8, class: "back" }, group);
    const tint = element("rect", { x: left + 2, y: top + 44, width: width - 4, height: 20, rx: 6, class: "tint" }, group);
    const heading = element("text", { x, y: top + 16, class: "middle" }, group);
    element("tspan", { class: "name" }, heading, nodes[i].label);
    element("tspan", { class: "kind", dx: nodes[i].label ? 5 : 0 }, heading, nodes[i].kind);
    element("line", { x1: left, x2: left + width, y1: top + 23, y2: top + 23 }, group);
    element("text", { x: left + 8, y: top + 39, class: "what" }, group, "data");
    const caption = element("text", { x: left + 8, y: top + 58 }, group, "grad");
    const right = left + width - 8;
    const dataText = element("text", { x: right, y: top + 39, class: "number", lengthAdjust: "spacingAndGlyphs" }, group);
    const gradText = element("text", { x: right, y: top + 58, class: "number", lengthAdjust: "spacingAndGlyphs" }, group);
    cards[i] = { group, tint, caption, dataText, gradText, room: width - 46 };
    group.addEventListener("pointerenter", () => look(i));
    group.addEventListener("pointerleave", () => look(focused()));
    group.addEventListener("focus", () => look(i));
    group.addEventListener("blur", () => look(null));
  }
}

// The card that has the keyboard's focus, if any.
function focused() {
  const i = cards.findIndex(({ group }) => group === document.activeElement);
  return i < 0 ? null : i;
}

// --- steps -----------------------------------------------------------------------------------------------------------

// First the values, then the root's gradient, then the contributions.
const last = nodes.length + 1 + contributions.length;
let step = last;
let looked = null;
let playing = null;

// The contribution that this step makes, if it makes one.
const contribution = () => (step > nodes.length + 1 ? contributions[step - nodes.length - 2] : null);

function said({ given }) {
  if (step === 0) return "Nothing is computed yet.";
  if (step <= nodes.length) {
    const { label, made } = nodes[step - 1];
    const sides = [label || name(step - 1), made === label ? null : made, inNumbers(step - 1), show(data[step - 1])];
    return sides.filter((side, i) => side && side !== sides[i - 1]).join(" = ");
  }
  if (step === nodes.length + 1) return `${name(root)}.grad = ∂${name(root)}/∂${name(root)} = 1`;
  const { node, user, place } = contribution();
  const { adjoint, local, amount, total } = given.at(-1);
  const chain = `${name(node)}.grad += ${name(user)}.grad · ${partial(user, node)}`;
  if (!passes(user, adjoint, local)) return `${chain}: nothing is passed on (${show(adjoint)} · ${show(local)})`;
  const again = total === amount ? "" : `, together ${show(total)}`;
  return `${chain} = ${times([show(adjoint), show(local)])} = ${show(amount)}${again}`;
}

// The operation that made a value, with the numbers of its arguments: −3 + 0.7.
function inNumbers(i) {
  const { shape, binds, args } = nodes[i];
  if (!shape) return null;
  const negated = 2; // the precedence of a sign
  const piece = (place) => {
    const text = show(valueOf(args[place]));
    return text.startsWith("−") && binds[place] > negated ? `(${text})` : text;
  };
  return shape.map((part) => (typeof part === "string" ? part : piece(part))).join("");
}

// Why a value is nan or infinite where its operation is not defined, in the words of the package's DomainError.
function outside(i) {
  const { domain, op, args, names } = nodes[i];
  if (!domain || Number.isFinite(data[i])) return "";
  const numbers = args.map(valueOf);
  const holds = ([low, high, openLow, openHigh, whole], x) =>
    !(x < number(low) || x > number(high) || (openLow && x === number(low)) || (openHigh && x === number(high))) &&
    !(whole && Number.isFinite(x) && x !== Math.floor(x));
  if (domain.some((box) => box.every((interval, place) => holds(interval, numbers[place])))) return "";
  const place = numbers.findIndex((x, k) => !domain.some((box) => holds(box[k], x)));
  if (place < 0) return `${op}: (${names.join(", ")}) = (${numbers.map(show).join(", ")}) is outside its domain`;
  const allowed = [...new Set(domain.map((box) => box[place][5]))].join(" or ");
  return `${op}: ${names[place]} = ${show(numbers[place])} is outside ${allowed}`;
}

function trouble() {
  const i = data.findIndex((x, k) => k < step && !Number.isFinite(x) && outside(k));
  return i < 0 ? "" : `⚠ ${name(i)} = ${show(data[i])}, for ${outside(i)}; so is what is made from it.`;
}

function paint() {
  const count = step - nodes.length - 1;
  const pass = backward(count);
  const { adjoints, reached } = pass;
  const made = contribution();
  const current = looked !== null || step === last ? -1 : count < 0 ? step - 1 : made ? made.node : root;
  const path = looked === null ? null : above(looked);
  const largest = Math.max(0, ...adjoints.filter(Number.isFinite).map(Math.abs));
  const strength = (x) => (Number.isFinite(x) ? (largest ? Math.min(1, Math.abs(x) / largest) : 0) : 1);
  const classes = (...names) => names.filter(Boolean).join(" ");
  nodes.forEach((node, i) => {
    const { group, tint, caption, dataText, gradText, room } = cards[i];
    const dataShown = i < step ? show(data[i]) : "";
    const gradShown = reached.has(i) ? show(adjoints[i]) : "";
    setNumber(dataText, dataShown, room);
    setNumber(gradText, gradShown, room);
    const tinted = reached.has(i) && adjoints[i] !== 0;
    const sign = adjoints[i] > 0 ? "plus" : adjoints[i] < 0 ? "minus" : "neither";
    set(tint, "class", classes("tint", tinted && sign));
    set(caption, "class", classes("what", tinted && "tinted"));
    set(tint, "fill-opacity", tinted ? (0.12 + 0.6 * strength(adjoints[i])).toFixed(3) : 0);
    const wrong = i < step && !Number.isFinite(data[i]) && outside(i) !== "";
    const faded = path !== null && !path.has(i);
    set(group, "class", classes("card", i >= step && "waiting", wrong && "outside", faded && "faded", i === current && "current"));
    const told = [`${node.name}, ${node.op ?? "leaf"}`, dataShown && `data ${dataShown}`, gradShown && `gradient ${gradShown}`];
    set(group, "aria-label", told.filter(Boolean).join(", "));
  });
  for (const [key, { group, constant, user, from }] of Object.entries(lines)) {
    const on = path !== null && !constant && path.has(user) && path.has(from);
    const now = made && looked === null && step < last && key === `${made.user}_${made.place}`;
    set(group, "class", classes("line", constant && "constant", on && "on", path !== null && !on && "faded", now && "current"));
  }
  constants.forEach((group) => set(group, "class", classes("constant", path !== null && "faded")));
  contributions.forEach(({ user, place }, k) => {
    const { curve, label } = lines[`${user}_${place}`];
    if (label) set(label, "text", user < step ? show(locals[user][place]) : "");
    const flow = k < count ? pass.given[k].amount : 0;
    set(curve, "stroke-width", (1 + (k < count ? 2.5 * strength(flow) : 0)).toFixed(2));
  });
  set(find("where"), "text", `step ${step} of ${last}${step === 0 ? "" : count < 0 ? ", forward" : ", backward"}`);
  set(find("said"), "text", said(pass));
  set(find("trouble"), "text", trouble());
  set(find("trouble"), "title", trouble());
  for (const [id, off] of [["first", step === 0], ["back", step === 0], ["next", step === last], ["last", step === last]]) {
    find(id).disabled = off;
  }
  explain();
  fields.forEach(({ i, grad }) => set(grad, "text", reached.has(i) ? show(adjoints[i]) : "–"));
  return current;
}

function go(to) {
  step = Math.max(0, Math.min(last, to));
  looked = null;
  const current = paint();
  if (current >= 0) reveal(cards[current].group);
}

// Scrolls the picture, and only it, to a card.
function reveal(card) {
  const box = svg.parentElement;
  const [outer, inner] = [box.getBoundingClientRect(), card.getBoundingClientRect()];
  const shift = (low, high, from, to) => (low < from ? low - from - 24 : high > to ? high - to + 24 : 0);
  box.scrollLeft += shift(inner.left, inner.right, outer.left, outer.right);
  box.scrollTop += shift(inner.top, inner.bottom, outer.top, outer.bottom);
}

function play() {
  if (playing) return pause();
  if (step === last) step = 0;
  find("play").textContent = "❚❚ pause";
  playing = setInterval(() => (step < last ? go(step + 1) : pause()), 700);
}

function pause() {
  clearInterval(playing);
  playing = null;
  find("play").textContent = "▶ play";
}

// --- paths and their products ----------------------------------------------------------------------------------------

function look(i) {
  if (looked === i) return;
  looked = i;
  paint();
}

// All that lies between the value looked at and the root.
function above(i) {
  const found = new Set([i]);
  for (let k = i; k <= root; k++) if (found.has(k)) users[k].forEach(({ user }) => found.add(user));
  return found;
}

const isHead = (i) => i === root || users[i].length > 1;

// From a value along one use up to the next station: {top, edges from there down}.
function climb(edge, top) {
  const edges = [edge];
  while (edges[0].user !== top) edges.unshift(users[edges[0].user][0]);
  return edges;
}

// ½ · 2e as e, and no factors of 1 and −1 between others: such products are exact.
function shortened(factors) {
  let first = 0;
  while (first < factors.length - 1 && Number.isInteger(Math.log2(Math.abs(factors[first])))) first++;
  const shown = [factors.slice(0, first + 1).reduce((x, y) => x * y)];
  for (const factor of factors.slice(first + 1)) {
    if (factor === -1) shown.push(-shown.pop());
    else if (factor !== 1) shown.push(factor);
  }
  return shown;
}

// The numbers along edges, as the engine multiplies them.
function multiplied(before, edges) {
  const factors = edges.map(({ user, place }) => locals[user][place]);
  let total = before;
  for (const [i, { user }] of edges.entries()) {
    if (!passes(user, total, factors[i])) return { total: 0, shown: [0] }; // 0 · ∞ too
    total *= factors[i];
  }
  const shown = shortened(factors);
  return { total, shown: shown.reduce((x, y) => x * y, before) === total ? shown : factors };
}

const MOST = 12; // equations that are shown

// The equation of a value: its ways up to the next values whose gradient is known by name.
function equation(i, adjoints) {
  return nodes[i].links.map((link) => {
    const uses = users[i].filter((edge) => reaches(edge, link.top));
    const chain = [{ top: link.top, bottom: i, text: link.text, loose: link.loose }];
    const upper = [];
    let top = link.top;
    while (!isHead(top)) {
      const [next] = nodes[top].links;
      chain.unshift({ top: next.top, bottom: top, text: next.text, loose: next.loose });
      upper.unshift(climb(users[top][0], next.top));
      top = next.top;
    }
    const products = uses.map((edge) => {
      const groups = top === root ? [] : [[adjoints[top]]]; // the numbers of each factor of the chain
      let total = adjoints[top];
      for (const edges of [...upper, climb(edge, link.top)]) {
        const factor = multiplied(total, edges);
        groups.push(factor.shown);
        total = factor.total;
      }
      return groups;
    });
    return { head: top, chain, products };
  });
}

function reaches(edge, top) {
  let user = edge.user;
  while (user !== top && !isHead(user) && !nodes[user].station) user = users[user][0].user;
  return user === top;
}

function explain() {
  const panel = find("why");
  panel.replaceChildren();
  const note = (text) => panel.append(Object.assign(document.createElement("p"), { textContent: text }));
  if (looked === null) return remembered(panel) || note(graph.hint);
  if (looked === root) return note(`∂${name(root)}/∂${name(root)} = 1`);
  const { adjoints } = backward(contributions.length);
  const ways = new Map();
  for (const waiting = [looked]; waiting.length; ) {
    const i = waiting.pop();
    if (i === root || ways.has(i)) continue;
    ways.set(i, equation(i, adjoints));
    waiting.push(...ways.get(i).map(({ head }) => head));
  }
  const shown = [...ways.keys()].sort((i, k) => i - k).slice(0, MOST);
  shown.forEach((i) => equationRows(panel, i, ways.get(i), adjoints));
  if (ways.size > MOST) note(`… ${ways.size - MOST} more sums …`);
}

// The local derivatives that this step of the forward pass keeps, or that this one of the backward pass uses.
function remembered(panel) {
  const made = contribution();
  const user = made ? made.user : step - 1;
  if (step === last || (!made && (step === 0 || step > nodes.length))) return false;
  const places = made ? [made.place] : nodes[user].args.keys();
  for (const place of places) {
    const arg = nodes[user].args[place];
    if (typeof arg !== "number") continue;
    const sides = [nodes[user].text[place], show(locals[user][place])];
    rows(panel, partial(user, arg), sides.filter((side, k) => side && side !== sides[k - 1]).map((side) => ["=", [side]]));
  }
  return panel.hasChildNodes();
}

// An equation below each other: what it is of, then for each side its sign and its factors, which stand in columns.
function rows(panel, left, sides) {
  const made = document.createElement("table");
  const most = Math.max(...sides.map(([, factors]) => factors.length));
  sides.forEach(([sign, factors], row) => {
    const line = made.insertRow();
    for (const cell of [row ? "" : left, sign]) line.insertCell().textContent = cell;
    factors.forEach((factor, k) => (line.insertCell().textContent = k ? `· ${factor}` : factor));
    line.lastChild.colSpan = most - factors.length + 1;
  });
  panel.append(made);
}

// Whether the backward pass has brought a value all of its gradient.
const complete = (i) => i === root || step > nodes.length + 1 + contributions.findLastIndex(({ node }) => node === i);

// An equation as rows: by name, in symbols, and, once it is known, in numbers and the gradient. A row is a list of
// products, a product a list of texts.
function equationRows(panel, i, ways, adjoints) {
  const before = (way) => (way.head === root ? [] : [partial(root, way.head)]);
  const symbols = (way) => {
    const alone = way.chain.length === 1 && way.head === root;
    return way.chain.map(({ text, loose }) => (loose && !alone ? `(${text})` : text));
  };
  const products = ways.flatMap((way) => way.products);
  const texts = (groups, n) => groups.map((group, k) => times(group.map(show).map((x, j) => (n + k && !j ? bracketed(x) : x))));
  const equal = [
    ways.map((way) => [...before(way), ...way.chain.map(({ top, bottom }) => partial(top, bottom))]),
    ways.map((way) => [...before(way), ...symbols(way)]),
  ];
  if (!complete(i)) equal.push([["… (the backward pass has yet to come here)"]]);
  else if (products.length === 1) equal.push([texts(products[0], 0)], [[show(adjoints[i])]]);
  else equal.push([[products.map((groups, n) => texts(groups, n).join(" · ")).join(" + ")]], [[show(adjoints[i])]]);
  const whole = (sum) => sum.map((factors) => factors.join(" · ")).join(" + ");
  const left = partial(root, i); // which no sum by name may contain: there ∂f/∂u would mean two things
  const different = equal.filter(
    (sum, row) => !sum.some((factors) => factors.join(" · ") === left) && (!row || whole(sum) !== whole(equal[row - 1])),
  );
  const columns = products.length === 1;
  rows(
    panel,
    left,
    different.flatMap((sum) => sum.map((factors, n) => [n ? "+" : "=", columns ? factors : [factors.join(" · ")]])),
  );
}

// --- leaves ----------------------------------------------------------------------------------------------------------

const fields = [];
const short = (x) => (Number.isFinite(x) ? String(Number(x.toPrecision(5))) : "");

// A slider reaches some way to both sides of the number; a number typed beyond takes it along.
function fit({ slider, field }, x, typed = false) {
  const finite = Number.isFinite(x) ? x : 0;
  const span = Math.max(2, 2 * Math.abs(finite));
  if (!slider.max || finite < Number(slider.min) || finite > Number(slider.max)) {
    slider.min = finite - span;
    slider.max = finite + span;
  }
  slider.value = finite;
  if (typed) return;
  field.value = short(x);
  field.placeholder = show(x);
  field.setAttribute("aria-invalid", "false");
}

function addField(i) {
  const row = document.createElement("div");
  row.className = "leaf";
  const label = document.createElement("label");
  label.textContent = label.title = name(i);
  label.htmlFor = `n${i}`;
  const slider = Object.assign(document.createElement("input"), { type: "range", step: "any" });
  slider.setAttribute("aria-label", `${name(i)}, slider`);
  const field = Object.assign(document.createElement("input"), { type: "number", step: "any", id: `n${i}` });
  const grad = document.createElement("output");
  grad.setAttribute("aria-label", `gradient of ${name(i)}`);
  const made = { i, slider, field, grad };
  fit(made, nodes[i].data);
  slider.addEventListener("input", () => {
    const x = Number(Number(slider.value).toPrecision(4)); // a short number, for people
    field.value = x;
    field.setAttribute("aria-invalid", "false");
    change(i, x);
  });
  field.addEventListener("input", () => {
    const x = field.valueAsNumber;
    field.setAttribute("aria-invalid", String(!Number.isFinite(x)));
    if (Number.isFinite(x)) {
      fit(made, x, true);
      change(i, x);
    }
  });
  field.addEventListener("blur", () => Number.isFinite(field.valueAsNumber) || fit(made, data[i]));
  slider.disabled = field.disabled = graph.missing.length > 0;
  row.append(label, slider, field, grad);
  find("fields").append(row);
  fields.push(made);
}

// Computes at once, paints once per frame, however fast a slider moves.
let waiting = 0;
function change(i, x) {
  data[i] = x;
  forward();
  find("reset").disabled = false;
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(paint);
}

function reset() {
  data = nodes.map((node) => node.data);
  locals = nodes.map((node) => node.locals);
  fields.forEach((made) => fit(made, nodes[made.i].data));
  find("reset").disabled = true;
  paint();
}

// --- begin -----------------------------------------------------------------------------------------------------------

drawLines();
drawCards();
find("why").style.height = users.some((uses, i) => uses.length > 1 && i !== root) ? "13em" : "9.5em";
nodes.forEach((node, i) => node.op === null && addField(i));
const longest = Math.max(...fields.map(({ i }) => name(i).length));
find("fields").style.setProperty("--label", `${Math.min(longest + 1, 14)}ch`);
find("fields").style.setProperty("--number", `${graph.digits + 6}ch`);
for (const [id, to] of [["first", () => 0], ["back", () => step - 1], ["next", () => step + 1], ["last", () => last]]) {
  find(id).addEventListener("click", () => {
    pause();
    go(to());
  });
}
find("play").addEventListener("click", play);
find("reset").addEventListener("click", reset);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { ArrowRight: step + 1, ArrowLeft: step - 1, Home: 0, End: last };
  if (event.key in keys) {
    pause();
    go(keys[event.key]);
    event.preventDefault();
  } else if (event.key === " " && !event.target.matches("button")) {
    play();
    event.preventDefault();
  }
});
paint();
