from types import SimpleNamespace

import pytest
import torch

from monai_medmamba.ops import BackendError, cross_selective_scan
from monai_medmamba.ops.cross_selective_scan import cuda
from monai_medmamba.ops.cross_selective_scan.api import BACKENDS
from testing.backends import require_backend
from testing.emulator import Tile, emulated, scan_backward, scan_forward
from testing.scans import ENOUGH, SPACES, assert_meets_reference, rms, scan_inputs, value_and_gradients

BACKEND = next(backend for backend in BACKENDS if backend.name == "cuda")


def on_gpu(*space, **options):
    """Return the inputs of a call that the backend must be able to run."""
    tensors = scan_inputs(space, device="cuda", **options)
    require_backend("cuda", BACKEND.unsupported(*tensors))
    return tensors


def test_reasons_name_what_is_missing():
    reasons = "; ".join(BACKEND.unsupported(*scan_inputs((2, 2), states=65, rank=65)))
    assert "needs CUDA tensors, got cpu" in reasons
    assert "at most 64 states" in reasons
    assert "at most rank 64" in reasons


def test_asking_for_it_by_name_on_the_cpu_raises():
    with pytest.raises(BackendError, match=r"cuda.*needs CUDA"):
        cross_selective_scan(*scan_inputs((3, 3)), backend="cuda")


# Of an H100 or H200, for few long directions: what benchmarks/chunks.py found fastest, or within a tenth of that; but
# the backward pass of 56 x 56, within a fifth.
@pytest.mark.parametrize(
    ("images", "space", "channels", "chunks"),
    [
        (1, (48, 48, 48), 32, (176, 132)),
        (1, (48, 48, 48), 96, (58, 44)),
        (2, (32, 32, 32), 32, (88, 66)),
        (1, (24, 24, 24), 32, (176, 132)),
        (1, (16, 16, 16), 32, (128, 128)),
        (1, (224, 224), 32, (264, 198)),
        (1, (224, 224), 96, (88, 66)),
        (4, (224, 224), 96, (22, 16)),
        (1, (112, 112), 192, (44, 33)),
        (1, (56, 56), 96, (88, 66)),
        (1, (28, 28), 192, (12, 24)),
        (1, (14, 14), 384, (1, 1)),
        (64, (56, 56), 96, (1, 1)),
    ],
)
def test_chunks_follow_from_the_call(images, space, channels, chunks, monkeypatch):
    h100 = SimpleNamespace(multi_processor_count=132, shared_memory_per_block_optin=232448)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: h100)
    cuda._tiles.cache_clear()
    length = torch.Size(space).numel()
    found = cuda._tiles(images * 2 * len(space), length, channels, 16, 4, 4, torch.device("cuda"))
    cuda._tiles.cache_clear()
    assert found.chunks == chunks


# The kernels themselves, run on the CPU thread by thread: forward tile, backward tile, sizes.
@pytest.mark.parametrize(
    ("forward", "backward", "chunks", "space", "options"),
    [
        (Tile(1, 16, 2), Tile(1, 8, 2), 1, (7, 13), {"channels": 21, "states": 16, "rank": 4}),
        (Tile(8, 8, 1), Tile(8, 8, 1), 1, (7, 13), {"channels": 20, "states": 16, "rank": 3}),
        (Tile(2, 8, 1), Tile(4, 8, 1), 1, (3, 4, 5), {"channels": 32, "states": 8, "rank": 4}),
        (Tile(2, 8, 1), Tile(2, 8, 1), 1, (7, 5), {"channels": 70, "states": 4, "rank": 1}),
        (Tile(1, 8, 1), Tile(1, 4, 1), 1, (3, 4), {"channels": 70, "states": 3, "rank": 2}),
        (Tile(1, 8, 1), Tile(1, 8, 1), 1, (1, 2), {"channels": 9, "states": 5, "rank": 5}),
        (Tile(1, 16, 1), Tile(1, 4, 1), 4, (7, 11), {"channels": 18, "states": 7, "rank": 2}),
        (Tile(2, 8, 1), Tile(2, 8, 1), 3, (7, 11), {"channels": 20, "states": 16, "rank": 3}),
        (Tile(1, 8, 1), Tile(1, 8, 1), 9, (3, 4, 5), {"channels": 40, "states": 8, "rank": 4}),
    ],
    ids=[
        *("serial", "chained", "volume", "many channels", "more channels than threads", "two tokens"),
        *("serial chunks", "chained chunks", "chunks of a volume"),
    ],
)
def test_kernels_match_reference_on_the_emulator(forward, backward, chunks, space, options):
    tensors = scan_inputs(space, dtype=torch.float64, **options)
    cotangent = torch.randn_like(tensors[0])
    with emulated(forward, backward, tensors) as library:
        y, states = scan_forward(library, tensors, chunks)
        found = {"y": y, **scan_backward(library, tensors, cotangent, states, chunks)}
    exact = value_and_gradients(tensors, "reference", cotangent)
    assert found.keys() == exact.keys()
    for name, right in exact.items():
        assert rms(found[name] - right) <= 1e-13 * rms(right), name


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("decay", ["mixed", "slow", "fast"])
@pytest.mark.parametrize("space", [*SPACES, (56, 56)], ids=str)
def test_matches_reference(space, decay, dtype):
    factor = 4 if space == (56, 56) and decay == "slow" else 3
    assert_meets_reference(on_gpu(*space, decay=decay, dtype=dtype, **ENOUGH), "cuda", factor)


