// The graph, its forward pass and its backward pass. `F` and `D`, the functions and rules of the operations, precede.

const find = (id) => document.getElementById(id);
const graph = JSON.parse(find("graph").textContent);
const nodes = graph.nodes;
const root = nodes.length - 1;

// Numbers are strings, since JSON has no infinities.
const number = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text));
for (const node of nodes) {
  node.data = number(node.data);
  node.locals = node.locals.map((local) => (local === null ? null : number(local)));
}

// The uses of each value as {user, index of the argument}, in the order of the backward pass.
const users = nodes.map(() => []);
for (let user = root; user >= 0; user--) {
  nodes[user].args.forEach((arg, index) => {
    if (typeof arg === "number") users[arg].push({ user, index });
  });
}

let data = nodes.map((node) => node.data);
let locals = nodes.map((node) => node.locals);

// For programs that drive the page; the page itself does not read it.
window.micrograd = Object.freeze({ state: () => ({ step, last, data, locals, grad: backward(step - nodes.length - 1).adjoints }) });

// An argument is the index of a value, or a constant such as ["3.0"].
const valueOf = (arg) => (typeof arg === "number" ? data[arg] : number(arg[0]));

function forward() {
  nodes.forEach((node, i) => {
    if (node.op === null) return;
    const args = node.args.map(valueOf);
    data[i] = F[node.op](...args);
    locals[i] = node.args.map((arg, index) => (typeof arg === "number" ? D[node.op][index](...args, data[i]) : null));
  });
}

// Whether a value contributes to the gradient of an argument. It does not where the local derivative is a structural 0: a
// relu, where, ... did not select the argument, or a constant 0 multiplies it. Otherwise IEEE 754 holds: 0 · ∞ is nan.
const passes = (user, index) => !(locals[user][index] === 0 && nodes[user].structural[index]);
const indeterminate = (x, y) => (x === 0 && Math.abs(y) === Infinity) || (y === 0 && Math.abs(x) === Infinity);

// The contributions of the backward pass in its order, which does not depend on the numbers.
const contributions = [];
for (let user = root; user >= 0; user--) {
  nodes[user].args.forEach((arg, index) => {
    if (typeof arg === "number") contributions.push({ node: arg, user, index });
  });
}

// The state after the first `count` contributions: the adjoints, the contributions, the values that they reached, and
// those to which a contribution passed.
function backward(count) {
  const adjoints = nodes.map(() => 0);
  const given = [];
  const reached = new Set();
  const passed = new Set([root]);
  if (count < 0) return { adjoints, given, reached, passed }; // the backward pass has not begun
  adjoints[root] = 1;
  reached.add(root);
  for (const { node, user, index } of contributions.slice(0, count)) {
    const local = locals[user][index];
    const flows = passed.has(user) && passes(user, index);
    const amount = flows ? adjoints[user] * local : 0;
    if (flows) passed.add(node);
    adjoints[node] += amount;
    reached.add(node);
    given.push({ adjoint: adjoints[user], local, amount, flows, total: adjoints[node] });
  }
  return { adjoints, given, reached, passed };
}
