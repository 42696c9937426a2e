import torch

from monai_medmamba.ops.cross_selective_scan.projections import compute_dtype, expand
from testing.scans import scan_inputs


def test_shape():
    x, x_dbl, dt_weight, *_ = scan_inputs((3, 5), channels=6, states=4, rank=2)
    seq = expand(x, x_dbl, dt_weight, 4)
    assert [tuple(t.shape[2:]) for t in seq] == [(15, 6), (15, 6), (15, 4), (15, 4), (15, 2)]


def test_slices_are_step_then_input_then_output():
    x, x_dbl, dt_weight, *_ = scan_inputs((1, 2), channels=6, states=4, rank=2)
    seq = expand(x, x_dbl, dt_weight, 4)
    torch.testing.assert_close(torch.cat([seq.r, seq.B, seq.C], -1)[:, 0], x_dbl[:, 0, :, 0])
    torch.testing.assert_close(seq.delta[:, 0, 0], x_dbl[:, 0, 0, 0, :2] @ dt_weight[0].T)


def test_half_precision_is_computed_in_float32():
    assert compute_dtype(torch.empty(0, dtype=torch.bfloat16)) == torch.float32
    assert compute_dtype(torch.empty(0, dtype=torch.float64)) == torch.float64
