"""`python -m rankine_postprocess` is the command `rankine-postprocess`."""

import sys

from .command_line import main

sys.exit(main())
