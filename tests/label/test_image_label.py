import json
from typing import NamedTuple

import pytest

from monai_medmamba.label.image_label import MAX_BYTES, ImageLabel, read_label
from monai_medmamba.label.request_error import RequestError


class Model(NamedTuple):
    name: str
    class_names: tuple[str, ...]
    several_labels: bool = False


ENDO, CHEST = Model("endo", ("polyp", "normal")), Model("chest", ("effusion", "nodule", "normal"), True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"label": "polyp"}, [ImageLabel("endo", ("polyp",))]),
        ({"labels": ["polyp"]}, [ImageLabel("endo", ("polyp",))]),
        ({"labels": ["nodule", "effusion"]}, [ImageLabel("chest", ("effusion", "nodule"))]),
        ({"model": "chest", "label": "normal"}, [ImageLabel("chest", ("normal",))]),
        ({"model": "chest", "labels": []}, [ImageLabel("chest", ())]),
        (
            {"image": "a", "models": {"endo": {"labels": ["normal"]}, "chest": {"labels": []}}},
            [ImageLabel("endo", ("normal",)), ImageLabel("chest", ())],
        ),
    ],
)
def test_reads(content, expected):
    assert read_label(json.dumps(content), [ENDO, CHEST]) == expected


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("", 422, "expected JSON"),
        (b"\xff\xfe\x00", 422, "expected JSON"),
        ("[]", 422, "JSON object"),
        ("{}", 422, 'expected "label"'),
        ('{"label": 3}', 422, 'expected "label"'),
        ('{"labels": [3]}', 422, 'expected "label"'),
        ('{"label": "cat"}', 422, "no model has the class 'cat'"),
        ('{"label": "normal"}', 422, "several models"),
        ('{"labels": ["polyp", "nodule"]}', 422, "no model"),
        ('{"labels": ["polyp", "normal"]}', 422, "expected one class"),
        ('{"model": "endo", "labels": []}', 422, "expected one class"),
        ('{"model": "dog", "label": "polyp"}', 422, "expected one of the models endo, chest"),
        ('{"model": "endo", "label": "Polyp"}', 422, "expected classes among polyp, normal"),
        ('{"models": {"endo": 3}}', 422, 'expected "label"'),
        (" " * (MAX_BYTES + 1), 413, "bytes"),
    ],
)
def test_refuses(text, status, message):
    with pytest.raises(RequestError, match=message) as caught:
        read_label(text, [ENDO, CHEST])
    assert caught.value.status == status


def test_no_label_at_all_needs_a_model_unless_there_is_one_alone():
    assert read_label('{"labels": []}', [CHEST]) == [ImageLabel("chest", ())]
    with pytest.raises(RequestError, match="no model"):
        read_label('{"labels": []}', [ENDO, CHEST])
