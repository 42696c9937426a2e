from dataclasses import replace

import pytest

from monai_medmamba.fingerprint.decoded import Decoded
from monai_medmamba.fingerprint.measure import measure
from monai_medmamba.fingerprint.suspicions import storage_of, suspicions


@pytest.fixture
def usual(draw):
    return measure(Decoded(draw(1), False, "PNG", "RGB", 8, 255.0), b"k")[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, []),
        ({"low": 0.5, "high": 0.5}, ["constant"]),
        ({"std": [0.002] * 3}, ["faint"]),
        ({"std": [0.002, 0.002, 0.2]}, []),
        ({"width": 15}, ["tiny", "narrow"]),
        ({"height": 257}, ["narrow"]),
        ({"height": 256}, []),
        ({"share": 0.04}, ["dark"]),
        ({"clipped": 0.6}, ["clipped"]),
        ({"flags": ["wrong_suffix: its content is PNG", "turned"]}, ["wrong_suffix", "turned"]),
    ],
)
def test_alone(usual, change, code):
    assert [remark.code for remark in suspicions({"a": replace(usual, **change)})] == code


def test_details_of_flags(usual):
    assert suspicions({"a": replace(usual, flags=["mask: 2 values"])}) == [("mask", "a", "2 values")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"width": 300, "height": 300}, "odd_size"),
        ({"width": 20, "height": 20}, "odd_size"),
        ({"view_mean": [0.99] * 3}, "odd_brightness"),
        ({"channels": 1, "colour": False, "mode": "L"}, "odd_mode"),
        ({"bits": 16}, "odd_mode"),
    ],
)
def test_beside_others(usual, change, code):
    crowd = {f"{i}": replace(usual, view_mean=[0.5 + 0.001 * (i % 7)] * 3) for i in range(30)}
    assert suspicions(crowd) == []
    crowd["odd"] = replace(crowd["0"], **change)
    assert [(remark.code, remark.path) for remark in suspicions(crowd)] == [(code, "odd")]
    few = {name: crowd[name] for name in ("1", "2", "odd")}
    assert suspicions(few) == []


def test_storage(usual):
    assert storage_of(usual) == "colour of 8 bits"
    assert storage_of(replace(usual, colour=False)) == "grey in three channels of 8 bits"
    assert storage_of(replace(usual, colour=False, channels=1, bits=16)) == "grey of 16 bits"
