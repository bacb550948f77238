"""The reference: what happens at the edges. `python -m pydoc micrograd_bp.semantics` prints it; every line is a test.

Behaves as Python's floats and the real numbers do; where they are silent, as PyTorch and JAX agree; never gives a wrong
number quietly.

>>> import copy, math, pickle
>>> from fractions import Fraction
>>> import numpy as np
>>> import micrograd_bp as mb
>>> from micrograd_bp import Value

Numbers in
----------

- Real numbers of any kind are accepted and become floats; bool counts as 0 or 1.

  >>> [Value(x).data for x in (2, True, Fraction(1, 4), np.float32(0.5), np.array(3))]
  [2.0, 1.0, 0.25, 0.5, 3.0]

- An int too large for a float is an OverflowError.

  >>> Value(10**400)
  Traceback (most recent call last):
  ...
  OverflowError: int 1000000000000000000000000000000000000... is too large for a float (at most 1.8e308)

- str, None, complex, Decimal and lists are a TypeError that names the type and the remedy.

  >>> Value("2")
  Traceback (most recent call last):
  ...
  TypeError: a real number is needed, not str '2': convert it with float(...) first

- A Value given to Value() is a TypeError: meant is the node itself, or its .data.

  >>> Value(Value(2.0))
  Traceback (most recent call last):
  ...
  TypeError: a real number is needed, not Value Value(2.0): use the node itself, or its .data for the bare number

- nan and inf are data: they flow. Comparisons with nan are False.

  >>> mb.relu(Value(math.nan)).data, mb.maximum(Value(math.nan), 1.0).data, Value(math.nan) < 1.0
  (nan, nan, False)

- NumPy scalars and arrays on either side, np.exp(v), format and sum stay in the graph; sum makes no node for its 0.

  >>> v = Value(2.0)
  >>> (np.float64(2) * v).data, (np.array([1.0, 2.0]) * v)[1].data, np.exp(v).op, f"{v:.3f}", sum([v]) is v
  (4.0, 4.0, exp, '2.000', True)

- float(v), int(v) and math.exp(v) would drop the gradient: a TypeError that names v.data and our function.

  >>> math.exp(Value(1.0))  # doctest: +ELLIPSIS
  Traceback (most recent call last):
  ...
  TypeError: a Value does not turn into a float by itself, for that would drop its gradient: take .data ...

Identity, order, truth
----------------------

- == and hash between Values are by identity, so that sets and dicts of nodes work.

  >>> a, b = Value(1.0), Value(1.0)
  >>> a == b, a == a, len({a, b}), a == None, a == "1"
  (False, True, 2, False, False)

- v == 2.0 is neither quietly False nor a comparison of data: a TypeError.

  >>> a == 2.0
  Traceback (most recent call last):
  ...
  TypeError: Value == 2.0: compare v.data == 2.0, or nodes by `is`

- <, <=, > and >= compare data, with numbers too; bool(v) is that of the data.

  >>> a < Value(2.0), a >= 1, bool(Value(0.0))
  (True, True, False)

- a += b makes a new node; nothing that exists changes.

  >>> before = a
  >>> a += b
  >>> a is before, before.data
  (False, 1.0)

- Setting a leaf's data later does not change what was recorded; op, args and local_grads are read-only.

  >>> x = Value(3.0)
  >>> y = x * x
  >>> x.data = 5.0
  >>> y.data, y.local_grads
  (9.0, (3.0, 3.0))
  >>> y.op = None  # doctest: +IGNORE_EXCEPTION_DETAIL
  Traceback (most recent call last):
  ...
  AttributeError

Backward
--------

- Leaves accumulate over calls: a second one doubles them exactly. Adjoints of nodes between are those of the last call.

  >>> x = Value(0.1)
  >>> u = x * 3.0
  >>> y = u * u
  >>> y.backward(); once = x.grad; y.backward()
  >>> x.grad == 2 * once, u.grad == 2 * u.data
  (True, True)

- On a leaf its own grad grows by the seed, any float.

  >>> x = Value(1.0); x.backward(0.25); x.grad
  0.25

- The order is fixed: depth first, arguments left to right; the same graph gives the same bits.

  >>> p, q = Value(1.0, "p"), Value(2.0, "q")
  >>> [node.name or node.op.name for node in mb.topological_order(q * p + q)]
  ['q', 'p', 'mul', 'add']

- Before any backward a gradient is absent, though grad reads 0.0.

  >>> p.has_grad, p.grad, repr(p)
  (False, 0.0, "Value(1.0, name='p')")

- Gradients of nodes between never go stale.

  >>> a = Value(3.0)
  >>> c = a * a; c.backward(); a.grad = 0.0; d = c * a; d.backward()
  >>> a.grad
  27.0

- A copied or unpickled graph is a graph; names are kept.

  >>> twin = pickle.loads(pickle.dumps(d)); twin.backward()
  >>> copy.deepcopy(Value(1.0, "w")).name, [leaf.grad for leaf in mb.topological_order(twin) if leaf.op is None]
  ('w', [54.0])

- A node used twice gets both contributions.

  >>> x = Value(3.0); (x * x).backward(); (x - x).backward(); mb.maximum(x, x).backward(); x.grad
  7.0

- Two roots that share nodes run one after the other in any order.

  >>> x = Value(2.0); u = x * x; first, second = u * 3.0, mb.exp(u)
  >>> second.backward(); first.backward(); x.grad == 12.0 + math.exp(4.0) * 4.0
  True

Domains
-------

- Outside its real domain an operation raises DomainError, a ValueError that names operation, argument and domain.

  >>> mb.sqrt(Value(-1.0))
  Traceback (most recent call last):
  ...
  micrograd_bp.errors.DomainError: sqrt: x = -1.0 is outside [0, inf)
  >>> def refused(f, *args):
  ...     try:
  ...         f(*args)
  ...     except mb.DomainError:
  ...         return True
  >>> cases = [(mb.log, 0.0), (mb.log, -1.0), (mb.acosh, 0.5), (mb.atanh, 1.0), (mb.asin, 1.1), (mb.pow, -8.0, 1 / 3)]
  >>> all(refused(f, *map(Value, args)) for f, *args in cases)
  True

- Division by zero and negative powers of zero are also a ZeroDivisionError.

  >>> issubclass(mb.PoleError, (mb.DomainError)) and issubclass(mb.PoleError, ZeroDivisionError)
  True
  >>> 1 / Value(0.0)  # doctest: +IGNORE_EXCEPTION_DETAIL
  Traceback (most recent call last):
  ...
  PoleError
  >>> Value(0.0) ** -1  # doctest: +IGNORE_EXCEPTION_DETAIL
  Traceback (most recent call last):
  ...
  PoleError

- Overflow is IEEE's: an infinity, or 0.

  >>> mb.exp(Value(1000.0)).data, mb.exp(Value(-1000.0)).data
  (inf, 0.0)

- sigmoid, softplus, tanh, log1p, expm1, hypot and log_sigmoid neither overflow nor cancel.

  >>> mb.sigmoid(-745.0) > 0, mb.softplus(1000.0), mb.log_sigmoid(-1000.0), mb.hypot(1e200, 1e200) < math.inf
  (True, 1000.0, -1000.0, True)

- Where a value exists and its derivative does not, the local derivative is a convention, inf or nan, and hurts only
  the argument it belongs to.

  >>> mb.sqrt(Value(0.0)).local_grads, mb.pow(Value(-2.0), Value(3.0)).local_grads
  ((inf,), (12.0, nan))

- An adjoint of exactly 0 times an infinite or nan derivative contributes 0; an edge is never dropped for it.

  >>> x = Value(0.0); (mb.sqrt(x) * 0).backward(); x.grad
  0.0
  >>> mb.grad(mb.grad(lambda x: (mb.sqrt(x) - 2) ** 2))(4.0)
  0.125

- Domains are checked at the boundary; a row called with floats, and its rules, follow IEEE.

  >>> mb.log(-1.0), mb.div(1.0, 0.0)
  (nan, inf)

Kinks and ties
--------------

- relu, abs, sign, step: 0 at 0; leaky_relu: its slope; maximum and minimum: 1/2 each; clip: 1 at a bound.

  >>> [op(Value(0.0)).local_grads[0] for op in (mb.relu, mb.leaky_relu, mb.abs, mb.sign, mb.step)]
  [0.0, 0.01, 0.0, 0.0, 0.0]
  >>> mb.maximum(Value(2.0), Value(2.0)).local_grads, mb.minimum(Value(2.0), Value(2.0)).local_grads
  ((0.5, 0.5), (0.5, 0.5))
  >>> mb.clip(Value(1.0), 0.0, 1.0).local_grads, mb.step(0.0)
  ((1.0, None, None), 0.0)

- where: the condition has no derivative, and only the branch taken gets one, without a nan from the other.

  >>> x = Value(0.0)
  >>> mb.where(Value(0.0), mb.sqrt(x), x * 2).backward(); x.grad
  2.0

- x**0 is constant, also at 0; x**n is n x**(n-1) for x of any sign; d/dy of 0**y is 0.

  >>> (Value(0.0) ** 0).local_grads, (Value(-3.0) ** 3).local_grads, mb.pow(Value(0.0), Value(2.0)).local_grads
  ((0.0, None), (27.0, None), (0.0, 0.0))

- hypot at (0, 0): 0, the subgradient of least norm; atan2 there: nan; maximum(x, x): 1 in all.

  >>> o = Value(0.0)
  >>> mb.hypot(o, Value(0.0)).local_grads, mb.atan2(o, Value(0.0)).local_grads
  ((0.0, 0.0), (nan, nan))

- x / y has no square of y: neither overflow nor underflow for very large or small y.

  >>> mb.div(Value(1e200), Value(1e200)).local_grads[1], mb.div(Value(1e-200), Value(1e-200)).local_grads[1]
  (-1e-200, -1e+200)

Names, threads, memory
----------------------

- A name never affects a computation; an unnamed leaf is just a number.

  >>> (Value(2.0, "w") * 3).data == (Value(2.0) * 3).data
  True

- Backward calls from several threads on graphs that share leaves lose no update.

  >>> from concurrent.futures import ThreadPoolExecutor
  >>> w = Value(1.0)
  >>> roots = [w * 1.0 for _ in range(200)]
  >>> with ThreadPoolExecutor(8) as pool: _ = list(pool.map(Value.backward, roots))
  >>> w.grad
  200.0

- A graph is freed by reference counts alone, however deep.

  >>> import gc
  >>> def alive(): return sum(type(thing) is Value for thing in gc.get_objects())
  >>> _ = gc.collect(); gc.disable(); before = alive()
  >>> deep = Value(1.0)
  >>> for _ in range(100_000): deep = deep + 1.0
  >>> del deep
  >>> gc.enable(); alive() <= before
  True

- A backward pass is made wholly or not at all: refused or interrupted, it leaves the leaves' gradients as they were.

  >>> x = Value(2.0); y = x * x; y.backward()
  >>> try: y.backward(seed="1")
  ... except TypeError: x.grad
  4.0
"""
