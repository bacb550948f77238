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
  adjoints[root] = 1;
  const given = [];
  const reached = new Set([root]);
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

// As Python's "g" format has it, with a true minus sign: a small number never reads as 0.
function show(x) {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "∞" : "−∞";
  const [mantissa, exponent] = x.toExponential(graph.digits - 1).split("e").map(Number);
  const plain = exponent >= -4 && exponent < graph.digits;
  const digits = plain ? String(Number(x.toFixed(graph.digits - 1 - exponent))) : `${mantissa}e${exponent}`;
  return digits.replaceAll("-", "−");
}

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);
const times = (factors) => factors.map((text, i) => (i ? bracketed(text) : text)).join(" · ");
const added = (products) =>
  products.map(([first, ...others], n) => times([n ? bracketed(first) : first, ...others])).join(" + ");
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

const svg = find("picture");
svg.style.minWidth = `${0.65 * svg.width.baseVal.value}px`; // beyond that it scrolls
const lines = {};
const cards = [];

function drawLines() {
  for (const [key, { points, at }] of Object.entries(graph.lines)) {
    const [user, place] = key.split("_").map(Number);
    const from = nodes[user].args[place];
    const path = points.map(([x, y], i) => `${i === 0 ? "M" : i === 1 ? "C" : ""}${x},${y}`).join(" ");
    const group = element("g", { class: typeof from === "number" ? "line" : "line constant" }, svg);
    const curve = element("path", { d: path, "marker-end": "url(#arrow)" }, group);
    const label = at ? element("text", { x: at[0], y: at[1], class: "local" }, group) : null;
    lines[key] = { group, curve, label, user, place, from };
  }
}

function drawCards() {
  for (const [key, [x, y, width, height]] of Object.entries(graph.boxes)) {
    const left = x - width / 2;
    const top = y - height / 2;
    if (key.includes("_")) {
      const [user, place] = key.split("_").map(Number);
      const group = element("g", { class: "constant" }, svg);
      element("rect", { x: left, y: top, width, height, rx: 6 }, group);
      element("text", { x, y: y + 4, class: "middle" }, group, show(number(nodes[user].args[place][0])));
      continue;
    }
    const i = Number(key);
    const group = element("g", { class: "card", tabindex: 0, role: "button", id: `v${i}` }, svg);
    element("rect", { x: left, y: top, width, height, rx: 8, class: "back" }, group);
    const tint = element("rect", { x: left + 2, y: top + 44, width: width - 4, height: 20, rx: 6, class: "tint" }, group);
    const heading = element("text", { x, y: top + 16, class: "middle" }, group);
    element("tspan", { class: "name" }, heading, nodes[i].label);
    element("tspan", { class: "kind", dx: nodes[i].label ? 5 : 0 }, heading, nodes[i].kind);
    element("line", { x1: left, x2: left + width, y1: top + 23, y2: top + 23 }, group);
    element("text", { x: left + 8, y: top + 39, class: "what" }, group, "data");
    element("text", { x: left + 8, y: top + 58, class: "what" }, group, "grad");
    const right = left + width - 8;
    const dataText = element("text", { x: right, y: top + 39, class: "number" }, group);
    const gradText = element("text", { x: right, y: top + 58, class: "number" }, group);
    cards[i] = { group, tint, dataText, gradText };
    group.addEventListener("pointerenter", () => look(i));
    group.addEventListener("pointerleave", () => look(document.activeElement === group ? i : null));
    group.addEventListener("focus", () => look(i));
    group.addEventListener("blur", () => look(null));
  }
}

// --- steps -----------------------------------------------------------------------------------------------------------

// First the values, then the root's gradient, then the contributions.
const last = nodes.length + 1 + contributions.length;
let step = last;
let looked = null;
let playing = null;

function said() {
  if (step === 0) return "Nothing is computed yet.";
  if (step <= nodes.length) {
    const i = step - 1;
    const how = nodes[i].made === null || nodes[i].made === name(i) ? "" : `${nodes[i].made} = `;
    return `${name(i)} = ${how}${show(data[i])}${outside(i)}`;
  }
  if (step === nodes.length + 1) return `${name(root)}.grad = 1`;
  const count = step - nodes.length - 1;
  const { node, user, place } = contributions[count - 1];
  const { adjoint, local, amount, total } = backward(count).given[count - 1];
  const chain = `${name(node)}.grad += ${name(user)}.grad · ${partial(user, node)}`;
  if (!passes(user, adjoint, local)) return `${chain}: nothing is passed on (${show(adjoint)} · ${show(local)})`;
  const again = total === amount ? "" : `, together ${show(total)}`;
  return `${chain} = ${times([show(adjoint), show(local)])} = ${show(amount)}${again}`;
}

