import json

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

pytest.importorskip("highdicom", reason="structured reports are written by highdicom")

from monai_medmamba.dicom import StructuredReports, read_report
from monai_medmamba.metrics import read_predictions
from monai_medmamba.networks import medmamba_nano
from testing.bundles import ROOT, monai_bundle
from testing.dicom_patients import SECRETS, write_patient
from testing.dicom_validator import dicom_errors
from testing.training import CLASS_NAMES, Toy

KEPT = {"image_size": 64, "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.1]}


def checkpoint(path, names, **described):
    """Write weights as a training leaves them."""
    torch.manual_seed(0)
    network = medmamba_nano(num_classes=len(names))
    with torch.no_grad():
        network.head.weight.mul_(5)
    content = {"variant": "nano", "network": network.settings, "class_names": names, "preprocessing": KEPT}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": network.state_dict(), "description": {**content, "epoch": 1, **described}}, path)
    return path


def toy_of(files):
    """An evaluator whose images come from these files."""
    toy = Toy()
    for item, file in zip(toy.dataset.data, files, strict=True):
        item["image"] = MetaTensor(item["image"].as_tensor(), meta={"filename_or_obj": str(file)})
    return toy


@pytest.mark.parametrize("several", [False, True], ids=["one class", "several labels"])
def test_reports_of_what_an_evaluator_saw(tmp_path, several, caplog):
    files = [write_patient(tmp_path / f"{n}.dcm", number=n, study=f"1.2.{n % 2}") for n in range(7)]
    toy = toy_of([*files, tmp_path / "none.dcm"])
    weights = checkpoint(tmp_path / "model.pt", CLASS_NAMES, several_labels=several)
    StructuredReports(tmp_path / "reports", weights, CLASS_NAMES).attach(toy.evaluator)
    caplog.clear()  # writing the files made pydicom talk
    toy.evaluator.run()
    reports = {path.name: read_report(path) for path in (tmp_path / "reports").iterdir()}
    assert sorted(reports) == ["1.2.0-report.dcm", "1.2.1-report.dcm"]
    assert {report.several_labels for report in reports.values()} == {several}
    first = reports["1.2.0-report.dcm"].results[0]
    with torch.inference_mode():
        expected = toy.network.eval()(toy.dataset[0]["image"][None]).softmax(1)[0]
    assert list(first.probabilities) == pytest.approx(expected.tolist(), abs=1e-6)
    assert "none.dcm: No such file" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_no_dicom_at_all(tmp_path):
    toy = Toy()
    weights = checkpoint(tmp_path / "model.pt", CLASS_NAMES)
    StructuredReports(tmp_path / "reports", weights, CLASS_NAMES).attach(toy.evaluator)
    with pytest.raises(ValueError, match="expected DICOM images to report on, got none among 8"):
        toy.evaluator.run()


def test_invalid_arguments(tmp_path):
    (tmp_path / "codes.csv").write_text("class,value,scheme,meaning\n")
    with pytest.raises(ValueError, match="none for a, b"):
        StructuredReports(tmp_path, "model.pt", ["a", "b"], code_table=str(tmp_path / "codes.csv"))


@pytest.mark.slow
def test_a_bundle_with_the_overlay(tmp_path):
    """DICOM folder in, reports out, by MONAI's command line alone; a report in the folder is no image."""
    names = ["COVID", "NORMAL", "PNEUMONIA"]
    checkpoint(tmp_path / "models" / "model.pt", names)
    for number in (1, 2, 3):
        valid = {"PatientBirthDate": "19470228"}
        write_patient(tmp_path / "in" / "deep" / f"IM{number}", number=number, study=f"1.2.{number % 2}", **valid)
    import pydicom

    report = pydicom.dcmread(tmp_path / "in" / "deep" / "IM1")
    for keyword in ("Rows", "Columns", "PixelData"):
        del report[keyword]
    report.save_as(tmp_path / "in" / "SR1")
    table = tmp_path / "codes.json"
    table.write_text(json.dumps({name: {"value": name[:5], "scheme": "99X", "meaning": name} for name in names}))
    overlay = ROOT / "monai_medmamba" / "bundle" / "overlays" / "dicom_report.json"
    done = monai_bundle(
        *("run", "inferring", "--config_file", f"['bundles/medmamba_xray/configs/inference.json','{overlay}']"),
        *("--meta_file", "bundles/medmamba_xray/configs/metadata.json"),
        *("--dataset_dir", str(tmp_path / "in"), "--ckpt_dir", str(tmp_path / "models")),
        *("--output_dir", str(tmp_path / "out"), "--code_table", str(table)),
        environment={"PYTHONWARNINGS": "always"},
    )
    assert done.returncode == 0, done.stderr
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    files = sorted((tmp_path / "out" / "reports").iterdir())
    assert [file.name for file in files] == ["1.2.0-report.dcm", "1.2.1-report.dcm"]
    predictions = read_predictions(tmp_path / "out" / "predictions.csv")
    values = dict(zip(predictions.images, predictions.probabilities.astype(float).tolist(), strict=True))
    reports = [read_report(file) for file in files]
    told = {result.instances[0].uid: list(result.probabilities) for one in reports for result in one.results}
    assert told == {
        f"1.2.{number % 2}.1.{number}": values[str(tmp_path / "in" / "deep" / f"IM{number}")] for number in (1, 2, 3)
    }
    assert np.ptp(np.array(list(told.values())), axis=0).max() > 0.001  # the pictures differ, so a mix-up would show
    assert reports[0].algorithm.name == "MedMamba chest X-ray"
    assert reports[0].codes[0].scheme == "99X"
    assert [dicom_errors(file) for file in files] == [[], []]
