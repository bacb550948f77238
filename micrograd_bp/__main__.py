"""`python -m micrograd_bp` is the command `micrograd-bp`."""

import sys

from micrograd_bp.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
