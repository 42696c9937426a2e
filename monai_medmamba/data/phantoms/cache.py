"""Where generated data sets are kept: one folder of the user's."""

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Returns the folder for generated files; it need not exist yet.

    ``MONAI_MEDMAMBA_CACHE`` names it; else it is ``monai_medmamba`` in ``XDG_CACHE_HOME``, or in ``.cache`` of the
    home folder; without a writable home, in the folder for temporary files.
    """
    named = os.environ.get("MONAI_MEDMAMBA_CACHE")
    if named:
        return Path(os.path.abspath(os.path.expanduser(named)))
    shared = os.environ.get("XDG_CACHE_HOME")
    if shared and os.path.isabs(shared):
        return Path(shared) / "monai_medmamba"
    home = Path(os.path.expanduser("~"))
    if home.is_absolute() and os.access(home, os.W_OK):
        return home / ".cache" / "monai_medmamba"
    return Path(tempfile.gettempdir()) / f"monai_medmamba-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
