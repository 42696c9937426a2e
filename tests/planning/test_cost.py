"""The memory model against the newest measurement."""

import json
from pathlib import Path

import pytest

from monai_medmamba.networks import create_medmamba
from monai_medmamba.planning import training_gib, training_hours
from monai_medmamba.planning.cost import STATE_GIB, VOLUME_STATE_GIB

RECORDS = sorted((Path(__file__).parents[2] / "benchmarks" / "results").glob("*-memory-*.json"))


@pytest.mark.parametrize("fitted", [True, False])
def test_memory_is_what_was_measured_within_15_percent(fitted):
    rows = [row for row in json.loads(RECORDS[-1].read_text())["rows"] if row["fitted"] is fitted and "ms" in row]
    off = {}
    for row in rows:
        expected = training_gib(row["network"].removeprefix("medmamba_"), row["size"], row["batch"])
        off[row["network"], str(row["size"]), row["batch"]] = round(expected / row["used_gib"] - 1, 3)
    assert len(rows) >= 9
    assert all(abs(share) <= 0.15 for share in off.values()), off


@pytest.mark.parametrize("variant", STATE_GIB)
def test_state_is_16_bytes_a_parameter(variant):
    parameters = sum(p.numel() for p in create_medmamba(variant, num_classes=8).parameters())
    assert STATE_GIB[variant] == pytest.approx(16 * parameters / 2**30, rel=0.03)


@pytest.mark.parametrize("variant", VOLUME_STATE_GIB)
def test_state_of_networks_for_volumes(variant):
    parameters = sum(p.numel() for p in create_medmamba(variant, 3, 1, num_classes=2).parameters())
    assert VOLUME_STATE_GIB[variant] == pytest.approx(16 * parameters / 2**30, rel=0.03)


def test_volumes_grow_with_voxels_and_batch():
    base = training_gib("tiny", (64, 64, 64), 0)
    once = training_gib("tiny", (64, 64, 64), 4) - base
    assert training_gib("tiny", (128, 64, 64), 4) - base == pytest.approx(2 * once)
    assert training_gib("tiny", (64, 64, 64), 8) - base == pytest.approx(2 * once)


def test_time_is_linear_in_pixels_images_and_epochs():
    once = training_hours("gpu", "tiny", 112, 1000, 10)
    assert training_hours("gpu", "tiny", 224, 1000, 10) == pytest.approx(4 * once)
    assert training_hours("gpu", "tiny", 112, 3000, 20) == pytest.approx(6 * once)


def test_time_of_volumes_is_linear_in_voxels_and_shorter_on_a_gpu():
    once = training_hours("gpu", "tiny", (64, 64, 64), 100, 10)
    assert training_hours("gpu", "tiny", (64, 128, 64), 300, 10) == pytest.approx(6 * once)
    assert 100 * once < training_hours("cpu", "tiny", (64, 64, 64), 100, 10)
