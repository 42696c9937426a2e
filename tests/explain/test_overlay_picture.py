import numpy as np
import pytest
import torch
from PIL import Image

from monai_medmamba.explain import load_painter
from monai_medmamba.networks import MedMamba, save_weights
from monai_medmamba.transforms import ImageReadError

KEPT = {"image_size": 32, "mean": [0.5] * 3, "std": [0.25] * 3}


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2)
    save_weights(tmp_path / "w.safetensors", network, ["a", "b"], KEPT)
    return tmp_path / "w.safetensors"


@pytest.fixture
def image(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    return tmp_path / "x.png"


@pytest.mark.parametrize("method", ["gradcam", "occlusion", "scan"])
def test_shape(weights, image, method):
    picture = load_painter(weights, method, device="cpu").paint(image, "b", "b: probability 0.7")
    assert (picture.ndim, picture.shape[2], picture.dtype) == (3, 3, np.uint8)
    assert min(picture.shape[:2]) > 100
    assert picture.std() > 10


def test_classes_and_titles_differ_and_names_of_files_do_not_show(weights, image, tmp_path):
    painter = load_painter(weights, "gradcam", device="cpu")
    first = painter.paint(image, "a", "title")
    assert (first == painter.paint(image, "a", "title")).all()
    assert (
        first.shape != painter.paint(image, "a", "other").shape or (first != painter.paint(image, "a", "other")).any()
    )
    copy = tmp_path / "Quillfeather Zebulon.png"
    copy.write_bytes(image.read_bytes())
    assert (first == painter.paint(copy, "a", "title")).all()


def test_invalid_arguments(weights, image, tmp_path):
    with pytest.raises(ValueError, match="expected one of the methods"):
        load_painter(weights, "guess")
    painter = load_painter(weights, "gradcam", device="cpu")
    with pytest.raises(ValueError, match="expected one of the classes a, b, got 'c'"):
        painter.paint(image, "c", "title")
    with pytest.raises(ImageReadError, match=r"none\.png"):
        painter.paint(tmp_path / "none.png", "a", "title")
    network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2)
    save_weights(tmp_path / "s.safetensors", network, ["a", "b"], KEPT, several_labels=True)
    with pytest.raises(ValueError, match="one label an image"):
        load_painter(tmp_path / "s.safetensors")
