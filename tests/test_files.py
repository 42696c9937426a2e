import pytest

from monai_medmamba.files import atomic_path


def test_the_file_appears_whole(tmp_path):
    target = tmp_path / "new" / "a.json"
    with atomic_path(target) as temporary:
        temporary.write_text("{}")
        assert temporary.suffix == ".json"
        assert not target.exists()
    assert target.read_text() == "{}"
    assert [path.name for path in target.parent.iterdir()] == ["a.json"]


def fail_half_way(target):
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")


def test_an_error_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(OSError, match="No space left"):
        fail_half_way(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_is_moved_into_its_place_and_never_written_there(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with target.open() as reader:
        with atomic_path(target) as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"  # who reads meanwhile keeps a whole file
    assert target.read_text() == "new"
