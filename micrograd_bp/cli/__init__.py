"""The command line `micrograd-bp`: `commands.py` lists the commands, and each is the module of its name. `arguments.py`
reads what is given, `output.py` writes, `session.py` is the state of the interactive prompt, `compare.py` and
`diagnosis.py` judge a derivative that was typed. Begin reading in `commands.py`.
"""

from micrograd_bp.cli.commands import main as main