// Whether a value lies outside its operation's domain, as a remark.
function outside(i) {
  const domain = nodes[i].domain;
  if (!domain || !domain.length || Number.isFinite(data[i])) return "";
  const args = nodes[i].args.map(valueOf);
  const inside = (x, [low, high, openLow, openHigh, whole]) =>
    !(x < number(low) || x > number(high) || (openLow && x === number(low)) || (openHigh && x === number(high))) &&
    !(whole && Number.isFinite(x) && x !== Math.floor(x));
  if (domain.some((box) => box.every((interval, k) => inside(args[k], interval)))) return "";
  return ` — outside the domain of ${nodes[i].op}: ${nodes[i].allowed}`;
}

function paint() {
  const count = Math.max(0, step - nodes.length - 1);
  const begun = step > nodes.length;
  const pass = backward(count);
  const adjoints = pass.adjoints;
  const reached = nodes.map((_, i) => begun && pass.reached.has(i));
  const largest = Math.max(0, ...adjoints.filter((x, i) => reached[i] && Number.isFinite(x)).map(Math.abs));
  const strength = (x) => (Number.isFinite(x) ? (largest ? Math.min(1, Math.abs(x) / largest) : 0) : 1);
  nodes.forEach((node, i) => {
    const { group, tint, dataText, gradText } = cards[i];
    const made = i < step;
    dataText.textContent = made ? show(data[i]) : "";
    gradText.textContent = reached[i] ? show(adjoints[i]) : "";
    tint.setAttribute("class", `tint ${!reached[i] || adjoints[i] === 0 ? "" : adjoints[i] > 0 ? "plus" : "minus"}`);
    tint.style.fillOpacity = reached[i] && adjoints[i] !== 0 ? 0.12 + 0.6 * strength(adjoints[i]) : 0;
    group.classList.toggle("waiting", !made);
    group.classList.toggle("outside", made && outside(i) !== "");
    const grad = reached[i] ? `, gradient ${show(adjoints[i])}` : "";
    const label = `${node.name}, ${node.op ?? "leaf"}${made ? `, data ${show(data[i])}` : ""}${grad}`;
    group.setAttribute("aria-label", label);
  });
  contributions.forEach(({ user, place }, k) => {
    const { group, curve, label } = lines[`${user}_${place}`];
    const local = locals[user][place];
    const made = user < step;
    if (label) label.textContent = made ? show(local) : "";
    const flow = k < count && passes(user, adjoints[user], local) ? adjoints[user] * local : 0;
    curve.style.strokeWidth = 1 + (k < count ? 2.5 * strength(flow) : 0);
    group.classList.toggle("current", begun && k === count - 1 && looked === null && step < last);
  });
  for (const [i, card] of cards.entries()) {
    const current = step === last ? -1 : step <= nodes.length ? step - 1 : count ? contributions[count - 1].node : root;
    card.group.classList.toggle("current", looked === null && i === current);
  }
  find("where").textContent = `step ${step} of ${last}${step === 0 ? "" : begun ? ", backward" : ", forward"}`;
  find("said").textContent = said();
  for (const [id, off] of [["first", step === 0], ["back", step === 0], ["next", step === last], ["last", step === last]]) {
    find(id).disabled = off;
  }
  highlight();
  explain();
  fields.forEach(({ i, grad }) => (grad.textContent = reached[i] ? show(adjoints[i]) : "–"));
  // read by programs that drive the page; nothing here reads it
  document.body.dataset.state = JSON.stringify({ step, data: data.map(String), grad: adjoints.map(String) });
}

