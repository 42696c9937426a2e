import pytest

from monai_medmamba.label.request_error import RequestError
from monai_medmamba.label.validation_split import keep_out


def labels(**counts):
    return {f"{name}-{i}": [name] for name, count in counts.items() for i in range(count)}


def test_keeps_the_same_share_of_each_class():
    held = keep_out(labels(a=20, b=10, c=3, d=2))
    counts = {name: sum(image.startswith(name) for image in held) for name in "abcd"}
    assert counts == {"a": 4, "b": 2, "c": 1, "d": 0}


def test_what_was_kept_out_stays_out():
    first = keep_out(labels(a=10, b=10))
    later = keep_out(labels(a=30, b=30), first)
    assert set(first) < set(later)
    assert len(later) == 12


def test_a_class_keeps_an_image_to_learn_from():
    assert keep_out(labels(a=2, b=9), ["a-0", "a-1"]) == keep_out(labels(a=2, b=9), ["a-0"])


def test_an_image_without_any_label_counts():
    assert len(keep_out({str(i): [] for i in range(10)})) == 2


def test_refuses_too_few():
    with pytest.raises(RequestError, match="at least 3") as caught:
        keep_out(labels(a=2, b=2))
    assert caught.value.status == 409
