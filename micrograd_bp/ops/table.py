"""The table of operations. An operation is one line: its function and one derivative rule per argument. The facts that
differ from the defaults follow in tables of their own, by the operation's name.

To add an operation, write its line and the facts that it needs. It is then a method of Values, a function of the package
and an activation of networks, and the tests check it against its textbook definition (`DEFINITIONS`).

A rule maps `(*args, out)` to d out / d arg for every kind of number: floats, Values, dual numbers, formula terms. It is
therefore a pure expression in operations and + - *. It has no `if`, because a recorded graph would keep only one branch
(use `where`, `step`, `sign`), and it calls nothing from `math`. It uses `div` and `pow` instead of / and **, which raise
on floats where a rule must give inf or nan. It uses `out` only where nothing cancels: for tanh at x = 20, 1 - out² would
be 0. A smooth operation uses neither `abs` nor `sign`, which would break its higher derivatives. At a kink a rule either
takes the slope of one side, with `step` or `less`, and all higher derivatives are then those of this side; or it takes
another number, with `exceeds`, and higher derivatives are nan there.
"""

# fmt: off
from __future__ import annotations

import math
import operator

from micrograd_bp.ops import ieee
from micrograd_bp.ops.domain import NEGATIVE, NONNEGATIVE, POSITIVE, REAL, Bound, Interval
from micrograd_bp.ops.ieee import INF, SQRT_HALF
from micrograd_bp.ops.op import ATOM, OPS, Choice, Op, Rule

_LOG2_E, _LOG10_E = 1.0 / math.log(2.0), 1.0 / math.log(10.0)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_ALMOST_1 = 1.0 - 2.0**-53
_DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)  # the density of the normal distribution at 0

# --- arithmetic -------------------------------------------------------------------------------------------------------

add: Op = Op("add", operator.add, lambda x, y, out: 1.0, lambda x, y, out: 1.0)
sub: Op = Op("sub", operator.sub, lambda x, y, out: 1.0, lambda x, y, out: -1.0)
mul: Op = Op("mul", operator.mul, lambda x, y, out: y, lambda x, y, out: x)
div: Op = Op("div", ieee.div, lambda x, y, out: div(1.0, y), lambda x, y, out: div(-out, y))
neg: Op = Op("neg", operator.neg, lambda x, out: -1.0)
# At x = 0 the other branches have the values and derivatives of the limits, and nan at y = 0.
# The factor of d/dx is y for y > 1, a constant times inf for 0 < y < 1, and has the slope -inf at y = 1, as 1 + log x.
# x**y · log x is a little below -x**y, however little x**y is. At y = 0, y · out / x is 0 where y * (1 / x) overflows.
pow: Op = Op("pow", ieee.power,
             lambda x, y, out: where(y, where(x, y, maximum(y, sign(y) * (1.0 + cbrt(1.0 - y)))) * pow(x, y - 1.0), where(x, div(y * out, where(x, x, 1.0)), sqrt(y * y))),
             lambda x, y, out: where(x, out * log(where(x, x, 1.0)), where(y, 0.0 - pow(x, _ALMOST_1 * y), exceeds(x, y))))
square: Op = Op("square", lambda x: x * x, lambda x, out: 2.0 * x)
reciprocal: Op = Op("reciprocal", lambda x: ieee.div(1.0, x), lambda x, out: -out * out)
one_minus_square: Op = Op("one_minus_square", ieee.one_minus_square, lambda x, out: -2.0 * x)

# --- exponentials, logarithms, roots ----------------------------------------------------------------------------------

