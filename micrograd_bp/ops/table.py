"""The one table: every operation is one row, and its derivative rules are written here and nowhere else.

A row is `name = Op("name", function of floats, one rule per argument, facts by keyword)`; see `Op` for the facts. To
add an operation, add a row: nodes get the method, the package the function, networks the activation, and the tests
check it against its textbook definition (`exact`).

A rule maps `(*args, out)` to d out / d arg, for whatever kind of number it is given. So it is a pure expression in
rows and + - *: no `if` (a recorded graph would freeze the branch; use `where`, `step`, `sign`), no `math`, and `div`
and `pow` instead of / and ** (Python's raise on floats where a rule has to say inf or nan). It uses `out` where
nothing cancels. Smooth rows use no abs and no sign, or their higher derivatives would break.
"""

# fmt: off
from __future__ import annotations

import math
import operator

from micrograd_bp.ops import ieee
from micrograd_bp.ops.domain import NEGATIVE, NONNEGATIVE, POSITIVE, REAL, Bound, Interval
from micrograd_bp.ops.ieee import INF, SQRT_HALF
from micrograd_bp.ops.op import ATOM, OPS, Op

_SUM, _NEG, _QUOTIENT, _PRODUCT, _POWER = 1, 2, 3, 4, 5  # precedences, loosest first


def _normal(*args: float) -> bool:
    return all(x == 0.0 or 2.0**-1022 <= math.fabs(x) < INF for x in args)


_OPEN_UNIT = Interval(-1.0, 1.0, open_low=True, open_high=True)
_NOT_ZERO = ((NEGATIVE,), (POSITIVE,))
_LOG2_E, _LOG10_E = 1.0 / math.log(2.0), 1.0 / math.log(10.0)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)

# --- arithmetic -------------------------------------------------------------------------------------------------------

add: Op = Op("add", operator.add,
             lambda x, y, out: 1.0, lambda x, y, out: 1.0,
             symbol="+", text="{0} + {1}", latex="{0} + {1}", precedence=_SUM, binds=(_SUM, _QUOTIENT),
             exact=lambda m, x, y: x + y, native="{0} + {1}")
sub: Op = Op("sub", operator.sub,
             lambda x, y, out: 1.0, lambda x, y, out: -1.0,
             symbol="−", text="{0} − {1}", latex="{0} - {1}", precedence=_SUM, binds=(_SUM, _QUOTIENT),
             exact=lambda m, x, y: x - y, native="{0} - {1}")
mul: Op = Op("mul", operator.mul,
             lambda x, y, out: y, lambda x, y, out: x,
             symbol="×", text="{0}·{1}", latex=r"{0} \cdot {1}", precedence=_PRODUCT, binds=(_PRODUCT, _POWER),
             exact=lambda m, x, y: x * y, native="{0} * {1}")
div: Op = Op("div", ieee.div,
             lambda x, y, out: div(1.0, y), lambda x, y, out: div(-out, y),
             domain=((REAL, NEGATIVE), (REAL, POSITIVE)), pole=1,
             symbol="÷", text="{0} / {1}", latex=r"\frac{{{0}}}{{{1}}}", precedence=_QUOTIENT, binds=(_PRODUCT, _POWER),
             exact=lambda m, x, y: x / y, native="{0} / {1}",
             bound=Bound(4.0, holds=_normal, why="a subnormal x / y has few digits left"))
neg: Op = Op("neg", operator.neg, lambda x, out: -1.0,
             symbol="−", text="−{0}", latex="-{0}", precedence=_NEG, binds=(_QUOTIENT,),
             exact=lambda m, x: -x, native="-{0}")
