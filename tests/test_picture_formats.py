from PIL import Image

from monai_medmamba.picture_formats import FORMATS, MAX_PIXELS, SUFFIXES


def test_suffixes_belong_to_the_formats():
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in SUFFIXES} == set(FORMATS)


def test_our_limit_speaks_before_pillow_s():
    assert Image.MAX_IMAGE_PIXELS > MAX_PIXELS
