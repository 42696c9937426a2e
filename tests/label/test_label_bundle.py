import json

import pytest

from monai_medmamba.label.label_bundle import find_bundle
from monai_medmamba.label.request_error import RequestError
from testing.label_server import CLASSES, ROOT, make_bundle


def test_finds_by_path_and_by_name(tmp_path):
    root = make_bundle(tmp_path)
    for found in (find_bundle(str(root)), find_bundle("medmamba_test", [tmp_path])):
        assert (found.name, found.root, found.class_names) == ("medmamba_test", root, CLASSES)
        assert found.weights() == root / "models" / "model.safetensors"
        assert found.training_config.is_file()


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (ROOT / "bundles").iterdir() if path.name != "medmamba_ct3d")
)
def test_serves_every_bundle_of_pictures(name):
    assert len(find_bundle(name).class_names) >= 2


def test_refuses_volumes():
    with pytest.raises(RequestError, match="classifies pictures"):
        find_bundle("medmamba_ct3d")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(RequestError, match=r"medmamba_endo.*got 'nope'"):
        find_bundle("nope")


@pytest.mark.parametrize("content", ["", "{}", '{"network_data_format": {"inputs": 1}}', "[]"])
def test_refuses_broken_metadata(tmp_path, content):
    root = make_bundle(tmp_path)
    (root / "configs" / "metadata.json").write_text(content)
    with pytest.raises(RequestError, match="channel_def"):
        find_bundle(str(root))


def test_an_image_may_have_several_labels(tmp_path):
    path = make_bundle(tmp_path) / "configs" / "inference.json"
    content = json.loads(path.read_text("utf-8"))
    content["untrained"]["several_labels"] = True
    path.write_text(json.dumps(content))
    assert find_bundle("medmamba_test", [tmp_path]).several_labels