pow: Op = Op("pow", ieee.power,
             lambda x, y, out: y * pow(where(y, x, where(1e-16 * x, x, 1.0)), y - 1.0),  # at y = 0, 1 / x may be inf: 0 * inf
             lambda x, y, out: out * log(where(x, x, 1.0)),
             domain=((POSITIVE, REAL), (NONNEGATIVE, NONNEGATIVE), (NEGATIVE, Interval(integer=True))), pole=0,
             kinks=(lambda x, y: where(step(1.0 - y), x, 1.0),),
             convention="x**0 is constant, also at 0; d/dy of 0**y is 0; d/dy is nan for x < 0",
             symbol="xʸ", text="{0}{1:sup}", latex="{0}^{{{1}}}", precedence=_POWER, binds=(ATOM, ATOM),
             exact=lambda m, x, y: m.power(x, y), native="({1} == 2 ? {0} * {0} : pow({0}, {1}))",
             bound=Bound(800.0, holds=lambda x, y: _normal(x, y, ieee.power(x, y), ieee.power(x, y - 1.0)),
                       why="for y < 1/2 the exponent y - 1 is rounded, and |log x|, up to 745, amplifies that; where x**y or "
                           "x**(y - 1) overflows or is subnormal, digits are lost"))
square: Op = Op("square", lambda x: x * x, lambda x, out: 2.0 * x,
                text="{0}²", latex="{0}^2", precedence=_POWER, binds=(ATOM,),
                exact=lambda m, x: x * x, native="{0} * {0}")
reciprocal: Op = Op("reciprocal", lambda x: ieee.div(1.0, x), lambda x, out: -out * out,
                    domain=_NOT_ZERO, pole=0,
                    symbol="1/x", text="1 / {0}", latex=r"\frac{{1}}{{{0}}}", precedence=_QUOTIENT, binds=(_POWER,),
                    exact=lambda m, x: 1 / x, native="1.0 / {0}")

# --- exponentials, logarithms, roots ----------------------------------------------------------------------------------

exp: Op = Op("exp", ieee.exp, lambda x, out: out, latex="e^{{{0}}}")
expm1: Op = Op("expm1", ieee.expm1, lambda x, out: exp(x))
log: Op = Op("log", ieee.log, lambda x, out: div(1.0, x), domain=((POSITIVE,),), latex=r"\ln\left({0}\right)")
log1p: Op = Op("log1p", ieee.log1p, lambda x, out: div(1.0, 1.0 + x), domain=((Interval(-1.0, INF, open_low=True),),))
log2: Op = Op("log2", ieee.log2, lambda x, out: div(_LOG2_E, x), domain=((POSITIVE,),),
              exact=lambda m, x: m.log(x) / m.log(2), latex=r"\log_2\left({0}\right)")
log10: Op = Op("log10", ieee.log10, lambda x, out: div(_LOG10_E, x), domain=((POSITIVE,),),
               exact=lambda m, x: m.log(x) / m.log(10), latex=r"\log_{{10}}\left({0}\right)")
sqrt: Op = Op("sqrt", ieee.sqrt, lambda x, out: div(0.5, out), domain=((NONNEGATIVE,),),
              kinks=(lambda x: x,), convention="inf at 0",
              symbol="√", text="√{0}", latex=r"\sqrt{{{0}}}", binds=(ATOM,))
cbrt: Op = Op("cbrt", ieee.cbrt, lambda x, out: div(1.0, 3.0 * square(out)),
              kinks=(lambda x: x,), convention="inf at 0",
              symbol="∛", text="∛{0}", latex=r"\sqrt[3]{{{0}}}", binds=(ATOM,),
              exact=lambda m, x: m.sign(x) * m.cbrt(m.fabs(x)),
              native="({0} == 0 || cbrt({0}) - cbrt({0}) != 0 ? cbrt({0}) : "
                     "cbrt({0}) - (cbrt({0}) - ({0} / cbrt({0})) / cbrt({0})) / 3)")

# --- trigonometry -----------------------------------------------------------------------------------------------------

