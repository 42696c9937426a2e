import base64
import io

import pytest
from matplotlib.figure import Figure
from PIL import Image

from monai_medmamba.visualize.picture import embed, png


def figure_with_line():
    figure = Figure(figsize=(4, 2), layout="constrained")
    figure.add_subplot().plot([0, 1], [1, 0])
    return figure


def test_png_is_an_image_on_white():
    image = Image.open(io.BytesIO(png(figure_with_line()))).convert("RGB")
    assert image.format is None
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert len(image.getcolors(1 << 20)) > 10


def test_resolution_scales_the_picture():
    coarse, fine = (Image.open(io.BytesIO(png(figure_with_line(), dots))) for dots in (50, 100))
    assert fine.width == pytest.approx(2 * coarse.width, abs=3)


def test_embedded_picture_is_the_png_at_page_size():
    picture = embed(figure_with_line())
    prefix, data = picture.source.split(",")
    image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    assert prefix == "data:image/png;base64"
    assert picture.width == image.width * 100 // 180
    assert picture.width == pytest.approx(400, abs=20)
