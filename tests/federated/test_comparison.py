"""Five trainings, tested alike; see the how-to page for what they come to where there is something to learn."""

import numpy as np
import pytest

from monai_medmamba.data import build_datalist
from monai_medmamba.federated import compare_trainings
from monai_medmamba.inference import load_classifier, predict


@pytest.mark.slow
def test_rows(bundle, sites, settings, tmp_path):
    rows = compare_trainings(bundle, sites, tmp_path / "out", rounds=2, local_epochs=1, settings=settings)
    assert [row["training"] for row in rows] == [
        "federated",
        "north alone",
        "south alone",
        "all together, same steps",
        "all together, same epochs",
    ]
    steps = {row["training"]: row["steps"] for row in rows}
    north, south = steps["north alone"], steps["south alone"]
    assert steps["federated"] == round((north + south) / 2)
    assert steps["all together, same epochs"] == 2 * steps["all together, same steps"]
    assert abs(steps["all together, same steps"] - steps["federated"]) <= 2  # a last batch that is not full is dropped

    classifier = load_classifier(tmp_path / "out" / "north_alone" / "model.safetensors", device="cpu")
    right, count = 0.0, 0
    for site, folder in sites.items():
        test = build_datalist(folder).test
        found = predict(classifier, [item["image"] for item in test]).predictions.predicted
        hits = found == np.array([item["label"] for item in test])
        assert rows[1][f"accuracy_{site}"] == pytest.approx(hits.mean())
        right, count = right + hits.sum(), count + len(test)
    assert rows[1]["accuracy"] == pytest.approx(right / count)


def test_no_hospital(bundle, tmp_path):
    with pytest.raises(ValueError, match="one hospital or more"):
        compare_trainings(bundle, {}, tmp_path)