sin: Op = Op("sin", ieee.sin, lambda x, out: cos(x), latex=r"\sin\left({0}\right)")
cos: Op = Op("cos", ieee.cos, lambda x, out: -sin(x), latex=r"\cos\left({0}\right)")
tan: Op = Op("tan", ieee.tan, lambda x, out: 1.0 + square(out), latex=r"\tan\left({0}\right)")
asin: Op = Op("asin", ieee.asin, lambda x, out: div(1.0, sqrt((1.0 - x) * (1.0 + x))), domain=((Interval(-1.0, 1.0),),),
              kinks=(lambda x: 1.0 - x * x,), convention="inf at -1 and 1", latex=r"\arcsin\left({0}\right)")
acos: Op = Op("acos", ieee.acos, lambda x, out: div(-1.0, sqrt((1.0 - x) * (1.0 + x))), domain=((Interval(-1.0, 1.0),),),
              kinks=(lambda x: 1.0 - x * x,), convention="-inf at -1 and 1", latex=r"\arccos\left({0}\right)")
atan: Op = Op("atan", math.atan, lambda x, out: div(1.0, 1.0 + square(x)), latex=r"\arctan\left({0}\right)")
atan2: Op = Op("atan2", math.atan2,
               lambda y, x, out: div(div(x, hypot(x, y)), hypot(x, y)),
               lambda y, x, out: div(div(-y, hypot(x, y)), hypot(x, y)),
               arguments=("y", "x"), kinks=(lambda y, x: where(step(x), 1.0, y),),
               convention="nan at (0, 0); the jump along y = 0, x < 0 is not seen",
               bound=Bound(4.0, holds=_normal, why="subnormal arguments have few digits"))
hypot: Op = Op("hypot", math.hypot,
               lambda x, y, out: where(out, div(x, out), sqrt(square(x) + square(y))),  # 0 at (0, 0), where it has no slope
               lambda x, y, out: where(out, div(y, out), sqrt(square(x) + square(y))),
               kinks=(lambda x, y: hypot(x, y),), convention="0 at (0, 0), the subgradient of least norm",
               text="√({0}² + {1}²)", latex=r"\sqrt{{{0}^2 + {1}^2}}", binds=(ATOM, ATOM),
               bound=Bound(4.0, holds=_normal, why="a subnormal value has few digits; one that overflows has none"))
sinh: Op = Op("sinh", ieee.sinh, lambda x, out: cosh(x), latex=r"\sinh\left({0}\right)")
cosh: Op = Op("cosh", ieee.cosh, lambda x, out: sinh(x), latex=r"\cosh\left({0}\right)")
tanh: Op = Op("tanh", math.tanh, lambda x, out: 4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x),  # 1 - out**2 is 0 at x = 20
              latex=r"\tanh\left({0}\right)",
              bound=Bound(5.0, why="two sigmoids and a product; 1 - out**2 would lose every digit in saturation"))
asinh: Op = Op("asinh", math.asinh, lambda x, out: div(1.0, hypot(1.0, x)), latex=r"\operatorname{{arsinh}}\left({0}\right)")
acosh: Op = Op("acosh", ieee.acosh, lambda x, out: div(1.0, sqrt(x - 1.0) * sqrt(x + 1.0)), domain=((Interval(1.0, INF),),),
               kinks=(lambda x: x - 1.0,), convention="inf at 1", latex=r"\operatorname{{arcosh}}\left({0}\right)")
atanh: Op = Op("atanh", ieee.atanh, lambda x, out: div(1.0, (1.0 - x) * (1.0 + x)), domain=((_OPEN_UNIT,),),
               latex=r"\operatorname{{artanh}}\left({0}\right)")
erf: Op = Op("erf", math.erf, lambda x, out: _TWO_OVER_SQRT_PI * exp(-square(x)),
             bound=Bound(4.0, shift=1.0, why="exp(-x*x) feels the rounding of x*x: up to 1,000 ulp at |x| = 26"))
erfc: Op = Op("erfc", math.erfc, lambda x, out: -_TWO_OVER_SQRT_PI * exp(-square(x)),
              exact=lambda m, x: m.erfc(x) if x < 1e9 else 0 * x,  # mpmath's own gives up far out
              bound=Bound(4.0, shift=1.0, why="as erf"))

# --- activations ------------------------------------------------------------------------------------------------------

