import json
import sys

import pytest
import torch
import volumes
from volume_cases import Case, Scale, forward_cases, scaling_cases, training_cases


@pytest.mark.slow
def test_every_row_of_a_quick_run_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["volumes.py", "--quick", "--threads", "1", "--out", str(tmp_path)])
    assert volumes.main() == 0
    (path,) = tmp_path.glob("*-quick-volumes-cpu-*.json")
    record = json.loads(path.read_text())
    assert not [row for row in record["rows"] if "failed" in row]
    assert {row["network"] for row in record["rows"] if row["what"] == "training step"} >= {"resnet18", "densenet121"}
    ratios = [row for row in record["rows"] if row["what"] == "time per voxel"]
    assert [row["of"] for row in ratios] == ["forward", "training step"]
    assert (ratios[0]["from"], ratios[0]["to"]) == ([32, 32, 32], [32, 32, 64])


def test_rows_beyond_the_time_are_named_and_are_no_failure(tmp_path, monkeypatch):
    words = ["volumes.py", "--quick", "--threads", "1", "--seconds", "0", "--note", "busy", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    assert volumes.main() == 0
    (path,) = tmp_path.glob("*.json")
    record = json.loads(path.read_text())
    assert record["note"] == "busy"
    assert record["rows"]
    assert all("left out" in row["failed"] for row in record["rows"])


@pytest.mark.parametrize(
    ("network", "mode"),
    [("medmamba_nano", "fused"), ("medmamba_nano", "checkpoint"), ("resnet18", "eager")],
)
def test_a_call_of_each_kind(network, mode):
    kind = "forward" if mode == "fused" else "training step"
    case = Case(
        kind, network, (32, 32, 32), 2, "bf16", mode, "channels_last" if network == "resnet18" else "contiguous"
    )
    built, x = volumes.build(case, torch.device("cpu")), volumes.volumes(case, torch.device("cpu"))
    before = [parameter.detach().clone() for parameter in built.parameters()]
    y = (volumes.forward if kind == "forward" else volumes.training_step)(case, built, x)()
    assert y.shape == ((2, 2) if kind == "forward" else ())
    changed = any(not torch.equal(a, b) for a, b in zip(before, built.parameters(), strict=True))
    assert changed == (kind == "training step")


def cases_of_a_gpu():
    """Each kind, mode and layout of a GPU's lists once, on volumes of thick slices."""
    scale = Scale.quick()
    found = [*forward_cases(scale, "cuda"), *training_cases(scale, "cuda"), *scaling_cases(scale, "cuda")]
    chosen = {}
    for case in found:
        if case.network in ("medmamba_nano", "resnet18") and len(set(case.space)) > 1:
            chosen.setdefault((case.kind, case.network == "resnet18", case.mode, case.layout), case)
    return list(chosen.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", cases_of_a_gpu(), ids=lambda case: f"{case.kind}, {case.network}, {case.mode}, {case.layout}"
)
def test_what_a_gpu_will_be_asked_for_runs(case, monkeypatch):
    """On a CPU, with calls in the place of graphs: what is left to fail on a GPU is the GPU's own."""
    monkeypatch.setattr(volumes, "capture", lambda run: run)
    found = volumes.figures(case, torch.device("cpu"), repeats=1)
    assert found["ms"] > 0
    assert found["ns_per_voxel"] > 0


def test_a_measurement_has_the_sizes_of_the_issue():
    for device in ("cpu", "cuda"):
        assert Scale.of(device).spaces == ((96, 96, 96), (64, 128, 128))
