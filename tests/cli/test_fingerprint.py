import json
import shutil

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.cli import main


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    for label in ("normal", "[red]polyp"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(20):
            values = np.kron(random.integers(0, 255, (6, 6, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
            Image.fromarray(values).save(tmp_path / "set" / label / f"{number}.png")
    return tmp_path / "set"


def test_nothing_to_look_at(data, tmp_path, capsys):
    assert main(["fingerprint", str(data), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "40" in printed
    assert "[red]polyp 20" in printed
    assert "Nothing to look at." in printed
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "fingerprint.html",
        "fingerprint.json",
        "measurements.sqlite",
    ]


def test_problems_leave_with_2(data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(data / "normal" / "1.png", data / "[red]polyp" / "same.png")
    (data / "normal" / "empty.png").write_bytes(b"")
    assert main(["fingerprint", "set"]) == 2
    printed = capsys.readouterr().out
    assert "Images that cannot be read" in printed
    assert "normal/empty.png" in printed
    assert "The same image under several labels" in printed
    assert (tmp_path / "fingerprint-set" / "fingerprint.html").exists()
    assert main(["fingerprint", "set", "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Images that cannot be read: 1" in captured.err


def test_options(data, tmp_path, capsys):
    rows = [f"normal/{i}.png,{'ab'[i % 2]},p{i}" for i in range(20)]
    (data / "one.csv").write_text("\n".join(["file,dx,case", *rows]))
    (data / "two.csv").write_text("x\n")
    words = ["--csv", "one.csv", "--column", "path=file", "--column", "label=dx", "--column", "patient=case"]
    assert main(["fingerprint", str(data), "--out", str(tmp_path / "out"), *words]) == 0
    content = json.loads((tmp_path / "out" / "fingerprint.json").read_text())
    assert (content["dataset"]["layout"], content["patients"]["patients"]) == ("table", 20)
    (data / "one.csv").unlink()
    (data / "two.csv").unlink()
    words = ["--no-classes", "--patient", r"/(\d)"]
    assert main(["fingerprint", str(data), "--out", str(tmp_path / "out"), *words]) == 0
    content = json.loads((tmp_path / "out" / "fingerprint.json").read_text())
    assert (content["labels"]["classes"], content["patients"]["patients"]) == ([], 10)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nothing there"),
        (["set", "--csv", "gone.csv"], "gone.csv"),
        (["set", "--patient", "("], "regular expression"),
    ],
)
def test_errors_leave_with_1(data, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["fingerprint", *words]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--column", "colour=x"], ["--column", "path"], ["--workers", "0"]])
def test_wrong_usage(data, words, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["fingerprint", str(data), *words])
    assert "expected" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(data, tmp_path, monkeypatch, capsys):
    def interrupted(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("monai_medmamba.fingerprint.build.scan", interrupted)
    assert main(["fingerprint", str(data), "--out", str(tmp_path / "out")]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_the_output_stays_out_of_the_data(data, monkeypatch, capsys):
    monkeypatch.chdir(data)
    assert main(["fingerprint", "."]) == 1
    assert "--out ../fingerprint" in capsys.readouterr().err
    assert sorted(path.name for path in data.iterdir()) == ["[red]polyp", "normal"]


def test_the_output_stands_in_the_way(data, tmp_path, capsys):
    (tmp_path / "out").write_text("a file")
    assert main(["fingerprint", str(data), "--out", str(tmp_path / "out")]) == 1
    assert "out" in capsys.readouterr().err
