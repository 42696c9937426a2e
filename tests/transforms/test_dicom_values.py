import csv
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from monai_medmamba.transforms import ImageReadError, decode_dicom
from monai_medmamba.transforms.dicom_values import (
    frame_count,
    in_one_line,
    lift_functional_groups,
    modality_values,
    stored_range,
    stored_values,
)
from testing.dicom_files import lookup_table, write_dicom

pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")

DEEP = np.arange(24, dtype=np.int16).reshape(4, 6) * 100

# One row a file of the real data's index. Mean, lowest and highest value are those that ITK 5.4.7 reads, recorded once:
# of RGB for colour, after rescale for grey, MONOCHROME1 inverted within its bits, single bits as 0 and 255.
with (Path(__file__).parent / "dicom_index.csv").open(newline="", encoding="utf-8") as stream:
    ROWS = list(csv.DictReader(stream))


def as_itk_reads(path, dataset, frame):
    """Return one frame on the scale of the recorded figures."""
    lift_functional_groups(dataset, frame)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return decode_dicom(path, frame=frame) * 65535 / 256  # the tables have 16 bits, of which ITK keeps 8
    if dataset.SamplesPerPixel == 3:
        return decode_dicom(path, frame=frame) * 255
    stored = stored_values(path, dataset, frame)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        stored = stored_range(dataset).sum() - stored
    if dataset.get("ModalityLUTSequence"):
        return stored  # ITK knows no modality table
    return modality_values(dataset, stored) * (255 if dataset.BitsStored == 1 else 1)


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: Path(row["file"]).stem)
def test_real_file(row, medmamba_data):
    """Read in its shape with the values that ITK finds, or refused with the file's name and the cure."""
    path = medmamba_data / "dicom" / row["file"]
    dataset = pydicom.dcmread(path)
    frames = frame_count(dataset)
    assert frames == int(row["frames"])
    refused = row["refused"]
    if row["decoder"] and not any(map(find_spec, row["decoder"].split())):
        refused = "no installed decoder reads. Install|did not decode.*Install"
    if refused:
        with pytest.raises(ImageReadError, match=refused) as raised:
            decode_dicom(path, frame=0)
        assert str(raised.value).startswith(f"Cannot read the image {path}: ")
        return
    if frames > 1:
        with pytest.raises(ImageReadError, match=f"holds {frames} frames, expected 1.*name it, frame=0 to"):
            decode_dicom(path)
    shape = (3, int(row["rows"]), int(row["columns"]))
    assert all(decode_dicom(path, window=(40, 400), frame=frame).shape == shape for frame in range(frames))
    values = np.stack([as_itk_reads(path, dataset, frame) for frame in range(frames)])
    if row["mean"]:  # ITK does not read the only file without
        found = (values.mean(), values.min(), values.max())
        expected = [float(row[name]) for name in ("mean", "lowest", "highest")]
        rounding = 0.02 if row["decoder"] == "libjpeg" else 1e-4  # lossy: decoders differ in their last bit
        assert found == pytest.approx(expected, rel=1e-5, abs=rounding)


