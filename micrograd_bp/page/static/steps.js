// The walk: which step the page is at, what that step says, and what is known by then.

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
  const { adjoint, local, amount, flows, total } = given.at(-1);
  const chain = `${name(node)}.grad += ${name(user)}.grad · ${partial(user, node)}`;
  if (!flows) return `${chain}: nothing is passed on (${show(adjoint)} · ${show(local)})`;
  const limit = indeterminate(adjoint, local) ? ", for 0 · ∞ has no value; a limit may exist" : "";
  const again = limit || Object.is(total, amount) ? limit : `, together ${show(total)}`;
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
  for (const { group, user, from } of smalls) {
    const off = path !== null && !(path.has(user) && path.has(from));
    set(group, "class", classes("constant", typeof from === "number" && "again", off && "faded"));
  }
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
