"""The MONAI Deploy application, run as its users do: DICOM folder in, structured reports out.

It needs MONAI Deploy's SDK, which wants an environment of its own: MEDMAMBA_DEPLOY_PYTHON names its Python.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_medmamba.inference import load_classifier, predict
from monai_medmamba.networks import medmamba_nano, save_weights
from testing.bundles import ROOT
from testing.dicom_patients import SECRETS, write_patient
from testing.dicom_validator import dicom_errors

pytestmark = pytest.mark.slow

VARIABLE = "MEDMAMBA_DEPLOY_PYTHON"
APPLICATION = ROOT / "docs" / "examples" / "monai_deploy" / "app.py"
NAMES = ["COVID", "NORMAL", "PNEUMONIA"]
STUDIES = ("1.2.826.0.1.1", "1.2.826.0.1.2")
VALID = {"PatientBirthDate": "19470228"}  # of the second study; that of the first is copied as it is, and no date


@pytest.fixture(scope="module")
def python():
    """The Python that has the SDK; skips where there is none."""
    pytest.importorskip("highdicom", reason="reads the reports with highdicom: pip install highdicom")
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    if find_spec("monai.deploy") is None:
        pytest.skip(f"needs MONAI Deploy's SDK; {VARIABLE} names the Python of an environment that has it")
    return sys.executable


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model folder: weights, a rule for radiographs, and a table of codes."""
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    preprocessing = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_weights(folder / "model.safetensors", medmamba_nano(num_classes=3), NAMES, preprocessing)
    rules = {"selections": [{"name": "radiographs", "conditions": {"Modality": "CR|DX"}}]}
    (folder / "selection.json").write_text(json.dumps(rules))
    codes = ["840539006,SCT,COVID-19", "17621005,SCT,Normal", "233604007,SCT,Pneumonia"]
    lines = [f"{name},{code}" for name, code in zip(NAMES, codes, strict=True)]
    (folder / "codes.csv").write_text("\n".join(["class,value,scheme,meaning", *lines]) + "\n")
    return folder


def start(python, images: Path, out: Path, model: Path) -> subprocess.CompletedProcess[str]:
    """Run the application; it ends by itself, or by the time limit."""
    command = [python, str(APPLICATION), "-i", str(images), "-o", str(out), "-m", str(model)]
    out.mkdir(exist_ok=True)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        command, cwd=out, env=variables, capture_output=True, text=True, errors="replace", check=False, timeout=300
    )


@pytest.fixture(scope="module")
def run(python, model, tmp_path_factory):
    """Two studies of two radiographs, one with a CT beside them, and one image that cannot be shown."""
    folder = tmp_path_factory.mktemp("run")
    for study, tags in zip(STUDIES, ({}, VALID), strict=True):
        for number in (1, 2):
            write_patient(folder / "in" / study / f"{number}.dcm", study=study, number=number, **tags)
    write_patient(folder / "in" / "ct.dcm", study=STUDIES[0], series="9", Modality="CT")
    bits = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    pixels = np.zeros((20, 24), dtype=np.uint16).tobytes()
    write_patient(folder / "in" / "deep.dcm", study=STUDIES[1], number=3, PixelData=pixels, **bits, **VALID)
    return folder, start(python, folder / "in", folder / "out", model)


def test_writes_a_report_for_each_study(run, model):
    from monai_medmamba.dicom import read_report

    folder, done = run
    assert done.returncode == 0, done.stderr
    written = sorted((folder / "out").glob("*.dcm"))
    assert [path.name for path in written] == [f"{study}-report.dcm" for study in STUDIES]
    classifier = load_classifier(model / "model.safetensors", device="cpu")
    for study, path in zip(STUDIES, written, strict=True):
        report = read_report(path)
        assert report.study == study
        assert [code.value for code in report.codes] == ["840539006", "17621005", "233604007"]
        uids = [result.instances[0].uid for result in report.results]
        assert sorted(uids) == [f"{study}.1.1", f"{study}.1.2"]  # neither the CT nor the image without a window
        images = [str(folder / "in" / study / f"{uid[-1]}.dcm") for uid in uids]
        expected = predict(classifier, images).predictions.probabilities
        np.testing.assert_allclose([result.probabilities for result in report.results], expected, atol=1e-5)


def test_a_report_is_valid(run):
    folder, _ = run
    assert dicom_errors(folder / "out" / f"{STUDIES[1]}-report.dcm") == []


def test_what_could_not_be_read_is_said(run):
    _, done = run
    assert "an image could not be classified" in done.stdout + done.stderr
    assert "4 of 5 images classified" in done.stdout + done.stderr


def test_nothing_of_a_patient_is_logged(run):
    _, done = run
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []


def test_no_series_is_an_error(python, run, model, tmp_path):
    folder, _ = run
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").symlink_to(model / "model.safetensors")
    rules = {"selections": [{"name": "magnet", "conditions": {"Modality": "MR"}}]}
    (tmp_path / "model" / "selection.json").write_text(json.dumps(rules))
    done = start(python, folder / "in", tmp_path / "out", tmp_path / "model")
    assert done.returncode != 0
    assert "no series was selected" in done.stderr
    assert list((tmp_path / "out").glob("*.dcm")) == []
