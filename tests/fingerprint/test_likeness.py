import io

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.fingerprint.likeness import perceptual_hash, preview, tiny_copy


def bits_apart(one, other):
    return bin(perceptual_hash(one) ^ perceptual_hash(other)).count("1")


@pytest.mark.parametrize("seed", range(5))
def test_the_hash_survives_what_leaves_the_picture_the_same(draw, jpeg, seed):
    values = draw(seed, 120, 90, colour=False)
    picture = Image.fromarray(values)
    assert bits_apart(picture, picture.resize((200, 300))) <= 6
    assert bits_apart(picture, Image.open(io.BytesIO(jpeg(values, quality=30)))) <= 6
    assert bits_apart(picture, Image.fromarray((values * 0.7 + 20).astype(np.uint8))) <= 6


def test_other_pictures_have_other_hashes(draw):
    pictures = [Image.fromarray(draw(seed, colour=False)) for seed in range(20)]
    apart = [bits_apart(a, b) for i, a in enumerate(pictures) for b in pictures[:i]]
    assert np.median(apart) > 20


def test_a_constant_picture_has_a_hash():
    assert perceptual_hash(Image.new("L", (40, 40), 200)) == 0
    assert tiny_copy(Image.new("L", (40, 40), 200)) == bytes(256)


def test_tiny_copies_are_stretched(draw):
    values = np.frombuffer(tiny_copy(Image.fromarray(draw(1, colour=False) // 4)), np.uint8)
    assert (values.size, values.min(), values.max()) == (256, 0, 255)


@pytest.mark.parametrize(("shape", "size"), [((300, 200), (64, 96)), ((20, 30, 3), (30, 20)), ((1, 2000), (96, 1))])
def test_preview(shape, size):
    picture = Image.open(io.BytesIO(preview(np.zeros(shape, np.uint8))))
    assert (picture.format, picture.size) == ("JPEG", size)
