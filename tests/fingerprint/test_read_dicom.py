import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

from monai_medmamba.fingerprint.decoded import UnreadableError
from monai_medmamba.fingerprint.read_dicom import read_dicom
from testing.dicom_files import lookup_table, write_dicom

RAMP = np.arange(400, dtype=np.uint16).reshape(20, 20)


def test_rescale_and_tags(tmp_path):
    path = write_dicom(
        tmp_path / "a.dcm",
        RAMP,
        RescaleSlope=2,
        RescaleIntercept=-100,
        Modality="CT",
        PixelSpacing=[0.5, 0.75],
        SliceThickness=3,
        PatientID=" p1 ",
        WindowCenter=40,
        WindowWidth=400,
    )
    found = read_dicom(path)
    np.testing.assert_array_equal(found.values, RAMP * 2.0 - 100)
    assert (found.full_scale, found.bits, found.mode, found.flags) == (None, 16, "MONOCHROME2", ())
    assert found.tags == {
        "modality": "CT",
        "transfer_syntax": "Explicit VR Little Endian",
        "windowed": True,
        "spacing": [0.5, 0.75, 3.0],
        "patient": "p1",
        "study": None,
        "series": None,
    }


def test_white_is_high(tmp_path):
    values = read_dicom(write_dicom(tmp_path / "a.dcm", RAMP, "MONOCHROME1")).values
    np.testing.assert_array_equal(values, 399 - RAMP)


def test_modality_table(tmp_path):
    pixels = np.array([[0, 1], [2, 3]], np.uint16)
    path = write_dicom(tmp_path / "a.dcm", pixels, ModalityLUTSequence=lookup_table([5, 6, 7, 9]))
    np.testing.assert_array_equal(read_dicom(path).values, [[5, 6], [7, 9]])


def test_eight_bits_and_colour(tmp_path, draw):
    grey = read_dicom(write_dicom(tmp_path / "a.dcm", draw(1, colour=False)))
    colour = read_dicom(write_dicom(tmp_path / "b.dcm", draw(2), "RGB"))
    assert (grey.values.dtype, grey.full_scale, grey.flags) == (np.uint8, 255, ())
    np.testing.assert_array_equal(colour.values, draw(2))


def test_flags(tmp_path):
    path = write_dicom(tmp_path / "a.png", RAMP, BurnedInAnnotation="YES")
    assert read_dicom(path).flags == ("no_window", "burned_in", "wrong_suffix: its content is DICOM")
    path = write_dicom(tmp_path / "b.dcm", RAMP, PixelSpacing=[0, 1], WindowCenter=1, WindowWidth=2)
    assert read_dicom(path).flags == ("odd_spacing: [0.0, 1.0]",)
    assert read_dicom(path).tags["spacing"] is None


def test_the_middle_frame(tmp_path):
    frames = np.arange(5 * 16, dtype=np.uint8).reshape(5 * 4, 4)
    path = write_dicom(tmp_path / "a.dcm", frames, NumberOfFrames=5, Rows=4)
    found = read_dicom(path)
    np.testing.assert_array_equal(found.values, frames[8:12])
    assert (found.frames, found.flags) == (5, ("frames: 5 frames",))


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"PixelData": b"\0\0"}, "damaged"),
        ({"Rows": 60000, "Columns": 60000}, "pixels, expected"),
        (
            {"TransferSyntaxUID": JPEGLSLossless, "PixelData": encapsulate([b"nonsense"])},
            "no installed decoder|damaged",
        ),
    ],
)
def test_unreadable(tmp_path, tags, message):
    path = write_dicom(tmp_path / "a.dcm", RAMP, **tags)
    with pytest.raises(UnreadableError, match=message) as caught:
        read_dicom(path)
    assert str(tmp_path) not in str(caught.value)


def test_values_that_are_no_numbers(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, RescaleSlope="7777777777", RescaleIntercept="0")
    path.write_bytes(path.read_bytes().replace(b"7777777777", b"1e400     "))
    with pytest.raises(UnreadableError, match="no finite numbers"):
        read_dicom(path)


def test_no_dicom_at_all(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"nonsense")
    with pytest.raises(UnreadableError, match="InvalidDicomError"):
        read_dicom(tmp_path / "a.dcm")
    with pytest.raises(UnreadableError, match="No such file"):
        read_dicom(tmp_path / "gone.dcm")
