// The cards and lines of the graph as SVG.

const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes, parent, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

// Writes only attributes that changed, so that a large graph can follow a slider.
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

// Writes a number in a card, condensed if it is wider than `room`. A digit takes 6.7 px in Helvetica and 7.7 px in DejaVu
// Sans, so a number that may be too wide is measured, once for each text.
function setNumber(text, x, room) {
  if (text.textContent === x) return;
  set(text, "text", x);
  set(text, "textLength", null);
  if (x.length * 8 > room && text.getComputedTextLength() > room) set(text, "textLength", room);
}

const svg = find("picture");
const natural = svg.width.baseVal.value;
svg.style.width = `clamp(${0.8 * natural}px, 100%, ${natural}px)`; // a narrower window scrolls
const lines = {};
const cards = [];
const smalls = []; // small boxes: constants, and values whose card is too far away for a line

function drawLines() {
  for (const [key, { points, at }] of Object.entries(graph.lines)) {
    const [user, index] = key.split("_").map(Number);
    const from = nodes[user].args[index];
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
      const [user, index] = key.split("_").map(Number);
      const from = nodes[user].args[index];
      const group = element("g", {}, svg);
      smalls.push({ group, user, from });
      element("rect", { x: left, y: top, width, height, rx: 6 }, group);
      element("text", { x, y: y + 4, class: "middle" }, group, graph.small[key]);
      if (typeof from === "number") {
        group.addEventListener("pointerenter", () => look(from));
        group.addEventListener("pointerleave", () => look(focused()));
      }
      continue;
    }
    const i = Number(key);
    const group = element("g", { tabindex: 0, role: "img", "aria-describedby": "why", id: `v${i}` }, svg);
    if (nodes[i].made) element("title", {}, group, `${nodes[i].label || name(i)} = ${nodes[i].made}`);
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

// The index of the card that has the keyboard focus, or null.
function focused() {
  const i = cards.findIndex(({ group }) => group === document.activeElement);
  return i < 0 ? null : i;
}
