import json
import logging
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader, MetaTensor, decollate_batch, set_track_meta
from monai.transforms import Compose, RandFlipd, Resized
from PIL import Image

import monai_medmamba.transforms
from monai_medmamba.transforms import ImageReadError, LoadRGB, LoadRGBd


@pytest.fixture
def mixed_folder(tmp_path):
    """Pictures of several kinds and one size, as they occur side by side."""
    rows = np.random.default_rng(0).integers(0, 256, (6, 10, 3), dtype=np.uint8)
    for mode, name in {"RGB": "a.png", "L": "b.jpg", "RGBA": "c.png", "CMYK": "d.tif", "P": "e.bmp"}.items():
        Image.fromarray(rows).convert(mode).save(tmp_path / name)
    return sorted(tmp_path.iterdir())


def test_shape(mixed_folder):
    for path in mixed_folder:
        image = LoadRGB()(path)
        assert isinstance(image, MetaTensor)
        assert image.shape == (3, 6, 10)
        assert image.dtype == torch.float32
        assert image.meta["filename_or_obj"] == str(path)
        assert image.meta["original_channel_dim"] == 0
        assert image.meta["spatial_shape"].tolist() == [6, 10]
        assert image.stride() == (1, 30, 3)  # the channels of a pixel lie together, which resizes faster


def test_other_entries_stay(mixed_folder):
    item = {"image": str(mixed_folder[0]), "label": 3, "patient": "p1"}
    loaded = LoadRGBd(keys="image")(item)
    assert (loaded["label"], loaded["patient"], item["image"]) == (3, "p1", str(mixed_folder[0]))
    with pytest.raises(KeyError):
        LoadRGBd(keys="image")({"label": 0})
    assert LoadRGBd(keys="image", allow_missing_keys=True)({"label": 0}) == {"label": 0}


def test_without_metadata(mixed_folder):
    set_track_meta(False)
    try:
        assert type(LoadRGB()(mixed_folder[0])) is torch.Tensor
    finally:
        set_track_meta(True)


def test_home_is_expanded(mixed_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(mixed_folder[0].parent))
    monkeypatch.setenv("USERPROFILE", str(mixed_folder[0].parent))
    assert LoadRGB()(os.path.join("~", "a.png")).meta["filename_or_obj"] == os.path.expanduser("~/a.png")


def test_cache_and_workers(mixed_folder):
    steps = Compose(
        [LoadRGBd(keys="image"), Resized(keys="image", spatial_size=(8, 8)), RandFlipd(keys="image", prob=0.0)]
    )
    items = [{"image": str(path), "label": i} for i, path in enumerate(mixed_folder)]
    cached = CacheDataset(items, steps, num_workers=2, progress=False)
    batch = next(iter(DataLoader(cached, batch_size=5, num_workers=2)))
    assert batch["image"].shape == (5, 3, 8, 8)
    assert batch["image"].meta["filename_or_obj"] == [str(path) for path in mixed_folder]
    single = decollate_batch(batch)[3]
    assert single["image"].meta["filename_or_obj"] == str(mixed_folder[3])


def test_from_configuration(mixed_folder):
    assert monai_medmamba.transforms is not None  # a bare name resolves once the package is imported
    parser = ConfigParser(json.loads('{"load": {"_target_": "LoadRGBd", "keys": "image"}}'))
    load = parser.get_parsed_content("load")
    assert type(load) is LoadRGBd
    assert load({"image": mixed_folder[0]})["image"].shape == (3, 6, 10)


def test_says_nothing(mixed_folder, caplog):
    caplog.set_level(logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in mixed_folder:
            LoadRGBd(keys="image")({"image": path})
    assert caplog.records == []


def test_error_names_the_file(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"<html>")
    with pytest.raises(ImageReadError, match=r"broken\.png"):
        LoadRGBd(keys="image")({"image": tmp_path / "broken.png"})
    with pytest.raises(RuntimeError) as raised:
        Compose([LoadRGBd(keys="image")])({"image": tmp_path / "broken.png"})
    assert isinstance(raised.value.__cause__, ImageReadError)


def test_pickles():
    assert pickle.loads(pickle.dumps(LoadRGBd(keys="image"))).keys == ("image",)


@pytest.mark.real_data
@pytest.mark.skipif("MEDMAMBA_DATA" not in os.environ, reason="MEDMAMBA_DATA names no folder of real images")
@pytest.mark.parametrize("folder", ["busi_256/normal", "mednist/Hand", "kvasir_seg_patches/val/polyp"])
def test_real_images(folder):
    paths = sorted((Path(os.environ["MEDMAMBA_DATA"]) / folder).iterdir())[:20]
    for path in paths:
        image = LoadRGB()(path)
        with Image.open(path) as picture:
            assert image.shape == (3, picture.height, picture.width)
        assert 0 <= image.min() < image.max() <= 1
