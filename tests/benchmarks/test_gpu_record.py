import json
import sys

import torch
from gpu_record import gpu_record


def test_the_record_is_named_by_what_is_measured_and_where(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100 80GB HBM3")
    monkeypatch.setattr(sys, "argv", ["memory.py", "--out", str(tmp_path), "--seconds", "7"])
    record = gpu_record("What it does.", "memory", 200, {"mode": "graph"})
    assert record.seconds == 7
    record.row({"what": "training step"}, lambda: {"ms": 1.5})
    (path,) = tmp_path.glob("*-memory-nvidia-h100-80gb-hbm3.json")
    found = json.loads(path.read_text())
    assert found["mode"] == "graph"
    assert found["rows"] == [{"section": "memory", "what": "training step", "ms": 1.5}]
