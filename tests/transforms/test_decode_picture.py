import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

from monai_medmamba.transforms import ImageReadError, LoadRGB, LoadRGBd, decode_picture
from testing.dicom_files import write_dicom

RAMP = np.arange(48, dtype=np.uint8).reshape(6, 8)


def test_the_content_decides(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "a.dcm", format="PNG")
    write_dicom(tmp_path / "b.png", RAMP)
    for name in ("a.dcm", "b.png"):
        found = decode_picture(tmp_path / name)
        assert found.shape == (3, 6, 8)
        assert found[1] == pytest.approx(RAMP / 255, abs=1e-6)


def test_the_transforms_take_dicom_and_a_window(tmp_path):
    file = write_dicom(tmp_path / "a.dcm", RAMP.astype(np.uint16))
    with pytest.raises(ImageReadError, match="carries no window"):
        LoadRGB()(file)
    expected = decode_picture(file, (24, 48))
    assert LoadRGB(window=[24, 48])(file).numpy() == pytest.approx(expected)
    item = LoadRGBd(keys="image", window=(24, 48))({"image": str(file)})
    assert item["image"].numpy() == pytest.approx(expected)
    assert item["image"].meta["filename_or_obj"] == str(file)


def test_invalid_arguments(tmp_path):
    with pytest.raises(ImageReadError, match="No such file"):
        decode_picture(tmp_path / "none.dcm")
    with pytest.raises(ValueError, match="width 1 or more"):
        decode_picture(write_dicom(tmp_path / "a.dcm", RAMP), (3, 0))
