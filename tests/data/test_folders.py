import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.folders import list_folders


def test_class_folders(tmp_path, paint):
    paint("b/2.png", "b/1.png", "a/x.png")
    (tmp_path / "README.txt").write_text("left alone")
    (tmp_path / ".git").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "a" / ".DS_Store").write_text("litter")
    (tmp_path / "a" / "Thumbs.db").write_text("litter")
    assert list_folders(tmp_path) == [Entry("a/x.png", "a"), Entry("b/1.png", "b"), Entry("b/2.png", "b")]


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "Validation", "Testing"), ("train", "valid", "TEST")]
)
def test_split_folders(tmp_path, paint, names):
    paint(*(f"{name}/{label}/1.png" for name in names for label in "ab"))
    listed = {(entry.split, entry.label) for entry in list_folders(tmp_path)}
    assert listed == {(split, label) for split in ("training", "validation", "test") for label in "ab"}


def test_two_folders_for_one_split(tmp_path, paint):
    paint("val/a/1.png", "valid/a/1.png")
    with pytest.raises(DatasetError, match=r"(?s)two for one split.*val\n.*valid"):
        list_folders(tmp_path)


def test_mixed_layout(tmp_path, paint):
    paint("train/a/1.png", "polyps/1.png")
    with pytest.raises(DatasetError, match="1 others:\n  polyps"):
        list_folders(tmp_path)


def test_empty_classes_are_all_named(tmp_path, paint):
    paint("train/a/1.png")
    for name in ("train/b", "test/c"):
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"(?s)images in each class folder.*test/c"):
        list_folders(tmp_path)
    (tmp_path / "test/c").rmdir()
    (tmp_path / "test").rmdir()
    with pytest.raises(DatasetError, match="train/b"):
        list_folders(tmp_path)


def test_folders_inside_class_folders(tmp_path, paint):
    paint("a/1.png", "b/1.png", "b/patient7/1.png")
    with pytest.raises(DatasetError, match="1 folders inside class folders:\n  b/patient7"):
        list_folders(tmp_path)


def test_unreadable_folder(tmp_path, paint, monkeypatch):
    paint("a/1.png")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(DatasetError, match="Permission denied"):
        list_folders(tmp_path)
