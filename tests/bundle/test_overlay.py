import json

import pytest

from monai_medmamba.bundle import find_overlay, list_overlays
from testing.bundles import BUNDLES

OVERLAYS = list_overlays()


def test_the_bundles_have_the_overlay_for_several_processes_itself():
    content = find_overlay("multi_gpu_train").path.read_bytes()
    for bundle in BUNDLES:
        assert (bundle / "configs" / "multi_gpu_train.json").read_bytes() == content


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.name)
@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_what_it_changes_is_there(overlay, bundle):
    """A key with ``#`` or ``+`` reaches into a section that the bundle must have."""
    changes = json.loads(overlay.path.read_text())
    config = json.loads((bundle / "configs" / changes.get("_config_", "train.json")).read_text())
    for key in changes:
        *parents, last = key.lstrip("+").split("#")
        section = config
        for name in parents:
            section = section[int(name)] if isinstance(section, list) else section[name]
        if key.startswith("+"):
            assert isinstance(section[last], list | dict), key


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.name)
def test_form(overlay):
    text = overlay.path.read_text()
    assert text == json.dumps(json.loads(text), indent=4, ensure_ascii=False) + "\n"
    assert overlay.purpose
    assert not overlay.purpose.endswith(".")


def test_invalid_arguments():
    with pytest.raises(ValueError, match=r"one of .*multi_gpu_train.*; got ../x"):
        find_overlay("../x")
