import numpy as np
import pytest
from matplotlib.colors import to_hex

from monai_medmamba.visualize import examples_figure
from monai_medmamba.visualize.picture import png
from monai_medmamba.visualize.style import CORRECT, WRONG


def test_wrong_ones_are_framed():
    figure = examples_figure([np.zeros((8, 8, 3))] * 3, ["a", "b\nc", "d"], [True, False, True])
    frames = [axes.spines["left"] for axes in figure.axes]
    assert [to_hex(frame.get_edgecolor()) == WRONG.lower() for frame in frames] == [False, True, False]
    assert frames[1].get_linewidth() > frames[0].get_linewidth()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b\nc", "d"]
    assert CORRECT != WRONG


def test_grid_hides_the_places_left_over():
    figure = examples_figure([np.zeros((8, 8))] * 7, ["t"] * 7, [True] * 7, columns=3)
    assert [axes.get_visible() for axes in figure.axes] == [True] * 7 + [False] * 2


def test_image_is_centred_on_a_square_unchanged():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    shown = examples_figure([image], ["t"], [True]).axes[0].images[0].get_array()
    assert shown.shape == (6, 6, 3)
    np.testing.assert_array_equal(shown[1:5], image)
    assert (shown[[0, 5]] > 230).all()


@pytest.mark.parametrize("white", [np.uint8(255), np.float32(1)])
def test_grey_scale_is_not_stretched(white):
    image = np.full((4, 4), white / 2).astype(white.dtype)
    shown = examples_figure([image], ["t"], [True]).axes[0].images[0]
    assert shown.get_clim() == (0, white)


@pytest.mark.parametrize("number", [1, 5, 11])
def test_renders_any_mix_of_sizes(number):
    images = [np.random.default_rng(i).random((8 + i, 20 - i, 3)) for i in range(number)]
    assert png(examples_figure(images, ["$a_{\nb"] * number, [False] * number), 50)


@pytest.mark.parametrize(
    ("images", "titles", "correct", "message"),
    [
        ([], [], [], "one at least"),
        ([np.zeros((4, 4))], ["a", "b"], [True], "1 images, 2 titles and 1 flags"),
        ([np.zeros((3, 4, 4))], ["a"], [True], r"got \(3, 4, 4\) for 'a'"),
    ],
)
def test_invalid_arguments(images, titles, correct, message):
    with pytest.raises(ValueError, match=message):
        examples_figure(images, titles, correct)
