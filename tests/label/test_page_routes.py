import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from testing.label_server import CLASSES

pytestmark = pytest.mark.label
MODEL, IMAGE = "medmamba_test", "image-000.png"
API = "/medmamba/api"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/picture?image=nope", 404),
        ("GET", "/picture?image=..%2Fx.png", 404),
        ("GET", f"/picture?image={IMAGE}&center=a&width=1", 422),
        ("GET", f"/picture?image={IMAGE}&center=1&width=0", 422),
        ("GET", "/prediction?image=nope", 404),
        ("GET", f"/prediction?image={IMAGE}&model=nope", 404),
        ("GET", f"/heat?image={IMAGE}&class_name=cat", 422),
        ("GET", f"/heat?image={IMAGE}", 422),
        ("GET", "/queue?strategy=nope", 404),
        ("GET", "/queue?model=nope", 404),
        ("PUT", "/label", 422),
        ("GET", "/nothing", 404),
    ],
)
def test_wrong_requests_get_clear_answers(unchanged, method, address, status):
    answer = unchanged[0].request(method, API + address)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_state(unchanged):
    state = unchanged[0].get(f"{API}/state").json()
    assert state["training"] is None
    assert state["models"][0]["name"] == MODEL
    assert state["models"][0]["class_names"] == list(CLASSES)
    assert state["strategies"][0]["name"] == "random"


def test_picture_prediction_and_heat(unchanged):
    client, label = unchanged
    picture = np.asarray(Image.open(io.BytesIO(client.get(f"{API}/picture?image={IMAGE}").content)))
    assert (picture == np.asarray(Image.open(label.datastore().get_image_uri(IMAGE)))).all()
    assert client.get(f"{API}/prediction?image={IMAGE}").json()["model"] == MODEL
    heat = Image.open(io.BytesIO(client.get(f"{API}/heat?image={IMAGE}&class_name=polyps").content))
    assert (heat.size, heat.mode) == ((32, 32), "RGBA")


def test_labels_and_the_queue(client):
    first = client.get(f"{API}/queue?strategy=entropy").json()
    assert len(first["queue"]) == 9
    image = first["queue"][0]["id"]
    answer = client.put(f"{API}/label", json={"image": image, "model": MODEL, "labels": ["polyps"]})
    assert answer.status_code == 200
    then = client.get(f"{API}/queue?strategy=entropy").json()
    assert then["labels"] == {image: ["polyps"]}
    assert [entry["id"] for entry in then["queue"]] == [entry["id"] for entry in first["queue"][1:]]
    for labels in (["cat"], [], ["polyps", "normal-cecum"]):
        wrong = client.put(f"{API}/label", json={"image": image, "model": MODEL, "labels": labels})
        assert wrong.status_code == 422
    assert client.put(f"{API}/label", json={"image": "x", "model": MODEL, "labels": ["polyps"]}).status_code == 404


def test_without_weights_the_queue_says_so(client, label):
    (label.model(MODEL).bundle.weights()).unlink()
    found = client.get(f"{API}/queue?strategy=margin").json()
    assert found["strategy"] == "random"
    assert "no trained model" in found["note"]
    assert client.get(f"{API}/prediction?image={IMAGE}").status_code == 409
