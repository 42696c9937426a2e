import io

import numpy as np
from PIL import Image

from monai_medmamba.label.heat_picture import heat_png


def test_is_clear_where_nothing_counts_and_yellow_where_most_does():
    picture = np.asarray(Image.open(io.BytesIO(heat_png(np.float32([[0, 0.5, 1]])))))
    assert picture.shape == (1, 3, 4)
    assert picture[0, :, 3].tolist() == [0, 157, 255]
    assert picture[0, 2, :3].tolist() == [253, 231, 37]
