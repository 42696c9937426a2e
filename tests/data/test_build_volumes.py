import shutil

import numpy as np
import pytest

from monai_medmamba.data import Datalist, DatasetError, build_volume_datalist
from testing.dicom_series import write_series

nibabel = pytest.importorskip("nibabel", reason="NIfTI files are read by nibabel")
pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")


@pytest.fixture
def volumes(tmp_path):
    """Five DICOM folders of one class and five NIfTI files of another."""
    root = tmp_path / "set"
    for i in range(5):
        write_series(root / "dicom" / f"case{i}", [0, 3, 6], uid=f"1.2.{i}", PatientID=f"p{i}")
        (root / "nifti").mkdir(exist_ok=True)
        image = nibabel.Nifti1Image(np.full((2, 3, 4), i, np.int16), np.eye(4))
        nibabel.save(image, root / "nifti" / f"case{i}.nii.gz")
    return root


def test_folders_and_files_are_volumes_alike(volumes):
    datalist = build_volume_datalist(volumes)
    assert datalist.class_names == ("dicom", "nifti")
    assert [len(datalist.split(name)) for name in ("training", "validation", "test")] == [6, 2, 2]
    paths = [item["image"] for item in datalist.training]
    assert {path.rsplit("/", 1)[1].partition(".")[2] for path in paths} == {"", "nii.gz"}


def test_saved_and_loaded(volumes, tmp_path):
    datalist = build_volume_datalist(volumes)
    datalist.save(tmp_path / "list.json")
    assert Datalist.load(tmp_path / "list.json") == datalist


def test_a_table_may_name_folders(volumes):
    rows = ["path,label,split"]
    rows += [f"{kind}/case{i}{end},{kind},{split}" for kind, end in (("dicom", ""), ("nifti", ".nii.gz"))
             for i, split in enumerate(("train", "train", "val", "test", "test"))]  # fmt: skip
    (volumes / "list.csv").write_text("\n".join(rows))
    datalist = build_volume_datalist(volumes)
    assert datalist.counts()["test"] == {"dicom": 2, "nifti": 2}


def test_one_volume_under_two_labels_is_refused(volumes):
    shutil.copytree(volumes / "dicom" / "case1", volumes / "nifti" / "copy")
    with pytest.raises(DatasetError, match="under two labels:\n  dicom/case1 = nifti/copy"):
        build_volume_datalist(volumes)


def test_what_is_no_volume_is_refused(volumes):
    (volumes / "nifti" / "picture.png").write_bytes(b"hello")
    with pytest.raises(DatasetError, match=r"nifti/picture\.png: neither NIfTI nor DICOM"):
        build_volume_datalist(volumes)
