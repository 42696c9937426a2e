import pytest
import torch
from monai.data import MetaTensor

from monai_medmamba.transforms import PrepareOnDevice


def halved(batch):
    assert type(batch["image"]) is torch.Tensor
    return {"image": batch["image"] / 2}


def batch(**more):
    return {"image": MetaTensor(torch.ones(2, 3, 4, 4), meta={"filename_or_obj": ["a", "b"]}), **more}


def test_image_and_label():
    taken = batch(label=torch.tensor([0, 1]))
    image, label = PrepareOnDevice(halved)(taken, "cpu", non_blocking=True)
    assert type(image) is torch.Tensor
    assert (image == 0.5).all()
    assert label.tolist() == [0, 1]
    assert (taken["image"] == 1).all()
    assert taken["image"].meta["filename_or_obj"] == ["a", "b"]


def test_several_labels_become_what_their_loss_takes():
    taken = batch(label=torch.tensor([[0, 1], [1, 1]]))
    label = PrepareOnDevice(halved, label_dtype=torch.float32)(taken, "cpu")[1]
    assert label.dtype == torch.float32
    assert label.tolist() == [[0, 1], [1, 1]]


def test_without_a_label():
    image, label = PrepareOnDevice(halved)(batch(), torch.device("cpu"))
    assert image.shape == (2, 3, 4, 4)
    assert label is None


def test_further_arguments_are_for_the_image_that_comes_out():
    image, label = PrepareOnDevice(halved)(batch(label=torch.tensor([0, 1])), "cpu", dtype=torch.float64)
    assert image.dtype == torch.float64
    assert label.dtype == torch.int64


def test_a_batch_without_an_image_is_refused():
    with pytest.raises(KeyError, match="image"):
        PrepareOnDevice(halved)({"label": torch.tensor([1])}, "cpu")


@pytest.mark.gpu
def test_the_transform_works_on_the_gpu():
    def noted(found):
        assert found["image"].is_cuda
        return halved(found)

    image, label = PrepareOnDevice(noted)(batch(label=torch.tensor([0, 1])), torch.device("cuda"), non_blocking=True)
    assert image.is_cuda
    assert label.is_cuda
    assert (image == 0.5).all()
