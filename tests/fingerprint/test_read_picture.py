import numpy as np
import pytest
from PIL import Image

from monai_medmamba.fingerprint.decoded import UnreadableError
from monai_medmamba.fingerprint.read_picture import read_picture
from monai_medmamba.transforms import decode_rgb


def variants(draw):
    colour, grey = draw(1, 20, 30), draw(2, 20, 30, colour=False)
    yield "rgb.png", Image.fromarray(colour), {}
    yield "grey.bmp", Image.fromarray(grey), {}
    yield "photo.jpg", Image.fromarray(colour), {}
    yield "print.jpg", Image.fromarray(colour).convert("CMYK"), {}
    yield "palette.png", Image.fromarray(colour).quantize(16), {}
    yield "bits.png", Image.fromarray(grey > 99), {}
    yield "deep.png", Image.fromarray(grey.astype(np.uint16) * 257), {}
    yield "float.tif", Image.fromarray(grey.astype(np.float32) / 255), {}
    yield "glass.png", Image.fromarray(np.dstack([colour, grey])), {}
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "turned.jpg", Image.fromarray(colour), {"exif": exif}


def test_values_are_those_of_training(tmp_path, draw):
    names = []
    for name, picture, options in variants(draw):
        picture.save(tmp_path / name, **options)
        found = read_picture(tmp_path / name)
        values = found.values / found.full_scale
        expected = decode_rgb(tmp_path / name).transpose(1, 2, 0)
        np.testing.assert_allclose(values if values.ndim == 3 else np.dstack([values] * 3), expected, atol=0.003)
        names.append((name, found.mode, found.bits, found.values.ndim, found.flags))
    assert names == [
        ("rgb.png", "RGB", 8, 3, ()),
        ("grey.bmp", "L", 8, 2, ()),
        ("photo.jpg", "RGB", 8, 3, ()),
        ("print.jpg", "CMYK", 8, 3, ()),
        ("palette.png", "P", 8, 3, ()),
        ("bits.png", "1", 8, 2, ()),
        ("deep.png", "I;16", 16, 2, ()),
        ("float.tif", "F", 32, 2, ()),
        ("glass.png", "RGBA", 8, 3, ("transparent",)),
        ("turned.jpg", "RGB", 8, 3, ("turned",)),
    ]


def test_suffix_that_belies_the_content(tmp_path, draw):
    Image.fromarray(draw(1)).save(tmp_path / "a.png", "JPEG")
    assert read_picture(tmp_path / "a.png").flags == ("wrong_suffix: its content is JPEG",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty. Copy or download it again."),
        (b"<html>", "it is a web page or XML"),
        (b"nonsense", "its content is no known picture"),
        (b"\0" * 128 + b"DICM", "it is a DICOM file"),
        (b"\x89PNG\r\n\x1a\n", "."),
    ],
)
def test_unreadable(tmp_path, content, message):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableError, match=message) as caught:
        read_picture(tmp_path / "a.png")
    assert str(tmp_path) not in str(caught.value)


def test_truncated(tmp_path, draw, jpeg):
    (tmp_path / "a.jpg").write_bytes(jpeg(draw(1))[:900])
    with pytest.raises(UnreadableError, match="truncated"):
        read_picture(tmp_path / "a.jpg")


def test_refused_as_training_refuses_it(tmp_path, monkeypatch):
    pages = [Image.new("L", (4, 4), i) for i in range(3)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(UnreadableError, match="3 pictures"):
        read_picture(tmp_path / "pages.tif")
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(UnreadableError, match="NaN"):
        read_picture(tmp_path / "nan.tif")


def test_a_bomb_is_refused_by_its_header(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(UnreadableError, match="pixels"):
        read_picture(tmp_path / "bomb.png")
