import io

import pytest

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from testing.label_server import write_weights

pytestmark = pytest.mark.label
MODEL, IMAGE = "medmamba_test", "image-000.png"
AWAY = "..%2F..%2Fetc%2Fpasswd"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("POST", f"/infer/nope?image={IMAGE}", 404),
        ("POST", f"/infer/{AWAY}?image={IMAGE}", 404),
        ("POST", f"/infer/{MODEL}?image=nope.png", 404),
        ("POST", f"/infer/{MODEL}?image={AWAY}", 404),
        ("POST", f"/infer/{MODEL}?image=%2Fetc%2Fpasswd", 404),
        ("POST", f"/infer/{MODEL}?image=a%00b", 404),
        ("POST", f"/infer/{MODEL}", 422),
        ("POST", f"/infer/{MODEL}?image={IMAGE}&output=dicom_seg", 422),
        ("POST", "/batch/infer/nope", 404),
        ("POST", f"/batch/infer/{MODEL}?images=some", 422),
        ("GET", "/batch/infer", 404),
        ("DELETE", "/batch/infer", 404),
        ("POST", "/train/nope", 404),
        ("GET", "/train/", 404),
        ("GET", "/train/?check_if_running=true", 404),
        ("DELETE", "/train/", 404),
        ("POST", f"/train/{MODEL}?run_sync=true", 409),
        ("POST", "/scoring/nope", 404),
        ("GET", "/scoring/", 404),
        ("DELETE", "/scoring/", 404),
        ("POST", "/activelearning/nope", 404),
        ("GET", "/model/nope", 404),
        ("GET", "/model/info/nope", 404),
        ("PUT", f"/model/{MODEL}", 422),
        ("DELETE", f"/model/{MODEL}", 404),
        ("GET", "/proxy/dicom/wado/x", 404),
        ("GET", "/logs/", 404),
        ("GET", "/ohif/", 404),
        ("PUT", "/session/", 404),
        ("POST", "/infer/wsi/x", 404),
    ],
)
def test_wrong_requests_get_clear_answers(unchanged, method, address, status):
    client, _ = unchanged
    answer = client.request(method, address)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert client.get("/info/").status_code == 200


def test_infers(unchanged):
    client, label = unchanged
    answer = client.post(f"/infer/{MODEL}?image={IMAGE}", data={"params": '{"cam": true, "cam_class": "polyps"}'})
    assert answer.status_code == 200
    assert answer.json()["probabilities"] == label.infer({"model": MODEL, "image": IMAGE})["params"]["probabilities"]
    assert answer.json()["cam"]["class"] == "polyps"
    picture = client.post(f"/infer/{MODEL}?image={IMAGE}&output=image")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content[1:4] == b"PNG"


@pytest.mark.parametrize("params", ["{", "[]", '"x"', '{"image": "/etc/passwd"}', '{"path": "/etc/passwd"}'])
def test_params_cannot_name_a_file(unchanged, params):
    client, _ = unchanged
    answer = client.post(f"/infer/{MODEL}?image={IMAGE}", data={"params": params})
    if params.startswith('{"'):
        assert answer.json()["image"] == IMAGE
    else:
        assert answer.status_code == 422


def test_infers_an_uploaded_file(unchanged):
    client, label = unchanged
    path = label.datastore().get_image_uri(IMAGE)
    with open(path, "rb") as file:
        answer = client.post(f"/infer/{MODEL}", files={"file": ("../../x.png", file)})
    assert answer.json()["probabilities"] == label.model(MODEL).predict(path).probabilities
    for name in ("x.png", "x", "x.p/ng"):
        broken = client.post(f"/infer/{MODEL}", files={"file": (name, b"no picture")})
        assert broken.status_code == 422
        assert "cannot be read" in broken.json()["detail"]


def test_jobs_in_the_background_and_at_once(client, label):
    at_once = client.post(f"/batch/infer/{MODEL}?run_sync=true").json()
    assert len(at_once) == 9
    started = client.post(f"/batch/infer/{MODEL}?images=unlabeled", json={"max_batch_size": 2}).json()
    assert started["request"]["images"] == "unlabeled"
    assert label.jobs.wait("batch_infer", 30)
    done = client.get("/batch/infer").json()
    assert (done["id"], done["status"], len(done["result"])) == (started["id"], "DONE", 2)
    assert len(client.get("/batch/infer?all=true").json()) == 2
    assert client.get("/batch/infer?check_if_running=true").status_code == 404


def test_scores(client, label):
    for image in label.datastore().list_images():
        client.put(f"/datastore/label?image={image}", files={"label": ("x.json", '{"label": "polyps"}')})
    found = client.post("/scoring/agreement?run_sync=true", json={"model": MODEL}).json()
    assert found[MODEL]["all"]["images"] == 9
    assert client.post("/scoring/agreement", json={"model": "nope"}).status_code == 404


def test_active_learning(unchanged):
    client, _ = unchanged
    answer = client.post("/activelearning/margin", json={"model": MODEL}).json()
    assert answer["id"].startswith("image-")
    assert 0 <= answer["uncertainty"] <= 1
    assert client.post("/activelearning/random", json={"seed": "x"}).status_code == 422


def test_models_go_out_and_come_in(client, label, tmp_path):
    out = client.get(f"/model/{MODEL}")
    assert out.content == label.model(MODEL).weights.read_bytes()
    assert out.headers["content-disposition"] == f'attachment; filename="{MODEL}.safetensors"'
    new = write_weights(tmp_path / "new.safetensors", seed=5)
    before = client.post(f"/infer/{MODEL}?image={IMAGE}").json()
    assert client.put(f"/model/{MODEL}", files={"file": ("m.safetensors", new.read_bytes())}).status_code == 200
    assert client.post(f"/infer/{MODEL}?image={IMAGE}").json()["scores"] != before["scores"]
    wrong = write_weights(tmp_path / "wrong.safetensors", ["a", "b", "c"]).read_bytes()
    for name, content in (("m.safetensors", wrong), ("m.pt", b"\x80\x04cposix\nsystem\n"), ("m", io.BytesIO(b""))):
        assert client.put(f"/model/{MODEL}", files={"file": (name, content)}).status_code == 422
    assert client.get(f"/model/info/{MODEL}").json()["checksum"].startswith("SHA256:")
    assert client.delete(f"/model/{MODEL}").status_code == 200
    assert client.post(f"/infer/{MODEL}?image={IMAGE}").json()["scores"] == before["scores"]
