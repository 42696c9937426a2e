import os

import numpy as np
import pytest

from monai_medmamba.inference import load_classifier
from monai_medmamba.label.label_bundle import find_bundle
from monai_medmamba.label.request_error import RequestError
from monai_medmamba.label.served_model import ServedModel
from monai_medmamba.transforms import ImageReadError
from testing.label_server import CLASSES, make_bundle, write_weights


def picture(studies, number=0):
    return str(sorted(studies.iterdir())[number])


def test_predicts_as_the_classifier_does(model, studies):
    found = model.predict(picture(studies))
    classifier = load_classifier(model.weights, device="cpu")
    expected = classifier(classifier.preprocessing.read(picture(studies))[None])[0]
    assert list(found.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-6)
    assert found.labels == (CLASSES[int(expected.argmax())],)
    assert found.calibrated
    scores = np.array(list(found.scores.values())) / 1.5  # the temperature of the weights
    assert list(found.probabilities.values()) == pytest.approx(np.exp(scores) / np.exp(scores).sum(), abs=1e-5)


def test_several_labels(model, studies):
    write_weights(model.folder / "model.safetensors", several=True)
    found = model.predict(picture(studies))
    assert model.several_labels
    assert found.labels == tuple(name for name, p in found.probabilities.items() if p >= 0.5)
    assert sum(found.probabilities.values()) != pytest.approx(1, abs=1e-3)


def test_weights_trained_here_go_before_those_of_the_bundle(model, studies):
    before = model.predict(picture(studies)).probabilities
    write_weights(model.folder / "model.safetensors", seed=1)
    after = model.predict(picture(studies)).probabilities
    assert before != after
    kept = model.set_aside()
    assert kept.is_file()
    assert model.predict(picture(studies)).probabilities == before
    with pytest.raises(RequestError, match="no weights of its own") as caught:
        model.set_aside()
    assert caught.value.status == 404


def test_without_weights_it_says_what_to_do(tmp_path, studies):
    model = ServedModel(find_bundle(str(make_bundle(tmp_path, weights=False))), tmp_path / "own")
    assert model.class_names == CLASSES
    with pytest.raises(RequestError, match="label some images and train") as caught:
        model.predict(picture(studies))
    assert caught.value.status == 409


def test_an_image_that_cannot_be_read(model, studies):
    (studies / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ImageReadError):
        model.predict(studies / "broken.png")


@pytest.mark.parametrize("method", ["gradcam", "hirescam", "scan"])
def test_explains(model, studies, method):
    name, heat = model.explain(picture(studies), "polyps", method)
    assert name == "polyps"
    assert heat.shape == (32, 32)
    assert heat.dtype == np.float32
    assert 0 <= heat.min() <= heat.max() <= 1
    assert model.explain(picture(studies), method=method)[0] == model.predict(picture(studies)).labels[0]


def test_explains_no_other_class_or_method(model, studies):
    with pytest.raises(RequestError, match="expected one of the methods"):
        model.explain(picture(studies), method="magic")
    with pytest.raises(RequestError, match="expected one of normal-cecum"):
        model.explain(picture(studies), "cat")


def test_a_table_is_kept_until_weights_or_pictures_change(model, studies):
    paths = [picture(studies, number) for number in range(3)]
    assert not model.is_kept(paths[0], "probabilities")
    first = model.table([*paths, str(studies / "missing.png")], "probabilities")
    assert list(first) == paths
    assert model.is_kept(paths[0], "probabilities")
    assert not model.is_kept(paths[0], "features")
    assert model.table(paths, "features")[paths[0]].shape == (256,)
    assert model.table(paths, "probabilities")[paths[0]] is first[paths[0]]
    os.utime(paths[0], ns=(1, 1))
    assert not model.is_kept(paths[0], "probabilities")
    write_weights(model.folder / "model.safetensors", seed=1)
    assert not np.allclose(model.table(paths, "probabilities")[paths[1]], first[paths[1]])


def test_takes_new_weights_into_use(model, tmp_path):
    model.publish(write_weights(tmp_path / "new.safetensors", seed=3, temperature=2.0))
    assert model.weights == model.folder / "model.safetensors"
    assert model.load().temperature == 2
    model.publish(tmp_path / "new.safetensors", trust_calibration=False)
    assert (model.load().temperature, model.load().calibrated) == (1, False)


def test_takes_no_other_weights(model, tmp_path):
    (tmp_path / "broken.pt").write_bytes(b"nothing")
    for path, message in (
        (write_weights(tmp_path / "w.safetensors", ["a", "b", "c"]), "of the classes"),
        (tmp_path / "broken.pt", "cannot be used"),
        (tmp_path / "missing.safetensors", "cannot be used"),
    ):
        with pytest.raises(RequestError, match=message) as caught:
            model.publish(path)
        assert caught.value.status == 422
    assert model.weights == model.bundle.weights()