sigmoid: Op = Op("sigmoid", ieee.sigmoid, lambda x, out: sigmoid(x) * sigmoid(-x),  # out * (1 - out) is 0 at x = 40
                 symbol="σ", text="σ({0})", latex=r"\sigma\left({0}\right)",
                 exact=lambda m, x: 1 / (1 + m.exp(-x)),
                 native="({0} >= 0 ? 1 : exp(-fabs({0}))) / (1 + exp(-fabs({0})))")
softplus: Op = Op("softplus", ieee.softplus, lambda x, out: sigmoid(x),
                  exact=lambda m, x: m.log1p(m.exp(x)),
                  native="({0} > 0 ? {0} + log1p(exp(-fabs({0}))) : log1p(exp(-fabs({0}))))")
log_sigmoid: Op = Op("log_sigmoid", ieee.log_sigmoid, lambda x, out: sigmoid(-x),
                     symbol="ln σ", text="ln σ({0})", latex=r"\ln\sigma\left({0}\right)",
                     exact=lambda m, x: -m.log1p(m.exp(-x)),
                     native="({0} < 0 ? {0} - log1p(exp(-fabs({0}))) : -log1p(exp(-fabs({0}))))")
relu: Op = Op("relu", ieee.relu, lambda x, out: step(x),
              kinks=(lambda x: x,), convention="0 at 0", routes_gradient=True,
              exact=lambda m, x: max(x, 0 * x), native="({0} <= 0 ? 0 : {0})")
leaky_relu: Op = Op("leaky_relu", ieee.leaky_relu,
                    lambda x, slope, out: where(step(x), 1.0, slope), lambda x, slope, out: minimum(x, 0.0),
                    arguments=("x", "slope"), defaults=(0.01,), kinks=(lambda x, slope: x,), convention="the slope at 0",
                    exact=lambda m, x, slope: x if x > 0 else slope * x, native="({0} > 0 ? {0} : {1} * {0})")
elu: Op = Op("elu", ieee.elu,
             lambda x, alpha, out: where(step(x), 1.0, alpha * exp(x)),
             lambda x, alpha, out: where(step(x), 0.0, expm1(x)),
             arguments=("x", "alpha"), defaults=(1.0,), kinks=(lambda x, alpha: where(alpha - 1.0, x, 1.0),),
             convention="alpha at 0, where it is smooth for alpha = 1 only",
             bound=Bound(4.0, holds=lambda x, alpha: x > -708.0, why="below that exp(x) is subnormal: few digits"),
             exact=lambda m, x, alpha: x if x > 0 else alpha * m.expm1(x), native="({0} > 0 ? {0} : {1} * expm1({0}))")
gelu: Op = Op("gelu", ieee.gelu,
              lambda x, out: 0.5 * erfc(-SQRT_HALF * x) + _DENSITY_AT_0 * x * exp(-0.5 * square(x)),
              exact=lambda m, x: x * erfc.exact(m, -x / m.sqrt(2)) / 2,
              native="({0} < 0 && {0} - {0} != 0 ? 0.0 : 0.5 * {0} * erfc(-{0} * 0.7071067811865476))",
              bound=Bound(8.0, shift=4.0, why="as erf for x < 0; its two terms cancel near x = -0.752, where it is 0"))
silu: Op = Op("silu", ieee.silu, lambda x, out: sigmoid(x) * (1.0 + x * sigmoid(-x)),
              exact=lambda m, x: x / (1 + m.exp(-x)),
              native="({0} < 0 && {0} - {0} != 0 ? 0.0 : "
                     "{0} * (({0} >= 0 ? 1 : exp(-fabs({0}))) / (1 + exp(-fabs({0})))))",
              bound=Bound(6.0, shift=2.0, why="its two terms cancel near x = -1.278, where it is 0"))

# --- corners and choices ----------------------------------------------------------------------------------------------

