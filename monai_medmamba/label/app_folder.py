"""The folder that MONAI Label takes for an application: one small ``main.py`` in a place that can be written to."""

from __future__ import annotations

import os
from pathlib import Path

from ..files import atomic_path

__all__ = ["write_app_folder"]

_MAIN = '''"""Written by `medmamba label-app`; MONAI Label finds the application by its name here."""

from monai_medmamba.label.app import MedMambaLabelApp

__all__ = ["MedMambaLabelApp"]
'''


def write_app_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Makes the application's folder, or brings an older one up to date; what was trained in it stays.

    MONAI Label adds ``logs``, and the server keeps the weights that it trains in ``model``: so the folder lies among
    the user's data, not in the installed package.

    Args:
        folder: Where; None for ``monai_medmamba/label-app`` in ``XDG_DATA_HOME``, or else in ``.local/share`` of the
            home folder.

    Returns:
        The folder, absolute.

    Raises:
        OSError: It cannot be written.

    Example:
        >>> import tempfile
        >>> [path.name for path in write_app_folder(tempfile.mkdtemp()).iterdir()]
        ['main.py']
    """
    target = Path(os.path.abspath(os.path.expanduser(folder))) if folder is not None else _users_folder()
    main = target / "main.py"
    if not main.is_file() or main.read_text(encoding="utf-8") != _MAIN:
        with atomic_path(main) as temporary:
            temporary.write_text(_MAIN, encoding="utf-8")
    return target


def _users_folder() -> Path:
    shared = os.environ.get("XDG_DATA_HOME", "")
    base = Path(shared) if os.path.isabs(shared) else Path(os.path.expanduser("~")) / ".local" / "share"
    return base / "monai_medmamba" / "label-app"
