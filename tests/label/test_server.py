import json
import time

import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

import requests

from testing.dicom_patients import SECRETS, write_patient
from testing.label_server import label_server, make_bundle, make_studies

pytestmark = pytest.mark.label
MODEL = "medmamba_test"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the real server, its folder, and the truth of its 36 images."""
    folder = tmp_path_factory.mktemp("server")
    truth = make_studies(folder / "studies", 12)
    bundle = make_bundle(folder / "bundles")
    with label_server(folder, folder / "studies", str(bundle), "--conf", "device", "cpu") as address:
        yield address, folder, truth


def agreement(address):
    found = requests.post(f"{address}/scoring/agreement?run_sync=true", json={}, timeout=60).json()
    return found[MODEL]


def test_the_stock_command_serves_our_routes(server):
    address, folder, _ = server
    info = requests.get(f"{address}/info/", timeout=10).json()
    assert list(info["models"]) == [MODEL]
    log = (folder / "server.log").read_text("utf-8")
    assert "the reading page is at /medmamba/" in log
    assert "operator torchvision" not in log


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("POST", f"/infer/{MODEL}?image=nope.png", 404),
        ("POST", f"/infer/{MODEL}?image=..%2Fserver.log", 404),
        ("POST", "/infer/nope?image=image-000.png", 404),
        ("GET", "/datastore/image?image=%2Fetc%2Fpasswd", 404),
        ("GET", "/datastore/label?label=image-000.png&tag=..%2F..", 422),
        ("POST", "/train/..%2F..%2Fx", 404),
        ("GET", "/medmamba/..%2f..%2fmain.py", 404),
        ("GET", "/medmamba/%2e%2e/app.py", 404),
        ("GET", "/static/ohif/index.html", 404),
        ("GET", "/proxy/dicom/wado/x", 404),
    ],
)
def test_wrong_requests_get_clear_answers(server, method, address, status):
    answer = requests.request(method, server[0] + address, timeout=10)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_no_word_of_a_patient_reaches_the_log(server):
    address, folder, _ = server
    write_patient(folder / "studies" / "patient.dcm")
    for path in (f"/infer/{MODEL}?image=patient.dcm", "/activelearning/margin"):
        assert requests.post(address + path, timeout=60).status_code == 200
    for part in ("picture", "window"):
        assert requests.get(f"{address}/medmamba/api/{part}?image=patient.dcm", timeout=10).status_code == 200
    (folder / "studies" / "patient.dcm").unlink()
    said = (folder / "server.log").read_text("utf-8") + (folder / "app" / "logs" / "app.log").read_text("utf-8")
    assert not [secret for secret in SECRETS if secret in said]


def test_pages_of_others_are_refused(server):
    answer = requests.get(f"{server[0]}/info/", headers={"Origin": "http://evil.example"}, timeout=10)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_infer_correct_train_and_the_score_moves(server):
    address, folder, truth = server
    assert agreement(address)["all"]["images"] == 0
    asked = []
    while len(asked) < 24:  # as a reader does who follows the model's own doubts
        image = requests.post(f"{address}/activelearning/margin", json={}, timeout=60).json()["id"]
        found = requests.post(f"{address}/infer/{MODEL}?image={image}", timeout=30).json()
        assert set(found["probabilities"]) == set(truth.values())
        files = {"label": ("label.json", json.dumps({"label": truth[image]}))}
        assert requests.put(f"{address}/datastore/label?image={image}", files=files, timeout=10).status_code == 200
        asked.append(image)
    assert len(set(asked)) == 24
    malformed = folder / "studies" / "labels" / "final" / f"{asked[0]}.json"
    malformed.write_text("not JSON")

    before = agreement(address)
    assert before["all"]["images"] == 23
    assert list(before["malformed"]) == [asked[0]]
    started = requests.post(f"{address}/train/{MODEL}", json={"max_epochs": 25}, timeout=10).json()
    assert started["status"] in ("SUBMITTED", "RUNNING")
    assert requests.post(f"{address}/train/{MODEL}", timeout=10).status_code == 429
    epochs = set()
    while True:
        job = requests.get(f"{address}/train/", timeout=10).json()
        epochs.add(job["progress"].get("epoch"))
        # The server answers while it trains.
        assert requests.post(f"{address}/infer/{MODEL}?image={asked[1]}", timeout=60).status_code == 200
        if job["status"] not in ("SUBMITTED", "RUNNING"):
            break
        time.sleep(0.2)
    assert job["status"] == "DONE", job["result"]
    assert len(epochs) > 2
    assert list(job["result"]["malformed"]) == [asked[0]]
    after = agreement(address)
    assert after["all"]["log_loss"] < before["all"]["log_loss"]
    assert after["all"]["accuracy"] > before["all"]["accuracy"]
    assert after["validation"]["images"] == job["result"]["validation"] > 0
    assert malformed.read_text() == "not JSON"
    assert (
        requests.get(f"{address}/model/{MODEL}", timeout=10).content
        == (folder / "app" / "model" / MODEL / "model.safetensors").read_bytes()
    )
