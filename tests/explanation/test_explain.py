"""The explained chain rule: what it reads like, and that its numbers are the engine's."""

import math
import re
import subprocess

import pytest
from hypothesis import given
from needs import needs_latex

import micrograd_bp as mb
from micrograd_bp import Value, nn
from micrograd_bp.check.strategies import expressions, mlps
from micrograd_bp.explanation.backward_steps import backward_steps


def neuron():
    w, b, x, y = Value(2.0, "w"), Value(0.7, "b"), Value(-1.5, "x"), Value(1.0, "y")
    z = w * x + b
    z.name = "z"
    y_hat = z.sigmoid()
    y_hat.name = "ŷ"
    loss = (y_hat - y) ** 2 / 2
    loss.name = "L"
    return loss, w, b


def network(sizes=(2, 2), activation="sigmoid", seed=1):
    """The error of one sample of a network, with its parameters by name."""
    model = nn.MLP(2, list(sizes), activation, activation, seed=seed)
    outputs = model([Value(1.0, "x1"), Value(0.5, "x2")])
    outputs = outputs if isinstance(outputs, list) else [outputs]
    loss = sum((a - Value(float(i), f"y{i}")) ** 2 for i, a in enumerate(outputs, start=1)) / 2
    loss.name = "E"
    return loss, dict(model.named_parameters())


def net_output():
    model = nn.MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    return model([1.0, 0.5]), model.layers[1].neurons[0].w[0]


BACKWARD = """\
L = (ŷ − y)² / 2 = 0.413

L.grad           = 1
((ŷ − y)²).grad += L.grad · ∂L/∂((ŷ − y)²) = 1 · 0.5 = 0.5                             ∂L/∂((ŷ − y)²) = 0.5
(ŷ − y).grad    += ((ŷ − y)²).grad · ∂((ŷ − y)²)/∂(ŷ − y) = 0.5 · (−1.818) = −0.9089   ∂((ŷ − y)²)/∂(ŷ − y) = 2 (ŷ − y)
ŷ.grad          += (ŷ − y).grad · ∂(ŷ − y)/∂ŷ = −0.9089 · 1 = −0.9089                  ∂(ŷ − y)/∂ŷ = 1
y.grad          += (ŷ − y).grad · ∂(ŷ − y)/∂y = −0.9089 · (−1) = 0.9089                ∂(ŷ − y)/∂y = −1
z.grad          += ŷ.grad · ∂ŷ/∂z = −0.9089 · 0.08282 = −0.07527                       ∂ŷ/∂z = ŷ·(1 − ŷ)
(w·x).grad      += z.grad · ∂z/∂(w·x) = −0.07527 · 1 = −0.07527                        ∂z/∂(w·x) = 1
b.grad          += z.grad · ∂z/∂b = −0.07527 · 1 = −0.07527                            ∂z/∂b = 1
w.grad          += (w·x).grad · ∂(w·x)/∂w = −0.07527 · (−1.5) = 0.1129                 ∂(w·x)/∂w = x
x.grad          += (w·x).grad · ∂(w·x)/∂x = −0.07527 · 2 = −0.1505                     ∂(w·x)/∂x = w"""


def test_the_backward_pass_of_a_neuron():
    loss, _, _ = neuron()
    assert str(mb.explain(loss)) == BACKWARD


HIDDEN = """\
∂E/∂w1_11 = ∂E/∂a1_1 · ∂a1_1/∂z1_1 · ∂z1_1/∂w1_11   (3.3)
          = ∂E/∂a1_1 · a1_1·(1 − a1_1) · x1
"""
FAN_OUT = """\
∂E/∂a1_1 = ∂E/∂a2_2 · ∂a2_2/∂z2_2 · ∂z2_2/∂a1_1
         + ∂E/∂a2_1 · ∂a2_1/∂z2_1 · ∂z2_1/∂a1_1
         = (a2_2 − y2) · a2_2·(1 − a2_2) · w2_21
         + (a2_1 − y1) · a2_1·(1 − a2_1) · w2_11
"""


