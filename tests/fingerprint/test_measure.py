import io
import json

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.fingerprint.decoded import Decoded
from monai_medmamba.fingerprint.measure import Measurement, measure

KEY = b"k" * 32


def picture(values, full_scale=255.0, **rest):
    return Decoded(values, False, "PNG", "RGB", 8, full_scale, **rest)


def test_moments_of_a_picture(draw):
    values = draw(1, 40, 50)
    values[:, :10] = 0
    found, _ = measure(picture(values), KEY)
    assert (found.width, found.height, found.depth, found.channels, found.colour) == (50, 40, 1, 3, True)
    flat, inside = values.reshape(-1, 3) / 255, values[:, 10:].reshape(-1, 3) / 255
    assert found.share == pytest.approx(0.8)
    assert found.mean == pytest.approx(flat.mean(axis=0), rel=1e-5)
    assert found.std == pytest.approx(flat.std(axis=0), rel=1e-5)
    assert found.view_mean == pytest.approx(inside.mean(axis=0), rel=1e-5)
    assert found.view_std == pytest.approx(inside.std(axis=0), rel=1e-5)


def test_bytes_and_floats_agree(draw):
    values = draw(1, 64, 80)
    exact, _ = measure(picture(values), KEY)
    other, _ = measure(picture(values / 255.0, 1.0), KEY)
    for name in ("mean", "std", "view_mean", "view_std", "quantiles", "tails", "low", "high", "share"):
        assert getattr(exact, name) == pytest.approx(getattr(other, name), abs=0.005), name
    assert exact.hash == other.hash


def test_quantiles(draw):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    values[:, 0] = 255
    found, _ = measure(picture(values), KEY)
    assert (len(found.quantiles), found.quantiles[-1]) == (33, 1.0)
    assert found.quantiles == sorted(found.quantiles)
    assert found.quantiles[16] == pytest.approx(0.53, abs=0.03)


def test_units_of_their_own():
    values = np.linspace(-1000, 2000, 900).reshape(30, 30)
    found, preview = measure(Decoded(values, False, "DICOM", "MONOCHROME2", 12, None), KEY)
    assert (found.unit, found.low, found.high, found.clipped) == (False, -1000, 2000, 0)
    shown = np.asarray(Image.open(io.BytesIO(preview)))
    assert (shown.min(), shown.max()) == pytest.approx((0, 255), abs=5)


def test_volume():
    values = np.random.default_rng(0).normal(100, 10, (7, 20, 30))
    found, preview = measure(Decoded(values, True, "NIfTI", "float64", 64, None), KEY)
    assert (found.width, found.height, found.depth) == (30, 20, 7)
    assert Image.open(io.BytesIO(preview)).size == (30, 20)


def test_large_images_are_sampled(monkeypatch, draw):
    monkeypatch.setattr("monai_medmamba.fingerprint.measure.MOST_VALUES", 1000)
    values = draw(1, 200, 200) / 255.0
    found, _ = measure(picture(values, 1.0), KEY)
    assert found.mean == pytest.approx(values.mean(axis=(0, 1)), abs=0.03)


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        (np.eye(20, dtype=np.uint8) * 255, ["mask: 2 values"]),
        (np.full((20, 20), 3, np.uint8), []),
        (np.arange(400, dtype=np.uint16).reshape(20, 20).astype(np.uint8), []),
    ],
)
def test_masks(values, flag):
    assert measure(picture(values), KEY)[0].flags == flag


def test_grey_in_three_channels(draw):
    grey = draw(1, colour=False)
    assert not measure(picture(np.dstack([grey] * 3)), KEY)[0].colour
    speck = np.dstack([grey] * 3)
    speck[3, 5] = (9, 99, 9)
    assert measure(picture(speck), KEY)[0].colour


def test_digest_is_of_the_values(draw):
    values = draw(1, colour=False)
    deep = Decoded(values.astype(np.int16), False, "DICOM", "MONOCHROME2", 12, None)
    assert measure(picture(values), KEY)[0].digest == measure(picture(values.copy()), KEY)[0].digest
    assert measure(deep, KEY)[0].digest == measure(Decoded(values * 1.0, False, "NIfTI", "x", 8, None), KEY)[0].digest
    other = values.copy()
    other[0, 0] ^= 1
    assert measure(picture(other), KEY)[0].digest != measure(picture(values), KEY)[0].digest
    assert measure(picture(values.reshape(32, 128)), KEY)[0].digest != measure(picture(values), KEY)[0].digest


def test_identifying_tags_become_keyed_digests(draw):
    image = picture(draw(1), tags={"patient": "Doe", "series": None, "modality": "CT"})
    one, other = measure(image, KEY)[0].tags, measure(image, b"other")[0].tags
    assert one["patient"] != "Doe"
    assert one["patient"] == measure(image, KEY)[0].tags["patient"] != other["patient"]
    assert (one["series"], one["modality"]) == (None, "CT")


def test_goes_through_json(draw):
    found, _ = measure(picture(draw(1)), KEY)
    assert Measurement(**json.loads(json.dumps(found.to_json()))) == found
