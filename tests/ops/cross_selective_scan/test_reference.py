import math

import pytest
import torch

from monai_medmamba.ops import cross_selective_scan
from testing.scans import SPACES, scan_inputs


def scan_by_hand(x, x_dbl, dt_weight, dt_bias, A, D):
    """The recurrence in Python floats, one number at a time, for a 2-D map."""
    batch, height, width, channels = x.shape
    rank, states = dt_weight.shape[-1], A.shape[-1]
    rows = [(i, j) for i in range(height) for j in range(width)]
    columns = [(i, j) for j in range(width) for i in range(height)]
    y = torch.zeros_like(x)
    for k, order in enumerate([rows, columns, rows[::-1], columns[::-1]]):
        for b in range(batch):
            for d in range(channels):
                h = [0.0] * states
                for i, j in order:
                    token = x_dbl[b, i, j, k].tolist()
                    r, enter, leave = token[:rank], token[rank : rank + states], token[rank + states :]
                    pre = sum(w * v for w, v in zip(dt_weight[k, d].tolist(), r, strict=True)) + dt_bias[k, d].item()
                    dt = math.log1p(math.exp(pre))
                    for n in range(states):
                        h[n] = math.exp(dt * A[k, d, n].item()) * h[n] + dt * enter[n] * x[b, i, j, d].item()
                    y[b, i, j, d] += sum(c * s for c, s in zip(leave, h, strict=True)) + D[k, d] * x[b, i, j, d]
    return y


def test_equals_the_recurrence_by_hand():
    tensors = scan_inputs((3, 4), batch=2, channels=2, states=2, rank=1, dtype=torch.float64)
    torch.testing.assert_close(cross_selective_scan(*tensors, backend="reference"), scan_by_hand(*tensors))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_gradcheck(space):
    tensors = scan_inputs(space, batch=1, channels=2, states=2, rank=1, dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(
        lambda *t: cross_selective_scan(*t, backend="reference"), leaves, fast_mode=math.prod(space) > 6
    )