def test_a_hidden_weight_reads_as_in_the_tutorial():
    loss, named = network()
    text = str(mb.explain(loss, named["w1_11"]))
    assert HIDDEN in text
    assert FAN_OUT in text


@pytest.mark.parametrize(
    ("sizes", "activation", "name", "tag"),
    [
        ((2, 2), "sigmoid", "w2_11", "(3.2)"),
        ((2, 2), "sigmoid", "w1_12", "(3.3)"),
        ((2, 2), "sigmoid", "b2_2", "(3.5)"),
        ((2, 2), "sigmoid", "b1_1", "(3.6)"),
        ((2, 1), "sigmoid", "w1_21", "(3.3)"),
        ((2, 1), "sigmoid", "b2_1", "(3.5)"),
        ((2, 2), "tanh", "w2_11", "(3.1)"),
        ((2, 2), "tanh", "b1_1", "(3.4)"),
        ((11, 1), "sigmoid", "w1_11_2", "(3.3)"),
        ((3, 3, 1), "sigmoid", "w2_13", "(3.3)"),
    ],
)
def test_formula_numbers(sizes, activation, name, tag):
    loss, named = network(sizes, activation)
    line = next(line for line in str(mb.explain(loss, named[name])).splitlines() if line.startswith("∂"))
    assert line.endswith(f"   {tag}")


def test_another_cost_is_not_3_2():
    loss, named = network()
    doubled = 2 * loss
    line = next(line for line in str(mb.explain(doubled, named["w2_11"])).splitlines() if line.startswith("∂"))
    assert "(3.2)" not in line
    output, parameter = net_output()
    assert "(3.1)" in str(mb.explain(output, parameter))
    loss, w, _ = neuron()
    assert "(3" not in str(mb.explain(loss, w))


# --- the printed numbers ----------------------------------------------------------------------------------------------


def as_number(text):
    return float(text.strip().strip("()").replace("−", "-"))


def replayed(text):
    """Each line of numbers in an explanation, multiplied and added as it stands: {what it is the gradient of: number}.

    Raises ValueError where a result that is printed is not what its line gives.
    """
    known = {}
    for block in text.split("\n\n")[1:]:
        lines = block.splitlines()
        name = lines[0].split(" = ")[0].split("/∂")[1].strip()
        sums = re.split(r"\n\s*= ", "\n" + block.partition(" = ")[2])
        result, terms = sums[-1].strip(), sums[-2] if len(sums) > 1 else sums[-1]
        if not re.fullmatch(r"[\s\d.e−+·()inf]*", terms):
            terms = result
        total = 0.0
        for product in re.split(r"\s\+ ", " ".join(terms.split())):
            factors = [as_number(factor) for factor in product.removeprefix("+ ").split(" · ")]
            amount = factors[0]
            for factor in factors[1:]:
                amount *= factor
            total += amount
        if total != as_number(result):
            raise ValueError(f"{name}: {total!r} is not {result}")
        known[name] = total
    return known


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2, 2), (2, 1)])
def test_printed_numbers_replayed_give_the_gradient_bit_for_bit(sizes):
    loss, named = network(sizes)
    loss.backward()
    for name, parameter in named.items():
        explained = mb.explain(loss, parameter, digits=17)
        assert explained.value == parameter.grad
        assert replayed(str(explained))[name] == parameter.grad


def test_the_replay_notices_a_changed_number():
    loss, named = network()
    text = str(mb.explain(loss, named["w1_11"], digits=17))
    value = re.search(r"\d\.\d{6,}", text[text.index("∂E/∂w1_11") :])[0]
    with pytest.raises(ValueError, match="is not"):
        replayed(text.replace(value, value[:5]))


STEP = re.compile(r"^(\S.*)\.grad\s+\+= .* = (\S+) · (\S+) = (\S+?)(?: → (\S+))?\s{3}")


