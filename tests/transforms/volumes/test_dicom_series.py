import numpy as np
import pytest

from monai_medmamba.transforms import ImageReadError
from monai_medmamba.transforms.volumes.dicom_series import choose_series, find_series
from testing.dicom_files import write_dicom
from testing.dicom_series import write_series

pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")


def test_images_are_grouped_by_series_and_others_left_out(tmp_path):
    write_series(tmp_path / "a", [0, 3], uid="1.2.3")
    write_series(tmp_path / "b" / "c", [0, 3, 6], uid="1.2.4", Modality="MR")
    report = write_dicom(tmp_path / "report.dcm", np.zeros((2, 2), np.uint8))
    dataset = pydicom.dcmread(report)
    del dataset.Rows, dataset.PixelData
    dataset.save_as(report)
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / ".old").mkdir()
    write_series(tmp_path / ".old", [0], uid="1.2.5")
    found = find_series(tmp_path)
    assert [(series.uid, series.modality, series.images) for series in found] == [
        ("1.2.4", "MR", 3),
        ("1.2.3", "CT", 2),
    ]
    assert find_series(next((tmp_path / "a").iterdir()))[0].images == 1


@pytest.mark.parametrize("other", [{"Modality": "SEG"}, {"ImageType": ["DERIVED", "SECONDARY", "LOCALIZER"]}])
def test_localizers_and_segmentations_are_not_meant(tmp_path, other):
    write_series(tmp_path, [0, 3], uid="1.2.3")
    write_series(tmp_path, [0, 3, 6], uid="1.2.4", **other)
    found = find_series(tmp_path)
    assert choose_series(tmp_path, found).uid == "1.2.3"
    assert choose_series(tmp_path, found, "largest").uid == "1.2.3"
    assert choose_series(tmp_path, found, "1.2.4").uid == "1.2.4"
    assert choose_series(tmp_path, found[:1]).uid == "1.2.4"  # where there is nothing else


def test_two_series_of_one_size(tmp_path):
    write_series(tmp_path, [0, 3], uid="1.2.3")
    write_series(tmp_path, [0, 3], uid="1.2.4")
    for wanted, cure in ((None, 'series="largest"'), ("largest", 'series="<its SeriesInstanceUID>"')):
        with pytest.raises(ImageReadError, match=rf"2 series that may be meant: 1\.2\.3 .*1\.2\.4 .*{cure}"):
            choose_series(tmp_path, find_series(tmp_path), wanted)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_damaged_header_is_named(tmp_path):
    folder = write_series(tmp_path, [0, 3])
    file = folder / "1.2.3-001.dcm"
    content = file.read_bytes()
    file.write_bytes(content[:132] + b"\xff" * 200 + content[300:])
    with pytest.raises(ImageReadError, match=r"1\.2\.3-001\.dcm: its header is damaged|no DICOM image"):
        find_series(file)
