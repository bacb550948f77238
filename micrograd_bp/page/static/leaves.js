// A slider and a number field for each leaf.

const fields = [];
const short = (x) => (Number.isFinite(x) ? String(Number(x.toPrecision(5))) : "");

// Sets the range of a slider around its number; a typed number outside the range moves the range.
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
    const x = Number(Number(slider.value).toPrecision(4)); // a short number is easier to read
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

// Computes at once, and paints at most once per frame.
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
