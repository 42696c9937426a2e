import pytest

pytest.importorskip("dicomweb_client", reason="talks to DICOMweb servers")

from monai_medmamba.bundle import list_images, list_volumes
from monai_medmamba.cli import main
from testing.dicom_patients import write_patient
from testing.dicomweb_server import dicomweb_server


@pytest.fixture
def server(tmp_path):
    with dicomweb_server() as running:
        for number in (1, 2):
            running.add(write_patient(tmp_path / "archive" / "a.dcm", number=number))
        running.add(write_patient(tmp_path / "archive" / "b.dcm", series="2", Modality="CT", BodyPartExamined="KNEE"))
        yield running


def test_a_folder_that_bundles_read(server, tmp_path, capsys):
    assert main(["dicomweb", server.address, "--modality", "CR", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert f"2 instances in {tmp_path / 'out'}" in shown
    assert len(list_images(tmp_path / "out")) == 2
    assert list_volumes(tmp_path / "out") == [{"image": str(tmp_path / "out" / "1.2.826.0.1" / "1.2.826.0.1.1")}]


def test_exit_statuses(server, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out"), "--timeout", "2", "--quiet"]
    server.trouble["/instances/1.2.826.0.1.1.2"] = 500
    assert main(["dicomweb", server.address, *out]) == 2
    said = capsys.readouterr()
    assert "1 of 3 could not be fetched" in said.err
    assert "the server answers 500" in said.err
    assert said.out == ""
    assert main(["dicomweb", server.address, *out, "--body-part", "HEAD"]) == 1
    assert "no series that is meant" in capsys.readouterr().err
    assert main(["dicomweb", server.address, *out, "--study", "9.9"]) == 1
    assert main(["dicomweb", server.address, *out, "--limit", "2"]) == 1
    assert "expected at most 2" in capsys.readouterr().err
    server.trouble["/studies"] = 503
    assert main(["dicomweb", server.address, *out]) == 1
    assert "503 Service Unavailable" in capsys.readouterr().err


def test_invalid_arguments(tmp_path, capsys):
    assert main(["dicomweb", "pacs.example", "--out", str(tmp_path)]) == 1
    assert "expected an address such as https://" in capsys.readouterr().err
    assert main(["dicomweb", "http://127.0.0.1:1/x", "--out", str(tmp_path), "--study", "../x"]) == 1
    assert "digits and dots" in capsys.readouterr().err