exp: Op   = Op("exp",   ieee.exp,   lambda x, out: out)
gaussian: Op = Op("gaussian", ieee.gaussian, lambda x, out: -2.0 * where(out, x, 0.0) * out)
expm1: Op = Op("expm1", ieee.expm1, lambda x, out: exp(x))
log: Op   = Op("log",   ieee.log,   lambda x, out: div(1.0, x))
log1p: Op = Op("log1p", ieee.log1p, lambda x, out: div(1.0, 1.0 + x))
log2: Op  = Op("log2",  ieee.log2,  lambda x, out: div(_LOG2_E, x))
log10: Op = Op("log10", ieee.log10, lambda x, out: div(_LOG10_E, x))
logaddexp: Op = Op("logaddexp", ieee.logaddexp, lambda x, y, out: sigmoid(x - y),  # exp(x - out) would lose digits where out is rounded
                                                lambda x, y, out: sigmoid(-(x - y)))
sqrt: Op  = Op("sqrt",  ieee.sqrt,  lambda x, out: div(0.5, out + 0.0))  # -0 + 0 is 0: the slope at -0 is inf too
cbrt: Op  = Op("cbrt",  ieee.cbrt,  lambda x, out: where(x, div(div(1.0, 3.0 * out), out), div(1.0, 3.0 * square(out))))  # whose derivative at 0 is nan

# --- trigonometry -----------------------------------------------------------------------------------------------------

sin: Op   = Op("sin",   ieee.sin,   lambda x, out: cos(x))
cos: Op   = Op("cos",   ieee.cos,   lambda x, out: -sin(x))
tan: Op   = Op("tan",   ieee.tan,   lambda x, out: 1.0 + square(out))
asin: Op  = Op("asin",  ieee.asin,  lambda x, out: div(1.0, sqrt(one_minus_square(x))))
acos: Op  = Op("acos",  ieee.acos,  lambda x, out: div(-1.0, sqrt(one_minus_square(x))))
atan: Op  = Op("atan",  math.atan,  lambda x, out: where(div(1.0, hypot(1.0, x)), square(div(1.0, hypot(1.0, x))), 0.0))
atan2: Op = Op("atan2", math.atan2, lambda y, x, out: div(div(x, hypot(x, y)), hypot(x, y)),
                                    lambda y, x, out: div(div(-y, hypot(x, y)), hypot(x, y)))
hypot: Op = Op("hypot", math.hypot, lambda x, y, out: where(out, div(x, out), exceeds(x, y)),  # the result is 0 at (0, 0),
                                    lambda x, y, out: where(out, div(y, out), exceeds(x, y)))  # where hypot has a kink
sinh: Op  = Op("sinh",  ieee.sinh,  lambda x, out: cosh(x))
cosh: Op  = Op("cosh",  ieee.cosh,  lambda x, out: sinh(x))
tanh: Op  = Op("tanh",  math.tanh,  lambda x, out: 4.0 * logistic_density(2.0 * x))
asinh: Op = Op("asinh", math.asinh, lambda x, out: where(div(1.0, hypot(1.0, x)), div(1.0, hypot(1.0, x)), 0.0))
acosh: Op = Op("acosh", ieee.acosh, lambda x, out: div(div(1.0, sqrt(x - 1.0)), sqrt(x + 1.0)))
atanh: Op = Op("atanh", ieee.atanh, lambda x, out: div(1.0, one_minus_square(x)))
erf: Op   = Op("erf",   math.erf,   lambda x, out: _TWO_OVER_SQRT_PI * gaussian(x))
erfc: Op  = Op("erfc",  math.erfc,  lambda x, out: -_TWO_OVER_SQRT_PI * gaussian(x))

# --- activations ------------------------------------------------------------------------------------------------------

sigmoid: Op     = Op("sigmoid",     ieee.sigmoid,     lambda x, out: logistic_density(x))  # out * (1 - out) would be 0 at x = 40
softplus: Op    = Op("softplus",    ieee.softplus,    lambda x, out: sigmoid(x))
log_sigmoid: Op = Op("log_sigmoid", ieee.log_sigmoid, lambda x, out: sigmoid(-x))
logistic_density: Op = Op("logistic_density", ieee.logistic_density, lambda x, out: -out * tanh(0.5 * x))
relu: Op        = Op("relu",        ieee.relu,        lambda x, out: step(x))
leaky_relu: Op  = Op("leaky_relu",  ieee.leaky_relu,  lambda x, slope, out: where(step(x), step(x), slope),  # step(nan) is nan
                                                      lambda x, slope, out: where(1.0 - step(x), x, 0.0))
