import json
import logging
import os
import subprocess
import sys

import pytest
import torch

pytest.importorskip("highdicom", reason="structured reports are written by highdicom")
pytest.importorskip("dicomweb_client", reason="talks to DICOMweb servers")

import pydicom

from monai_medmamba.cli import main
from monai_medmamba.dicom import read_report
from monai_medmamba.metrics import read_predictions
from monai_medmamba.networks import MedMamba, save_weights
from testing.bundles import ROOT
from testing.dicom_patients import SECRETS, write_patient
from testing.dicom_validator import dicom_errors
from testing.dicomweb_server import dicomweb_server
from testing.fhir_r4 import fhir_faults

KEPT = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
NAMES = ["normal", "polyp", "höhle [rot]"]
VALID = {"PatientBirthDate": "19470228"}


def weights_of(path, **options):
    torch.manual_seed(0)
    save_weights(path, MedMamba(num_classes=3, depths=(1,), dims=(8,), d_state=2), NAMES, KEPT, **options)
    return str(path)


@pytest.fixture
def weights(tmp_path):
    return weights_of(tmp_path / "model.safetensors")


@pytest.fixture
def folder(tmp_path):
    """Three images in two studies, a report of another program, and a file that is damaged."""
    for number in (1, 2, 3):
        write_patient(tmp_path / "in" / f"{number}.dcm", number=number, study=f"1.2.{number % 2}", **VALID)
    report = pydicom.dcmread(write_patient(tmp_path / "in" / "sr.dcm", number=4, Modality="SR"))
    for keyword in ("Rows", "Columns", "PixelData"):
        del report[keyword]
    report.save_as(tmp_path / "in" / "sr.dcm")
    broken = write_patient(tmp_path / "in" / "zz.dcm", number=5).read_bytes()
    (tmp_path / "in" / "zz.dcm").write_bytes(broken[: len(broken) - 300])
    return tmp_path / "in"


def predicted(folder, weights, tmp_path, *words):
    table = tmp_path / "results.csv"
    assert main(["predict", str(folder), "--weights", weights, "--out", str(table), "--quiet", *words]) == 2
    return table


def test_from_images_to_reports(folder, weights, tmp_path, capsys):
    table = predicted(folder, weights, tmp_path)
    out = tmp_path / "out"
    words = ["report-dicom", str(table), "--weights", weights, "--out", str(out), "--fhir", "--cam", "gradcam"]
    assert main(words) == 0
    assert f"3 images of 2 studies reported, 3 maps in {out}" in capsys.readouterr().out
    predictions = read_predictions(table)
    told = {}
    for study in ("1.2.0", "1.2.1"):
        report = read_report(out / f"{study}-report.dcm")
        assert [code.meaning for code in report.codes] == NAMES
        told |= {result.instances[0].uid: list(result.probabilities) for result in report.results}
        assert fhir_faults(json.loads((out / f"{study}-report.json").read_text(encoding="utf-8"))) == []
    rows = zip(predictions.images, predictions.probabilities.astype(float).tolist(), strict=True)
    assert told == {str(pydicom.dcmread(image).SOPInstanceUID): row for image, row in rows}
    assert len(list(out.iterdir())) == 2 * 2 + 3
    maps = [pydicom.dcmread(path) for path in out.glob("*-map.dcm")]
    assert {one.StudyInstanceUID for one in maps} == {"1.2.0", "1.2.1"}
    assert len({one.SeriesInstanceUID for one in maps}) == 2
    for path in out.glob("*.dcm"):
        assert dicom_errors(path) == [], path


def test_several_labels_codes_and_a_bundle(folder, tmp_path, capsys):
    weights = weights_of(tmp_path / "s.safetensors", several_labels=True)
    table = predicted(folder, weights, tmp_path)
    codes = tmp_path / "codes.csv"
    codes.write_text(
        "class,value,scheme,meaning\n" + "".join(f"{n},{i},99X,{n}\n" for i, n in enumerate(NAMES)), encoding="utf-8"
    )
    words = ["report-dicom", str(table), "--weights", weights, "--out", str(tmp_path / "out")]
    bundle = str(ROOT / "bundles" / "medmamba_endo")
    assert main([*words, "--codes", str(codes), "--bundle", bundle, "--quiet"]) == 0
    report = read_report(tmp_path / "out" / "1.2.0-report.dcm")
    assert report.several_labels
    assert {code.scheme for code in report.codes} == {"99X"}
    assert report.algorithm.name == "MedMamba endoscopy classification"
    assert dicom_errors(tmp_path / "out" / "1.2.0-report.dcm") == []
    capsys.readouterr()
    assert main([*words, "--cam", "gradcam"]) == 1
    assert "one label an image" in capsys.readouterr().err


