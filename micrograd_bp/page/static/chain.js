// The chain rule of the value that is looked at, or the local derivatives of the step.

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
    if (!passes(user, edges[i].place)) return { total: 0, shown: [0], nothing: true };
    total *= factors[i];
  }
  const shown = shortened(factors);
  return { total, shown: shown.reduce((x, y) => x * y, before) === total ? shown : factors };
}

const MOST = 12; // equations that are shown

// The equation of a value: its ways up to the next values whose gradient is known by name.
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
  if (looked === null) return remembered(panel) || note(graph.hint);
  if (looked === root) return note(`∂${name(root)}/∂${name(root)} = 1`);
  const pass = backward(contributions.length);
  const ways = new Map();
  for (const waiting = [looked]; waiting.length; ) {
    const i = waiting.pop();
    if (i === root || ways.has(i)) continue;
    ways.set(i, equation(i, pass));
    waiting.push(...ways.get(i).map(({ head }) => head));
  }
  const shown = [...ways.keys()].sort((i, k) => i - k).slice(0, MOST);
  shown.forEach((i) => equationRows(panel, i, ways.get(i), pass.adjoints));
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
