import pytest
import torch
import torch.nn.functional as F

from monai_medmamba.explain import scan_shares
from monai_medmamba.ops import cross_selective_scan
from monai_medmamba.ops.cross_selective_scan.directions import gather_own
from monai_medmamba.ops.cross_selective_scan.projections import expand

B, D, N, R = 2, 3, 2, 2


def call(*space, dtype=torch.float64):
    """The tensors of a scan with slow and fast decays."""
    K = 2 * len(space)
    return (
        torch.randn(B, *space, D, dtype=dtype),
        torch.randn(B, *space, K, R + 2 * N, dtype=dtype),
        torch.randn(K, D, R, dtype=dtype),
        torch.randn(K, D, dtype=dtype),
        -torch.rand(K, D, N, dtype=dtype) * 3,
        torch.randn(K, D, dtype=dtype),
    )


def dense_attention(x, x_dbl, dt_weight, dt_bias, A, _skip):
    """Return the whole attention (B, K, D, L, L) in direction order, built element by element from its formula."""
    seq = expand(x, x_dbl, dt_weight, N)
    dt = F.softplus(seq.delta + dt_bias[:, None])  # (B, K, L, D)
    length = dt.shape[2]
    M = dt.new_zeros(B, A.shape[0], D, length, length)
    for i in range(length):
        for j in range(i + 1):
            decay = torch.exp(A * dt[:, :, j + 1 : i + 1].sum(2)[..., None])  # (B, K, D, N)
            gain = (seq.C[:, :, i, None] * decay * seq.B[:, :, j, None]).sum(-1)
            M[..., i, j] = gain * dt[:, :, j]
    return M


def in_image_order(shares, space):
    """Return (B, K, L) values of direction order as maps (B, K, *space)."""
    positions = torch.arange(torch.Size(space).numel()).reshape(1, *space, 1, 1).expand(1, *space, shares.shape[1], 1)
    order = gather_own(positions)[0, :, :, 0]  # (K, L)
    return torch.zeros_like(shares).scatter(2, order.expand_as(shares), shares).unflatten(2, space)


@pytest.mark.parametrize("space", [(3, 4), (1, 5), (2, 2, 3)], ids=str)
def test_matches_the_dense_attention(space):
    tensors = call(*space)
    x, skip = tensors[0], tensors[-1]
    M = dense_attention(*tensors)
    u = expand(x, *tensors[1:3], N).u  # (B, K, L, D)

    carried = torch.einsum("bkdij,bkjd->bkid", M, u)
    maps = torch.stack([in_image_order(carried[..., d], space).sum(1) for d in range(D)], dim=-1)
    y = cross_selective_scan(*tensors, backend="reference")
    assert torch.allclose(maps + skip.sum(0) * x, y, atol=1e-12)  # attention times x, and the skip, is the scan

    weights = torch.randn_like(y)
    w = expand(weights, *tensors[1:3], N).u
    parts = torch.einsum("bkid,bkdij,bkjd->bkj", w, M, u)
    given, kept = scan_shares(weights, *tensors, backend="reference")
    assert torch.allclose(given, in_image_order(parts, space), atol=1e-12)
    expected = torch.stack([(weights * x * of_direction).sum(-1) for of_direction in skip], dim=1)
    assert torch.allclose(kept, expected, atol=1e-12)


@pytest.mark.parametrize("backend", ["cpu", "chunked", "reference"])
def test_all_shares_add_up_to_the_weighed_result(backend):
    tensors = call(5, 7, dtype=torch.float32)
    y = cross_selective_scan(*tensors, backend="reference")
    weights = torch.randn_like(y)
    given, kept = scan_shares(weights, *tensors, backend=backend)
    assert given.shape == kept.shape == (B, 4, 5, 7)
    whole = (weights * y).sum((1, 2, 3))
    assert torch.allclose((given + kept).sum((1, 2, 3)), whole, rtol=1e-4, atol=1e-4)


def test_leaves_no_gradient_behind():
    tensors = [tensor.requires_grad_() for tensor in call(3, 4)]
    parts = scan_shares(torch.randn_like(tensors[0]), *tensors)
    assert all(tensor.grad is None for tensor in tensors)
    assert not any(part.requires_grad for part in parts)


def test_invalid_arguments():
    with pytest.raises(ValueError, match="weights for a result of shape"):
        scan_shares(torch.zeros(1), *call(3, 4))
