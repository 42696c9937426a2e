import numpy as np
import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.volume_content import (
    dicom_files,
    dicom_has_picture,
    digest_volumes,
    has_dicom_mark,
    is_nifti_name,
)
from testing.dicom_files import write_dicom
from testing.dicom_series import write_series

nibabel = pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")
pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

PIXELS = np.zeros((4, 4), np.int16)


def nifti(path, shape=(2, 3, 4), fill=0):
    nibabel.save(nibabel.Nifti1Image(np.full(shape, fill, np.int16), np.eye(4)), path)


def entries(*paths):
    return [Entry(path, "a") for path in paths]


def test_one_content_one_digest(tmp_path):
    write_series(tmp_path / "a", [0, 3, 6])
    (tmp_path / "b").mkdir()
    for number, file in enumerate(sorted((tmp_path / "a").iterdir(), reverse=True)):
        (tmp_path / "b" / f"IM{number}").write_bytes(file.read_bytes())
    nifti(tmp_path / "c.nii.gz")
    write_dicom(tmp_path / "d.dcm", PIXELS, NumberOfFrames=2, PixelData=PIXELS.tobytes() * 2)
    digests = digest_volumes(tmp_path, entries("a", "b", "c.nii.gz", "d.dcm"))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_what_is_no_volume_is_named_with_its_fault(tmp_path):
    (tmp_path / "empty.nii").write_bytes(b"")
    (tmp_path / "bad.nii").write_text("hello")
    (tmp_path / "page.html").write_text("hello")
    (tmp_path / "folder").mkdir()
    nifti(tmp_path / "series.nii", (2, 3, 4, 5))
    write_dicom(tmp_path / "slice.dcm", PIXELS)
    write_series(tmp_path / "alone", [0])
    names = ["empty.nii", "bad.nii", "page.html", "folder", "series.nii", "slice.dcm", "alone", "gone.nii"]
    with pytest.raises(DatasetError) as raised:
        digest_volumes(tmp_path, entries(*names))
    expected = {
        "empty.nii: empty",
        "bad.nii: no readable NIfTI file (ImageFileError)",
        "page.html: neither NIfTI nor DICOM",
        "folder: a folder without DICOM files",
        "series.nii: of the shape (2, 3, 4, 5), not one volume",
        "slice.dcm: a single DICOM slice: put the slices of a series into a folder of their own",
        "alone: one DICOM file, no series",
        "gone.nii: No such file or directory",
    }
    assert expected <= {line.strip() for line in str(raised.value).splitlines()}


def test_dicom_with_and_without_a_picture(tmp_path):
    """One that cannot be read counts as a picture: whoever reads it says what is wrong."""
    file = next(write_series(tmp_path / "x", [0]).iterdir())
    assert dicom_has_picture(file)
    (tmp_path / "damaged").write_bytes(file.read_bytes()[:140])
    assert dicom_has_picture(tmp_path / "none")
    dataset = pydicom.dcmread(file)
    del dataset.Rows, dataset.PixelData
    dataset.save_as(tmp_path / "report.dcm")
    assert not dicom_has_picture(tmp_path / "report.dcm")


def test_names_and_marks(tmp_path):
    assert is_nifti_name("A.NII.GZ")
    assert not is_nifti_name("nii.txt")
    folder = write_series(tmp_path / "x", [0, 3])
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden").write_bytes((folder / "1.2.3-001.dcm").read_bytes())
    assert [file.name for file in dicom_files(tmp_path)] == ["1.2.3-001.dcm", "1.2.3-002.dcm"]
    assert not has_dicom_mark(folder / "notes.txt")
