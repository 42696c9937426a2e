"""Runs with pydicom 3, and in `make test-label` with pydicom 2."""

import numpy as np
import pytest

from monai_medmamba.transforms import decode_dicom
from monai_medmamba.transforms.dicom_library import decoded_pixels, has_decoder, palette_colours, write_file
from testing.dicom_files import write_dicom

pydicom = pytest.importorskip("pydicom", reason="DICOM files need pydicom")

GREY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
COLOURS = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]], [[0, 255, 0], [0, 0, 255], [120, 60, 200]]], np.uint8)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "picture"


def test_grey_and_window(file):
    write_dicom(
        file, GREY.astype(np.int16) * 10, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400
    )
    units = GREY * 10.0 - 1024
    assert decode_dicom(file)[0] == pytest.approx(((units - 39.5) / 399 + 0.5).clip(0, 1), abs=1e-6)


def test_ybr_becomes_rgb(file):
    red, green, blue = np.moveaxis(COLOURS.astype(np.float64), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue  # PS3.3, C.7.6.3.1.2
    ybr = np.stack([luma, (blue - luma) * 0.564 + 128, (red - luma) * 0.713 + 128], -1).round().clip(0, 255)
    write_dicom(file, ybr.astype(np.uint8), "YBR_FULL")
    assert np.abs(decoded_pixels(pydicom.dcmread(file)).astype(int) - COLOURS).max() <= 3
    assert np.abs(decode_dicom(file) * 255 - COLOURS.transpose(2, 0, 1)).max() <= 3


def test_one_frame_of_several(file):
    frames = np.stack([GREY, GREY + 1, GREY + 2])
    write_dicom(file, GREY, NumberOfFrames=3, PixelData=frames.tobytes())
    dataset = pydicom.dcmread(file)
    for number in range(3):
        assert np.array_equal(decoded_pixels(dataset, number), frames[number])


def test_palettes(file):
    table = np.array([0, 30000, 65535], dtype="<u2")
    tags = {f"{name}PaletteColorLookupTableData": table.tobytes() for name in ("Red", "Green", "Blue")}
    tags |= {f"{name}PaletteColorLookupTableDescriptor": [3, 0, 16] for name in ("Red", "Green", "Blue")}
    write_dicom(file, np.array([[0, 1, 2]], np.uint8), "PALETTE COLOR", **tags)
    dataset = pydicom.dcmread(file)
    assert palette_colours(dataset.pixel_array, dataset)[0, :, 0].tolist() == table.tolist()
    assert decode_dicom(file)[2, 0] == pytest.approx(table / 65535)


def test_decoders():
    from pydicom.uid import HEVCMP51, RLELossless

    assert has_decoder(RLELossless)
    assert not has_decoder(HEVCMP51)


def test_what_is_written_has_a_preamble(file, tmp_path):
    write_dicom(file, GREY)
    write_file(tmp_path / "again", pydicom.dcmread(file))
    assert (tmp_path / "again").read_bytes()[:132] == b"\0" * 128 + b"DICM"
    assert np.array_equal(pydicom.dcmread(tmp_path / "again").pixel_array, GREY)
