"""Derivatives of functions by the rules of the table: `reverse.py` (gradients, Jacobians, Hessians), `forward.py` and
`dual.py` (directional derivatives), `taylor.py` (power series), `tape.py` (a recorded function and its adjoint
program). `pytree.py` flattens nested structures of numbers, and `arguments.py` reads `argnums` and points.

`engine/chain.py` has the rule for what passes along an edge. Begin reading in `reverse.py`.
"""
