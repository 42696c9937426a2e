import json

import pytest
import torch
from monai.data import load_decathlon_datalist

from monai_medmamba.data import Datalist, DatasetError, describe


@pytest.fixture
def datalist(tmp_path, paint):
    paint("set/a/1.png", "set/a/ü 2.png", "set/a/3.png", "set/b/1.png", "set/b/2.png", "set/b/3.png")
    root = str(tmp_path / "set")

    def item(name, label):
        return {"image": f"{root}/{name}", "label": label}

    return Datalist(
        ("a", "b"),
        [item("a/1.png", 0), {**item("a/ü 2.png", 0), "patient": "p1"}, item("b/1.png", 1)],
        [item("b/2.png", 1)],
        [item("a/3.png", 0), item("b/3.png", 1)],
        root,
    )


def test_counts_and_weights(datalist):
    assert datalist.counts() == {
        "training": {"a": 2, "b": 1},
        "validation": {"a": 0, "b": 1},
        "test": {"a": 1, "b": 1},
    }
    weights = datalist.class_weights()
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 4 / 3]))


@pytest.mark.parametrize(("power", "ratio"), [(0.0, 1.0), (0.5, 2**0.5), (1.0, 2.0), (2.0, 4.0)])
def test_weights_to_a_power(datalist, power, ratio):
    weights = datalist.class_weights(power)
    assert weights.mean().item() == pytest.approx(1)
    assert (weights[1] / weights[0]).item() == pytest.approx(ratio)


def test_weights_need_every_class(datalist):
    with pytest.raises(DatasetError, match="1 classes without:\n  b"):
        Datalist(("a", "b"), datalist.training[:2], [], [], datalist.root).class_weights()


def several(*labels):
    items = [{"image": f"/s/{i}.png", "label": list(marks)} for i, marks in enumerate(labels)]
    return Datalist(("a", "b"), items, [], [], "/s")


def test_positive_weights():
    datalist = several((1, 0), (1, 1), (0, 0), (1, 0))
    assert datalist.positive_weights().tolist() == pytest.approx([1 / 3, 3])
    assert datalist.positive_weights(0.5).tolist() == pytest.approx([3**-0.5, 3**0.5])
    assert datalist.positive_weights().dtype == torch.float32
    with pytest.raises(DatasetError, match="positive_weights instead"):
        datalist.class_weights()
    with pytest.raises(DatasetError, match="1 classes without:\n  b"):
        several((1, 0), (0, 0)).positive_weights()
    with pytest.raises(DatasetError, match="1 labels on all:\n  a"):
        several((1, 0), (1, 1)).positive_weights()


def test_positive_weights_need_several_labels(datalist):
    with pytest.raises(DatasetError, match="class_weights instead"):
        datalist.positive_weights()


@pytest.mark.parametrize("labels", [(1,), (1, 2), (1, 0, 0)])
def test_marks_that_do_not_fit(labels):
    with pytest.raises(DatasetError, match="2 labels of 0 or 1"):
        several((1, 0), labels)


def test_kinds_of_labels_do_not_mix(datalist):
    with pytest.raises(DatasetError, match="1 others"):
        Datalist(("a", "b"), [*several((1, 0)).training, {"image": "/s/9.png", "label": 1}], [], [], "/s")


def test_saves_and_loads(datalist, tmp_path):
    datalist.save(tmp_path / "lists" / "datalist.json")
    content = json.loads((tmp_path / "lists" / "datalist.json").read_text(encoding="utf-8"))
    assert content["class_names"] == ["a", "b"]
    assert content["training"][1] == {"image": "a/ü 2.png", "label": 0, "patient": "p1"}
    assert Datalist.load(tmp_path / "lists" / "datalist.json") == datalist


def test_loads_from_a_new_place(datalist, tmp_path):
    datalist.save(tmp_path / "datalist.json")
    (tmp_path / "set").rename(tmp_path / "moved")
    with pytest.raises(DatasetError, match=r"(?s)6 missing.*Give their folder as root"):
        Datalist.load(tmp_path / "datalist.json")
    moved = Datalist.load(tmp_path / "datalist.json", root=tmp_path / "moved")
    assert moved.root == str(tmp_path / "moved")
    assert moved.counts() == datalist.counts()


def test_monai_reads_it(datalist, tmp_path):
    datalist.save(tmp_path / "datalist.json")
    items = load_decathlon_datalist(tmp_path / "datalist.json", False, "test", base_dir=datalist.root)
    assert [item["image"] for item in items] == [item["image"] for item in datalist.test]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda c: c.pop("test"), "KeyError: 'test'"),
        (lambda c: c["test"][0].update(image="../../etc/passwd"), "a path outside"),
        (lambda c: c["test"][0].update(label=7), "labels from 0 to 1(.|\n)*: 7"),
        (lambda c: c["test"][0].pop("label"), "KeyError: 'label'"),
        (lambda c: c.update(training={"a": 1}), "a data list in"),
    ],
)
def test_refuses_other_content(datalist, tmp_path, change, found):
    datalist.save(tmp_path / "datalist.json")
    content = json.loads((tmp_path / "datalist.json").read_text(encoding="utf-8"))
    change(content)
    (tmp_path / "datalist.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DatasetError, match=found):
        Datalist.load(tmp_path / "datalist.json")


def test_refuses_what_is_no_list(tmp_path):
    (tmp_path / "a.json").write_text("[1, 2")
    with pytest.raises(DatasetError, match=r"a\.json.*JSONDecodeError"):
        Datalist.load(tmp_path / "a.json")
    with pytest.raises(DatasetError, match=r"gone\.json"):
        Datalist.load(tmp_path / "gone.json")


def test_save_refuses_images_outside_root(tmp_path):
    with pytest.raises(DatasetError, match="a path outside"):
        Datalist(("a",), [{"image": "/elsewhere/1.png", "label": 0}], [], [], str(tmp_path)).save(tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_invalid_label():
    with pytest.raises(DatasetError, match=r"/s/1\.png: 2"):
        Datalist(("a", "b"), [{"image": "/s/1.png", "label": 2}], [], [], "/s")


def test_describe(datalist):
    assert describe(datalist).splitlines()[-1].split() == ["total", "3", "1", "2"]
    assert len({len(line) for line in describe(datalist).splitlines()}) == 1
