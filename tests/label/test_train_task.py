import json
import threading
import time

import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from monai_medmamba.label.background_jobs import BackgroundJobs, Job
from monai_medmamba.label.image_label import ImageLabel
from monai_medmamba.label.image_store import ImageStore
from monai_medmamba.label.request_error import RequestError
from monai_medmamba.label.train_task import FineTune, read_record
from testing.label_server import make_studies, write_weights

pytestmark = pytest.mark.label


@pytest.fixture
def store(tmp_path, model, monkeypatch):
    """Twelve images, every one with its label."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    truth = make_studies(tmp_path / "studies", 4)
    store = ImageStore(tmp_path / "studies")
    for image, name in truth.items():
        store.store_labels(image, [ImageLabel(model.name, (name,))])
    return store


def test_trains_from_the_weights_in_use_and_takes_the_result_into_use(model, store):
    (store.folder / "labels" / "final" / "image-000.png.json").write_text("malformed")
    job = Job("train", {})
    result = FineTune(model).train({"max_epochs": 3, "batch_size": 8}, store, job)
    assert model.weights == model.folder / "model.safetensors"
    assert (result["images"], result["training"], result["validation"]) == (11, 8, 3)
    assert list(result["malformed"]) == ["image-000.png"]
    assert not result["calibrated"]  # three images say nothing about a temperature
    assert result["after"]["all"]["log_loss"] != result["before"]["all"]["log_loss"]
    assert job.progress["epoch"] == job.progress["epochs"] == 3
    assert job.progress["loss"] > 0
    record = read_record(model)
    assert len(record["validation_images"]) == 3
    assert FineTune(model).stats()["images"] == 11
    again = FineTune(model)({"max_epochs": 1, "from_scratch": True}, store)
    assert set(record["validation_images"]) <= set(read_record(model)["validation_images"])
    assert again["from_scratch"]
    assert model.bundle.weights().is_file()


def test_several_labels(model, store):
    write_weights(model.folder / "model.safetensors", several=True)
    store.store_labels("image-000.png", [ImageLabel(model.name, ("polyps", "normal-cecum"))])
    store.store_labels("image-001.png", [ImageLabel(model.name, ())])
    result = FineTune(model).train({"max_epochs": 1}, store, Job("train", {}))
    assert result["images"] == 12
    assert model.several_labels


def test_a_training_that_fails_leaves_the_weights(model, store):
    config = model.bundle.training_config
    content = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps({**content, "run": ["$1 / 0"], "training": ["$1 / 0"]}))
    before = model.weights.read_bytes()
    with pytest.raises(RuntimeError, match=r"the training failed.*training\.log"):
        FineTune(model).train({"max_epochs": 1}, store, Job("train", {}))
    assert model.weights == model.bundle.weights()
    assert model.weights.read_bytes() == before


def test_stops(model, store):
    jobs = BackgroundJobs()
    job = jobs.submit("train", {}, lambda job: FineTune(model).train({"max_epochs": 1000}, store, job))
    threading.Timer(1, job.stop).start()
    started = time.monotonic()
    assert jobs.wait("train", 60)
    assert job.status == "STOPPED"
    assert "was stopped" in job.result["error"]
    assert time.monotonic() - started < 30
    assert model.weights == model.bundle.weights()


@pytest.mark.parametrize(
    "request_",
    [
        {"max_epochs": 0}, {"max_epochs": "3"}, {"max_epochs": True}, {"max_epochs": 10**6}, {"batch_size": 0},
        {"learning_rate": 0}, {"learning_rate": float("nan")}, {"seed": -1}, {"from_scratch": 1},
    ],
)  # fmt: skip
def test_refuses_settings(model, store, request_):
    with pytest.raises(RequestError, match=f"expected {next(iter(request_))}") as caught:
        FineTune(model).train(request_, store, Job("train", {}))
    assert caught.value.status == 422


def test_refuses_too_few_labels(model, studies):
    store = ImageStore(studies)
    with pytest.raises(RequestError, match="at least 3"):
        FineTune(model).train({}, store, Job("train", {}))
    for number in range(4):
        store.store_labels(f"image-00{number}.png", [ImageLabel(model.name, ("polyps",))])
    with pytest.raises(RequestError, match="two classes") as caught:
        FineTune(model).train({}, store, Job("train", {}))
    assert caught.value.status == 409
