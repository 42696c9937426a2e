import pytest

from monai_medmamba.transforms import ImageReadError
from monai_medmamba.transforms.volumes.dicom_series import find_series
from monai_medmamba.transforms.volumes.dicom_slices import list_slices
from testing.dicom_series import SIZE, SPACING, write_series

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")


def test_where_a_slice_lies(tmp_path):
    folder = write_series(tmp_path, [0, 3], thickness=[3, 3])
    slices = list_slices(folder, find_series(folder)[0].files)
    assert [one.name for one in slices] == ["1.2.3-001.dcm", "1.2.3-002.dcm"]
    assert slices[1].position == (-5, -7, 14)
    assert (slices[0].size, slices[0].spacing, slices[0].thickness) == (SIZE, SPACING, 3)
    assert slices[0].normal.tolist() == [0, 0, 1]


def test_thickness_is_optional(tmp_path):
    folder = write_series(tmp_path, [0, 3])
    assert list_slices(folder, find_series(folder)[0].files)[0].thickness is None


def test_a_claim_of_a_million_frames(tmp_path):
    folder = write_series(tmp_path, [0, 3], NumberOfFrames=1_000_000)
    with pytest.raises(ImageReadError, match="2000000 slices, expected at most 16384"):
        list_slices(folder, find_series(folder)[0].files)


@pytest.mark.parametrize("tags", [{"PixelSpacing": [1, -1]}, {"ImagePositionPatient": ["1e400", 0, 0]}])
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_senseless_places(tmp_path, tags):
    folder = write_series(tmp_path, [0, 3], **tags)
    with pytest.raises(ImageReadError, match=r"1\.2\.3-001\.dcm: it gives a senseless place in space"):
        list_slices(folder, find_series(folder)[0].files)
