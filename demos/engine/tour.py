"""A tour of micrograd_bp, cell by cell: open it as a notebook (percent format) or run it as a script."""

# %% [markdown]
# # A tour
# A `Value` is a number that remembers how it was made.

# %%
from pathlib import Path

import micrograd_bp as mb
from micrograd_bp import Value, nn

w, b, x, y = Value(2.0, "w"), Value(0.7, "b"), Value(-1.5, "x"), Value(1.0, "y")
z = w * x + b
z.name = "z"
y_hat = mb.sigmoid(z)
y_hat.name = "ŷ"
loss = (y_hat - y) ** 2 / 2
loss.name = "L"
print(loss)

# %% [markdown]
# `backward()` applies the chain rule over what is remembered.

# %%
loss.backward()
print(w.grad, b.grad, x.grad)

# %% [markdown]
# How does the gradient of `w` come about? As a person would write it:

# %%
print(mb.explain(loss, w))

# %% [markdown]
# And the whole backward pass, one line per contribution:

# %%
print(mb.explain(loss))

# %% [markdown]
# The same as formulas, and as a graph: a card per value, local derivatives on the edges. In a notebook `loss` alone
# in a cell shows it.

# %%
print(mb.formula(loss))
print(mb.derivative_formula(loss, w))
folder = Path("out")
print("wrote", loss.graph().save(folder / "tour.svg"))

# %% [markdown]
# Gradients are Values themselves where asked for: the second derivative of x³ at 2 is 12.

# %%
print(mb.derivative(lambda t: t**3, order=2)(2.0))
print(mb.hessian(lambda p: p[0] ** 2 + 3 * p[1] ** 2)([4.0, -4.0]))

# %% [markdown]
# A gradient that one writes by hand can be checked; a wrong one is refused with the reason.

# %%
try:
    mb.check_gradient(lambda t: t * t * t, 2.0, grad=lambda t: 3 * t)
except mb.GradientMismatch as wrong:
    print(wrong)

# %% [markdown]
# A network is neurons of such values: here XOR, by hand, its error for one sample, and why a hidden weight moves.

# %%
model = nn.MLP(2, [2, 1], "sigmoid", "sigmoid")
weights = (20.0, 20.0, -10.0, -20.0, -20.0, 30.0, 20.0, 20.0, -30.0)
model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
for sample in ([0, 0], [0, 1], [1, 0], [1, 1]):
    print(sample, f"{model(sample).data:.4f}")

# %%
error = (model([Value(0.0, "x1"), Value(1.0, "x2")]) - 1) ** 2 / 2
error.name = "E"
print(mb.explain(error, model.layers[0].neurons[0].w[1]))