elu: Op         = Op("elu",         ieee.elu,         lambda x, alpha, out: where(1.0 - step(x), alpha * exp(x), 1.0),
                                                      lambda x, alpha, out: where(1.0 - step(x), expm1(x), 0.0))
gelu: Op        = Op("gelu",        ieee.gelu,        lambda x, out: 0.5 * erfc(-SQRT_HALF * x) + _DENSITY_AT_0 * where(gaussian(SQRT_HALF * x), x, 0.0) * gaussian(SQRT_HALF * x))
silu: Op        = Op("silu",        ieee.silu,        lambda x, out: sigmoid(x) + where(logistic_density(x), x, 0.0) * logistic_density(x))

# --- corners and choices ----------------------------------------------------------------------------------------------

abs: Op     = Op("abs",     math.fabs,    lambda x, out: exceeds(x, 0.0) - exceeds(0.0, x))
sign: Op    = Op("sign",    ieee.sign,    lambda x, out: 0.0)
step: Op    = Op("step",    ieee.step,    lambda x, out: 0.0)
less: Op    = Op("less",    ieee.less,    lambda x, y, out: 0.0, lambda x, y, out: 0.0)
exceeds: Op = Op("exceeds", ieee.exceeds, lambda x, y, out: div(0.0, exceeds(x, y) + exceeds(y, x)),  # nan at a tie: the slope of a
                                          lambda x, y, out: div(0.0, exceeds(x, y) + exceeds(y, x)))  # kink has no derivative there
maximum: Op = Op("maximum", ieee.maximum, lambda x, y, out: 0.5 + 0.5 * (exceeds(x, y) - exceeds(y, x)),
                                          lambda x, y, out: 0.5 + 0.5 * (exceeds(y, x) - exceeds(x, y)))
minimum: Op = Op("minimum", ieee.minimum, lambda x, y, out: 0.5 + 0.5 * (exceeds(y, x) - exceeds(x, y)),
                                          lambda x, y, out: 0.5 + 0.5 * (exceeds(x, y) - exceeds(y, x)))
clip: Op    = Op("clip",    ieee.clip,    lambda x, low, high, out: (1.0 - less(x, low)) * (1.0 - less(high, x)),
                                          lambda x, low, high, out: less(x, low) * (1.0 - less(high, low)),
                                          lambda x, low, high, out: less(high, maximum(x, low)))
where: Op   = Choice("where",   ieee.where,   lambda condition, x, y, out: 0.0,
                                          lambda condition, x, y, out: where(condition, 1.0, 0.0),
                                          lambda condition, x, y, out: where(condition, 0.0, 1.0),
             description="x and y may be functions without arguments: only the one that is chosen is called.")

OPS.update({op.name: op for op in list(globals().values()) if isinstance(op, Op)})

# === facts that differ from the defaults ==============================================================================

DEFAULTS = {"leaky_relu": (0.01,), "elu": (1.0,)}  # the default values of the last arguments

# A derivative of exactly 0 means that the argument was not selected: it gets no contribution, even if the adjoint is inf.
ROUTES_GRADIENT = ("relu", "sign", "step", "less", "exceeds", "maximum", "minimum", "clip", "where")

# --- domains: boxes, an interval per argument; POLES: the index of the argument whose zero is a division by zero ------