@given(expression=expressions(max_nodes=10))
def test_the_steps_are_the_backward_pass_bit_for_bit(expression):
    leaves = [Value(p, name) for name, p in expression.inputs.items()]
    v = expression(*leaves)
    totals = dict.fromkeys(leaves, 0.0)
    for step in backward_steps(v):
        if step.node in totals:
            assert step.amount == step.adjoint * step.local or math.isnan(step.amount)
            totals[step.node] += step.amount
    v.backward()
    for leaf in leaves:
        assert repr(totals[leaf]) == repr(leaf.grad)
    # and as they are printed
    printed = dict.fromkeys([leaf.name for leaf in leaves], 0.0)
    for line in str(mb.explain(v, digits=17)).splitlines():
        match = STEP.match(line)
        if match and match[1] in printed:
            printed[match[1]] += as_number(match[2]) * as_number(match[3])
    for leaf in leaves:
        assert printed[leaf.name] == leaf.grad or math.isnan(leaf.grad)


@given(expression=expressions(max_nodes=10))
def test_the_equations_give_the_gradient_bit_for_bit(expression):
    leaves = [Value(p, name) for name, p in expression.inputs.items()]
    v = expression(*leaves)
    v.backward()
    for leaf in leaves:
        explained = mb.explain(v, leaf)
        assert repr(explained.value) == repr(leaf.grad) or explained.value == leaf.grad
        for equation in explained.equations:
            for product in (p for way in equation.paths for p in way.products):
                amount = 1.0
                for number in product.numbers:
                    amount *= number
                assert amount == product.amount or product.amount == 0.0 or math.isnan(amount)


@given(mlps())
def test_networks_of_any_shape_are_explained(model):
    outputs = model([0.5] * len(model.layers[0].neurons[0].w))
    loss = sum(outputs) if isinstance(outputs, list) else outputs
    if not isinstance(loss, Value):
        return
    loss.backward()
    for _, parameter in list(model.named_parameters())[:4]:
        explained = mb.explain(loss, parameter)
        assert explained.value == parameter.grad
        assert all(form for form in (explained.text, explained.markdown, explained.latex, explained.html))


# --- what it touches, what it refuses, how large it gets --------------------------------------------------------------


def test_no_gradient_is_touched():
    loss, w, _ = neuron()
    w.grad = 7.0
    mb.explain(loss, w)
    mb.explain(loss)
    assert (w.grad, loss.has_grad) == (7.0, False)


