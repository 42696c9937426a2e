import os
import shutil

import pytest

from monai_medmamba.data import whole_folder
from monai_medmamba.data.whole_folder import place_folder


def fill(folder):
    folder.mkdir()
    (folder / "a").write_text("new")


def find_damage(folder):
    if not folder.exists() or not any(folder.iterdir()):
        return ""
    return None if (folder / "a").is_file() else "a is missing"


@pytest.mark.parametrize("before", [None, (), ("b",)])
def test_fills_and_replaces(tmp_path, before):
    target = tmp_path / "deep" / "set"
    if before is not None:
        target.mkdir(parents=True)
    for name in before or ():
        (target / name).write_text("damaged")
    place_folder(target, fill, find_damage)
    assert [child.name for child in target.iterdir()] == ["a"]
    assert [child.name for child in target.parent.iterdir()] == ["set"]


def test_a_faster_process_wins(tmp_path):
    def fill_slowly(folder):
        fill(folder)
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "a").write_text("theirs")

    place_folder(tmp_path / "set", fill_slowly, find_damage)
    assert (tmp_path / "set" / "a").read_text() == "theirs"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_error_leaves_nothing(tmp_path, error):
    def fail(folder):
        fill(folder)
        raise error

    with pytest.raises(type(error)):
        place_folder(tmp_path / "set", fail, find_damage)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_process_moves_at_that_moment(tmp_path, monkeypatch):
    """It is gone when it shall be put aside, and back a moment later."""
    target = tmp_path / "set"
    target.mkdir()
    (target / "b").write_text("damaged")
    replace, moved = os.replace, []

    def compete(source, destination):
        if not moved:
            moved.append(source)
            shutil.rmtree(target)
        replace(source, destination)

    monkeypatch.setattr(os, "replace", compete)
    place_folder(target, fill, find_damage)
    assert moved == [target]
    assert [child.name for child in tmp_path.iterdir()] == ["set"]
    assert (target / "a").read_text() == "new"


def test_what_stays_away_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_folder, "PATIENCE", 0.05)
    with pytest.raises(FileNotFoundError):
        place_folder(tmp_path / "set", lambda folder: None, find_damage)
    assert list(tmp_path.iterdir()) == []
