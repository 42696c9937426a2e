import pytest

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
