import numpy as np
import pytest

from monai_medmamba.explain import directions_figure, overlay_figure
from monai_medmamba.explain.figures import direction_shares
from monai_medmamba.visualize.picture import png

PICTURE = np.random.default_rng(0).random((3, 40, 60), dtype=np.float32)


@pytest.mark.parametrize("heat", [np.zeros((5, 5)), -np.ones((5, 5)), np.eye(5), np.ones((40, 60))])
def test_overlay(heat):
    figure = overlay_figure(PICTURE, heat.astype(np.float32), "polyp [x] $y$: probability 0.97", "a.png")
    assert png(figure)[1:4] == b"PNG"
    shown = figure.axes[1].images[0].get_array()
    assert shown.shape == (40, 60, 3)
    assert 0 <= shown.min() <= shown.max() <= 1


def test_the_overlay_is_warm_where_the_map_is_high():
    heat = np.zeros((4, 6), np.float32)
    heat[0, 0], heat[3, 5] = 1, -1
    shown = overlay_figure(np.full_like(PICTURE, 0.5), heat, "polyp").axes[1].images[0].get_array()
    red_less_blue = shown[..., 0] - shown[..., 2]
    assert red_less_blue[:5, :5].mean() > red_less_blue[-5:, -5:].mean() + 0.2


def test_directions():
    given, kept = np.zeros((4, 10, 10), np.float32), np.zeros((4, 10, 10), np.float32)
    given[0], given[1], given[2, 0], kept[3, :3] = 1, -0.5, 2, -1
    shares = direction_shares(given, kept)
    assert list(shares) == ["rows →", "columns ↓", "rows ←", "columns ↑", "in place"]
    assert list(shares.values()) == pytest.approx([0.5, 0.25, 0.1, 0, 0.15])
    figure = directions_figure(PICTURE, given, kept, "polyp", "a.png")
    titles = [axes.get_title(loc="left") for axes in figure.axes[:6]]
    assert titles[:3] == ["image", "rows →   50.0%", "columns ↓   25.0%"]
    assert titles[3:] == ["sum of all, with what stays", "rows ←   10.0%", "columns ↑   0.0%"]
    forward, down = (figure.axes[place].images[0].get_array() for place in (1, 2))
    assert forward[..., 0].mean() > forward[..., 2].mean()  # red: for
    assert down[..., 0].mean() < down[..., 2].mean()  # blue: against


def test_directions_without_anything():
    assert png(directions_figure(PICTURE, *np.zeros((2, 4, 3, 3), np.float32), "polyp"))


def test_invalid_arguments():
    with pytest.raises(ValueError, match="the maps of 4 directions, got 6"):
        directions_figure(PICTURE, *np.zeros((2, 6, 3, 3), np.float32), "polyp")
