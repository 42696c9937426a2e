import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def paint(tmp_path):
    """Writes small pictures, each with content of its own unless ``content`` is given, and returns their paths."""
    drawn = iter(range(1, 1_000_000))

    def write(*names, content=None):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            value = next(drawn) if content is None else -content
            Image.fromarray(np.full((2, 2), value, np.int32).view(np.uint8)).save(path)
        return [tmp_path / name for name in names]

    return write
