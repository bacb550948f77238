"""Random programs through all modes of the package, against an oracle that shares no code with it.

`program.py` draws and writes programs, `oracle.py` computes their derivatives to 60 digits, `modes.py` runs them in
each mode, `check.py` compares, `shrink.py` cuts a failing one down and writes it as a test. `python -m tests.fuzz -h`.
"""
