from pathlib import Path

from monai_medmamba.bundle import find_overlay, list_overlays
from monai_medmamba.cli import main


def test_path(capsys):
    assert main(["overlay", "multi_gpu_train"]) == 0
    assert Path(capsys.readouterr().out.strip()) == find_overlay("multi_gpu_train").path


def test_list(capsys):
    assert main(["overlay"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [overlay.name for overlay in list_overlays()]


def test_content(capsys):
    assert main(["overlay", "multi_gpu_train", "--show"]) == 0
    assert capsys.readouterr().out == find_overlay("multi_gpu_train").path.read_text()


def test_unknown_name(capsys):
    assert main(["overlay", "nothing"]) == 1
    assert "multi_gpu_train" in capsys.readouterr().err
