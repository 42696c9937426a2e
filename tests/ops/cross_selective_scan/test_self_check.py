import logging

import pytest
import torch

from monai_medmamba.ops.backend import Backend
from monai_medmamba.ops.cross_selective_scan import chunked, reference
from monai_medmamba.ops.cross_selective_scan.self_check import checked
from testing.scans import scan_inputs


def test_a_right_backend_is_believed():
    assert checked(chunked.BACKEND, reference.BACKEND).unsupported(*scan_inputs((2, 3))) == []
    assert checked(chunked.BACKEND, reference.BACKEND).unsupported(*scan_inputs((2, 3, 2))) == []


def wrong_forward(*tensors):
    return 1.001 * reference.forward(*tensors)


def wrong_backward(*tensors):
    *others, grad_D = reference.backward(*tensors)
    return (*others, -grad_D)


def failing(*_tensors):
    raise RuntimeError("no such kernel")


@pytest.mark.parametrize(
    ("forward", "backward", "what"),
    [
        (wrong_forward, reference.backward, "y is off"),
        (reference.forward, wrong_backward, "D is off"),
        (failing, reference.backward, "it failed: no such kernel"),
    ],
)
def test_a_wrong_backend_falls_back_loudly_and_once(forward, backward, what, caplog):
    backend = checked(Backend("wrong", forward, backward, lambda *_: []), reference.BACKEND)
    with caplog.at_level(logging.WARNING):
        reasons = [backend.unsupported(*scan_inputs((2, 3))) for _ in range(2)]
    assert reasons[0] == reasons[1]
    assert what in reasons[0][0]
    assert len(caplog.records) == 1


def test_each_dtype_is_checked():
    seen = []

    def forward(*tensors):
        seen.append(tensors[0].dtype)
        return reference.forward(*tensors)

    backend = checked(Backend("watched", forward, reference.backward, lambda *_: []), reference.BACKEND)
    for dtype in (torch.float32, torch.bfloat16, torch.float32):
        assert backend.unsupported(*scan_inputs((2, 3), dtype=dtype)) == []
    assert set(seen) == {torch.float32, torch.bfloat16}


def test_reasons_of_the_backend_come_first():
    backend = Backend("absent", failing, failing, lambda *_: ["not here"])
    assert checked(backend, reference.BACKEND).unsupported(*scan_inputs((2, 3))) == ["not here"]
