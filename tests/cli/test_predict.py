import csv
import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monai_medmamba.cli import main
from monai_medmamba.metrics import read_findings, read_predictions
from monai_medmamba.networks import MedMamba, medmamba_nano, save_weights
from testing.bundles import ROOT, monai_bundle
from testing.dicom_files import write_dicom

INFERENCE = str(ROOT / "bundles" / "medmamba_endo" / "configs" / "inference.json")
KEPT = {"image_size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
NAMES = ["normal", "polyp", "höhle [rot]"]


@pytest.fixture(autouse=True)
def _same_threads():
    """The command sets PyTorch's threads and silences pydicom's log: put both back."""
    threads, level = torch.get_num_threads(), logging.getLogger("pydicom").level
    yield
    torch.set_num_threads(threads)
    logging.getLogger("pydicom").setLevel(level)


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    network = MedMamba(num_classes=3, depths=(1,), dims=(8,), d_state=2)
    save_weights(tmp_path / "model.safetensors", network, NAMES, KEPT)
    return str(tmp_path / "model.safetensors")


@pytest.fixture
def images(tmp_path):
    """Pictures of one base name in two folders, and one with a name that is not ASCII."""
    rng = np.random.default_rng(0)
    root = tmp_path / "images"
    for name in ("a/1.png", "b/1.png", "b/größe [bold] 図.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(root / name)
    return root


def table(path):
    """Return images and probabilities of a written table."""
    found = read_predictions(path)
    return dict(zip(found.images, found.probabilities.tolist(), strict=True))


def test_several_labels(images, tmp_path, capsys):
    network = MedMamba(num_classes=3, depths=(1,), dims=(8,), d_state=2)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.tensor([2.0, -2.0, 1.0]))
    save_weights(tmp_path / "s.safetensors", network, NAMES, KEPT, several_labels=True)
    words = ["--weights", str(tmp_path / "s.safetensors"), "--out", str(tmp_path / "o.csv"), "--top", "1"]
    assert main(["predict", str(images), *words]) == 0
    shown = capsys.readouterr().out
    assert "normal, höhle [rot]" in shown
    assert "normal 0.881" in shown
    assert "3 images classified: normal 3, höhle [rot] 3" in shown
    assert read_findings(tmp_path / "o.csv").found == [["normal", "höhle [rot]"]] * 3


def test_a_folder(weights, images, tmp_path, capsys):
    assert main(["predict", str(images), "--weights", weights, "--out", str(tmp_path / "o.csv")]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    found = table(tmp_path / "o.csv")
    assert list(found) == [str(images / name) for name in ("a/1.png", "b/1.png", "b/größe [bold] 図.png")]
    for line, (image, row) in zip(lines[1:4], found.items(), strict=True):
        best = int(np.argmax(row))
        assert line.startswith(f"{image} ")
        assert f" {NAMES[best]}  " in line
        assert all(f"{value:.3f}" in line for value in row)
    assert lines[4].startswith("3 images classified: ")
    assert lines[5] == f"written to {tmp_path / 'o.csv'}"
    assert shown.err == ""  # no bar where the stream is no terminal


def test_csv_and_json_agree(weights, images, tmp_path):
    words = ["predict", f"{images}/**/*.png", "--weights", weights, "--quiet", "--out"]
    assert main([*words, str(tmp_path / "o.csv")]) == main([*words, str(tmp_path / "o.json")]) == 0
    content = json.loads((tmp_path / "o.json").read_text("utf-8"))
    found = {row["image"]: list(np.float32(list(row["probabilities"].values()))) for row in content["predictions"]}
    assert found == table(tmp_path / "o.csv")
    assert (content["class_names"], content["failures"], content["weights"]) == (NAMES, [], "model.safetensors")


def test_one_bad_file_never_stops_the_rest(weights, images, tmp_path, capsys):
    (images / "a" / "0 bad\x1b[31m.png").write_text("<html>")
    words = ["predict", str(images), str(images / "gone.png"), "--weights", weights, "--out", str(tmp_path / "o.json")]
    assert main(words) == 2
    shown = capsys.readouterr()
    assert "3 images classified" in shown.out
    assert shown.err.splitlines()[0] == "2 of 5 could not be classified:"
    assert "gone.png: there is no such file or folder" in shown.err
    assert "0 bad?[31m.png: it is a web page or XML, expected one of PNG, JPEG, BMP, TIFF. Download" in shown.err
    content = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert len(content["predictions"]) == 3
    assert [Path(failure["image"]).name for failure in content["failures"]] == ["gone.png", "0 bad\x1b[31m.png"]


def test_dicom_files(weights, tmp_path, capsys):
    pytest.importorskip("pydicom", reason="DICOM files need pydicom")
    deep = np.arange(1600, dtype=np.int16).reshape(40, 40)
    folder = tmp_path / "study"
    folder.mkdir()
    write_dicom(folder / "IM1", deep, WindowCenter=800, WindowWidth=1600)
    write_dicom(folder / "IM2", deep)
    write_dicom(folder / "IM3", deep, WindowCenter=800, WindowWidth=1600, NumberOfFrames=3)
    out = tmp_path / "o.csv"
    assert main(["predict", str(folder), "--weights", weights, "--out", str(out)]) == 2
    assert list(table(out)) == [str(folder / "IM1")]
    reasons = capsys.readouterr().err
    assert "IM2: it has 16 bits of grey and carries no window" in reasons
    assert "IM3: it holds 3 frames, expected 1. Save the frame you mean" in reasons
    assert main(["predict", str(folder), "--weights", weights, "--window", "800", "1600", "--out", str(out)]) == 2
    found = table(out)
    assert found[str(folder / "IM1")] == found[str(folder / "IM2")]


def test_quiet(weights, images, capsys):
    assert main(["predict", str(images), "--weights", weights, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["predict", str(images), "none.png", "--weights", weights, "--quiet"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("top", [1, 2, 99])
def test_top(weights, images, capsys, top):
    assert main(["predict", str(images / "a"), "--weights", weights, "--top", str(top)]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert sum(name in line for name in NAMES) == min(top, 3)


def test_settings_change_nothing_but_speed(weights, images, tmp_path):
    tables = []
    for words in ([], ["--batch-size", "1", "--threads", "1"], ["--backend", "reference", "--device", "cpu"]):
        assert main(["predict", str(images), "--weights", weights, "--out", str(tmp_path / "o.csv"), *words]) == 0
        tables.append(table(tmp_path / "o.csv"))
    for other in tables[1:]:
        assert list(other) == list(tables[0])
        assert np.array(list(other.values())) == pytest.approx(np.array(list(tables[0].values())), abs=1e-6)


def test_every_file_is_bad(weights, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"")
    assert main(["predict", str(tmp_path), "--weights", weights, "--out", str(tmp_path / "o.csv")]) == 2
    shown = capsys.readouterr()
    assert "0 images classified" in shown.out
    assert "1 of 1 could not be classified" in shown.err
    with (tmp_path / "o.csv").open(newline="", encoding="utf-8") as stream:
        assert len(list(csv.reader(stream))) == 1


def test_nothing_to_do(weights, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    words = ["predict", str(tmp_path / "empty"), "*.nothing", "--weights", weights, "--out", str(tmp_path / "o.csv")]
    assert main(words) == 1
    message = capsys.readouterr().err
    assert "medmamba predict: no image to classify" in message
    assert "empty: no picture in this folder" in message
    assert "*.nothing: nothing matches this pattern" in message
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected --weights model.safetensors, or --onnx model.onnx"),
        (["--weights", "missing.pt"], "no weights at missing.pt"),
        (["--onnx", "missing.onnx"], "no ONNX file at missing.onnx"),
        (["--weights", "missing.onnx"], "no ONNX file at missing.onnx"),
        (["--onnx", "a.onnx", "--weights", "b.onnx"], "one as --onnx and one as --weights"),
        (["--onnx", "a.onnx", "--backend", "cpu"], "an ONNX file brings its own scan"),
        (["--weights", "w.pt", "--out", "o.xlsx"], "expected --out FILE.csv or FILE.json, got o.xlsx"),
        (["--weights", "w.pt", "--window", "40", "0"], "a width of 1 or more, got 0"),
    ],
)
def test_wrong_usage(images, capsys, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", str(images), *words]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--top", "0"], ["--batch-size", "x"], ["--device", "tpu"], ["--window", "40"]])
def test_wrong_words(images, weights, capsys, words):
    with pytest.raises(SystemExit, match="1"):
        main(["predict", str(images), "--weights", weights, *words])
    assert f"argument {words[0]}: " in capsys.readouterr().err


def test_weights_without_class_names(images, tmp_path, capsys):
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2)
    description = {"network": network.settings, "preprocessing": KEPT}
    torch.save({"model": network.state_dict(), "description": description}, tmp_path / "model.pt")
    assert main(["predict", str(images), "--weights", str(tmp_path / "model.pt")]) == 1
    assert "model.pt: expected the class names in the file" in capsys.readouterr().err


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["predict", "--help"])
    shown = capsys.readouterr().out
    assert 'medmamba predict images/ more/*.jpg "archive/**/*.dcm" --weights' in shown
    assert "exit status: 0 all images classified" in shown


@pytest.mark.parametrize("option", ["--onnx", "--weights"])
def test_onnx(weights, images, tmp_path, option):
    pytest.importorskip("onnxruntime", reason="runs the exported file")
    onnx = pytest.importorskip("onnx", reason="makes the exported file")
    from onnx import TensorProto, helper, numpy_helper

    weight = np.float32([[1, -2], [3, 4], [-5, 6]])
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ("batch", 3, 32, 32))
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("batch", 2))
    graph = helper.make_graph(nodes, "toy", [image], [logits], [numpy_helper.from_array(weight, "weight")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    described = {"class_names": ["x", "y"], "preprocessing": {**KEPT, "mean": [0.0] * 3, "std": [1.0] * 3}}
    helper.set_model_props(model, {f"monai_medmamba.{key}": json.dumps(value) for key, value in described.items()})
    onnx.save(model, tmp_path / "m.onnx")
    Image.new("RGB", (32, 32), (51, 102, 204)).save(images / "a" / "1.png")
    words = ["predict", str(images / "a"), option, str(tmp_path / "m.onnx"), "--threads", "1"]
    assert main([*words, "--out", str(tmp_path / "o.csv")]) == 0
    expected = torch.softmax(torch.tensor([0.2, 0.4, 0.8]) @ torch.from_numpy(weight), 0).tolist()
    assert table(tmp_path / "o.csv")[str(images / "a" / "1.png")] == pytest.approx(expected, abs=1e-6)


def test_the_bundle_s_inference_gives_the_same_probabilities(images, tmp_path):
    torch.manual_seed(0)
    network = medmamba_nano(num_classes=3)
    with torch.no_grad():
        network.head.weight.mul_(5)
    kept = {"image_size": 64, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}
    described = {"variant": "nano", "network": network.settings, "class_names": NAMES, "preprocessing": kept}
    models = tmp_path / "models"
    save_weights(models / "model.safetensors", network, NAMES, kept)
    torch.save({"model": network.state_dict(), "description": {**described, "epoch": 1}}, models / "model.pt")
    Image.fromarray(np.arange(4000, dtype=np.uint16).reshape(50, 80) * 16).save(images / "deep.tif")
    Image.new("L", (300, 200), 77).save(images / "grey.jpg")
    done = monai_bundle(
        *("run", "inferring", "--config_file", INFERENCE, "--dataset_dir", str(images)),
        *("--ckpt_dir", str(models), "--output_dir", str(tmp_path / "bundle")),
    )
    assert done.returncode == 0, done.stderr
    expected = table(tmp_path / "bundle" / "predictions.csv")
    assert len(expected) == 5
    assert np.ptp(np.array(list(expected.values())), axis=0).max() > 0.01  # the pictures differ, so a mix-up would show
    for name in ("model.safetensors", "model.pt"):
        words = ["--weights", str(models / name), "--device", "cpu", "--out", str(tmp_path / "o.csv")]
        assert main(["predict", str(images), *words]) == 0
        found = table(tmp_path / "o.csv")
        assert found.keys() == expected.keys()
        assert all(found[image] == pytest.approx(row, abs=1e-6) for image, row in expected.items())


def test_in_a_process_of_its_own(weights, images, tmp_path):
    """A name that is not UTF-8, a pipe, and standard output in plain ASCII."""
    name = os.fsdecode(b"gr\xf6\xdfe.png")
    shutil.copy(images / "a" / "1.png", images / name)
    command = [sys.executable, "-m", "monai_medmamba", "predict", str(images), "--weights", weights]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "o.csv")],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "4 images classified" in done.stdout
    assert str(images / name) in table(tmp_path / "o.csv")


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_dicom_files(medmamba_data, weights, tmp_path, capsys):
    folder = medmamba_data / "dicom"
    assert main(["predict", str(folder), "--weights", weights, "--out", str(tmp_path / "o.json")]) == 2
    content = json.loads((tmp_path / "o.json").read_text("utf-8"))
    read = {Path(row["image"]).name for row in content["predictions"]}
    assert len(content["predictions"]) + len(content["failures"]) == len(list(folder.rglob("*.dcm")))
    assert {"01.dcm", "MR_small.dcm", "examples_palette.dcm", "RG1_J2KI.dcm", "examples_jpeg2k.dcm"} <= read
    assert "MR_truncated.dcm" in capsys.readouterr().err
