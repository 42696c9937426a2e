"""A whole federation: the average is what comes out, and no image, path or name is in anything that passes."""

import csv
import pickle
from pathlib import Path

import pytest
import torch
from PIL import Image

from monai_medmamba.federated import HospitalAlgo, federated_average, rehearse
from monai_medmamba.inference import load_classifier, predict
from monai_medmamba.networks import load_weights

SIZE, ROUNDS = 32, 2


@pytest.fixture(scope="module")
def passed():
    """Everything that the clients took and gave, in order: hospital, direction and object."""
    return []


@pytest.fixture(scope="module")
def done(bundle, sites, settings, tmp_path_factory, passed):
    """A federation of two rounds, with an ear at every door of the clients."""

    def overheard(name, is_answer):
        method = getattr(HospitalAlgo, name)

        def listen(self, *arguments, **named):
            if arguments:
                passed.append((self.client_name, "received", pickle.loads(pickle.dumps(arguments[0]))))
            answer = method(self, *arguments, **named)
            if is_answer:
                passed.append((self.client_name, "sent", pickle.loads(pickle.dumps(answer))))
            return answer

        return listen

    with pytest.MonkeyPatch.context() as patch:
        for name, is_answer in (("evaluate", True), ("train", False), ("get_weights", True)):
            patch.setattr(HospitalAlgo, name, overheard(name, is_answer))
        return rehearse(bundle, sites, tmp_path_factory.mktemp("federated"), rounds=ROUNDS, settings=settings)


def test_no_image_leaves_a_hospital(done, passed, sites):
    network, _ = load_weights(done.weights)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert len(passed) == 2 * (ROUNDS * 4 + 2)
    for _, _, data in passed:
        assert data.optim is None
        assert not dict(data)
        for name, tensor in (data.weights or {}).items():
            assert tuple(tensor.shape) == shapes[name]
            assert (SIZE, SIZE) not in (tensor.shape[-2:], tensor.shape[-3:-1])  # an image, channels first or last
        figures = {**(data.metrics or {}), **(data.statistics or {})}
        assert all(isinstance(value, int | float) for value in figures.values())
        assert len(figures) < 10


def test_no_file_name_and_no_pixels_are_in_the_bytes(done, passed, sites):
    whole = b"".join(pickle.dumps(data) for _, direction, data in passed if direction == "sent")
    for site, folder in sites.items():
        assert str(folder).encode() not in whole
        for image in sorted(folder.rglob("*.png"))[:10]:
            assert image.read_bytes()[33:97] not in whole
            pixels = torch.frombuffer(bytearray(Image.open(image).tobytes()), dtype=torch.uint8)
            assert pixels[:64].numpy().tobytes() not in whole
            assert (pixels[:64].float() / 255).numpy().tobytes() not in whole
        assert f"{site}/".encode() not in whole
    assert b".png" not in whole
    assert b"images" in whole  # the test reads what it means to read


def test_every_byte_is_accounted_for(done, passed):
    for site, hospital in done.hospitals.items():
        with (Path(hospital.folder) / "exchanged.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        heard = [(direction, data) for client, direction, data in passed if client == site]
        assert [row["direction"] for row in rows] == [direction for direction, _ in heard]
        for row, (_, data) in zip(rows, heard, strict=True):
            figures = {**(data.metrics or {}), **(data.statistics or {})}
            size = sum(tensor.numel() * tensor.element_size() for tensor in (data.weights or {}).values())
            assert int(row["bytes"]) == size + 8 * len(figures)
            assert row["figures"].split() == [str(name) for name in figures]


def test_the_average_is_what_every_hospital_gets(done, passed):
    sent = [data for _, direction, data in passed if direction == "sent" and data.weights][-2:]
    counts = [data.statistics["images"] for data in sent]
    assert counts == [len(hospital.data.training) for hospital in done.hospitals.values()]
    assert counts[0] != counts[1]
    expected = federated_average([(data.weights, data.statistics["images"]) for data in sent])
    for path in (done.weights, *(Path(h.folder) / "global.safetensors" for h in done.hospitals.values())):
        network, _ = load_weights(path)
        assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())


def test_all_hospitals_begin_a_round_with_the_same_weights(passed, done):
    received = {site: [d.weights for s, way, d in passed if s == site and way == "received"] for site in done.hospitals}
    for first, second in zip(*received.values(), strict=True):
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_weights_classify(done, sites):
    classifier = load_classifier(done.weights, device="cpu")
    outcome = predict(classifier, [str(image) for image in sorted(sites["south"].rglob("*.png"))])
    assert not outcome.failures
    assert classifier.class_names == ("bright", "dark", "middle")


def test_each_hospital_has_files_of_its_own(done):
    folders = [Path(hospital.folder) for hospital in done.hospitals.values()]
    assert len({folder.resolve() for folder in folders}) == len(folders)
    for folder in folders:
        assert (folder / "models" / "model.pt").is_file()
        assert (folder / "output" / "history.csv").read_text().count("\n") == ROUNDS + 1
        assert (folder / "rounds.csv").read_text().count("\n") == ROUNDS + 2


def test_other_classes_are_refused(bundle, sites, settings, tmp_path):
    (tmp_path / "east").mkdir()
    for folder in sites["north"].iterdir():
        name = {"dark": "Dark"}.get(folder.name, folder.name)
        (tmp_path / "east" / name).symlink_to(folder)
    wrong = {"north": sites["north"], "east": tmp_path / "east"}
    with pytest.raises(ValueError, match="hospital east: expected the classes of the federation"):
        rehearse(bundle, wrong, tmp_path / "out", settings=settings)