_NOT_ZERO = ((NEGATIVE,), (POSITIVE,))
DOMAINS = {
    "div": ((REAL, NEGATIVE), (REAL, POSITIVE)),
    "pow": ((POSITIVE, REAL), (NONNEGATIVE, NONNEGATIVE), (NEGATIVE, Interval(integer=True))),
    "reciprocal": _NOT_ZERO,
    "log": ((POSITIVE,),),
    "log1p": ((Interval(-1.0, INF, open_low=True),),),
    "log2": ((POSITIVE,),),
    "log10": ((POSITIVE,),),
    "sqrt": ((NONNEGATIVE,),),
    "asin": ((Interval(-1.0, 1.0),),),
    "acos": ((Interval(-1.0, 1.0),),),
    "acosh": ((Interval(1.0, INF),),),
    "atanh": ((Interval(-1.0, 1.0, open_low=True, open_high=True),),),
}
POLES = {"div": 1, "pow": 0, "reciprocal": 0}

# --- kinks: the derivative that the rules give there, and functions that are 0 where the derivative jumps or is inf ---

KINKS = {
    "pow": ("x**0 is constant, also at 0; d/dy of 0**y is 0; d/dy is nan for x < 0", lambda x, y: where(step(1.0 - y), x, 1.0)),
    "sqrt": ("inf at 0", lambda x: x),
    "cbrt": ("inf at 0", lambda x: x),
    "asin": ("inf at -1 and 1", lambda x: 1.0 - x * x),
    "acos": ("-inf at -1 and 1", lambda x: 1.0 - x * x),
    "atan2": ("nan at (0, 0); the jump along y = 0, x < 0 is ignored", lambda y, x: where(step(x), 1.0, y)),
    "hypot": ("0 at (0, 0), the subgradient of least norm", lambda x, y: hypot(x, y)),
    "acosh": ("inf at 1", lambda x: x - 1.0),
    "relu": ("0 at 0", lambda x: x),
    "leaky_relu": ("the slope at 0", lambda x, slope: x),
    "elu": ("alpha at 0, where it is smooth for alpha = 1 only", lambda x, alpha: where(alpha - 1.0, x, 1.0)),
    "abs": ("0 at 0", lambda x: x),
    "sign": ("0 everywhere", lambda x: x),
    "step": ("0 everywhere; step(0) = 0", lambda x: x),
    "less": ("0 everywhere; 1 where x < y, else 0; infinities compare", lambda x, y: x - y),
    "exceeds": ("1 where x > y, else 0; its derivative is 0, and nan at a tie", lambda x, y: x - y),
    "maximum": ("1/2 each at a tie", lambda x, y: x - y),
    "minimum": ("1/2 each at a tie", lambda x, y: x - y),
    "clip": ("1 at a bound; the bounds get 0 there; high wins where low > high",
             lambda x, low, high: x - low, lambda x, low, high: x - high, lambda x, low, high: low - high),
    "where": ("x where the condition is not 0, else y; no derivative with respect to the condition",
              lambda condition, x, y: condition),
}

# --- notation: symbol on a picture, text, LaTeX, precedence, the least precedence of an argument without brackets -----