def test_values_between_and_the_root_itself():
    loss, w, _ = neuron()
    y_hat = loss.args[0].args[0].args[0]
    assert "∂L/∂ŷ = ŷ − y" in str(mb.explain(loss, y_hat))
    assert str(mb.explain(loss, loss)) == "∂L/∂L = 1"
    assert str(mb.explain(w, w)) == "∂w/∂w = 1"
    assert str(mb.explain(w)) == "w.grad = 1"
    assert mb.explain(loss, w, seed=2.0).value == 2 * mb.explain(loss, w).value


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mb.explain(1.0), TypeError, r"explain takes Values, not float 1\.0"),
        (lambda: mb.explain(Value(1.0), 2), TypeError, "explain takes Values, not int 2"),
        (lambda: mb.explain(Value(1.0), Value(1.0)), ValueError, "does not depend on wrt"),
        (lambda: mb.explain(Value(1.0), digits=0), ValueError, "from 1 to 17, not 0"),
        (lambda: mb.explain(Value(1.0), digits=True), ValueError, "from 1 to 17, not True"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_same_names_are_told_apart():
    model = nn.MLP(1, [1], "sigmoid", "sigmoid", seed=0)
    cost = sum((model([x]) - x) ** 2 for x in (0.25, 0.75)) / 2
    text = str(mb.explain(cost, model.layers[0].neurons[0].w[0]))
    assert "a1_1[1]" in text
    assert "z1_1[2]" in text


def test_large_graphs_stay_readable():
    x = Value(1.0, "x")
    chain = x
    for _ in range(10_000):
        chain = chain * 1.0001 + 0.0
    assert len(str(mb.explain(chain, x))) < 2_000
    doubled = x
    for _ in range(300):
        doubled = doubled * doubled
    text = str(mb.explain(doubled, x))
    assert "288 more sums" in text
    wide = sum(x * i for i in range(1000))
    assert "more products" in str(mb.explain(wide, x))
    assert "more steps" in str(mb.explain(wide))


def test_an_adjoint_of_zero_is_not_passed_on():
    x = Value(0.0, "x")
    v = 0.0 * x.sqrt()
    v.backward()
    assert mb.explain(v, x).value == x.grad == 0.0


# --- the other forms --------------------------------------------------------------------------------------------------


def test_html_is_escaped_and_markdown_is_mathematics():
    evil = Value(2.0, "<script>alert('x')</script>")
    explained = mb.explain(evil * evil, evil)
    assert "<script>" not in explained.html
    assert "&lt;script&gt;" in explained.html
    assert explained._repr_markdown_() == explained.markdown
    assert explained.markdown.startswith("$$\n\\begin{aligned}")


@needs_latex
def test_the_latex_compiles(tmp_path):
    loss, w, _ = neuron()
    net, named = network()
    hostile = [
        Value(1.5, name) for name in ("a_b^c", "50% & more", "\\end{document}", "{", "#1", "$x$", "ŷ", "λ₁", "猫")
    ]
    product = hostile[0]
    for value in hostile[1:]:
        product = product * value.exp() + value.sqrt() / 3
    every = []
    for op in mb.OPS.values():
        point = next(p for p in ((0.25, 0.5, 0.75), (1.25,)) if op.allows(p[: op.arity]))
        every.append(op(*map(Value, point[: op.arity], "xyz")))
    pieces = [mb.explain(loss, w), mb.explain(loss), mb.explain(net, named["w1_11"]), mb.explain(product, hostile[-1])]
    pieces += [mb.explain(product), *[mb.explain(v, v.args[0]) for v in every]]
    formulas = [mb.formula(product), mb.derivative_formula(product, hostile[0])]
    body = "\n".join(f"\\[{piece.latex}\\]" for piece in [*pieces, *formulas])
    document = f"\\documentclass{{article}}\\usepackage{{amsmath}}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "explained.tex").write_text(document, encoding="ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "explained.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_what_is_not_passed_on_is_0_and_not_0_times_infinity():
    x = Value(0.0, "x")
    text = str(mb.explain(x.sqrt() * 0.0 + x * x, x, digits=17))
    assert "inf" not in text
    assert text.endswith("= 2x\n      = 0 + 0 + 0\n      = 0")


def test_a_seed_is_on_both_sides():
    p, q = Value(2.0, "p"), Value(3.0, "q")
    assert "2 · ∂f/∂p = 2 · q\n          = 2 · 3\n          = 6" in str(mb.explain(p * q, p, seed=2.0))


def test_a_quotient_in_a_product_has_brackets():
    p, q = Value(2.0, "p"), Value(3.0, "q")
    assert str(mb.formula(p / 3 * q)) == "(p / 3)·q"
    assert str(mb.formula(-(p / q) - q)) == "−p / q − q"
    assert mb.formula(p / 3 * q).latex == r"\frac{p}{3} \cdot q"


def test_a_derivative_is_not_said_to_be_a_summand_of_itself():
    """With v = u² and f = v·u, ∂f/∂u has a part that is also written ∂f/∂u: the sum is in symbols only."""
    u = Value(3.0, "u")
    v = u * u
    v.name = "v"
    f = v * u
    told = str(mb.explain(f, u))
    assert "∂f/∂u = v\n" in told
    assert "= 27" in told