abs: Op = Op("abs", math.fabs, lambda x, out: sign(x),
             kinks=(lambda x: x,), convention="0 at 0",
             symbol="|x|", text="|{0}|", latex=r"\left|{0}\right|", exact=lambda m, x: m.fabs(x), native="fabs({0})")
sign: Op = Op("sign", ieee.sign, lambda x, out: 0.0,
              kinks=(lambda x: x,), convention="0 everywhere", routes_gradient=True, native="({0} > 0 ? 1 : {0} < 0 ? -1 : {0} - {0})")
step: Op = Op("step", ieee.step, lambda x, out: 0.0,
              kinks=(lambda x: x,), convention="0 everywhere; step(0) = 0", routes_gradient=True,
              text="[{0} > 0]", latex="[{0} > 0]",
              exact=lambda m, x: m.mpf(1 if x > 0 else 0), native="({0} > 0 ? 1 : {0} <= 0 ? 0 : {0})")
less: Op = Op("less", ieee.less, lambda x, y, out: 0.0, lambda x, y, out: 0.0,
              kinks=(lambda x, y: x - y,), convention="0 everywhere; 1 where x < y, else 0; infinities compare", routes_gradient=True,
              symbol="<", text="[{0} < {1}]", latex="[{0} < {1}]",
              exact=lambda m, x, y: m.mpf(1 if x < y else 0), native="({0} < {1} ? 1 : {0} >= {1} ? 0 : NAN)")
maximum: Op = Op("maximum", ieee.maximum,
                 lambda x, y, out: 0.5 + 0.5 * (less(y, x) - less(x, y)), lambda x, y, out: 0.5 + 0.5 * (less(x, y) - less(y, x)),
                 kinks=(lambda x, y: x - y,), convention="1/2 each at a tie", routes_gradient=True,
                 symbol="max", text="max({0}, {1})", latex=r"\max\left({0}, {1}\right)",
                 exact=lambda m, x, y: max(x, y), native="({0} > {1} || {0} != {0} ? {0} : {1})")
minimum: Op = Op("minimum", ieee.minimum,
                 lambda x, y, out: 0.5 + 0.5 * (less(x, y) - less(y, x)), lambda x, y, out: 0.5 + 0.5 * (less(y, x) - less(x, y)),
                 kinks=(lambda x, y: x - y,), convention="1/2 each at a tie", routes_gradient=True,
                 symbol="min", text="min({0}, {1})", latex=r"\min\left({0}, {1}\right)",
                 exact=lambda m, x, y: min(x, y), native="({0} < {1} || {0} != {0} ? {0} : {1})")
clip: Op = Op("clip", ieee.clip,
              lambda x, low, high, out: (1.0 - less(x, low)) * (1.0 - less(high, x)),
              lambda x, low, high, out: less(x, low) * (1.0 - less(high, low)),
              lambda x, low, high, out: less(high, maximum(x, low)),
              arguments=("x", "low", "high"),
              kinks=(lambda x, low, high: x - low, lambda x, low, high: x - high, lambda x, low, high: low - high),
              convention="1 at a bound; the bounds get 0 there; high wins where low > high", routes_gradient=True,
              exact=lambda m, x, low, high: min(max(x, low), high),
              native="({0} != {0} || {1} != {1} || {2} != {2} ? NAN : fmin(fmax({0}, {1}), {2}))")
where: Op = Op("where", ieee.where,
               lambda condition, x, y, out: 0.0,
               lambda condition, x, y, out: where(condition, 1.0, 0.0), lambda condition, x, y, out: where(condition, 0.0, 1.0),
               arguments=("condition", "x", "y"), kinks=(lambda condition, x, y: condition,),
               convention="x where the condition is not 0, else y; no derivative with respect to the condition", routes_gradient=True,
               exact=lambda m, condition, x, y: x if condition != 0 else y, native="({0} != 0 ? {1} : {2})")
# fmt: on

OPS.update({row.name: row for row in list(globals().values()) if isinstance(row, Op)})
globals()["__all__"] = list(OPS)  # the package re-exports the rows; a type checker cannot read a computed __all__
