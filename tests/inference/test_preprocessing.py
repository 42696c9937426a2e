import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from monai_medmamba.inference import Preprocessing
from monai_medmamba.transforms import ImageReadError, decode_dicom
from testing.bundles import ROOT
from testing.dicom_files import write_dicom

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize("image_size", [32, 64, 128])
def test_is_the_bundle_s(picture, image_size):
    config = ConfigParser.load_config_file(ROOT / "bundles" / "medmamba_endo" / "configs" / "inference.json")
    kept = {"imports": config["imports"], "preprocessing": config["preprocessing"]}
    parser = ConfigParser({**kept, "image_size": image_size, "mean": list(MEAN), "std": list(STD)})
    parser.get_parsed_content("imports")
    expected = parser.get_parsed_content("preprocessing")({"image": str(picture)})["image"]
    found = Preprocessing(image_size, MEAN, STD).read(picture)
    assert type(found) is torch.Tensor
    assert found.dtype == torch.float32
    assert torch.equal(found, torch.as_tensor(expected))


def test_dicom(tmp_path):
    pytest.importorskip("pydicom", reason="DICOM files need pydicom")
    grey = np.random.default_rng(0).integers(0, 2000, (32, 32)).astype(np.int16)
    path = write_dicom(tmp_path / "a.png", grey, WindowCenter=500, WindowWidth=1000)  # content decides, not the name
    plain, level = Preprocessing(32, (0.0,) * 3, (1.0,) * 3), 1 / 255
    assert plain.read(path).numpy() == pytest.approx(decode_dicom(path), abs=0.501 * level)
    assert plain.read(path, (1000, 2001)).numpy() == pytest.approx(decode_dicom(path, (1000, 2001)), abs=0.501 * level)


@pytest.mark.parametrize("content", [None, b"", b"<html>", bytes(128) + b"DICM"])
def test_errors_name_the_file(tmp_path, content):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageReadError, match=r"a\.png"):
        Preprocessing(32, MEAN, STD).read(path)


def test_description_and_back():
    description = {"image_size": 32, "mean": list(MEAN), "std": list(STD)}
    assert Preprocessing.from_description({**description, "more": 1}) == Preprocessing(32, MEAN, STD)
    assert Preprocessing(32, MEAN, STD).describe() == description


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": None}, "lacks image_size"),
        ({"image_size": None, "std": None}, "lacks image_size, std"),
        ({"image_size": 0}, "image size in whole pixels, got 0"),
        ({"image_size": 32.5}, r"got 32\.5"),
        ({"image_size": [32, 32]}, "whole pixels"),
        ({"image_size": True}, "whole pixels"),
        ({"mean": 0.5}, "as lists of 3 numbers"),
        ({"mean": [0.5]}, "3 numbers as mean"),
        ({"mean": [0.5, 0.5, float("nan")]}, "3 numbers as mean"),
        ({"std": [0.5, 0.5, 0]}, "3 positive numbers as std"),
        ({"std": ["1", "1", "1"]}, "3 positive numbers as std"),
    ],
)
def test_invalid_arguments(changes, message):
    description = {"image_size": 32, "mean": list(MEAN), "std": list(STD), **changes}
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_description({key: value for key, value in description.items() if value is not None})
