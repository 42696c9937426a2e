import base64
import io

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.visualize import example_sheet
from monai_medmamba.visualize.example_sheet import draw_sheet, one_class_after_another
from monai_medmamba.visualize.run_files import Prediction


@pytest.fixture
def drawn(monkeypatch):
    """Record what reaches the figure."""
    calls = []
    original = example_sheet.examples_figure

    def record(images, titles, correct):
        calls.append((images, titles, correct))
        return original(images, titles, correct)

    monkeypatch.setattr(example_sheet, "examples_figure", record)
    return calls


def save(path, mode="RGB", size=(20, 10), colour=None):
    Image.new(mode, size, colour).save(path)
    return str(path)


def test_titles_and_flags(tmp_path, drawn):
    image = save(tmp_path / "scan.png")
    predictions = [Prediction(image, "polyp", "ulcer", 0.968), Prediction(image, "polyp", "polyp", 0.5)]
    sheet = draw_sheet(predictions, 10, tmp_path)
    assert drawn[0][1:] == (["polyp\nas ulcer, 97%\nscan.png", "polyp\ncorrect, 50%\nscan.png"], [False, True])
    assert (sheet.shown, sheet.unreadable) == (2, [])
    Image.open(io.BytesIO(base64.b64decode(sheet.picture.source.split(",")[1]))).verify()


def test_unreadable_images_are_skipped_and_named_without_folder(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no more")
    (tmp_path / "folder").mkdir()
    images = [str(tmp_path / name) for name in ("broken.png", "gone.png", "folder")] + [save(tmp_path / "good.png")]
    sheet = draw_sheet([Prediction(image, "a", "b", 0.9) for image in images], 10, tmp_path)
    assert (sheet.shown, sheet.unreadable) == (1, ["broken.png", "gone.png", "folder"])


def test_stops_when_full_or_hopeless(tmp_path):
    good = Prediction(save(tmp_path / "good.png"), "a", "b", 0.9)
    gone = Prediction("gone.png", "a", "b", 0.9)
    assert draw_sheet([good] * 9, 3, tmp_path).shown == 3
    assert draw_sheet([gone] * 9 + [good], 3, tmp_path).unreadable == ["gone.png"] * 3


def test_relative_path_is_found_in_the_run(tmp_path):
    save(tmp_path / "a.png")
    assert draw_sheet([Prediction("a.png", "a", "a", 0.9)], 3, tmp_path).shown == 1


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16", "1", "LA"])
def test_every_kind_of_image_becomes_rgb(tmp_path, drawn, mode):
    image = save(tmp_path / f"a.{'tif' if mode == 'CMYK' else 'png'}", mode)
    draw_sheet([Prediction(image, "a", "a", 0.9)], 3, tmp_path)
    assert drawn[0][0][0].shape == (10, 20, 3)
    assert drawn[0][0][0].dtype == np.uint8


def test_16_bit_is_spread_over_the_greys(tmp_path, drawn):
    Image.fromarray(np.uint16([[1000, 2000], [3000, 1000]])).save(tmp_path / "a.png")
    draw_sheet([Prediction("a.png", "a", "a", 0.9)], 3, tmp_path)
    assert drawn[0][0][0][:, :, 0].tolist() == [[0, 127], [255, 0]]


def test_orientation_is_applied_and_size_limited(tmp_path, drawn):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1000, 500)).save(tmp_path / "a.jpg", exif=exif)
    draw_sheet([Prediction("a.jpg", "a", "a", 0.9)], 3, tmp_path)
    assert drawn[0][0][0].shape == (256, 128, 3)


def test_file_name_that_is_no_text(tmp_path):
    image = save(tmp_path / b"caf\xe9.png".decode("utf-8", "surrogateescape"))
    assert draw_sheet([Prediction(image, "a", "b", 0.9)], 3, tmp_path).shown == 1


def test_one_class_after_another_keeps_the_order_within_a_class():
    predictions = [Prediction(name, name[0], name[0], 1.0) for name in ("b1", "b2", "a1", "b3", "a2")]
    assert [p.image for p in one_class_after_another(predictions)] == ["a1", "b1", "a2", "b2", "b3"]
