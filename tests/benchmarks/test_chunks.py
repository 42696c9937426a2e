from types import SimpleNamespace

import chunks
import pytest
import torch

from monai_medmamba.ops.cross_selective_scan import cuda


@pytest.mark.parametrize("number", [None, 58])
def test_measures_the_number_asked_for_and_puts_the_choice_back(number, monkeypatch):
    """On the CPU with passes that do nothing: what they are told is what counts."""
    told = []

    def forward(*tensors):
        told.append(cuda._Call(*tensors).tiles.chunks)
        return tensors[0]

    h100 = SimpleNamespace(multi_processor_count=132, shared_memory_per_block_optin=232448)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: h100)
    monkeypatch.setattr(cuda, "forward", forward)
    monkeypatch.setattr(cuda, "backward", lambda cotangent, *tensors: tensors)
    monkeypatch.setattr(chunks, "capture", lambda run: run)
    chosen = cuda._tiles
    row = chunks.measure(chunks.inputs(1, (12, 12, 24), 32, torch.bfloat16, device="cpu"), number)
    assert row["chunks"] == list(told[-1]) == ([108, 108] if number is None else [58, 58])
    assert row["error"] == 0
    assert row["forward_ms"] > 0
    assert cuda._tiles is chosen


def test_error():
    assert chunks.error((torch.tensor([3.0, 4.4]),), (torch.tensor([3.0, 4.0]),)) == pytest.approx(0.08)