@pytest.mark.real_data
def test_every_real_file_has_a_row(medmamba_data):
    with (medmamba_data / "dicom" / "index.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["file"] for row in csv.DictReader(stream)] == [row["file"] for row in ROWS]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_stored_values_and_their_range(tmp_path, dtype):
    bounds = np.iinfo(dtype)
    pixels = np.array([[bounds.min, 0, bounds.max]], dtype=dtype)
    path = write_dicom(tmp_path / "a.dcm", pixels)
    dataset = pydicom.dcmread(path)
    assert stored_values(path, dataset).tolist() == pixels.tolist()
    assert stored_range(dataset).tolist() == [bounds.min, bounds.max]


@pytest.mark.parametrize("syntax", ["ExplicitVRBigEndian", "ImplicitVRLittleEndian", "RLELossless"])
def test_other_syntaxes_hold_the_same_values(tmp_path, syntax):
    path = write_dicom(tmp_path / "a.dcm", DEEP)
    dataset = pydicom.dcmread(path)
    uid = getattr(pydicom.uid, syntax)
    if uid.is_compressed:
        dataset.compress(uid)
    else:
        dataset.file_meta.TransferSyntaxUID = uid
        dataset.PixelData = DEEP.astype(">i2" if "Big" in syntax else "<i2").tobytes()
    other = tmp_path / "b.dcm"
    pydicom.dcmwrite(other, dataset, implicit_vr="Implicit" in syntax, little_endian="Big" not in syntax)
    assert np.array_equal(stored_values(other, pydicom.dcmread(other)), DEEP)


def test_one_frame_of_several(tmp_path):
    pixels = np.arange(48, dtype=np.int16).reshape(2, 4, 6)
    path = write_dicom(tmp_path / "a.dcm", DEEP, NumberOfFrames=2, PixelData=pixels.tobytes())
    dataset = pydicom.dcmread(path)
    assert frame_count(dataset) == 2
    assert np.array_equal(stored_values(path, dataset, 1), pixels[1])
    with pytest.raises(ImageReadError, match=r"2 frames, expected frame 2 among them\. Count from 0"):
        decode_dicom(path, frame=2)


def test_rescale_and_table(tmp_path):
    plain = pydicom.dcmread(write_dicom(tmp_path / "a.dcm", DEEP))
    assert modality_values(plain, DEEP).tolist() == DEEP.tolist()
    rescaled = pydicom.dcmread(write_dicom(tmp_path / "b.dcm", DEEP, RescaleSlope=2, RescaleIntercept=-1024))
    assert modality_values(rescaled, DEEP).tolist() == (DEEP * 2.0 - 1024).tolist()
    table = lookup_table([10, 20, 40], first=5)
    looked_up = pydicom.dcmread(write_dicom(tmp_path / "c.dcm", DEEP, ModalityLUTSequence=table))
    assert modality_values(looked_up, np.array([0, 5, 6, 7, 9])).tolist() == [10, 10, 20, 40, 40]


def test_each_frame_has_its_own_rescale(tmp_path):
    from pydicom import Dataset, Sequence

    frames = []
    for slope in (1, 3):
        values, groups = Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = slope, 0
        groups.PixelValueTransformationSequence = Sequence([values])
        frames.append(groups)
    tags = {"NumberOfFrames": 2, "PerFrameFunctionalGroupsSequence": Sequence(frames)}
    path = write_dicom(tmp_path / "a.dcm", DEEP, PixelData=DEEP.tobytes() * 2, **tags)
    dataset = pydicom.dcmread(path)
    for frame, slope in enumerate((1, 3)):
        lift_functional_groups(dataset, frame)
        assert modality_values(dataset, DEEP).tolist() == (DEEP * float(slope)).tolist()


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_twelve_bits_of_jpeg_name_their_own_decoder(tmp_path, monkeypatch):
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders import base
    from pydicom.uid import JPEGExtended12Bit

    monkeypatch.setattr(base.Decoder, "is_available", False)
    tags = {"TransferSyntaxUID": JPEGExtended12Bit, "PixelData": encapsulate([b"\0" * 64])}
    path = write_dicom(tmp_path / "a.dcm", DEEP.astype(np.uint16), **tags)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
    with pytest.raises(ImageReadError, match=r"JPEG Extended.*Install pylibjpeg-libjpeg"):
        stored_values(path, dataset)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invalid literal for int() with base 10: 'Doe^Jane'", "invalid literal for int() with base 10: '...'"),
        ('could not convert string to float: "Doe\'s"', 'could not convert string to float: "..."'),
        ("'FileDataset' object has no attribute 'Rows'", "'FileDataset' object has no attribute 'Rows'"),
        ("a\n  b", "a b"),
        ("x" * 400, "x" * 300),
    ],
)
def test_an_error_in_one_line_quotes_no_value(text, shown):
    assert in_one_line(ValueError(text)) == f"ValueError: {shown}"
