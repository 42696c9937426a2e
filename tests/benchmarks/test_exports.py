import json
import sys

import exports
import pytest


def test_a_file_is_timed_and_compared_beside_the_network(tmp_path, monkeypatch):
    words = ["exports.py", "--variant", "nano", "--size", "32", "--names", "torchscript", "--repeats", "2"]
    monkeypatch.setattr(sys, "argv", [*words, "--threads", "1", "--out", str(tmp_path)])
    assert exports.main() == 0
    (path,) = tmp_path.glob("*-exports-*.json")
    record = json.loads(path.read_text())
    (row,) = record["rows"]
    assert row["name"] == "torchscript"
    assert row["ms"] > 0
    assert row["times_eager"] == pytest.approx(row["ms"] / row["eager_ms"], abs=1e-3)
    assert row["probability_off"] < 1e-4
    assert row["probability_spread"] > 0.1
    assert (record["variant"], record["weights"], record["images"]) == ("nano", "random", "random")
