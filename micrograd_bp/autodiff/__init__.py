"""Derivatives of functions, from the table's rules: `reverse.py` (gradients, Jacobians, Hessians), `forward.py` and
`dual.py` (directional derivatives), `taylor.py` (power series), `tape.py` (a recorded function and its adjoint
program). `pytree.py` takes nested structures of numbers apart.

The room uses `ops` and `engine`; what passes along an edge is decided in `engine/chain.py`. Begin reading in
`reverse.py`.
"""
