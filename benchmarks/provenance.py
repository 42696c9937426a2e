"""Where a record comes from."""

import os
import subprocess
from pathlib import Path


def commit() -> str | None:
    """Return the commit that is checked out, or what ``MEDMAMBA_COMMIT`` says where there is no repository."""
    here = Path(__file__).parent
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    return os.environ.get("MEDMAMBA_COMMIT") if done.returncode else done.stdout.strip()
