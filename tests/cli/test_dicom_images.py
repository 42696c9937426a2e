import argparse

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("dicomweb_client", reason="talks to DICOMweb servers")

from monai_medmamba.cli.dicom_images import add_selection, add_server, find_images, tell_left_out
from testing.dicom_patients import write_patient
from testing.dicomweb_server import dicomweb_server


def parsed(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="+")
    parser.set_defaults(quiet=True)
    add_selection(parser)
    add_server(parser)
    return parser.parse_args(words)


@pytest.fixture
def folder(tmp_path):
    write_patient(tmp_path / "in" / "cr.dcm")
    write_patient(tmp_path / "in" / "dx.dcm", Modality="DX", BodyPartExamined="KNEE")
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "in" / "a.png")
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], ["a.png", "cr.dcm", "dx.dcm"]),
        (["--modality", "CR", "DX"], ["cr.dcm", "dx.dcm"]),
        (["--modality", "CR,DX"], ["cr.dcm", "dx.dcm"]),
        (["--body-part", "knee"], ["dx.dcm"]),
        (["--modality", "MR"], []),
    ],
)
def test_files(folder, tmp_path, words, kept):
    found = find_images(parsed(str(folder), *words), tmp_path / "out")
    assert [image.rpartition("/")[2] for image in found.images] == kept
    assert found.left_out == 3 - len(kept)
    assert (found.failures, found.shown) == ([], {})


def test_files_and_a_server_together(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDMAMBA_DICOMWEB_TOKEN", "key")
    with dicomweb_server() as server:
        server.needs = "Bearer key"
        server.add(folder / "cr.dcm")
        server.add(write_patient(tmp_path / "b.dcm", number=2))
        server.trouble["/instances/1.2.826.0.1.1.2"] = 404
        found = find_images(parsed(str(folder), server.address, "--modality", "CR"), tmp_path / "out")
        address = f"{server.address}/studies/1.2.826.0.1/series/1.2.826.0.1.1/instances/1.2.826.0.1.1."
    sent = str(tmp_path / "out" / "1.2.826.0.1" / "1.2.826.0.1.1" / "1.2.826.0.1.1.1.dcm")
    assert found.images == [str(folder / "cr.dcm"), sent]
    assert found.shown == {sent: address + "1"}
    assert [failure.image for failure in found.failures] == [address + "2"]


def test_what_is_left_out_is_told(capsys):
    tell_left_out(0)
    tell_left_out(3)
    assert capsys.readouterr().out.startswith("3 files and series left out")
