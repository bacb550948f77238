"""The command line `micrograd-bp`.

`commands.py` lists the commands; each is the module of its name (`eval.py`, `repl.py`, `check.py`, `quiz.py`, `xor.py`,
`play.py`). `arguments.py` reads options, formulas and values, `output.py` writes tables and explanations. `session.py`
has the state of `repl`; `compare.py` and `diagnosis.py` compare a typed derivative with the engine's for `check`. The
room uses all others. Begin reading in `commands.py`.
"""

from micrograd_bp.cli.commands import main as main
