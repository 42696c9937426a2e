import numpy as np
import pytest
from PIL import Image

from monai_medmamba.transforms import ImageReadError, decode_rgb

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 9), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 9, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (5, 9), dtype=np.uint16)


def channel_first(rows):
    """The expected answer: (3, H, W) from grey or colour rows already in [0, 1]."""
    rows = np.asarray(rows, dtype=np.float32)
    return np.stack([rows] * 3) if rows.ndim == 2 else rows.transpose(2, 0, 1)


def alpha_case(mode):
    alpha = np.full((5, 9), 255, dtype=np.uint8)
    alpha[:, :4] = 0
    base = Image.fromarray(COLOUR if mode == "RGBA" else GREY)
    base.putalpha(Image.fromarray(alpha))
    assert base.mode == mode
    rows = np.asarray(base.convert("RGB"), dtype=np.float32) / 255
    rows[:, :4] = 0
    return base, rows


def palette_case():
    image = Image.fromarray(COLOUR).quantize(16)
    return image, np.asarray(image.convert("RGB")) / 255


EXACT = {
    "grey": lambda: (Image.fromarray(GREY), GREY / 255),
    "rgb": lambda: (Image.fromarray(COLOUR), COLOUR / 255),
    "rgba": lambda: alpha_case("RGBA"),
    "grey_alpha": lambda: alpha_case("LA"),
    "palette": palette_case,
    "one_bit": lambda: (Image.fromarray(GREY > 127), GREY > 127),
    "grey_16": lambda: (Image.fromarray(DEEP), DEEP / 65535),
}
TIFF_ONLY = {
    "int_32": lambda: (Image.fromarray(DEEP.astype(np.int32)), DEEP / 65535),
    "float_32": lambda: (Image.fromarray((DEEP / 65535).astype(np.float32)), DEEP / 65535),
    "cmyk": lambda: (Image.fromarray(COLOUR).convert("CMYK"), COLOUR / 255),
}


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("case", EXACT)
def test_lossless_formats(tmp_path, case, suffix):
    image, rows = EXACT[case]()
    path = tmp_path / f"picture.{suffix}"
    image.save(path)
    read = decode_rgb(path)
    assert read.shape == (3, 5, 9)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, channel_first(rows), atol=1e-6)


@pytest.mark.parametrize("case", TIFF_ONLY)
def test_tiff_formats(tmp_path, case):
    image, rows = TIFF_ONLY[case]()
    image.save(tmp_path / "picture.tif")
    np.testing.assert_allclose(decode_rgb(tmp_path / "picture.tif"), channel_first(rows), atol=1e-6)


@pytest.mark.parametrize(
    ("image", "rows"), [(Image.fromarray(GREY), GREY), (Image.fromarray(COLOUR), COLOUR)], ids=["L", "RGB"]
)
def test_bmp(tmp_path, image, rows):
    image.save(tmp_path / "picture.bmp")
    np.testing.assert_allclose(decode_rgb(tmp_path / "picture.bmp"), channel_first(rows / 255), atol=1e-6)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(tmp_path, mode):
    smooth = np.linspace(0, 255, 64 * 48).reshape(64, 48).astype(np.uint8)
    image = Image.merge("RGB", [Image.fromarray(smooth), Image.fromarray(255 - smooth), Image.new("L", (48, 64), 90)])
    expected = np.asarray(image.convert("L") if mode == "L" else image) / 255
    image.convert(mode).save(tmp_path / "picture.jpg", quality=98)
    np.testing.assert_allclose(decode_rgb(tmp_path / "picture.jpg"), channel_first(expected), atol=0.04)


