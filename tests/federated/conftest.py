"""Two hospitals with the same classes and other numbers of images, small enough to train in seconds."""

from pathlib import Path

import pytest

from testing.bundles import ROOT, class_folders

NAMES = ["bright", "dark", "middle"]


@pytest.fixture(scope="session")
def bundle() -> Path:
    return ROOT / "bundles" / "medmamba_endo"


@pytest.fixture(scope="session")
def settings() -> dict[str, object]:
    """Of a network that is trained in seconds."""
    return {"variant": "nano", "image_size": 32, "batch_size": 8, "num_workers": 1, "log_interval": 1}


@pytest.fixture(scope="session")
def sites(tmp_path_factory) -> dict[str, Path]:
    """The north has 12 images a class, the south 6 of the dark one."""
    root = tmp_path_factory.mktemp("hospitals")
    for name in ("north", "south"):
        class_folders(root / name, ["dark", "middle", "bright"], count=12)
    for i in range(6, 12):
        (root / "south" / "dark" / f"{i}.png").unlink()
    return {name: root / name for name in ("north", "south")}
