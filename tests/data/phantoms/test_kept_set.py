import logging

import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.phantoms.kept_set import MANIFEST, keep_set


def draw(folder):
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "one.txt").write_text("hello")


def test_made_once(tmp_path):
    target = tmp_path / "set"
    keep_set(target, {"text": "hello"}, draw)
    assert (target / "a" / "one.txt").read_text() == "hello"
    keep_set(target, {"text": "hello"}, None)  # nothing to draw
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("harm", ["changed", "missing", "manifest"])
def test_damage_is_mended(tmp_path, caplog, harm):
    target = tmp_path / "set"
    keep_set(target, {"text": "hello"}, draw)
    if harm == "missing":
        (target / "a" / "one.txt").unlink()
    else:
        (target / ("a/one.txt" if harm == "changed" else MANIFEST)).write_text("x")
    caplog.set_level(logging.WARNING)
    keep_set(target, {"text": "hello"}, draw)
    assert "damaged" in caplog.text
    assert (target / "a" / "one.txt").read_text() == "hello"


def test_what_others_put_there_is_safe(tmp_path):
    keep_set(tmp_path / "set", {"text": "hello"}, draw)
    with pytest.raises(DatasetError, match="'text': 'bye'"):
        keep_set(tmp_path / "set", {"text": "bye"}, draw)
    (tmp_path / "set" / "mine").write_text("precious")
    with pytest.raises(DatasetError, match="1 other files:\n  mine"):
        keep_set(tmp_path / "set", {"text": "hello"}, draw)


def test_a_failure_leaves_nothing(tmp_path):
    def fail(folder):
        draw(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        keep_set(tmp_path / "set", {}, fail)
    assert list(tmp_path.iterdir()) == []
