import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

from monai_medmamba.dicom import Selection, select_files
from testing.dicom_patients import write_patient


@pytest.fixture
def files(tmp_path):
    write_patient(tmp_path / "chest.dcm")
    write_patient(tmp_path / "knee", series="2", Modality="DX", BodyPartExamined="KNEE")
    write_patient(tmp_path / "somewhere.dcm", series="3", BodyPartExamined=None)
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "empty.dcm").write_bytes(b"")
    broken = write_patient(tmp_path / "broken.dcm").read_bytes()
    (tmp_path / "broken.dcm").write_bytes(broken[:132] + b"\xff" * 9)
    return [str(tmp_path / name) for name in ("chest.dcm", "knee", "somewhere.dcm", "a.png", "broken.dcm")]


def names(paths):
    return [path.rpartition("/")[2] for path in paths]


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(), ["chest.dcm", "knee", "somewhere.dcm", "a.png", "broken.dcm"]),
        (Selection(("cr",)), ["chest.dcm", "somewhere.dcm", "broken.dcm"]),
        (Selection(("DX", "CR"), (" knee",)), ["knee", "broken.dcm"]),
        (Selection((), ("CHEST", "KNEE")), ["chest.dcm", "knee", "broken.dcm"]),
    ],
)
def test_files(files, selection, kept):
    found, left = select_files(files, selection)
    assert names(found) == kept
    assert sorted(found + left) == sorted(files)


def test_what_is_missing_is_said_by_who_reads(tmp_path):
    assert select_files([str(tmp_path / "none.dcm")], Selection(("CR",)))[0]


def test_truth():
    assert not Selection()
    assert Selection(("CR",))
    assert Selection((), ("CHEST",))