def test_palette_with_transparency_and_colour_key(tmp_path):
    Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P").save(tmp_path / "p.png", transparency=1)
    Image.fromarray(np.array([[200, 100]], np.uint8)).save(tmp_path / "l.png", transparency=100)
    assert decode_rgb(tmp_path / "p.png")[:, 0, 1].tolist() == [0, 0, 0]
    np.testing.assert_allclose(decode_rgb(tmp_path / "l.png")[0], [[200 / 255, 0]], atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["picture.jpg", "picture.png", "picture.tif"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_orientation_is_applied(tmp_path, orientation, name, mode):
    upright = np.zeros((16, 24), np.uint8)
    upright[:8, :8] = 255  # the bright corner is top left
    undo = {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}[orientation]
    stored = Image.fromarray(upright).convert(mode)
    for method in undo:
        stored = stored.transpose(Image.Transpose(method))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / name, exif=exif)
    read = decode_rgb(tmp_path / name)
    assert read.shape == (3, 16, 24)
    np.testing.assert_allclose(read[0], upright / 255, atol=0.1)


def test_twelve_bit_tiff(tmp_path):
    Image.fromarray(np.array([[0, 4095]], np.uint16)).save(tmp_path / "sixteen.tif")
    data = bytearray((tmp_path / "sixteen.tif").read_bytes())
    bits_entry = data.index((258).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    data[bits_entry + 8 : bits_entry + 10] = (12).to_bytes(2, "little")
    pixels = data.index(bytes([0, 0, 0xFF, 0x0F]))
    data[pixels : pixels + 3] = bytes([0x00, 0x0F, 0xFF])  # two samples of 12 bits in three bytes
    (tmp_path / "twelve.tif").write_bytes(data)
    assert decode_rgb(tmp_path / "twelve.tif")[0].tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused(tmp_path, value):
    rows = np.full((4, 4), 0.5, np.float32)
    rows[1, 2] = value
    Image.fromarray(rows).save(tmp_path / "burnt.tif")
    with pytest.raises(ImageReadError, match=r"burnt\.tif.* 1 of 16 pixels are NaN or infinite"):
        decode_rgb(tmp_path / "burnt.tif")


@pytest.mark.parametrize("rows", [np.float32([[0, 1.5]]), np.int32([[-1, 5]]), np.int32([[0, 70000]])])
def test_unknown_scale_is_refused(tmp_path, rows):
    Image.fromarray(rows).save(tmp_path / "odd.tif")
    with pytest.raises(ImageReadError, match=r"odd\.tif.*values run from"):
        decode_rgb(tmp_path / "odd.tif")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_truncated(tmp_path, suffix, kept):
    noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"whole.{suffix}")
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ImageReadError, match=rf"cut\.{suffix}"):
        decode_rgb(tmp_path / f"cut.{suffix}")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "the file is empty"),
        (b"\n<!DOCTYPE html><html>404</html>", "web page"),
        (b"\0" * 128 + b"DICM" + b"\0" * 50, "DICOM"),
        (b"nothing that any reader knows", "no known picture"),
    ],
)
def test_other_content_named_jpg(tmp_path, content, found):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageReadError, match=rf"a\.jpg.*{found}"):
        decode_rgb(tmp_path / "a.jpg")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ImageReadError, match=r"gone\.png.*No such file"):
        decode_rgb(tmp_path / "gone.png")
    with pytest.raises(ImageReadError, match="directory"):
        decode_rgb(tmp_path)


@pytest.mark.parametrize("side", [10_000, 20_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bomb(tmp_path, side):
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with pytest.raises(ImageReadError, match=r"bomb\.png.*pixels"):
        decode_rgb(tmp_path / "bomb.png")


def test_several_pages_are_refused(tmp_path):
    page = Image.fromarray(GREY)
    page.save(tmp_path / "stack.tif", save_all=True, append_images=[page, page])
    with pytest.raises(ImageReadError, match=r"stack\.tif.*holds 3 pictures"):
        decode_rgb(tmp_path / "stack.tif")


def test_suffix_does_not_matter(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "really.png")
    (tmp_path / "really.png").rename(tmp_path / "picture.JPG")
    np.testing.assert_allclose(decode_rgb(tmp_path / "picture.JPG"), channel_first(COLOUR / 255), atol=1e-6)