_SUM, _NEG, _QUOTIENT, _PRODUCT, _POWER = 1, 2, 3, 4, 5  # precedences, the lowest first
WRITTEN = {
    "add":        ("+",    "{0} + {1}",           "{0} + {1}",                           _SUM,      (_SUM, _QUOTIENT)),
    "sub":        ("−",    "{0} − {1}",           "{0} - {1}",                           _SUM,      (_SUM, _QUOTIENT)),
    "mul":        ("×",    "{0}·{1}",             r"{0} \cdot {1}",                      _PRODUCT,  (_PRODUCT, _POWER)),
    "div":        ("÷",    "{0} / {1}",           r"\frac{{{0}}}{{{1}}}",                _QUOTIENT, (_PRODUCT, _POWER)),
    "neg":        ("−",    "−{0}",                "-{0}",                                _NEG,      (_QUOTIENT,)),
    "pow":        ("xʸ",   "{0}{1:sup}",          "{0}^{{{1}}}",                         _POWER,    (ATOM, ATOM)),
    "square":     ("square", "{0}²",              "{0}^2",                               _POWER,    (ATOM,)),
    "one_minus_square": ("1 − x²", "1 − {0}²",       "1 - {0}^2",                           _SUM,      (ATOM,)),
    "reciprocal": ("1/x",  "1 / {0}",             r"\frac{{1}}{{{0}}}",                  _QUOTIENT, (_POWER,)),
    "exp":        ("exp",  "exp({0})",            "e^{{{0}}}",                           ATOM,      (0,)),
    "gaussian":   ("gauss", "exp(−{0}²)",         "e^{{-{0}^2}}",                        ATOM,      (ATOM,)),
    "log":        ("log",  "log({0})",            r"\ln\left({0}\right)",                ATOM,      (0,)),
    "log2":       ("log2", "log2({0})",           r"\log_2\left({0}\right)",             ATOM,      (0,)),
    "log10":      ("log10", "log10({0})",         r"\log_{{10}}\left({0}\right)",        ATOM,      (0,)),
    "logaddexp":  ("logaddexp", "log(exp({0}) + exp({1}))", r"\ln\left(e^{{{0}}} + e^{{{1}}}\right)", ATOM, (0, 0)),
    "sqrt":       ("√",    "√{0}",                r"\sqrt{{{0}}}",                       ATOM,      (ATOM,)),
    "cbrt":       ("∛",    "∛{0}",                r"\sqrt[3]{{{0}}}",                    ATOM,      (ATOM,)),
    "sin":        ("sin",  "sin({0})",            r"\sin\left({0}\right)",               ATOM,      (0,)),
    "cos":        ("cos",  "cos({0})",            r"\cos\left({0}\right)",               ATOM,      (0,)),
    "tan":        ("tan",  "tan({0})",            r"\tan\left({0}\right)",               ATOM,      (0,)),
    "asin":       ("asin", "asin({0})",           r"\arcsin\left({0}\right)",            ATOM,      (0,)),
    "acos":       ("acos", "acos({0})",           r"\arccos\left({0}\right)",            ATOM,      (0,)),
    "atan":       ("atan", "atan({0})",           r"\arctan\left({0}\right)",            ATOM,      (0,)),
    "hypot":      ("hypot", "√({0}² + {1}²)",     r"\sqrt{{{0}^2 + {1}^2}}",             ATOM,      (ATOM, ATOM)),
    "sinh":       ("sinh", "sinh({0})",           r"\sinh\left({0}\right)",              ATOM,      (0,)),
    "cosh":       ("cosh", "cosh({0})",           r"\cosh\left({0}\right)",              ATOM,      (0,)),
    "tanh":       ("tanh", "tanh({0})",           r"\tanh\left({0}\right)",              ATOM,      (0,)),
    "asinh":      ("asinh", "asinh({0})",         r"\operatorname{{arsinh}}\left({0}\right)", ATOM, (0,)),
    "acosh":      ("acosh", "acosh({0})",         r"\operatorname{{arcosh}}\left({0}\right)", ATOM, (0,)),
    "atanh":      ("atanh", "atanh({0})",         r"\operatorname{{artanh}}\left({0}\right)", ATOM, (0,)),
    "sigmoid":    ("σ",    "σ({0})",              r"\sigma\left({0}\right)",             ATOM,      (0,)),
    "log_sigmoid": ("ln σ", "ln σ({0})",          r"\ln\sigma\left({0}\right)",          ATOM,      (0,)),
    "logistic_density": ("σ′", "σ′({0})",            r"\sigma'\left({0}\right)",            ATOM,      (0,)),
    "abs":        ("|x|",  "|{0}|",               r"\left|{0}\right|",                   ATOM,      (0,)),
    "step":       ("step", "[{0} > 0]",           "[{0} > 0]",                           ATOM,      (0,)),
    "less":       ("<",    "[{0} < {1}]",         "[{0} < {1}]",                         ATOM,      (0, 0)),
    "exceeds":    (">",    "[{0} > {1}]",         "[{0} > {1}]",                         ATOM,      (0, 0)),
    "maximum":    ("max",  "max({0}, {1})",       r"\max\left({0}, {1}\right)",          ATOM,      (0, 0)),
    "minimum":    ("min",  "min({0}, {1})",       r"\min\left({0}, {1}\right)",          ATOM,      (0, 0)),
}

