"""`medmamba predict` and `medmamba embed` with weights of volumes."""

import numpy as np
import pytest
import torch

from monai_medmamba.cli import main
from monai_medmamba.inference import VolumePreprocessing
from monai_medmamba.metrics import read_predictions
from monai_medmamba.networks import MedMamba, PooledFeatures, save_weights
from testing.dicom_series import write_series

nibabel = pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")
pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

KEPT = {
    "volume_size": [32, 32, 32],
    "spacing": [1.5, 1.5, 3.0],
    "intensity_range": [-1000, 400],
    "mean": [0.5],
    "std": [0.25],
}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MedMamba(3, 1, num_classes=2, depths=(1,), dims=(8,), d_state=2).eval()


@pytest.fixture
def weights(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, ["benign", "malignant"], KEPT)
    return str(tmp_path / "w.safetensors")


@pytest.fixture
def volumes(tmp_path):
    root = tmp_path / "ct"
    (root / "a").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("a/1.nii.gz", "2.nii"):
        values = rng.normal(-300, 400, (20, 18, 9)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([1.5, 1.5, 3.0, 1])), root / name)
    write_series(root / "series", [0, 3, 6])
    return root


def test_a_folder_of_nifti_files_and_series(weights, network, volumes, tmp_path, capsys):
    out = tmp_path / "o.csv"
    assert main(["predict", str(volumes), "--weights", weights, "--out", str(out), "--device", "cpu"]) == 0
    assert "3 images classified" in capsys.readouterr().out
    found = read_predictions(out)
    assert [path.removeprefix(str(volumes)) for path in found.images] == ["/2.nii", "/a/1.nii.gz", "/series"]
    prepare = VolumePreprocessing.from_description(KEPT)
    with torch.inference_mode():
        expected = network(torch.stack([prepare.read(path) for path in found.images])).softmax(1)
    assert found.probabilities == pytest.approx(expected.numpy(), abs=1e-6)


def test_a_bad_volume_never_stops_the_rest(weights, volumes, capsys):
    (volumes / "bad.nii").write_text("hello")
    assert main(["predict", str(volumes), str(volumes / "gone.nii"), "--weights", weights, "--device", "cpu"]) == 2
    shown = capsys.readouterr()
    assert "3 images classified" in shown.out
    assert "bad.nii" in shown.err
    assert "gone.nii: there is no such file or folder" in shown.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--window", "40", "400"], "--window is for pictures"),
        (["--modality", "CT"], "without --modality"),
    ],
)
def test_what_is_for_pictures_is_refused(more, message, weights, volumes, capsys):
    assert main(["predict", str(volumes), "--weights", weights, "--device", "cpu", *more]) == 1
    assert message in capsys.readouterr().err


FRAMES = b"\x28\x00\x08\x00IS\x02\x00x "  # NumberOfFrames, no number


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("header", [b"no header at all", FRAMES])
def test_damaged_dicom_files_are_told(header, weights, volumes, capsys):
    (volumes / "broken").mkdir()
    (volumes / "broken" / "1.dcm").write_bytes(bytes(128) + b"DICM" + header)
    assert main(["predict", str(volumes), "--weights", weights, "--device", "cpu"]) == 2
    shown = capsys.readouterr()
    assert "3 images classified" in shown.out
    assert str(volumes / "broken") in shown.err


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_a_folder_of_two_series(command, weights, tmp_path, capsys):
    (tmp_path / "both").mkdir()
    for number, heights in enumerate(([0, 3, 6], [0, 3, 9, 12])):
        for file in write_series(tmp_path / str(number), heights, uid=f"1.2.3.{number}").iterdir():
            file.rename(tmp_path / "both" / f"{number}-{file.name}")
    words = [command, str(tmp_path / "both"), "--weights", weights, "--device", "cpu"]
    words += ["--out", str(tmp_path / "features.npz")] if command == "embed" else []
    assert main(words) == 2
    assert "largest" in capsys.readouterr().err
    assert main([*words, "--series", "1.2.3.0"]) == 0
    assert main([*words, "--series", "largest"]) == 2
    assert "missing" in capsys.readouterr().err
    assert main([*words, "--series", "largest", "--missing", "interpolate"]) == 0


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_pictures_have_no_series(command, tmp_path, capsys):
    kept = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(tmp_path / "p.safetensors", MedMamba(num_classes=2, depths=(1,), dims=(8,)), ["a", "b"], kept)
    words = [command, str(tmp_path), "--weights", str(tmp_path / "p.safetensors"), "--series", "largest"]
    words += ["--out", str(tmp_path / "features.npz")] if command == "embed" else []
    assert main(words) == 1
    assert "--series for volumes alone" in capsys.readouterr().err


def test_a_server_is_refused(weights, capsys):
    assert main(["predict", "https://pacs.example/dicom-web", "--weights", weights, "--device", "cpu"]) == 1
    assert "name files and folders" in capsys.readouterr().err


def test_a_folder_without_volumes(weights, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["predict", str(tmp_path / "empty"), "--weights", weights, "--device", "cpu"]) == 1
    assert "no volume in this folder" in capsys.readouterr().err


def test_features(weights, network, volumes, tmp_path):
    out = tmp_path / "f.npz"
    assert main(["embed", str(volumes), "--weights", weights, "--out", str(out), "--device", "cpu", "--quiet"]) == 0
    found = np.load(out)
    prepare = VolumePreprocessing.from_description(KEPT)
    with torch.inference_mode():
        expected = PooledFeatures(network)(torch.stack([prepare.read(path) for path in found["images"]]))
    assert found["features"] == pytest.approx(expected.numpy(), abs=1e-5)


@pytest.mark.slow
def test_an_onnx_file(weights, volumes, tmp_path):
    onnx, tables = str(tmp_path / "w.onnx"), [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    assert main(["export", weights, "--out", onnx]) == 0
    for words, table in zip((["--weights", weights], ["--onnx", onnx]), tables, strict=True):
        assert main(["predict", str(volumes), *words, "--out", table, "--device", "cpu", "--quiet"]) == 0
    expected, found = (read_predictions(table).probabilities for table in tables)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("command", ["explain", "robustness"])
def test_commands_for_pictures_say_what_takes_volumes(command, weights, volumes, tmp_path, capsys):
    where = str(volumes) if command == "explain" else ""
    assert main([command, where, "--weights", weights, "--device", "cpu", "--out", str(tmp_path / "out")]) == 1
    assert "volumes" in capsys.readouterr().err
