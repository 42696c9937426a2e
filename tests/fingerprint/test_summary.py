import numpy as np
import pytest

from monai_medmamba.fingerprint.decoded import Decoded
from monai_medmamba.fingerprint.item import Item, Listing
from monai_medmamba.fingerprint.measure import measure
from monai_medmamba.fingerprint.summary import (
    describe_classes,
    describe_files,
    describe_intensity,
    describe_patients,
    describe_sizes,
    describe_view,
    histogram,
    place_of,
    spread,
)


def of(values, full_scale=255.0, **rest):
    return measure(Decoded(values, False, "PNG", "RGB", 8, full_scale, **rest), b"k")[0]


def test_spread():
    assert spread(range(101)) == {"min": 0, "p5": 5, "median": 50, "p95": 95, "max": 100}
    assert spread([]) is None


def test_pooled_moments_are_those_of_all_pixels(draw):
    pictures = [draw(seed) for seed in range(4)]
    items = [Item(str(i), "picture", "a", "training" if i < 2 else "test") for i in range(4)]
    (group,) = describe_intensity(items, {str(i): of(x) for i, x in enumerate(pictures)})
    pixels = np.stack(pictures).reshape(-1, 3) / 255
    assert group["mean"] == pytest.approx(pixels.mean(axis=0), rel=1e-4)
    assert group["std"] == pytest.approx(pixels.std(axis=0), rel=1e-4)
    assert group["view"] == {"mean": group["mean"], "std": group["std"]}
    training = np.stack(pictures[:2]).reshape(-1, 3) / 255
    assert group["by_split"]["training"]["mean"] == pytest.approx(training.mean(axis=0), rel=1e-4)
    assert group["by_split"].keys() == {"training", "test"}


def test_grey_among_colour_counts_as_three_channels(draw):
    colour, grey = draw(1), draw(2, colour=False)
    items = [Item("c", "picture"), Item("g", "picture")]
    (group,) = describe_intensity(items, {"c": of(colour), "g": of(grey)})
    assert group["mean"] == pytest.approx((colour.mean(axis=(0, 1)) + grey.mean()) / 510, rel=1e-4)


def test_scales_are_kept_apart(draw):
    items = [Item("c", "picture"), Item("h", "dicom"), Item("bad", "picture")]
    scan = np.linspace(-1000, 400, 900).reshape(30, 30)
    items.append(Item("m", "dicom"))
    measured = {"c": of(draw(1)), "h": of(scan, None, tags={"modality": "CT"}), "m": of(scan + 1000, None)}
    groups = describe_intensity(items, measured)
    assert [(g["scale"], g["modality"], g["images"], g["min"]) for g in groups] == [
        ("0 to 1", None, 1, pytest.approx(0, abs=0.3)),
        ("units of the files", None, 1, 0),
        ("units of the files", "CT", 1, -1000),
    ]
    assert describe_intensity(items, {}) == []


@pytest.mark.parametrize("full_scale", [255.0, None])
def test_histogram(draw, full_scale):
    values = np.repeat(np.array([60, 61, 62, 180], np.uint8), 400).reshape(40, 40)
    found = histogram([of(values, full_scale)])
    if full_scale:
        assert sum(found["shares"]) == pytest.approx(1, abs=1e-3)
        edges = np.linspace(0, 1, 65)
        near = (edges[:-1] > 0.2) & (edges[1:] < 0.28)
        assert np.array(found["shares"])[near].sum() == pytest.approx(0.75, abs=0.05)
        assert (found["from"], found["to"]) == (0, 1)
    else:
        assert (found["from"], found["to"]) == (60, 180)
        assert sum(found["shares"]) == pytest.approx(1, abs=1e-3)


