import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("monailabel", reason="needs MONAI Label, in an environment of its own")

from testing.browser import chromium, find_chromium
from testing.dicom_files import write_dicom
from testing.label_server import CLASSES, label_server, make_bundle, make_studies

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
        ("GET", "/window?image=nope", 404),
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


def test_windows_of_dicom_files(client, label):
    folder = label.datastore().folder
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4) * 100
    scale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    write_dicom(folder / "ct.dcm", pixels, **scale, WindowCenter=[40, 60], WindowWidth=[400, 80])
    write_dicom(folder / "plain.dcm", pixels.astype(np.uint8))
    write_dicom(folder / "colour.dcm", np.zeros((3, 4, 3), np.uint8), "RGB")

    def window(image):
        return client.get(f"{API}/window?image={image}").json()

    assert window("ct.dcm") == {"center": 40, "width": 400}
    assert window("plain.dcm") == {"center": 127.5, "width": 255}
    assert window("colour.dcm") == window(IMAGE) == {}
    first = client.get(f"{API}/picture?image=ct.dcm").content
    assert client.get(f"{API}/picture?image=ct.dcm&center=-900&width=100").content != first


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


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a real server in a browser, and the class of each of its 36 images."""
    if find_chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    folder = tmp_path_factory.mktemp("page")
    truth = make_studies(folder / "studies", 12)
    bundle = make_bundle(folder / "bundles")
    (folder / "profile").mkdir()
    with (
        label_server(folder, folder / "studies", str(bundle), "--conf", "device", "cpu") as address,
        chromium(folder / "profile") as browser,
    ):
        browser.open(f"{address}/medmamba/")
        browser.wait("document.querySelectorAll('.class').length == 3")
        yield browser, truth, folder


def shot(browser, name):
    """Keep a picture of the page where someone wants to look at it."""
    if folder := os.environ.get("MEDMAMBA_SCREENSHOTS"):
        browser.shot(Path(folder) / f"{name}.png")


def shown(browser):
    """The image on the page, once its probabilities are there."""
    browser.wait("document.querySelectorAll('.percent').length == 3")
    browser.wait("[...document.querySelectorAll('.percent')].every(e => e.textContent)")
    browser.wait("document.querySelector('#picture').complete && document.querySelector('#picture').naturalWidth")
    return browser.text("#image-name")


def shares(browser):
    return browser.run("[...document.querySelectorAll('.class .bar')].map(e => new DOMMatrix(e.style.transform).a)")


def test_a_reader_labels_trains_and_sees_the_prediction_change(page):
    browser, truth, folder = page
    first = shown(browser)
    before = shares(browser)
    assert sum(before) == pytest.approx(1, abs=0.01)
    shot(browser, "first")
    for number in range(20):
        image = shown(browser)
        assert image not in read_labels(folder)
        key = 1 + CLASSES.index(truth[image])
        if number % 2:
            browser.press(str(key))
        else:
            browser.click(f".class:nth-child({key})")
        browser.wait(f"document.querySelector('#image-name').innerText != {json.dumps(image)}")
        assert browser.text("#labelled-text") == f"{number + 1} of 36 images labelled"
    assert read_labels(folder) == {image: [truth[image]] for image in read_labels(folder)}
    assert len(read_labels(folder)) == 20

    browser.run("document.querySelector('#epochs').value = 25")
    browser.click("#train")
    browser.wait("document.querySelector('#training-text').innerText.startsWith('Epoch')", 120)
    assert browser.run("document.querySelector('#train').disabled && !document.querySelector('#training').hidden")
    shot(browser, "training")
    browser.wait("document.querySelector('#training-text').innerText.startsWith('Trained on')", 180)
    assert browser.run("!document.querySelector('#train').disabled && document.querySelector('#training').hidden")
    assert "before" in browser.text("#training-text")
    assert shown(browser) not in read_labels(folder)  # what is not labelled comes first
    while shown(browser) != first:
        browser.press("ArrowRight")
    after = shares(browser)
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) > 0.05
    assert browser.run("document.querySelector('.class[aria-pressed=true] .name').innerText") == truth[first]
    shot(browser, "after")
    assert browser.errors == []
    outside = [url for url in browser.requests if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
    assert outside == []


def read_labels(folder):
    """Classes by image, as they lie on the disk."""
    files = (folder / "studies" / "labels" / "final").glob("*.json")
    contents = [json.loads(path.read_text("utf-8")) for path in files]
    return {content["image"]: content["models"][MODEL]["labels"] for content in contents}


def set_value(browser, selector, value, event="input"):
    """Set a control as a hand does."""
    control = f"Object.assign(document.querySelector({json.dumps(selector)}), {{value: {json.dumps(value)}}})"
    browser.run(f"{control}.dispatchEvent(new Event('{event}', {{bubbles: true}}))")


def test_zoom_window_and_map(page):
    browser, _, _ = page
    shown(browser)
    browser.press("f")
    fitted = browser.text("#zoom")
    browser.press("+")
    assert browser.text("#zoom") != fitted
    before = browser.run("document.querySelector('#stage').style.transform")
    browser.press("ArrowRight", shift=True)
    assert browser.run("document.querySelector('#stage').style.transform") != before
    browser.click("#fit")
    assert browser.text("#zoom") == fitted

    set_value(browser, "#window", 51)
    assert browser.run("document.querySelector('#windowing feFuncG').getAttribute('slope')") == "5"
    browser.press("r")
    assert browser.run("document.querySelector('#windowing feFuncG').getAttribute('slope')") == "1"

    browser.press("m")
    browser.wait("document.querySelector('#heat').naturalWidth == 32 && !document.querySelector('#heat').hidden")
    browser.run(
        "const m = document.querySelector('#method'); m.value = 'hirescam'; m.dispatchEvent(new Event('change'))"
    )
    browser.wait("document.querySelector('#heat').src.includes('hirescam') && document.querySelector('#heat').complete")
    set_value(browser, "#opacity", 25)
    assert browser.run("getComputedStyle(document.querySelector('#heat')).opacity") == "0.25"
    shot(browser, "map")
    browser.press("m")
    assert browser.run("document.querySelector('#heat').hidden")
    assert browser.errors == []


def test_everything_has_a_name_and_can_be_reached_by_keys(page):
    browser, _, _ = page
    shown(browser)
    named = """[...document.querySelectorAll('button, select, input')].filter(e => e.offsetParent).filter(e =>
        !(e.labels?.length || e.innerText.trim() || e.getAttribute('aria-label'))).map(e => e.id)"""
    assert browser.run(named) == []
    browser.run("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        browser.press("Tab")
        reached.add(browser.run("document.activeElement.id || document.activeElement.className"))
    wanted = {
        "skip",
        "model",
        "strategy",
        "next",
        "viewer",
        "zoom-in",
        "level",
        "class",
        "map",
        "opacity",
        "epochs",
        "train",
    }
    assert wanted <= reached


def test_a_label_that_the_server_refuses_is_told(page):
    browser, _, folder = page
    image = shown(browser)
    browser.run("document.querySelector('#opacity').focus()")  # keys of classes work there as well
    (folder / "studies" / image).rename(folder / "away.png")
    browser.press("1")
    browser.wait("!document.querySelector('#alert').hidden")
    assert image in browser.text("#alert")
    assert browser.text("#image-name") == image
    assert [error for error in browser.errors if "404" not in error] == []
    browser.errors.clear()
    (folder / "away.png").rename(folder / "studies" / image)
    browser.press("1")
    browser.wait("document.querySelector('#alert').hidden")


def test_fits_a_narrow_window(page):
    browser, _, _ = page
    address = browser.run("location.href")
    browser.open(address, 500, 900)
    shown(browser)
    assert browser.run("document.documentElement.scrollWidth") <= 500
    overlap = "document.querySelector('#viewer').getBoundingClientRect().bottom"
    assert browser.run(f"{overlap} <= document.querySelector('#classes').getBoundingClientRect().top")
    shot(browser, "narrow")
    browser.open(address)


def test_the_window_of_a_dicom_file_is_in_its_own_units(page):
    browser, _, folder = page
    pixels = np.linspace(0, 2000, 64 * 64).reshape(64, 64).astype(np.int16)
    tags = {"RescaleSlope": 1, "RescaleIntercept": -1000, "WindowCenter": 40, "WindowWidth": 400}
    write_dicom(folder / "studies" / "ct.dcm", pixels, **tags)
    browser.open(browser.run("location.href"))
    shown(browser)
    while shown(browser) != "ct.dcm":
        browser.press("ArrowRight")
    browser.wait("document.querySelector('#window').max == '1600'")
    assert browser.text("#level-text") == "40"
    assert browser.text("#window-text") == "400"
    browser.press("+")
    zoom = browser.text("#zoom")
    set_value(browser, "#level", -300)
    browser.wait("document.querySelector('#picture').src.includes('center=-300&width=400')")
    browser.wait("document.querySelector('#picture').complete")
    assert browser.text("#zoom") == zoom
    assert browser.run("document.querySelector('#windowing feFuncG').getAttribute('slope')") == "1"
    shot(browser, "window")
    browser.press("r")
    browser.wait("!document.querySelector('#picture').src.includes('center')")
    assert browser.text("#level-text") == "40"
    (folder / "studies" / "ct.dcm").unlink()
    assert browser.errors == []