# --- textbook definitions in m, a module such as mpmath; by default m's function of the operation's name --------------

DEFINITIONS: dict[str, Rule]
DEFINITIONS = {
    "add": lambda m, x, y: x + y,
    "sub": lambda m, x, y: x - y,
    "mul": lambda m, x, y: x * y,
    "div": lambda m, x, y: x / y,
    "neg": lambda m, x: -x,
    "pow": lambda m, x, y: m.power(x, y),
    "square": lambda m, x: x * x,
    "reciprocal": lambda m, x: 1 / x,
    "one_minus_square": lambda m, x: 1 - x * x,
    "gaussian": lambda m, x: m.exp(-x * x),
    "log2": lambda m, x: m.log(x) / m.log(2),
    "log10": lambda m, x: m.log(x) / m.log(10),
    "logaddexp": lambda m, x, y: m.log(m.exp(x) + m.exp(y)),
    "cbrt": lambda m, x: m.sign(x) * m.cbrt(m.fabs(x)),
    "erfc": lambda m, x: m.erfc(x) if x < 1e9 else 0 * x,  # mpmath's erfc fails for larger x
    "sigmoid": lambda m, x: 1 / (1 + m.exp(-x)),
    "softplus": lambda m, x: m.log1p(m.exp(x)),
    "log_sigmoid": lambda m, x: -m.log1p(m.exp(-x)),
    "logistic_density": lambda m, x: m.exp(-m.fabs(x)) / (1 + m.exp(-m.fabs(x))) ** 2,
    "relu": lambda m, x: max(x, 0 * x),
    "leaky_relu": lambda m, x, slope: x if x > 0 else slope * x,
    "elu": lambda m, x, alpha: x if x > 0 else alpha * m.expm1(x),
    "gelu": lambda m, x: x * erfc.exact(m, -x / m.sqrt(2)) / 2,
    "silu": lambda m, x: x / (1 + m.exp(-x)),
    "abs": lambda m, x: m.fabs(x),
    "step": lambda m, x: m.mpf(1 if x > 0 else 0),
    "less": lambda m, x, y: m.mpf(1 if x < y else 0),
    "exceeds": lambda m, x, y: m.mpf(1 if x > y else 0),
    "maximum": lambda m, x, y: max(x, y),
    "minimum": lambda m, x, y: min(x, y),
    "clip": lambda m, x, low, high: min(max(x, low), high),
    "where": lambda m, condition, x, y: x if condition != 0 else y,
}

# --- the functions in C99; by default the C function of the operation's name ------------------------------------------

