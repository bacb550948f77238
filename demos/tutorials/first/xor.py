"""Train the XOR network of the first tutorial, as the command `micrograd-bp xor` does."""

import sys

from micrograd_bp.cli import main

if __name__ == "__main__":
    sys.exit(main(["xor", *sys.argv[1:]]))
