import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.path_form import PathForm, relative_path


@pytest.fixture
def tree(tmp_path, paint):
    paint("set/a/1.png", "set/b/1.png", "set/b/c/2.png", "set/3.png", "set/__MACOSX/3.png", "set/.hidden/3.png")
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("form", "value", "path"),
    [
        ("{}", "a/1.png", "a/1.png"),
        ("a/{}.png", "1", "a/1.png"),
        ("a/{}.png", "{0[1]}*", "a/{0[1]}*.png"),
        ("{}", "..\\set\\x.png", "x.png"),
        ("a/{}", "../../x.png", None),
        ("**/{}", "2.png", "b/c/2.png"),
        ("**/{}", "c/2.png", "b/c/2.png"),
        ("**/{}.png", "3", "3.png"),
        ("**/c/{}", "2.png", "b/c/2.png"),
        ("b/**/{}", "1.png", "b/1.png"),
    ],
)
def test_paths(tree, form, value, path):
    assert PathForm(tree, form).path(value) == path


@pytest.mark.parametrize(
    ("form", "value", "message"),
    [
        ("**/{}", "1.png", r"^a/1\.png = b/1\.png$"),
        ("**/{}", "4.png", "no such file"),
        ("**/{}", "*.png", "no such file"),
        ("**/{}", "../set/3.png", "no such file"),
        ("a/**/{}", "2.png", "no such file"),
        ("**/{}", ".png", "no such file"),
    ],
)
def test_what_is_not_found_once(tree, form, value, message):
    with pytest.raises(LookupError, match=message):
        PathForm(tree, form).path(value)


@pytest.mark.parametrize("form", ["", "Images", "{}/{}", "{}/**/x.png", "**/**/{}", "a**/{}", "a/**{}"])
def test_invalid_arguments(tree, form):
    with pytest.raises(DatasetError, match=r"a path form with \{\} once"):
        PathForm(tree, form)


def test_relative_path(tmp_path):
    assert relative_path(tmp_path, f"{tmp_path}/a/../b.png") == "b.png"
    assert relative_path(tmp_path, "/etc/passwd") is None
