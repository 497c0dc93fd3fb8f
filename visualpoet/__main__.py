"""`python -m visualpoet` is the command `visualpoet`."""

import sys

from visualpoet.cli import main

if __name__ == "__main__":
    sys.exit(main())
