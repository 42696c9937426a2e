import io

import numpy as np
import pytest
from PIL import Image

from monai_medmamba.fingerprint import fingerprint_dataset


def scene(seed, height=64, width=64, colour=True):
    """Returns a picture with content of its own: waves and noise, uint8."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    layers = []
    for _ in range(3 if colour else 1):
        waves = [
            np.sin(random.uniform(1, 14) * rows + random.uniform(1, 14) * columns + random.uniform(0, 6))
            for _ in range(4)
        ]
        layers.append(127 + 28 * sum(waves) + random.normal(0, 4, rows.shape))
    return np.stack(layers, axis=-1).squeeze().clip(0, 255).astype(np.uint8)


@pytest.fixture
def draw():
    return scene


@pytest.fixture
def paint(tmp_path):
    """Writes pictures below the folder ``set``, each of content of its own, and returns that folder."""
    drawn = iter(range(1_000_000))

    def write(*names, values=None, **options):
        for name in names:
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(scene(next(drawn)) if values is None else values).save(path, **options)
        return tmp_path / "set"

    return write


@pytest.fixture
def take(tmp_path):
    """Takes the fingerprint of a data set, into the folder ``out``."""

    def run(data, **options):
        return fingerprint_dataset(data, tmp_path / "out", workers=2, **options)

    return run


@pytest.fixture
def files_of():
    """Returns the files that a finding names, an empty list where there is no such finding."""

    def read(content, code):
        return [file["path"] for f in content["findings"] if f["code"] == code for file in f["files"]]

    return read


@pytest.fixture
def jpeg():
    """Returns the bytes of a JPEG file of some content."""

    def write(values, quality=90):
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    return write
