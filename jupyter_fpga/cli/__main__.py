"""``python -m jupyter_fpga.cli …`` is ``jupyter fpga …``."""

import sys

from .app import main

sys.exit(main())
