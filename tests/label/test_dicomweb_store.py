import logging

import numpy as np
import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from monai_medmamba.label.app import MedMambaLabelApp
from monai_medmamba.label.dicomweb_store import DicomWebStore
from monai_medmamba.label.image_label import ImageLabel
from monai_medmamba.label.request_error import RequestError
from testing.dicom_patients import SECRETS, write_patient
from testing.dicomweb_server import dicomweb_server
from testing.label_server import CLASSES, make_bundle

pytestmark = pytest.mark.label
MODEL = "medmamba_test"


@pytest.fixture
def server(tmp_path):
    """A server with twelve radiographs, a slice of a CT, and a report."""
    with dicomweb_server() as server:
        for number in range(1, 13):
            server.add(write_patient(tmp_path / "dicom" / f"{number}", series=str(1 + number // 5), number=number))
        server.add(write_patient(tmp_path / "dicom" / "ct", series="8", Modality="CT"))
        server.add(write_patient(tmp_path / "dicom" / "sr", series="9", Modality="SR"))
        yield server


def test_lists_what_the_server_has(server, tmp_path):
    store = DicomWebStore(server.address, tmp_path / "kept", ["CR"])
    assert store.wait(60)
    assert len(store.list_images()) == 12
    assert store.list_images()[0] == "1.2.826.0.1.1.1.dcm"
    everything = DicomWebStore(server.address, tmp_path / "all")
    assert everything.wait(60)
    assert len(everything.list_images()) == 13  # but for the report


def test_keeps_what_it_has_and_fetches_what_is_new(server, tmp_path):
    assert DicomWebStore(server.address, tmp_path / "kept", ["CR"]).wait(60)
    server.asked.clear()
    server.add(write_patient(tmp_path / "dicom" / "new", number=99))
    store = DicomWebStore(server.address, tmp_path / "kept", ["CR"])
    assert store.wait(60)
    assert len(store.list_images()) == 13
    assert sum("/instances/" in path for path in server.asked) == 1


@pytest.mark.parametrize("image", ["../x.dcm", "", ".", "1.2.826.0.1.1.1", "instances", "/etc/passwd", "*.dcm"])
def test_nothing_else_is_an_image(server, tmp_path, image):
    store = DicomWebStore(server.address, tmp_path / "kept", ["CR"])
    assert store.wait(60)
    with pytest.raises(RequestError, match="there is no image"):
        store.get_image_uri(image)
    with pytest.raises(RequestError, match="there is no image"):
        store.store_labels(image, [ImageLabel("m", ("a",))])


def test_the_server_is_not_written_to(server, tmp_path):
    store = DicomWebStore(server.address, tmp_path / "kept", ["CR"])
    assert store.wait(60)
    with pytest.raises(RequestError, match="DICOMweb") as caught:
        store.add_image("x.dcm", "x", {})
    assert caught.value.status == 405
    with pytest.raises(RequestError, match="DICOMweb"):
        store.remove_image(store.list_images()[0])


def test_a_server_that_cannot_be_had_is_told(tmp_path, caplog):
    with caplog.at_level(logging.ERROR):
        store = DicomWebStore("http://user:secret@127.0.0.1:1/dicom-web", tmp_path)
        assert store.wait(60)
    assert "cannot be fetched" in caplog.text
    assert "secret" not in caplog.text + store.name()


def test_infers_and_trains_on_studies_of_a_server(server, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    conf = {"models": str(make_bundle(tmp_path / "bundles")), "device": "cpu", "modality": "CR, DX"}
    with caplog.at_level(logging.DEBUG):
        label = MedMambaLabelApp(str(tmp_path / "app"), server.address + "/", conf)
        store = label.datastore()
        assert store.wait(60)
        images = store.list_images()
        wide = label.infer({"model": MODEL, "image": images[0]})["params"]
        assert sum(wide["probabilities"].values()) == pytest.approx(1)
        narrow = label.infer({"model": MODEL, "image": images[0], "window": [20, 30]})["params"]
        assert narrow["scores"] != wide["scores"]
        for number, image in enumerate(images):
            store.store_labels(image, [ImageLabel(MODEL, (CLASSES[number % 3],))])
        result = label.train({"model": MODEL, "max_epochs": 1})
        assert label.next_sample({"strategy": "margin"}) == {}
    assert (result["training"], result["validation"]) == (9, 3)
    assert np.isfinite(result["after"]["all"]["log_loss"])
    assert not [secret for secret in SECRETS if secret in caplog.text]
