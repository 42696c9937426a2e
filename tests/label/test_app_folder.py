from pathlib import Path

import pytest

from monai_medmamba.label.app_folder import write_app_folder


def test_writes_the_application(tmp_path):
    folder = write_app_folder(tmp_path / "app")
    assert folder == tmp_path / "app"
    assert "MedMambaLabelApp" in (folder / "main.py").read_text("utf-8")


def test_what_was_trained_stays(tmp_path):
    folder = write_app_folder(tmp_path)
    (folder / "model").mkdir()
    (folder / "main.py").write_text("of an older version")
    assert write_app_folder(tmp_path) == folder
    assert (folder / "model").is_dir()
    assert "MedMambaLabelApp" in (folder / "main.py").read_text("utf-8")


def test_lies_among_the_users_data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert write_app_folder() == tmp_path / "data" / "monai_medmamba" / "label-app"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_app_folder() == tmp_path / ".local" / "share" / "monai_medmamba" / "label-app"


def test_a_folder_that_cannot_be_written(tmp_path):
    Path(tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_app_folder(tmp_path / "file")
