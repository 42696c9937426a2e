from dataclasses import replace

import pytest

from monai_medmamba.fingerprint.decoded import Decoded
from monai_medmamba.fingerprint.measure import measure
from monai_medmamba.fingerprint.modality import guess_modality


@pytest.fixture
def usual(draw):
    return measure(Decoded(draw(1), False, "PNG", "RGB", 8, 255.0), b"k")[0]


def test_tags_decide(usual):
    tagged = {str(i): replace(usual, tags={"modality": "MG"}) for i in range(3)}
    found = guess_modality("chest_ct", ["polyp"], tagged)
    assert (found["guess"], found["confidence"]) == ("mammography", "certain")
    tagged["x"] = replace(usual, tags={"modality": "QQ"})
    assert guess_modality("", [], tagged)["kinds"] == ["mammography", "QQ"]
    assert guess_modality("", [], tagged)["guess"] == "mixed"


@pytest.mark.parametrize(
    ("name", "labels", "guess"),
    [
        ("kvasir_v2", [], "endoscopy"),
        ("set", ["polyp", "normal"], "endoscopy"),
        ("busi_256", ["benign"], "ultrasound"),
        ("pneumoniamnist.npz", [], "radiography"),
        ("COVID19-xray", [], "radiography"),
        ("mednist", ["AbdomenCT", "BreastMRI", "CXR"], "mixed"),
        ("ChestCT", [], "computed tomography"),
        ("retina", [], "fundus photography"),
    ],
)
def test_names(usual, name, labels, guess):
    found = guess_modality(name, labels, {"a": usual})
    assert (found["guess"], found["confidence"]) == (guess, "likely")
    assert found["evidence"]


@pytest.mark.parametrize(
    ("change", "guess"),
    [
        ({"unit": False, "low": -1000}, "computed tomography"),
        ({"unit": False, "low": 0}, "magnetic resonance"),
        ({"colour": False, "view_mean": [0.2]}, "ultrasound"),
        ({"colour": False, "view_mean": [0.5]}, "radiography"),
        ({"view_mean": [0.8, 0.6, 0.75]}, "microscopy"),
        ({"view_mean": [0.5, 0.25, 0.1], "share": 0.75}, "fundus photography"),
        ({"view_mean": [0.5, 0.25, 0.18], "share": 0.9}, "endoscopy"),
        ({"view_mean": [0.5, 0.3, 0.25]}, "endoscopy"),
        ({"view_mean": [0.75, 0.55, 0.5]}, "dermatoscopy"),
        ({"view_mean": [0.3, 0.3, 0.3]}, "unknown"),
    ],
)
def test_looks(usual, change, guess):
    found = guess_modality("set", ["one", "two"], {"a": replace(usual, **change)})
    assert found["guess"] == guess
    assert found["confidence"] in ("likely", "unsure")


def test_nothing_to_go_by():
    assert guess_modality("set", [], {})["guess"] == "unknown"
