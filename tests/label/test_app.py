import base64
import os

import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from monai_medmamba.label.app import MedMambaLabelApp, checked_window
from monai_medmamba.label.background_jobs import Job
from monai_medmamba.label.request_error import RequestError
from testing.label_server import CLASSES, make_bundle

pytestmark = pytest.mark.label
MODEL, IMAGE = "medmamba_test", "image-000.png"


def test_tells_what_it_has(label):
    info = label.info()
    assert info["labels"] == list(CLASSES)
    assert list(info["models"]) == list(info["trainers"]) == [MODEL]
    assert list(info["strategies"]) == ["random", "least_confidence", "margin", "entropy", "coreset"]
    assert list(info["scoring"]) == ["agreement"]
    assert info["datastore"]["total"] == 9


def test_serves_several_bundles(tmp_path, studies):
    bundles = [str(make_bundle(tmp_path / "bundles", name)) for name in ("one", "two")]
    label = MedMambaLabelApp(str(tmp_path / "app"), str(studies), {"models": ", ".join(bundles)})
    assert list(label.info()["models"]) == ["one", "two"]
    with pytest.raises(RequestError, match="of different names"):
        MedMambaLabelApp(str(tmp_path / "app"), str(studies), {"models": ",".join([bundles[0]] * 2)})


def test_a_bundle_without_weights_can_be_trained_only(tmp_path, studies):
    bundle = make_bundle(tmp_path / "bundles", weights=False)
    label = MedMambaLabelApp(str(tmp_path / "app"), str(studies), {"models": str(bundle)})
    info = label.info()
    assert (list(info["models"]), list(info["trainers"])) == ([], [MODEL])
    assert label.model_file(MODEL) is None
    assert label.scoring({"method": "agreement"}) == {}
    with pytest.raises(RequestError, match="no weights yet"):
        label.infer({"model": MODEL, "image": IMAGE})


def test_infers(label):
    params = label.infer({"model": MODEL, "image": IMAGE, "cam": True})["params"]
    assert params["label_names"] == list(CLASSES)
    assert sum(params["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert set(params["scores"]) == set(CLASSES)
    assert params["calibrated"]
    assert params["cam"]["class"] == params["labels"][0]
    assert base64.b64decode(params["cam"]["png"])[1:4] == b"PNG"
    assert not (label.datastore().folder / "labels").exists()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"model": "nope", "image": IMAGE}, 404),
        ({"model": MODEL, "image": "nope.png"}, 404),
        ({"model": MODEL, "image": os.__file__}, 404),
        ({"model": MODEL, "image": "../studies/" + IMAGE}, 404),
        ({"model": MODEL, "image": IMAGE, "cam": "magic"}, 422),
        ({"model": MODEL, "image": IMAGE, "cam": True, "cam_class": "cat"}, 422),
        ({"model": MODEL, "image": IMAGE, "window": [40, 0]}, 422),
        ({"model": MODEL, "image": IMAGE, "window": "wide"}, 422),
        ({"model": MODEL, "image": IMAGE, "save_label": True, "label_tag": "../x"}, 422),
    ],
)
def test_refuses_wrong_requests(label, request_, status):
    with pytest.raises(RequestError) as caught:
        label.infer(request_)
    assert caught.value.status == status


def test_batch_inference_keeps_what_the_model_says(label):
    store = label.datastore()
    (store.folder / "broken.png").write_bytes(b"x")
    job = Job("batch_infer", {})
    results = label.batch_infer({"model": MODEL, "images": "all"}, job=job)
    assert "error" in results.pop("broken.png")
    assert job.progress == {"done": 10, "images": 10}
    said = {image: tuple(found["labels"]) for image, found in results.items()}
    assert store.labels_of(label.model(MODEL), "original") == (said, {})
    assert store.get_labeled_images() == []
    assert len(label.batch_infer({"model": MODEL, "images": "unlabeled", "max_batch_size": 2})) == 2
    assert label.batch_infer({"model": MODEL, "images": "labeled"}) == {}
    job.stop()
    assert label.batch_infer({"model": MODEL, "images": "all"}, job=job) == {}


def test_windows():
    assert checked_window(None) is None
    assert checked_window(["40", 400]) == (40, 400)
