"""``python -m monai_medmamba``: the command line."""

import sys

from .cli import main

sys.exit(main())
