import csv
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.transforms import ImageReadError, decode_dicom, decode_rgb, is_dicom
from testing.dicom_files import lookup_table, write_dicom

pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="compares with functions of pydicom 3")

GREY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
DEEP = np.arange(24, dtype=np.int16).reshape(4, 6) * 100  # a CT's numbers: -1024 is air after the rescale below
CT = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "picture"  # no suffix: the content decides


def read_grey(path, **options):
    """Return the picture's one channel, and check what holds for every result."""
    picture = decode_dicom(path, **options)
    assert picture.dtype == np.float32
    assert picture.flags.c_contiguous
    assert (picture[0] == picture[1]).all()
    assert (picture[0] == picture[2]).all()
    return picture[0]


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_eight_bits_are_read_as_the_same_png(file, tmp_path, kind):
    pixels = GREY if kind == "grey" else np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "same.png")
    write_dicom(file, pixels, "MONOCHROME2" if kind == "grey" else "RGB")
    assert np.array_equal(decode_dicom(file), decode_rgb(tmp_path / "same.png"))
    assert is_dicom(file)
    assert not is_dicom(tmp_path / "same.png")


def test_signed_eight_bits(file):
    write_dicom(file, np.array([[-128, 0, 127]], dtype=np.int8))
    assert read_grey(file)[0] == pytest.approx([0, 128 / 255, 1])


def test_a_falling_rescale_turns_grey_round(file):
    write_dicom(file, GREY, RescaleSlope=-2, RescaleIntercept=7)
    assert read_grey(file) == pytest.approx(1 - GREY / 255)


def test_rescale_and_window(file):
    write_dicom(file, DEEP, **CT)
    units = DEEP - 1024.0
    assert read_grey(file) == pytest.approx(((units - 39.5) / 399 + 0.5).clip(0, 1), abs=1e-6)
    assert read_grey(file, window=(0, 2001)) == pytest.approx(((units + 0.5) / 2000 + 0.5).clip(0, 1), abs=1e-6)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning:pydicom")
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", "", None])
@pytest.mark.parametrize("width", [1, 2, 300])
def test_window_functions_are_the_standard_s(file, function, width):
    from pydicom.pixels import apply_modality_lut, apply_windowing

    tags = CT if function is None else {**CT, "VOILUTFunction": function}
    write_dicom(file, DEEP, **{**tags, "WindowWidth": width})
    dataset = pydicom.dcmread(file)
    dataset.VOILUTFunction = function or "LINEAR"
    shown = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    low, high = -(2**15) - 1024, 2**15 - 1 - 1024
    assert read_grey(file) == pytest.approx((shown - low) / (high - low), abs=1e-6)


def test_the_first_of_several_windows(file):
    write_dicom(file, DEEP, **{**CT, "WindowCenter": [40, 500], "WindowWidth": [400, 2000]})
    several = read_grey(file)
    write_dicom(file, DEEP, **CT)
    assert np.array_equal(several, read_grey(file))


def test_monochrome1_is_inverted(file):
    write_dicom(file, DEEP, **CT)
    upright = read_grey(file)
    write_dicom(file, DEEP, "MONOCHROME1", **CT)
    assert read_grey(file) == pytest.approx(1 - upright)


