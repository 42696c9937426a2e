import pytest
import torch

from monai_medmamba.explain import Curves, deletion_and_insertion


def evidence(x):
    """Goes by the brightness of the upper left quarter alone."""
    value = x[..., : x.shape[2] // 2, : x.shape[3] // 2].mean((1, 2, 3))
    return torch.stack([value, 1 - value], dim=1)


@pytest.fixture
def images():
    x = torch.zeros(2, 3, 16, 16)
    x[..., :8, :8] = 1
    return x


def test_a_right_map_beats_a_wrong_one(images):
    right = images[:, 0]
    found, opposed = (deletion_and_insertion(evidence, images, m, torch.zeros(2).long()) for m in (right, -right))
    assert (found.areas[:, 0] < opposed.areas[:, 0] - 0.3).all()
    assert (found.areas[:, 1] > opposed.areas[:, 1] + 0.1).all()


def test_ends(images):
    curves = deletion_and_insertion(evidence, images, torch.rand(2, 16, 16), torch.zeros(2).long(), steps=5)
    assert curves.deletion.shape == curves.insertion.shape == (2, 6)
    assert torch.allclose(curves.deletion[:, 0], torch.ones(2))
    assert torch.allclose(curves.deletion[:, -1], torch.full((2,), 0.25))  # the mean colour
    assert torch.allclose(curves.insertion[:, -1], torch.ones(2))
    assert (curves.insertion[:, 0] < 1).all()


def test_every_step_takes_as_many_pixels():
    x = torch.rand(1, 3, 8, 8)
    seen = []

    def spy(batch):
        seen.append(batch)
        return torch.ones(len(batch), 1)

    deletion_and_insertion(spy, x, torch.zeros(1, 8, 8), torch.zeros(1).long(), steps=4, batch_size=2)
    assert [len(batch) for batch in seen] == [2, 2, 1] * 2
    changed = [(step != x[0]).any(0).sum().item() for step in torch.cat(seen[:3])]
    assert changed == [0, 16, 32, 48, 64]


def test_classes_are_each_image_s_own(images):
    maps = torch.rand(2, 16, 16)
    curves = deletion_and_insertion(evidence, images, maps, torch.tensor([0, 1]), steps=2)
    assert curves.deletion[:, 0].tolist() == pytest.approx([1, 0], abs=1e-6)


def test_areas():
    assert Curves(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]])).areas.tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize(
    ("maps", "classes", "steps", "message"),
    [
        (torch.zeros(2, 8, 8), torch.zeros(2).long(), 4, "a map and a class for each"),
        (torch.zeros(2, 16, 16), torch.zeros(1).long(), 4, "a map and a class for each"),
        (torch.zeros(2, 16, 16), torch.zeros(2).long(), 0, "at least 1 step"),
    ],
)
def test_invalid_arguments(images, maps, classes, steps, message):
    with pytest.raises(ValueError, match=message):
        deletion_and_insertion(evidence, images, maps, classes, steps=steps)
