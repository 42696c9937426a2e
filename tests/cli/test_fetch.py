import zipfile

import pytest

from monai_medmamba.cli import main


@pytest.fixture
def copy(tmp_path):
    with zipfile.ZipFile(tmp_path / "copy.zip", "w") as packed:
        packed.writestr("polyps/1.jpg", b"a picture")
    return str(tmp_path / "copy.zip")


def test_the_licence_has_to_be_accepted(copy, tmp_path, capsys):
    words = ["fetch", "kvasir", "--from", copy, "--out", str(tmp_path / "set")]
    assert main(words) == 1
    shown = capsys.readouterr()
    assert "research and education only" in shown.out
    assert "--accept-licence" in shown.err
    assert not (tmp_path / "set").exists()
    assert main([*words, "--accept-licence"]) == 0
    assert (tmp_path / "set" / "polyps" / "1.jpg").is_file()


def test_list(capsys):
    assert main(["fetch"]) == 0
    assert {"kvasir", "breastmnist_224"} <= {line.split()[0] for line in capsys.readouterr().out.splitlines()}


def test_unknown_name(capsys):
    assert main(["fetch", "nothing", "--accept-licence"]) == 1
    assert "one of kvasir" in capsys.readouterr().err
