// The graph and its two passes. `F` and `D`, the rows, are written above.

const find = (id) => document.getElementById(id);
const graph = JSON.parse(find("graph").textContent);
const nodes = graph.nodes;
const root = nodes.length - 1;

// Numbers come as texts, for JSON has no infinities.
const number = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text));
for (const node of nodes) {
  node.data = number(node.data);
  node.locals = node.locals.map((local) => (local === null ? null : number(local)));
}

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

// Whether anything passes from a value to an argument: not where a derivative of 0 means that a relu, where, ... did not
// select it, or that it is multiplied by a constant 0. All else follows IEEE 754: 0 · ∞ is nan.
const passes = (user, place) => !(locals[user][place] === 0 && nodes[user].structural[place]);
const indeterminate = (x, y) => (x === 0 && Math.abs(y) === Infinity) || (y === 0 && Math.abs(x) === Infinity);

// The contributions of the backward pass, in its order; which they are does not depend on the numbers.
const contributions = [];
for (let user = root; user >= 0; user--) {
  nodes[user].args.forEach((arg, place) => {
    if (typeof arg === "number") contributions.push({ node: arg, user, place });
  });
}

// The adjoints after the first `count` contributions, what each of these gave, which values they came to, and to which of
// these something passed.
function backward(count) {
  const adjoints = nodes.map(() => 0);
  const given = [];
  const reached = new Set();
  const passed = new Set([root]);
  if (count < 0) return { adjoints, given, reached, passed }; // not yet begun
  adjoints[root] = 1;
  reached.add(root);
  for (const { node, user, place } of contributions.slice(0, count)) {
    const local = locals[user][place];
    const flows = passed.has(user) && passes(user, place);
    const amount = flows ? adjoints[user] * local : 0;
    if (flows) passed.add(node);
    adjoints[node] += amount;
    reached.add(node);
    given.push({ adjoint: adjoints[user], local, amount, flows, total: adjoints[node] });
  }
  return { adjoints, given, reached, passed };
}
