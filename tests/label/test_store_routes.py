import io
import json
import zipfile

import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

pytestmark = pytest.mark.label
MODEL, IMAGE = "medmamba_test", "image-000.png"
AWAY = "..%2F..%2Fsecret.png"


def put(client, content, image=IMAGE, **query):
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return client.put("/datastore/label", params={"image": image, **query}, files={"label": ("x.json", text)})


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/datastore/?output=secrets", 422),
        ("GET", f"/datastore/image?image={AWAY}", 404),
        ("HEAD", "/datastore/image?image=nope", 404),
        ("GET", "/datastore/image", 422),
        ("GET", "/datastore/image/info?image=nope", 404),
        ("PUT", "/datastore/image/info?image=nope", 404),
        ("DELETE", f"/datastore/image?id={AWAY}", 404),
        ("PUT", "/datastore/image", 422),
        ("GET", f"/datastore/label?label={IMAGE}&tag=final", 404),
        ("GET", f"/datastore/label?label={IMAGE}&tag=..%2Fx", 422),
        ("GET", f"/datastore/label?label={AWAY}&tag=final", 404),
        ("GET", f"/datastore/label/info?label={IMAGE}&tag=final", 404),
        ("DELETE", f"/datastore/label?id={AWAY}&tag=final", 404),
        ("DELETE", f"/datastore/label?id={IMAGE}&tag=final", 404),
        ("PUT", f"/datastore/label?image={IMAGE}", 422),
        ("GET", "/datastore/dataset", 404),
    ],
)
def test_wrong_requests_get_clear_answers(unchanged, method, address, status):
    client, label = unchanged
    secret = label.datastore().folder.parent / "secret.png"
    secret.write_bytes(b"secret")
    answer = client.request(method, address)
    assert answer.status_code == status, answer.text
    assert method == "HEAD" or answer.json()["detail"]
    assert secret.read_bytes() == b"secret"


def test_labels_come_in_and_go_out(client):
    assert put(client, {"label": "polyps"}).json()["models"] == {MODEL: ["polyps"]}
    kept = client.get("/datastore/label", params={"label": IMAGE}).json()
    assert kept["models"][MODEL]["labels"] == ["polyps"]
    assert kept["models"][MODEL]["user"] == "admin"
    assert put(client, kept).status_code == 200
    assert client.get("/datastore/label/info", params={"label": IMAGE}).json()["image"] == IMAGE
    assert client.get("/datastore/").json() == {"total": 9, "completed": 1, "label_tags": {"final": 1}}
    assert client.get("/datastore/?output=all").json()["objects"][IMAGE] == {"labels": ["final"]}
    assert len(client.get("/datastore/?output=train").json()) == 1
    archive = client.get("/datastore/dataset").content
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == [f"image/{IMAGE}", f"label/{IMAGE}.json"]
    assert client.delete("/datastore/label", params={"id": IMAGE}).status_code == 200
    assert client.get("/datastore/").json()["completed"] == 0


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("", 422),
        ("{", 422),
        (b"\xff", 422),
        ([], 422),
        ({"label": "cat"}, 422),
        ({"labels": ["polyps", "ulcerative-colitis"]}, 422),
        ({"label": "polyps", "model": "nope"}, 422),
        (" " * 200_000, 413),
    ],
    ids=range(8),
)
def test_a_malformed_label_changes_nothing(client, content, status):
    put(client, {"label": "polyps"})
    answer = put(client, content)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert client.get("/datastore/label", params={"label": IMAGE}).json()["models"][MODEL]["labels"] == ["polyps"]


def test_refresh(unchanged):
    assert unchanged[0].post("/datastore/refresh").json()["total"] == 9


def test_labels_of_what_is_not_there(unchanged):
    client, _ = unchanged
    assert put(client, {"label": "polyps"}, image="../x.png").status_code == 404
    assert put(client, {"label": "polyps"}, tag="../x").status_code == 422


def test_images_come_in_and_go_out(client, label):
    content = client.get("/datastore/image", params={"image": IMAGE}).content
    assert content == label.datastore().get_image(IMAGE).read()
    added = client.put("/datastore/image", files={"file": ("new.png", content)}, data={"params": '{"from": "me"}'})
    assert added.json() == {"image": "new.png"}
    assert client.get("/datastore/image/info", params={"image": "new.png"}).json()["from"] == "me"
    client.put("/datastore/image/info", params={"image": "new.png"}, data={"info": '{"seen": true}'})
    assert client.get("/datastore/image/info", params={"image": "new.png"}).json()["seen"] is True
    assert client.put("/datastore/image", files={"file": ("new.png", content)}).status_code == 409
    assert client.put("/datastore/image?image=..%2Fnew", files={"file": ("new.png", content)}).status_code == 422
    assert client.put("/datastore/image", files={"file": ("new.sh", content)}).status_code == 422
    assert client.delete("/datastore/image", params={"id": "new.png"}).status_code == 200
    assert client.get("/datastore/").json()["total"] == 9