def test_from_a_server_to_reports(folder, weights, tmp_path, capsys):
    with dicomweb_server() as server:
        for name in ("1", "2", "3"):
            server.add(folder / f"{name}.dcm")
        server.trouble["/instances/1.2.0.1.2"] = "truncated"
        words = ["predict", server.address, "--modality", "CR", "--weights", weights, "--timeout", "5"]
        keep = ["--keep", str(tmp_path / "kept"), "--out", str(tmp_path / "r.csv")]
        assert main([*words, *keep]) == 2
        said = capsys.readouterr()
        assert "2 images classified" in said.out
        assert "1.2.0.1.2: the answer is damaged" in said.err
        assert main(["report-dicom", str(tmp_path / "r.csv"), "--weights", weights, "--out", str(tmp_path / "o")]) == 0
        assert len(read_report(tmp_path / "o" / "1.2.1-report.dcm").results) == 2
        assert main([*words, "--out", str(tmp_path / "r.json")]) == 2
        assert main([*words, "--body-part", "HEAD"]) == 1
        content = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        address = f"{server.address}/studies/1.2.1/series/1.2.1.1/instances/1.2.1.1."
        assert [one["image"] for one in content["predictions"]] == [address + "1", address + "3"]
    assert len(list((tmp_path / "kept").rglob("*.dcm"))) == 2


def test_failures(folder, weights, tmp_path, capsys):
    table = predicted(folder, weights, tmp_path)
    (folder / "2.dcm").unlink()
    words = ["report-dicom", str(table), "--weights", weights, "--out", str(tmp_path / "out")]
    assert main(words) == 2
    said = capsys.readouterr()
    assert "1 of 3 could not be reported" in said.err
    assert "2.dcm: No such file or directory" in said.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1.2.1-report.dcm"]
    for name in ("1", "3"):
        (folder / f"{name}.dcm").unlink()
    assert main(words) == 1
    assert "no image to report on" in capsys.readouterr().err
    assert main([*words, "--root", str(tmp_path / "elsewhere")]) == 1
    assert main(["report-dicom", str(tmp_path / "none.csv"), *words[2:]]) == 1
    assert main([*words[:3], str(tmp_path / "none.pt"), *words[4:]]) == 1
    assert "no weights at" in capsys.readouterr().err
    (tmp_path / "codes.csv").write_text("class,value,scheme,meaning\n")
    assert main([*words, "--codes", str(tmp_path / "codes.csv")]) == 1
    assert "none for normal, polyp" in capsys.readouterr().err
    assert main([*words, "--window", "3", "0"]) == 1


def test_no_word_of_the_patient(folder, weights, tmp_path, caplog, capfd, recwarn):
    """Every command on DICOM, with values that break the rules of DICOM and files that break the commands."""
    broken = {"PatientName": "Quillfeather Zebulon " * 8, "PatientSex": "Quillfeather", "PatientID": "777123" * 20}
    write_patient(tmp_path / "in" / "a.dcm", study="1.2.6", **broken)
    write_patient(tmp_path / "in" / "b.dcm", study="1.2.6", **broken)  # the same instance again
    write_patient(tmp_path / "in" / "c.dcm", study="1.2.7", **broken)
    write_patient(tmp_path / "in" / "d.dcm", study="1.2.7", number=2)  # of another patient
    write_patient(tmp_path / "in" / "e.dcm", study="1.2.Quillfeather")  # pydicom quotes UIDs that are none
    with dicomweb_server() as server:
        for name in ("1", "2", "3", "a"):
            server.add(folder / f"{name}.dcm")
        server.trouble = {"/instances/1.2.0.1.2": "truncated", "/instances/1.2.1.1.1": 404}
        caplog.set_level(logging.DEBUG)
        caplog.clear()  # writing the files made pydicom talk
        recwarn.clear()
        capfd.readouterr()
        logging.getLogger("urllib3").setLevel(logging.DEBUG)
        table = tmp_path / "r.csv"
        assert main(["predict", str(folder), "--weights", weights, "--out", str(table)]) == 2
        words = ["report-dicom", str(table), "--weights", weights, "--out", str(tmp_path / "out"), "--fhir"]
        assert main([*words, "--cam", "gradcam"]) == 2
        assert main(["predict", server.address, "--weights", weights, "--keep", str(tmp_path / "k")]) == 2
        assert main(["dicomweb", server.address, "--out", str(tmp_path / "web")]) == 2
        assert main(["explain", str(folder), "--weights", weights, "--method", "gradcam", "--out", str(tmp_path)]) == 2
        assert main(["fingerprint", str(folder), "--out", str(tmp_path / "fingerprint")]) in (0, 2)
    said = caplog.text + "".join(capfd.readouterr()) + "".join(str(one.message) for one in recwarn)
    assert "different patients" in said
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.slow
def test_no_word_of_the_patient_in_a_process_of_its_own(folder, weights, tmp_path):
    """Everything that reaches a terminal, with all warnings on."""
    write_patient(tmp_path / "in" / "a.dcm", number=7, PatientSex="Quillfeather", PatientID="777123" * 20)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "always", "OMP_NUM_THREADS": "1"}
    said = ""
    for words in (
        ["predict", str(folder), "--out", "r.csv"],
        ["report-dicom", "r.csv", "--out", "out", "--fhir", "--cam", "gradcam"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "monai_medmamba", *words, "--weights", weights],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode in (0, 2), done.stderr
        said += done.stdout + done.stderr
    assert "4 images of 3 studies reported" in said
    assert not [secret for secret in SECRETS if secret in said]
