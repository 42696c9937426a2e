"""Series of a server as a bundle takes them."""

import logging
from pathlib import Path

import pytest

pytest.importorskip("dicomweb_client", reason="talks to DICOMweb servers")

import torch

from monai_medmamba.bundle import find_overlay
from monai_medmamba.cli import dicom_images
from monai_medmamba.dicom import DicomwebError, fetch_folder
from monai_medmamba.dicom.fetched_folder import TOKEN
from monai_medmamba.metrics import read_predictions
from monai_medmamba.networks import medmamba_nano
from testing.bundles import monai_bundle
from testing.dicom_patients import SECRETS
from testing.dicomweb_server import dicomweb_server


@pytest.fixture
def server(tmp_path):
    """A server of three radiographs of the chest and one of a knee."""
    with dicomweb_server() as running:
        running.add_radiographs(tmp_path / "archive")
        yield running


def files(folder):
    return sorted(path.name for path in Path(folder).rglob("*.dcm"))


@pytest.mark.parametrize("modality", ["CR", ("CR", "MR"), "CR, MR"])
def test_what_is_meant_lies_in_the_folder(server, tmp_path, modality):
    folder = fetch_folder(server.address, tmp_path / "out", modality, "CHEST")
    assert folder == str(tmp_path / "out")
    assert files(folder) == [f"1.2.826.0.1.1.{number}.dcm" for number in (1, 2, 3)]


def test_what_cannot_be_had_is_logged_and_passed_over(server, tmp_path, caplog):
    server.trouble["/instances/1.2.826.0.1.1.2"] = 404
    with caplog.at_level(logging.INFO):
        assert len(files(fetch_folder(server.address, tmp_path / "out", body_part="CHEST"))) == 2
    assert "instances/1.2.826.0.1.1.2: not fetched" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_nothing_at_all(server, tmp_path):
    with pytest.raises(DicomwebError, match=r"no instance that is meant .* see --modality"):
        fetch_folder(server.address, tmp_path, "MR")


def test_the_commands_take_the_same_token():
    assert dicom_images.TOKEN == TOKEN


def test_the_token_is_sent(server, tmp_path, monkeypatch):
    server.needs = "Bearer abc"
    monkeypatch.setenv(TOKEN, "abc")
    assert len(files(fetch_folder(server.address, tmp_path / "out"))) == 4


@pytest.mark.slow
def test_a_bundle_with_the_overlays(server, tmp_path):
    """From a server to reports by MONAI's command line alone."""
    names = ["COVID", "NORMAL", "PNEUMONIA"]
    preprocessing = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    description = {"variant": "nano", "class_names": names, "preprocessing": preprocessing, "epoch": 1, "metrics": {}}
    (tmp_path / "models").mkdir()
    network = medmamba_nano(num_classes=3)
    torch.save(
        {"model": network.state_dict(), "description": {**description, "network": network.settings}},
        tmp_path / "models" / "model.pt",
    )
    configs = [find_overlay(name).path for name in ("dicomweb", "dicom_report")]
    done = monai_bundle(
        *("run", "inferring", "--dicomweb", server.address, "--modality", "CR,MR", "--body_part", "CHEST"),
        *("--config_file", str(["bundles/medmamba_xray/configs/inference.json", *map(str, configs)])),
        *("--meta_file", "bundles/medmamba_xray/configs/metadata.json"),
        *("--ckpt_dir", str(tmp_path / "models"), "--output_dir", str(tmp_path / "out")),
    )
    assert done.returncode == 0, done.stderr
    assert len(read_predictions(tmp_path / "out" / "predictions.csv").images) == 3
    assert [path.name for path in (tmp_path / "out" / "reports").iterdir()] == ["1.2.826.0.1-report.dcm"]
