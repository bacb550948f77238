"""`explain` writes out the chain rule for one derivative, `explain(loss, w)`, or a backward pass, `explain(loss)`."""

from __future__ import annotations

from micrograd_bp.engine import Value, topological_order
from micrograd_bp.explanation.backward_steps import Step, backward_steps
from micrograd_bp.explanation.lines import Writing
from micrograd_bp.explanation.paths import Equation, equations
from micrograd_bp.explanation.render import html, latex, markdown, text
from micrograd_bp.ops.reals import as_float, shown
from micrograd_bp.symbolic.graph_formulas import Symbols


class Explanation:
    """The explanation of a gradient. `str()` gives its text; notebooks typeset it.

    `text, markdown, latex, html`   the explanation in four forms; the LaTeX needs amsmath
    `value`                         the gradient; None for a whole backward pass
    `equations`                     the sums of products that are shown; empty for a whole backward pass
    `steps`                         all contributions of the backward pass, in its order
    """

    def __init__(self, writing: Writing, steps: list[Step], equations: list[Equation]) -> None:
        self.steps = steps
        self.equations = equations
        self.value = equations[0].value if equations else None
        self._writing = writing

    @property
    def text(self) -> str:
        """The explanation as plain text, one equation or step per line."""
        return text(self._writing.lines(latex=False))

    @property
    def markdown(self) -> str:
        """The explanation as Markdown with LaTeX formulas."""
        return markdown(self._writing.lines(latex=True))

    @property
    def latex(self) -> str:
        """The explanation as LaTeX, which needs the package amsmath."""
        return latex(self._writing.lines(latex=True))

    @property
    def html(self) -> str:
        """The explanation as HTML: a table per block of lines, with class names and without a style."""
        return html(self._writing.lines(latex=False))

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.markdown


def explain(root: Value, wrt: Value | None = None, *, digits: int = 4, seed: float = 1.0) -> Explanation:
    """Explain d `root` / d `wrt` in names, symbols and numbers; without `wrt`, explain the whole backward pass.

    `root`, `wrt`  Values; `root` depends on `wrt`
    `digits`       the number of significant digits, 1 to 17. With 17, multiplying and adding the numbers as they are
                   written gives the engine's gradient bit for bit
    `seed`         the adjoint of `root`

    Each factor leads from one named value to the next; the unnamed values between them form one formula. A value with
    several users has an equation of its own, whose right side is a sum over paths. Equations of network parameters show
    the number of the formula in the first tutorial. No `grad` is read or changed.

    Raises TypeError for arguments that are not Values, ValueError where `root` does not depend on `wrt` and for other
    `digits`.

    >>> w, b, x, y = Value(2.0, "w"), Value(0.7, "b"), Value(-1.5, "x"), Value(1.0, "y")
    >>> z = w * x + b
    >>> z.name = "z"
    >>> y_hat = z.sigmoid()
    >>> y_hat.name = "ŷ"
    >>> loss = (y_hat - y) ** 2 / 2
    >>> loss.name = "L"
    >>> explain(loss, w)
    L = (ŷ − y)² / 2 = 0.413
    ŷ = σ(z) = 0.09112
    z = w·x + b = −2.3
    <BLANKLINE>
    ∂L/∂w = ∂L/∂ŷ · ∂ŷ/∂z · ∂z/∂w
          = (ŷ − y) · ŷ·(1 − ŷ) · x
          = −0.9089 · 0.08282 · (−1.5)
          = 0.1129
    """
    for given in (root, wrt):
        if not (given is wrt is None or isinstance(given, Value)):
            raise TypeError(f"explain takes Values, not {shown(given)}")
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17:
        raise ValueError(f"digits is a whole number from 1 to 17, not {digits!r}")
    seed = as_float(seed)
    order = topological_order(root)
    if wrt is not None and wrt not in set(order):
        raise ValueError(
            "root does not depend on wrt, so the derivative is 0 everywhere: pass a value that root was computed from"
        )
    symbols = Symbols(order)
    found = [] if wrt is None else equations(root, wrt, symbols, seed)
    steps = backward_steps(root, seed)
    return Explanation(Writing(root, wrt, symbols, found, steps, digits, seed), steps, found)