@pytest.mark.parametrize("packed", [False, True])
def test_voi_table(file, packed):
    # 12 bits to 8: an index of 8 bits would overflow.
    table = lookup_table([i // 16 for i in range(4096)], bits=8, packed=packed)
    pixels = np.array([[0, 100, 1000, 3000, 4095, 5000]], dtype=np.uint16)
    write_dicom(file, pixels, VOILUTSequence=table, WindowCenter=1, WindowWidth=2)
    assert read_grey(file)[0] * 255 == pytest.approx([0, 6, 62, 187, 255, 255])


def test_voi_table_after_a_rescale(file):
    table = lookup_table([0, 100, 1000, 65535], first=-2)
    write_dicom(file, np.array([[0, 1, 2, 3, 9]], dtype=np.uint16), VOILUTSequence=table, RescaleIntercept=-2)
    assert read_grey(file)[0] * 65535 == pytest.approx([0, 100, 1000, 65535, 65535])


def test_modality_table(file):
    table = lookup_table([10, 20, 40], first=5)
    pixels = np.array([[0, 5, 6, 7, 8]], dtype=np.uint16)
    write_dicom(file, pixels, ModalityLUTSequence=table, WindowCenter=20.5, WindowWidth=41)
    assert read_grey(file)[0] * 40 == pytest.approx([10, 10, 20, 40, 40])
    write_dicom(file, pixels, ModalityLUTSequence=lookup_table([0, 51, 255], first=5, bits=8))
    assert read_grey(file)[0] * 255 == pytest.approx([0, 0, 51, 255, 255])


def test_ybr_becomes_rgb(file, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    write_dicom(file, np.asarray(Image.fromarray(pixels).convert("YCbCr")), "YBR_FULL")
    assert decode_dicom(file).transpose(1, 2, 0) * 255 == pytest.approx(pixels, abs=2.5)


@pytest.mark.parametrize(("bits", "packed"), [(8, np.uint8), (8, np.uint16), (16, np.uint16)])
def test_palette_becomes_rgb(file, bits, packed):
    highest = 2**bits - 1
    tables = {
        name: np.array(entries, dtype=packed).tobytes()
        for name, entries in {"Red": [0, 0, 50, highest], "Green": [0, 99, 0, 0], "Blue": [0, 0, 0, highest]}.items()
    }
    tags = {f"{name}PaletteColorLookupTableData": table for name, table in tables.items()}
    tags |= {f"{name}PaletteColorLookupTableDescriptor": [4, 0, bits] for name in tables}
    write_dicom(file, np.array([[0, 1, 2, 3, 300]], dtype=np.uint16), "PALETTE COLOR", **tags)
    found = decode_dicom(file)[:, 0].T * highest
    expected = [[0, 0, 0], [0, 99, 0], [50, 0, 0], [highest, 0, highest], [highest, 0, highest]]
    assert found == pytest.approx(np.array(expected), abs=1e-2)


def test_one_frame_of_the_enhanced_form(file):
    from pydicom import Dataset, Sequence

    rescale, window, groups = Dataset(), Dataset(), Dataset()
    rescale.RescaleSlope, rescale.RescaleIntercept = 1, -1024
    window.WindowCenter, window.WindowWidth = 40, 400
    groups.PixelValueTransformationSequence, groups.FrameVOILUTSequence = Sequence([rescale]), Sequence([window])
    write_dicom(file, DEEP, NumberOfFrames=1, SharedFunctionalGroupsSequence=Sequence([groups]))
    enhanced = read_grey(file)
    write_dicom(file, DEEP, **CT)
    assert np.array_equal(enhanced, read_grey(file))


def test_deep_grey_without_a_window_is_refused(file):
    write_dicom(file, DEEP)
    with pytest.raises(ImageReadError, match=r"16 bits of grey and carries no window.*--window 40 400"):
        decode_dicom(file)
    assert read_grey(file, window=(1150.5, 2301)) == pytest.approx(DEEP / 2300)


@pytest.mark.parametrize(
    ("pixels", "photometric", "tags", "message"),
    [
        (GREY, "MONOCHROME2", {"NumberOfFrames": 2}, r"2 frames, expected 1.*Save the frame"),
        (GREY, "HSV", {}, r"its colours are HSV, expected one of MONOCHROME1"),
        (GREY, "MONOCHROME2", {"Rows": 65535, "Columns": 65535}, r"65535 x 65535 pixels, expected at most"),
        (GREY, "MONOCHROME2", {"Rows": 5}, r"damaged.*less than expected"),
        (GREY, "PALETTE COLOR", {}, "damaged"),
        (GREY, "MONOCHROME2", {"RescaleSlope": 0}, "no numbers"),
        (DEEP, "MONOCHROME2", {**CT, "WindowWidth": 0}, "window of width 0"),
        (DEEP, "MONOCHROME2", {**CT, "VOILUTFunction": "CUBIC"}, "width 400 and function"),
    ],
)
def test_refuses(file, pixels, photometric, tags, message):
    write_dicom(file, pixels, photometric, **tags)
    with pytest.raises(ImageReadError, match=message) as raised:
        decode_dicom(file)
    assert str(raised.value).startswith(f"Cannot read the image {file}: ")


def test_invalid_arguments(file):
    with pytest.raises(ValueError, match="width 1 or more"):
        decode_dicom(file, window=(40, 0.5))


def test_no_picture(file):
    write_dicom(file, GREY)
    dataset = pydicom.dcmread(file)
    del dataset.PixelData
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    dataset.save_as(file)
    with pytest.raises(ImageReadError, match=r"without a picture \(Comprehensive SR Storage\). Leave it out"):
        decode_dicom(file)


@pytest.mark.parametrize("available", [False, True])
def test_compressed_and_not_decoded(file, monkeypatch, available):
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders import base
    from pydicom.uid import JPEGLSLossless

    monkeypatch.setattr(base.Decoder, "is_available", available)
    write_dicom(file, GREY, TransferSyntaxUID=JPEGLSLossless, PixelData=encapsulate([b"\0" * 64]))
    reason = r"did not decode" if available else "which no installed decoder reads. Install python-gdcm"
    with pytest.raises(ImageReadError, match=rf"compressed as JPEG-LS Lossless Image Compression, (and )?{reason}"):
        decode_dicom(file)


@pytest.mark.parametrize("case", ["missing", "a folder", "empty", "text", "only the mark"])
def test_no_dicom_file(tmp_path, case):
    path = tmp_path / "x.dcm"
    if case == "a folder":
        path.mkdir()
    elif case != "missing":
        path.write_bytes({"empty": b"", "text": b"hello", "only the mark": bytes(128) + b"DICM"}[case])
    with pytest.raises(ImageReadError, match=r"x\.dcm"):
        decode_dicom(path)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_every_cut_is_refused(file):
    content = write_dicom(file, GREY).read_bytes()
    for length in range(0, len(content) - 1, 7):
        file.write_bytes(content[:length])
        with pytest.raises(ImageReadError):
            decode_dicom(file)


def test_damaged_bytes_are_refused_or_read(file):
    content = write_dicom(file, DEEP, **CT).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, about values that are against the standard
        for _ in range(300):
            damaged = bytearray(content)
            for place in rng.integers(132, len(content), 3):
                damaged[place] = rng.integers(256)
            file.write_bytes(damaged)
            try:
                picture = decode_dicom(file)
                assert np.isfinite(picture).all()
                assert 0 <= picture.min() <= picture.max() <= 1
            except ImageReadError:
                refused += 1
    assert 0 < refused < 300


def test_without_pydicom(file, monkeypatch):
    write_dicom(file, GREY)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageReadError, match=r"pydicom is not installed.*pip install"):
        decode_dicom(file)


def test_says_nothing(file, caplog):
    caplog.set_level(logging.INFO)
    write_dicom(file, DEEP, **CT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decode_dicom(file)
    assert caplog.records == []


def _index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_files(medmamba_data):
    """Every file is read in its indexed shape, or refused for the reason that it has."""
    needs_a_decoder = {"JPEG-LL", "JPGLosslessP14SV1_1s_1f_8b", "MR_small_jpeg_ls_lossless", "bad_sequence"}
    needs_a_decoder |= {"JPGExtended", "JPEG-lossy"}
    without_window = {"CT_small", "JPEG2000", "explicit_VR-UN", "mlut_18", "JPEG-LL"}
    folder = medmamba_data / "dicom"
    rows = _index(folder)
    assert len(rows) > 60
    for row in rows:
        name = Path(row["file"]).stem
        expected = {
            f"holds {row['frames']} frames": int(row["frames"]) > 1,
            "is compressed as": name in needs_a_decoder,
            "carries no window": name in without_window,
            "less than expected": name == "MR_truncated",
        }
        try:
            shape, refusal = decode_dicom(folder / row["file"]).shape, ""
        except ImageReadError as error:
            shape, refusal = None, str(error)
        if refusal:
            assert any(reason in refusal for reason, applies in expected.items() if applies), refusal
        else:
            size = row["decoded_shape_dtype"].split()[0].split("x")[:2]
            assert shape == (3, *map(int, size)), row["file"]
            assert not expected["carries no window"], row["file"]


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("window", [None, (40.0, 400.0)])
def test_the_same_picture_by_another_syntax(medmamba_data, window):
    """One MR slice is stored in six ways; those that a decoder is there for give the same values."""
    folder = medmamba_data / "dicom" / "transfer_syntaxes"
    first = decode_dicom(folder / "MR_small.dcm", window=window)
    for name in ("RLE", "bigendian", "implicit", "jp2klossless"):
        assert np.array_equal(decode_dicom(folder / f"MR_small_{name}.dcm", window=window), first)
