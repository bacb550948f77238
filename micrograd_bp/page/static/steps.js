// The steps: the current step, its message, and what is known after it.

// The steps are the values, then the gradient of the root, then the contributions.
const last = nodes.length + 1 + contributions.length;
let step = last;
let looked = null;
let playing = null;

// The contribution of this step, or null.
const contribution = () => (step > nodes.length + 1 ? contributions[step - nodes.length - 2] : null);

function message({ given }) {
  if (step === 0) return "Nothing has been computed.";
  if (step <= nodes.length) {
    const { label, made } = nodes[step - 1];
    const sides = [label || name(step - 1), made === label ? null : made, inNumbers(step - 1), show(data[step - 1])];
    return sides.filter((side, i) => side && side !== sides[i - 1]).join(" = ");
  }
  if (step === nodes.length + 1) return `${name(root)}.grad = ∂${name(root)}/∂${name(root)} = 1`;
  const { node, user, index } = contribution();
  const { adjoint, local, amount, flows, total } = given.at(-1);
  const chain = `${name(node)}.grad += ${name(user)}.grad · ${partial(user, node)}`;
  if (!flows) return `${chain}: nothing passes (${show(adjoint)} · ${show(local)})`;
  const limit = indeterminate(adjoint, local) ? ", since 0 · ∞ has no value; a limit may exist" : "";
  const again = limit || Object.is(total, amount) ? limit : `, together ${show(total)}`;
  return `${chain} = ${times([show(adjoint), show(local)])} = ${show(amount)}${again}`;
}

// The operation of a value with the numbers of its arguments, such as −3 + 0.7.
function inNumbers(i) {
  const { shape, binds, args } = nodes[i];
  if (!shape) return null;
  const negated = 2; // the precedence of a minus sign
  const piece = (index) => {
    const text = show(valueOf(args[index]));
    return text.startsWith("−") && binds[index] > negated ? `(${text})` : text;
  };
  return shape.map((part) => (typeof part === "string" ? part : piece(part))).join("");
}

// The text of the package's DomainError for a value outside its operation's domain, or "".
function outside(i) {
  const { domain, op, args, names } = nodes[i];
  if (!domain || Number.isFinite(data[i])) return "";
  const numbers = args.map(valueOf);
  const holds = ([low, high, openLow, openHigh, whole], x) =>
    !(x < number(low) || x > number(high) || (openLow && x === number(low)) || (openHigh && x === number(high))) &&
    !(whole && Number.isFinite(x) && x !== Math.floor(x));
  if (domain.some((box) => box.every((interval, index) => holds(interval, numbers[index])))) return "";
  const index = numbers.findIndex((x, k) => !domain.some((box) => holds(box[k], x)));
  if (index < 0) return `${op}: (${names.join(", ")}) = (${numbers.map(show).join(", ")}) is outside its domain`;
  const allowed = [...new Set(domain.map((box) => box[index][5]))].join(" or ");
  return `${op}: ${names[index]} = ${show(numbers[index])} is outside ${allowed}`;
}

function trouble() {
  const i = data.findIndex((x, k) => k < step && !Number.isFinite(x) && outside(k));
  return i < 0 ? "" : `⚠ ${name(i)} = ${show(data[i])}, since ${outside(i)}; the values that depend on it are affected.`;
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
    const label = [`${node.name}, ${node.op ?? "leaf"}`, dataShown && `data ${dataShown}`, gradShown && `gradient ${gradShown}`];
    set(group, "aria-label", label.filter(Boolean).join(", "));
  });
  for (const [key, { group, constant, user, from }] of Object.entries(lines)) {
    const on = path !== null && !constant && path.has(user) && path.has(from);
    const now = made && looked === null && step < last && key === `${made.user}_${made.index}`;
    set(group, "class", classes("line", constant && "constant", on && "on", path !== null && !on && "faded", now && "current"));
  }
  for (const { group, user, from } of smalls) {
    const off = path !== null && !(path.has(user) && path.has(from));
    set(group, "class", classes("constant", typeof from === "number" && "again", off && "faded"));
  }
  contributions.forEach(({ user, index }, k) => {
    const { curve, label } = lines[`${user}_${index}`];
    if (label) set(label, "text", user < step ? show(locals[user][index]) : "");
    const flow = k < count ? pass.given[k].amount : 0;
    set(curve, "stroke-width", (1 + (k < count ? 2.5 * strength(flow) : 0)).toFixed(2));
  });
  set(find("where"), "text", `step ${step} of ${last}${step === 0 ? "" : count < 0 ? ", forward" : ", backward"}`);
  set(find("message"), "text", message(pass));
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

// Scrolls the picture, but not the page, to a card.
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
