// The chain rule of the value under the pointer, or the local derivatives of the current step.

function look(i) {
  if (looked === i) return;
  looked = i;
  paint();
}

// The values on the paths from value i to the root.
function above(i) {
  const found = new Set([i]);
  for (let k = i; k <= root; k++) if (found.has(k)) users[k].forEach(({ user }) => found.add(user));
  return found;
}

const isHead = (i) => i === root || users[i].length > 1;

// Returns the edges from `top` down along `edge`.
function climb(edge, top) {
  const edges = [edge];
  while (edges[0].user !== top) edges.unshift(users[edges[0].user][0]);
  return edges;
}

// Merges powers of 2 at the start, and factors of 1 and −1, into their neighbours; such products are exact.
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

// The product along edges as the engine computes it, and the factors that are shown.
function multiplied(before, edges) {
  const factors = edges.map(({ user, index }) => locals[user][index]);
  let total = before;
  for (const [i, { user }] of edges.entries()) {
    if (!passes(user, edges[i].index)) return { total: 0, shown: [0], nothing: true };
    total *= factors[i];
  }
  const shown = shortened(factors);
  return { total, shown: shown.reduce((x, y) => x * y, before) === total ? shown : factors };
}

const MOST = 12; // the greatest number of equations shown

// The equation of a value: its paths up to the root or the next values with several users.
function equation(i, { adjoints, passed }) {
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
      if (!passed.has(top)) return [[0]];
      let total = adjoints[top];
      for (const edges of [...upper, climb(edge, link.top)]) {
        const factor = multiplied(total, edges);
        if (factor.nothing) return [[0]];
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
  if (looked === null) return localDerivatives(panel) || note(graph.hint);
  if (looked === root) return note(`∂${name(root)}/∂${name(root)} = 1`);
  const pass = backward(contributions.length);
  const paths = new Map();
  for (const waiting = [looked]; waiting.length; ) {
    const i = waiting.pop();
    if (i === root || paths.has(i)) continue;
    paths.set(i, equation(i, pass));
    waiting.push(...paths.get(i).map(({ head }) => head));
  }
  const shown = [...paths.keys()].sort((i, k) => i - k).slice(0, MOST);
  shown.forEach((i) => equationRows(panel, i, paths.get(i), pass.adjoints));
  if (paths.size > MOST) note(`… ${paths.size - MOST} more sums …`);
}

// The local derivatives that this step of the forward pass records, or that this step of the backward pass uses.
function localDerivatives(panel) {
  const made = contribution();
  const user = made ? made.user : step - 1;
  if (step === last || (!made && (step === 0 || step > nodes.length))) return false;
  const indices = made ? [made.index] : nodes[user].args.keys();
  for (const index of indices) {
    const arg = nodes[user].args[index];
    if (typeof arg !== "number") continue;
    const sides = [nodes[user].text[index], show(locals[user][index])];
    rows(panel, partial(user, arg), sides.filter((side, k) => side && side !== sides[k - 1]).map((side) => ["=", [side]]));
  }
  return panel.hasChildNodes();
}

// Writes an equation as a table: the left side, then a line for each right side with its sign and factors in columns.
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

// Whether the gradient of a value is complete at the current step.
const complete = (i) => i === root || step > nodes.length + 1 + contributions.findLastIndex(({ node }) => node === i);

// Writes an equation by name, in symbols and, once its gradient is complete, in numbers. Each right side is a list of
// products, and a product is a list of texts.
function equationRows(panel, i, paths, adjoints) {
  const before = (path) => (path.head === root ? [] : [partial(root, path.head)]);
  const symbols = (path) => {
    const alone = path.chain.length === 1 && path.head === root;
    return path.chain.map(({ text, loose }) => (loose && !alone ? `(${text})` : text));
  };
  const products = paths.flatMap((path) => path.products);
  const texts = (groups, n) => groups.map((group, k) => times(group.map(show).map((x, j) => (n + k && !j ? bracketed(x) : x))));
  const equal = [
    paths.map((path) => [...before(path), ...path.chain.map(({ top, bottom }) => partial(top, bottom))]),
    paths.map((path) => [...before(path), ...symbols(path)]),
  ];
  if (!complete(i)) equal.push([["… (the backward pass has not reached this value)"]]);
  else if (products.length === 1) equal.push([texts(products[0], 0)], [[show(adjoints[i])]]);
  else equal.push([[products.map((groups, n) => texts(groups, n).join(" · ")).join(" + ")]], [[show(adjoints[i])]]);
  const whole = (sum) => sum.map((factors) => factors.join(" · ")).join(" + ");
  const left = partial(root, i); // no sum by name may contain it, since ∂f/∂u would then mean two things
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