def test_files_and_sizes(draw):
    measured = {
        "a": of(draw(1, 20, 30)),
        "b": of(draw(2, 20, 30, colour=False), tags={"spacing": [0.5, 0.6], "transfer_syntax": "RLE"}),
        "c": of(draw(3, 40, 60)),
    }
    files = describe_files(measured)
    assert (files["channels"], files["colour"], files["spatial_dims"]) == ({"3": 2, "1": 1}, 2, 2)
    assert files["transfer_syntaxes"] == {"RLE": 1}
    sizes = describe_sizes(measured)
    assert sizes["most_common"][0] == {"width": 30, "height": 20, "depth": 1, "images": 2}
    assert (sizes["distinct"], sizes["width"]["max"], sizes["aspect"]["median"]) == (2, 60, 1.5)
    assert [axis and axis["median"] for axis in sizes["spacing_mm"]] == [0.5, 0.6, None]
    assert describe_view(measured) == {"share": spread([1, 1, 1]), "with_surround": 0}


def test_volumes_in_space(draw):
    turned = Decoded(np.zeros((2, 3, 4)), True, "NIfTI", "int16", 16, None, tags={"orientation": "PSR"})
    turned.tags["spacing"] = [4.0, 3.0, 2.0]  # i, j, k: 4, 3 and 2 voxels
    stored = Decoded(np.zeros((2, 3, 4)), True, "npz", "uint8", 8, 255.0)
    measured = {name: measure(one, b"key")[0] for name, one in (("a", turned), ("b", stored))}
    assert place_of(measured["a"]) == ([2, 4, 3], [2.0, 4.0, 3.0])
    assert place_of(measured["b"]) == ([2, 3, 4], [1.0, 1.0, 1.0])
    sizes = describe_sizes(measured)
    assert [axis["max"] for axis in sizes["in_space"]["extent_mm"]] == [4, 16, 9]
    assert "in_space" not in describe_sizes({"c": of(draw(1))})


def test_nothing_could_be_read():
    assert describe_files({})["formats"] == {}
    assert describe_sizes({})["width"] is None
    assert describe_view({}) == {"share": None, "with_surround": 0}


def test_classes():
    labels = ["b"] * 6 + ["a10"] * 3 + ["a9"]
    items = [Item(str(i), "picture", label, "training" if i % 2 else "test") for i, label in enumerate(labels)]
    items.append(Item("x", "picture"))
    found = describe_classes(Listing("/set", "table", "table", items), {"0": "ann", "1": "ann", "2": "bob"})
    assert [(c["name"], c["images"], c["share"], c["patients"]) for c in found["classes"]] == [
        ("a9", 1, 0.1, None),
        ("a10", 3, 0.3, None),
        ("b", 6, 0.6, 2),
    ]
    assert found["classes"][2]["by_split"] == {"training": 3, "test": 3}
    assert found["unlabelled"] == 1
    assert found["imbalance"]["largest_to_smallest"] == 6
    assert found["imbalance"]["majority_share"] == 0.6
    assert found["imbalance"]["evenness"] == pytest.approx(0.8173, abs=1e-3)


def test_several_labels_an_image():
    items = [Item(str(i), "array", None, "training") for i in range(10)]
    listing = Listing("/set", "medmnist", "nothing", items, columns={"training": {"0": 9, "1": 4}})
    found = describe_classes(listing, {})
    assert (found["several_per_image"], found["labels_from"], found["unlabelled"]) == (True, "arrays", 0)
    assert [entry["share"] for entry in found["classes"]] == [0.9, 0.4]
    listing.columns["training"] = {"mass": 1, "edema": 2}
    assert [entry["name"] for entry in describe_classes(listing, {})["classes"]] == ["mass", "edema"]


def test_no_class_at_all():
    found = describe_classes(Listing("/set", "flat folder", "nothing", [Item("a", "picture")]), {})
    assert found["classes"] == []
    assert found["imbalance"] == {"largest_to_smallest": None, "majority_share": None, "evenness": None}


def test_patients(draw):
    measured = {str(i): of(draw(i), tags={"series": f"s{i // 2}", "study": "t"}) for i in range(4)}
    items = [Item(str(i), "dicom") for i in range(4)]
    found = describe_patients(items, {"0": "ann", "1": "ann", "2": "bob"}, measured)
    assert (found["patients"], found["images_with_patient"], found["studies"], found["series"]) == (2, 3, 1, 2)
    assert found["images_per_patient"]["max"] == 2
    assert describe_patients(items, {}, {})["known"] is False
