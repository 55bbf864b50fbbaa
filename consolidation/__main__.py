"""``python -m consolidation``."""

import sys

from consolidation.cli import main

if __name__ == "__main__":
    sys.exit(main())
