import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.phantoms.kept_set import MANIFEST, keep_set


@pytest.fixture
def keep(tmp_path):
    """Keeps a set of one file, and tells whether it was drawn."""
    drawn = []

    def draw(folder):
        drawn.append(folder)
        folder.mkdir()
        (folder / "a.txt").write_text("a")

    def run(size=1):
        drawn.clear()
        keep_set(tmp_path / "set", {"size": size}, draw)
        return bool(drawn)

    return run


def test_drawn_once(keep, tmp_path):
    assert keep()
    assert not keep()
    assert {path.name for path in (tmp_path / "set").iterdir()} == {"a.txt", MANIFEST}


def test_damage_is_repaired(keep, tmp_path, caplog):
    keep()
    (tmp_path / "set" / "a.txt").write_text("b")
    assert keep()
    assert (tmp_path / "set" / "a.txt").read_text() == "a"
    assert "1 of 1 files changed or missing, a.txt first" in caplog.text


def test_what_others_made_is_safe(keep, tmp_path):
    keep()
    with pytest.raises(DatasetError, match="'size': 2"):
        keep(size=2)
    (tmp_path / "set" / "b.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"1 other files:\n  b\.txt"):
        keep()