_C_SIGMOID = "({0} >= 0 ? 1 : exp(-fabs({0}))) / (1 + exp(-fabs({0})))"
NATIVE = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "pow": "({1} == 2 ? {0} * {0} : pow({0}, {1}))",
    "square": "{0} * {0}",
    "reciprocal": "1.0 / {0}",
    "logaddexp": "({0} == {1} ? {0} + 0.6931471805599453 : "
                 "({0} > {1} || {0} != {0} ? {0} : {1}) + log1p(exp(-fabs({0} - {1}))))",
    "one_minus_square": "(1 - {0}) * (1 + {0})",
    "gaussian": "exp(-({0} * {0}))",
    "cbrt": "({0} == 0 || cbrt({0}) - cbrt({0}) != 0 ? cbrt({0}) : "
            "cbrt({0}) - (cbrt({0}) - ({0} / cbrt({0})) / cbrt({0})) / 3)",
    "sigmoid": _C_SIGMOID,
    "softplus": "({0} > 0 ? {0} + log1p(exp(-fabs({0}))) : log1p(exp(-fabs({0}))))",
    "log_sigmoid": "({0} < 0 ? {0} - log1p(exp(-fabs({0}))) : -log1p(exp(-fabs({0}))))",
    "logistic_density": "exp(-fabs({0})) / ((1 + exp(-fabs({0}))) * (1 + exp(-fabs({0}))))",
    "relu": "({0} <= 0 ? 0 : {0})",
    "leaky_relu": "({0} > 0 ? {0} : {1} * {0})",
    "elu": "({0} > 0 ? {0} : {1} * expm1({0}))",
    "gelu": "({0} < 0 && {0} - {0} != 0 ? 0.0 : 0.5 * {0} * erfc(-{0} * 0.7071067811865476))",
    "silu": f"({{0}} < 0 && {{0}} - {{0}} != 0 ? 0.0 : {{0}} * ({_C_SIGMOID}))",
    "abs": "fabs({0})",
    "sign": "({0} > 0 ? 1 : {0} < 0 ? -1 : {0} - {0})",
    "step": "({0} > 0 ? 1 : {0} <= 0 ? 0 : {0})",
    "less": "({0} < {1} ? 1 : {0} >= {1} ? 0 : NAN)",
    "exceeds": "({0} > {1} ? 1 : {0} <= {1} ? 0 : NAN)",
    "maximum": "({0} > {1} || {0} != {0} ? {0} : {1})",
    "minimum": "({0} < {1} || {0} != {0} ? {0} : {1})",
    "clip": "({0} != {0} || {1} != {1} || {2} != {2} ? NAN : fmin(fmax({0}, {1}), {2}))",
    "where": "({0} != 0 ? {1} : {2})",
}

# --- error bounds of the local derivatives; by default 4 units in the last place --------------------------------------


def _normal(*args: float) -> bool:
    return all(x == 0.0 or 2.0**-1022 <= math.fabs(x) < INF for x in args)


BOUNDS = {
    "div": Bound(4.0, holds=_normal, why="a subnormal x / y has few digits left"),
    "pow": Bound(800.0, holds=lambda x, y: _normal(x, y, ieee.power(x, y), ieee.power(x, y - 1.0)),
                 why="for y < 1/2 the exponent y - 1 is rounded, and |log x|, up to 745, amplifies that; where x**y or "
                     "x**(y - 1) overflows or is subnormal, digits are lost"),
    "logaddexp": Bound(4.0, shift=4.0, why="the rounding of x - y is amplified by up to 745; the value cancels where it is near 0"),
    "atan2": Bound(4.0, holds=_normal, why="subnormal arguments have few digits"),
    "hypot": Bound(4.0, holds=_normal, why="a subnormal value has few digits; one that overflows has none"),
    "erf": Bound(4.0, shift=1.0, why="exp(-x*x) amplifies the rounding of x*x: up to 1,000 ulp at |x| = 26"),
    "erfc": Bound(4.0, shift=1.0, why="as erf"),
    "elu": Bound(4.0, holds=lambda x, alpha: x > -708.0, why="below x = -708 exp(x) is subnormal: few digits"),
    "gaussian": Bound(4.0, shift=1.0, why="as erf"),
    "gelu": Bound(8.0, shift=4.0, why="as erf for x < 0; its two terms cancel near x = -0.752, where it is 0"),
    "silu": Bound(6.0, shift=2.0, why="its two terms cancel near x = -1.278, where it is 0"),
}

# The bound of second and third derivatives, in every mode, for operations of one argument where the lower ones are normal.
HIGHER = Bound(8.0, shift=4.0, why="a rule's own terms may cancel where a higher derivative is 0, and nowhere else")

for _name, _op in OPS.items():
    _op.state(
        defaults=DEFAULTS.get(_name), domain=DOMAINS.get(_name), pole=POLES.get(_name), kinks=KINKS.get(_name),
        routes_gradient=_name in ROUTES_GRADIENT, written=WRITTEN.get(_name), exact=DEFINITIONS.get(_name),
        bound=BOUNDS.get(_name), native=NATIVE.get(_name),
    )
# fmt: on

globals()["__all__"] = list(OPS)  # `table.pyi` lists the names for type checkers