@pytest.mark.gpu
@pytest.mark.parametrize("states", [1, 4, 8, 12, 32, 64])
@pytest.mark.parametrize("batch", [2, 512])
def test_any_number_of_states(states, batch):
    space = (9, 7) if batch == 2 else (3, 4)
    assert_meets_reference(on_gpu(*space, batch=batch, states=states, channels=20), "cuda")


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("batch", "channels", "rank"), [(256, 96, 4), (1, 768, 24), (8, 50, 3), (300, 20, 4), (3, 6, 64)]
)
def test_any_batch_and_width(batch, channels, rank):
    assert_meets_reference(on_gpu(6, 5, batch=batch, channels=channels, rank=rank, states=16), "cuda")


@pytest.mark.gpu
def test_gradcheck():
    tensors = on_gpu(3, 4, channels=5, states=4, dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(lambda *t: cross_selective_scan(*t, backend="cuda"), leaves)


@pytest.mark.gpu
@pytest.mark.parametrize("batch", [2, 8, 64])
def test_gradients_repeat_bit_by_bit(batch):
    tensors = on_gpu(28, 28, batch=batch, channels=96, states=16, rank=4, dtype=torch.bfloat16)
    cotangent = torch.randn_like(tensors[0])
    first, second = (value_and_gradients(tensors, "cuda", cotangent) for _ in range(2))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("batch", "channels", "space"),
    [(1, 20, (28, 28)), (1, 20, (56, 50)), (2, 48, (100, 90)), (33, 18, (8, 16)), (6, 96, (8, 9, 8))],
    ids=str,
)
def test_chunks_of_a_direction(batch, channels, space):
    assert_meets_reference(on_gpu(*space, batch=batch, channels=channels, states=16, rank=4), "cuda")


@pytest.mark.gpu
def test_long_sequences():
    tensors = on_gpu(256, 256, batch=1, channels=16, states=16, decay="slow")
    exact = cross_selective_scan(*(t.double() for t in tensors), backend="chunked")
    own = rms(cross_selective_scan(*tensors, backend="reference").double() - exact)
    assert rms(cross_selective_scan(*tensors, backend="cuda").double() - exact) <= 4 * own


@pytest.mark.gpu
def test_many_chunks():
    """More than a hundred in both passes."""
    tensors = on_gpu(40, 48, 36, batch=1, channels=16, states=16, rank=4)
    cotangent = torch.randn_like(tensors[0])
    exact = value_and_gradients([tensor.double() for tensor in tensors], "chunked", cotangent)
    for name, found in value_and_gradients(tensors, "cuda", cotangent).items():
        assert rms(found - exact[name]) <= 1e-4 * rms(exact[name]), name


@pytest.mark.gpu
def test_not_a_number_reaches_the_result():
    tensors = on_gpu(4, 4)
    tensors[0][0, 1, 2, 3] = torch.nan
    assert cross_selective_scan(*tensors, backend="cuda")[0].isnan().any()


@pytest.mark.gpu
def test_opcheck():
    tensors = [tensor.requires_grad_() for tensor in on_gpu(3, 4)]
    torch.library.opcheck(torch.ops.monai_medmamba.cross_selective_scan.default, (*tensors, "cuda"))


@pytest.mark.gpu
def test_compiles():
    tensors = on_gpu(5, 6)
    compiled = torch.compile(lambda *t: 2 * cross_selective_scan(*t, backend="cuda"), fullgraph=True)
    torch.testing.assert_close(compiled(*tensors), 2 * cross_selective_scan(*tensors, backend="cuda"))


@pytest.mark.gpu
def test_runs_in_a_cuda_graph():
    tensors = on_gpu(5, 6)
    expected = cross_selective_scan(*tensors, backend="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = cross_selective_scan(*tensors, backend="cuda")
    y.zero_()
    graph.replay()
    assert torch.equal(y, expected)
