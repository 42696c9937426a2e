import tempfile
from pathlib import Path

import pytest

from monai_medmamba.data.phantoms.cache import cache_folder


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("MONAI_MEDMAMBA_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_order(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "monai_medmamba"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "shared" / "monai_medmamba"
    monkeypatch.setenv("MONAI_MEDMAMBA_CACHE", "~/named")
    assert cache_folder() == tmp_path / "named"


def test_relative_xdg_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "monai_medmamba"


@pytest.mark.parametrize("home", ["~", "/nonexistent/home"])
def test_without_home(monkeypatch, home):
    monkeypatch.setattr("os.path.expanduser", lambda path: home)
    assert cache_folder().parent == Path(tempfile.gettempdir())
