import io
import sys
import threading

import numpy as np
import pytest
import torch

from monai_medmamba.inference import ImageClassifier, Preprocessing, find_pictures, load_classifier, predict

PREPARE = Preprocessing(32, (0.5,) * 3, (0.25,) * 3)


@pytest.fixture
def images(folder):
    """Four pictures with a bad file between them."""
    (folder / "b" / "0.png").write_text("<html>")
    (folder / "a" / "2.png").write_bytes(b"")
    return find_pictures([folder])[0]


@pytest.mark.parametrize("batch_size", [1, 2, 16])
@pytest.mark.parametrize("readers", [1, 3])
def test_bad_files_are_passed_over(weights, network, images, batch_size, readers):
    classifier = load_classifier(weights, device="cpu")
    outcome = predict(classifier, images, batch_size=batch_size, readers=readers)
    good = [image for image in images if not image.endswith(("0.png", "2.png"))]
    assert outcome.predictions.images == good
    assert outcome.predictions.class_names == ["normal", "polyp", "höhle"]
    for image, row in zip(good, outcome.predictions.probabilities, strict=True):
        alone = network(classifier.preprocessing.read(image)[None]).softmax(dim=1)[0].detach()
        assert row == pytest.approx(alone.numpy(), abs=1e-6)
    assert [failure.image for failure in outcome.failures] == [image for image in images if image not in good]
    assert outcome.failures[0].reason == "the file is empty. Copy or download it again."
    assert outcome.failures[1].reason.startswith("it is a web page")


def test_no_file_is_good(weights, tmp_path):
    outcome = predict(load_classifier(weights, device="cpu"), [str(tmp_path / "missing.png")])
    assert (outcome.predictions.images, outcome.predictions.probabilities.shape) == ([], (0, 3))
    assert "No such file" in outcome.failures[0].reason


def test_an_unforeseen_error_is_the_file_s_own(images, weights, monkeypatch):
    classifier = load_classifier(weights, device="cpu")
    read = Preprocessing.read

    def stumble(self, path, window):
        if path.endswith("c.tif"):
            raise MemoryError("too large")
        return read(self, path, window)

    monkeypatch.setattr(Preprocessing, "read", stumble)
    outcome = predict(classifier, images)
    assert len(outcome.predictions.images) == 3
    assert outcome.failures[-1] == (images[-1], "MemoryError: too large")


def test_reads_ahead_but_not_far(monkeypatch):
    lock, unused, most = threading.Lock(), 0, 0

    def read(self, path, window):
        nonlocal unused, most
        with lock:
            unused += 1
            most = max(most, unused)
        return torch.zeros(3, 32, 32)

    def logits(batch):
        nonlocal unused
        with lock:
            unused -= len(batch)
        return torch.zeros(len(batch), 2)

    monkeypatch.setattr(Preprocessing, "read", read)
    outcome = predict(ImageClassifier("w", ("a", "b"), PREPARE, logits), [str(i) for i in range(50)], batch_size=4)
    assert outcome.predictions.images == [str(i) for i in range(50)]
    assert 4 <= most <= 12


def test_the_window_reaches_the_files(tmp_path):
    pytest.importorskip("pydicom", reason="DICOM files need pydicom")
    from testing.dicom_files import write_dicom

    path = str(write_dicom(tmp_path / "ct.dcm", np.full((32, 32), 40, dtype=np.int16)))
    means = []

    def logits(batch):
        means.append(batch.mean().item())
        return torch.zeros(len(batch), 2)

    classifier = ImageClassifier("w", ("a", "b"), Preprocessing(32, (0.0,) * 3, (1.0,) * 3), logits)
    assert "carries no window" in predict(classifier, [path]).failures[0].reason
    assert predict(classifier, [path], window=(40.5, 81)).failures == []
    assert means == [pytest.approx(0.5, abs=0.501 / 255)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "progress"), [(Terminal, True), (Terminal, False), (io.StringIO, True)])
def test_a_bar_on_a_terminal_alone(weights, images, monkeypatch, stream, progress):
    monkeypatch.setattr(sys, "stderr", stream())
    predict(load_classifier(weights, device="cpu"), images, progress=progress)
    shown = sys.stderr.getvalue()
    assert ("6/6" in shown) == (stream is Terminal and progress)
    assert shown == "" or "6/6" in shown


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"readers": 0}])
def test_invalid_arguments(weights, wrong):
    with pytest.raises(ValueError, match="at least 1"):
        predict(load_classifier(weights, device="cpu"), [], **wrong)
