import json
import sys

import pytest
import run


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Run the script with arguments, and return its exit status and its record."""

    def start(*arguments):
        monkeypatch.setattr(sys, "argv", ["run.py", "--device", "cpu", "--quick", "--out", str(tmp_path), *arguments])
        status = run.main()
        (path,) = tmp_path.glob("*-quick-cpu.json")
        return status, json.loads(path.read_text())

    return start


def test_the_core_is_exact_and_timed(started):
    status, record = started("--no-gate", "--sections", "core")
    rows = record["rows"]
    assert status == 0
    assert record["gate"] == {"skipped": "--no-gate"}
    assert not [row for row in rows if "failed" in row]
    assert {row["backend"] for row in rows} == {"cpu", "chunked", "reference"}
    timed = [row for row in rows if row["what"] == "core"]
    assert all(row["ms"] > 0 for row in timed)
    assert all(row["repeats_bitwise"] for row in timed if row["pass"] == "forward+backward")
    for row in rows:
        if row["what"] == "core error":
            bound = 1e-5 if row["dtype"] == "float32" else 2e-2
            assert max(row["error_y"], *row["error_gradients"].values()) < bound


def test_the_bundle_is_fed_and_its_step_timed(started):
    _status, record = started("--no-gate", "--sections", "feeding")
    assert "failed" not in record["sections"]["feeding"]
    bundle, step, other = record["rows"]
    assert (bundle["of"], step["cudnn_benchmark"], other["cudnn_benchmark"]) == ("bundle", False, True)
    assert all(row["images_per_second"] > 0 for row in record["rows"])
    assert list(bundle["epochs"]) == ["1", "2", "3"]
    assert bundle["waiting_ms"] > 0
    assert bundle["step_ms"] > 0
    spent = 12 * (bundle["waiting_ms"] + bundle["step_ms"]) / 1e3 + bundle["rest_seconds"]
    assert 24 / spent == pytest.approx(bundle["images_per_second"], rel=0.2)


def test_a_network_that_cannot_be_built_leaves_its_reason(started):
    _status, record = started("--no-gate", "--sections", "scaling", "--backends", "nowhere")
    steps = [row for row in record["rows"] if row["of"] == "training step"]
    assert len(steps) == 2
    assert all("no backend is named 'nowhere'" in row["failed"] for row in steps)


def test_nothing_is_timed_on_a_red_gate(started, monkeypatch):
    outcome = {"status": 1, "passed": 3, "failed": 1, "skipped": 0, "seconds": 1.0}
    monkeypatch.setattr(run, "gate", lambda device, required: outcome)
    status, record = started("--sections", "core")
    assert status == 1
    assert record["gate"] == outcome
    assert record["rows"] == []


def test_sections_can_be_measured_one_after_the_other(started):
    started("--no-gate", "--sections", "core")
    _status, record = started("--no-gate", "--sections", "scaling", "--backends", "nowhere")
    assert {row["section"] for row in record["rows"]} == {"core", "scaling"}
    assert list(record["sections"]) == ["core", "scaling"]