function go(to) {
  step = Math.max(0, Math.min(last, to));
  paint();
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

function highlight() {
  const path = looked === null ? null : above(looked);
  cards.forEach(({ group }, i) => group.classList.toggle("faded", path !== null && !path.has(i)));
  for (const { group, user, from } of Object.values(lines)) {
    const on = path !== null && typeof from === "number" && path.has(user) && path.has(from);
    group.classList.toggle("on", on);
    group.classList.toggle("faded", path !== null && !on);
  }
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
      const shown = top === root ? [] : [adjoints[top]];
      let total = adjoints[top];
      for (const edges of [...upper, climb(edge, link.top)]) {
        const factor = multiplied(total, edges);
        shown.push(...factor.shown);
        total = factor.total;
      }
      return { shown: shown.length ? shown : [1], total };
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
  if (looked === null) return note(graph.hint);
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
  shown.forEach((i) => panel.append(table(i, ways.get(i), adjoints)));
  if (ways.size > MOST) note(`… ${ways.size - MOST} more sums …`);
}

// An equation as rows: by name, in symbols, in numbers, the gradient.
function table(i, ways, adjoints) {
  const before = (way) => (way.head === root ? [] : [partial(root, way.head)]);
  const sums = [
    ways.map((way) => [...before(way), ...way.chain.map(({ top, bottom }) => partial(top, bottom))].join(" · ")),
    ways.map((way) => {
      const alone = way.chain.length === 1 && way.head === root;
      return [...before(way), ...way.chain.map(({ text, loose }) => (loose && !alone ? `(${text})` : text))].join(" · ");
    }),
    [added(ways.flatMap((way) => way.products.map(({ shown }) => shown.map(show))))],
    [show(adjoints[i])],
  ];
  const left = partial(root, i);
  const made = document.createElement("table");
  sums
    .filter((sum, row) => sum.join() !== (row ? sums[row - 1].join() : left))
    .flatMap((sum) => sum.map((text, n) => [n ? "+" : "=", text]))
    .forEach(([sign, text], row) => {
      const line = made.insertRow();
      for (const cell of [row ? "" : left, sign, text]) line.insertCell().textContent = cell;
    });
  return made;
}

// --- leaves ----------------------------------------------------------------------------------------------------------

const fields = [];
const short = (x) => Number(x.toPrecision(6));

function addField(i) {
  const row = document.createElement("div");
  row.className = "leaf";
  const label = document.createElement("label");
  label.textContent = name(i);
  label.htmlFor = `n${i}`;
  const span = Math.max(2, 2 * Math.abs(nodes[i].data));
  const slider = Object.assign(document.createElement("input"), { type: "range", step: "any" });
  slider.min = nodes[i].data - span;
  slider.max = nodes[i].data + span;
  slider.value = nodes[i].data;
  slider.setAttribute("aria-label", `${name(i)}, slider`);
  const field = Object.assign(document.createElement("input"), { type: "number", step: "any", id: `n${i}` });
  field.value = short(nodes[i].data);
  const grad = document.createElement("output");
  grad.setAttribute("aria-label", `gradient of ${name(i)}`);
  slider.addEventListener("input", () => {
    const x = Number(Number(slider.value).toPrecision(4)); // a short number, for people
    field.value = x;
    change(i, x);
  });
  field.addEventListener("input", () => {
    const x = field.valueAsNumber;
    field.setAttribute("aria-invalid", String(!Number.isFinite(x)));
    if (Number.isFinite(x)) {
      slider.value = x;
      change(i, x);
    }
  });
  slider.disabled = field.disabled = graph.missing.length > 0;
  row.append(label, slider, field, grad);
  find("fields").append(row);
  fields.push({ i, slider, field, grad });
}

function change(i, x) {
  data[i] = x;
  forward();
  paint();
}

function reset() {
  pause();
  data = nodes.map((node) => node.data);
  locals = nodes.map((node) => node.locals);
  for (const { i, slider, field } of fields) {
    slider.value = nodes[i].data;
    field.value = short(nodes[i].data);
    field.setAttribute("aria-invalid", "false");
  }
  go(last);
}

// --- begin -----------------------------------------------------------------------------------------------------------

drawLines();
drawCards();
find("why").style.height = users.some((uses, i) => uses.length > 1 && i !== root) ? "16em" : "9.5em";
nodes.forEach((node, i) => node.op === null && addField(i));
find("first").addEventListener("click", () => go(0));
find("back").addEventListener("click", () => go(step - 1));
find("next").addEventListener("click", () => go(step + 1));
find("last").addEventListener("click", () => go(last));
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
