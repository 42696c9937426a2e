import pytest
import torch
from monai.data import MetaTensor

from monai_medmamba.networks import MedMamba, from_published, published_sizes, to_published
from testing.backends import require_on_cpu
from testing.golden import below, golden_arrays, relative_rms

MICRO = {"num_classes": 3, "depths": (1, 1, 1), "dims": (8, 16, 32), "d_state": 4}
CASES = [
    ({**MICRO}, (2, 3, 32, 32), (2, 3)),
    ({**MICRO, "in_channels": 1, "num_classes": 1}, (1, 1, 47, 65), (1, 1)),
    ({**MICRO, "spatial_dims": 3, "in_channels": 1}, (2, 1, 32, 33, 40), (2, 3)),
    ({**MICRO, "depths": (1,), "dims": (8,)}, (0, 3, 32, 32), (0, 3)),
]


@pytest.mark.parametrize(("arguments", "input_shape", "expected"), CASES, ids=str)
def test_shape(arguments, input_shape, expected):
    net = MedMamba(**arguments).eval()
    assert net(torch.randn(input_shape)).shape == expected


def test_features_are_one_map_a_stage():
    maps = MedMamba(**MICRO).eval().forward_features(torch.randn(2, 3, 64, 36))
    assert [tuple(m.shape) for m in maps] == [(2, 8, 16, 9), (2, 16, 8, 4), (2, 32, 4, 2)]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 32, 32), r"\(B, 3, H, W\), got \(1, 1, 32, 32\)"),
        ((3, 32, 32), "expected images of shape"),
        ((1, 3, 31, 64), "at least 32 pixels"),
    ],
)
def test_invalid_input(shape, message):
    with pytest.raises(ValueError, match=message):
        MedMamba(**MICRO)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": (1, 1)}, "one depth for each dim"),
        ({"dims": (8, 16, 24)}, "twice as wide"),
        ({"num_classes": 0}, "num_classes"),
        ({"spatial_dims": 1}, "2 or 3|not supported"),
    ],
    ids=str,
)
def test_invalid_arguments(changes, message):
    with pytest.raises((ValueError, KeyError), match=message):
        MedMamba(**{**MICRO, **changes})


def test_checkpointing_changes_nothing_but_memory():
    x = torch.randn(2, 3, 32, 32)
    plain = MedMamba(**MICRO, drop_path_rate=0.0)
    recomputed = MedMamba(**MICRO, drop_path_rate=0.0, use_checkpoint=True)
    recomputed.load_state_dict(plain.state_dict())
    for net in (plain, recomputed):
        net(x).square().sum().backward()
    for a, b in zip(plain.parameters(), recomputed.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_parameter_groups_hold_every_parameter_once():
    net = MedMamba(**MICRO)
    decayed, free = net.param_groups(0.1)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert sorted(map(id, decayed["params"] + free["params"])) == sorted(map(id, net.parameters()))
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    kinds = {names[id(parameter)].rsplit(".", 1)[-1] for parameter in decayed["params"]}
    assert kinds == {"weight", "x_proj_weight", "dt_weight"}
    assert all(parameter.dim() > 1 for parameter in decayed["params"])


def test_stochastic_depth_rises_linearly():
    net = MedMamba(**{**MICRO, "depths": (1, 2, 1)}, drop_path_rate=0.3)
    rates = [block.drop_path.drop_prob for stage in net.stages for block in stage.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3])


def test_compiles():
    net = MedMamba(**MICRO).eval()
    x = torch.randn(2, 3, 32, 40)
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), net(x))


def test_exports():
    net = MedMamba(**MICRO).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(net, (torch.randn(2, 3, 32, 40),), dynamic_shapes=({0: batch},))
    x = torch.randn(5, 3, 32, 40)
    torch.testing.assert_close(program.module()(x), net(x))


def test_traces_for_any_batch_and_size():
    net = MedMamba(**MICRO).eval()
    with torch.no_grad():
        traced = torch.jit.trace(net, torch.randn(2, 3, 32, 40))
        x = torch.randn(3, 3, 64, 36)
        torch.testing.assert_close(traced(x), net(x))


def test_bfloat16_autocast_stays_close():
    net = MedMamba(**MICRO).eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = net(x)
    assert relative_rms(rounded.float(), net(x)) < 0.05


@pytest.fixture(params=["reference", "chunked", "cpu"])
def backend(request):
    require_on_cpu(request.param)
    return request.param


def recorded_network(arrays, backend, **arguments):
    state = below(arrays, "state/")
    net = MedMamba(**published_sizes(state), **arguments, backend=backend)
    net.load_state_dict(from_published(state))
    return net


def published_gradients(net):
    return to_published({name: parameter.grad for name, parameter in net.named_parameters()})


@pytest.mark.parametrize("case", ["square", "wide", "odd"])
def test_matches_reference(case, backend):
    """The logits of the published network, as recorded."""
    arrays = golden_arrays("medmamba_micro.npz")
    net = recorded_network(arrays, backend).eval()
    torch.testing.assert_close(net(arrays[f"{case}/input"]), arrays[f"{case}/logits"], atol=1e-5, rtol=0)


def test_matches_reference_inside_and_in_gradients(backend):
    arrays = golden_arrays("medmamba_micro.npz")
    net = recorded_network(arrays, backend).eval()
    maps = net.forward_features(arrays["square/input"])
    for i, (stage, m) in enumerate(zip(net.stages, maps, strict=True)):
        assert relative_rms(stage.downsample(m.movedim(1, -1)), arrays[f"square/layer{i}"]) < 1e-5
    net(arrays["square/input"]).backward(arrays["square/cotangent"])
    found = published_gradients(net)
    for name, expected in below(arrays, "square/grad/").items():
        assert relative_rms(found[name], expected) < 1e-4, name


def test_matches_reference_in_a_training_step(backend):
    arrays = golden_arrays("medmamba_train_step.npz")
    net = recorded_network(arrays, backend, drop_path_rate=0.0).train()
    logits = net(arrays["input"])
    torch.testing.assert_close(logits, arrays["logits"], atol=1e-5, rtol=0)
    logits.backward(arrays["cotangent"])
    found = published_gradients(net)
    for name, expected in below(arrays, "grad/").items():
        # A bias before a normalisation by batch statistics has no gradient: both sides are rounding alone.
        if name.endswith(("conv33conv33conv11.1.bias", "conv33conv33conv11.4.bias")):
            weight = below(arrays, "grad/")[name.replace("bias", "weight")]
            assert found[name].abs().max() < 1e-4 * weight.abs().max(), name
        else:
            assert relative_rms(found[name], expected) < 1e-4, name
    after = to_published(net.state_dict())
    for name, expected in below(arrays, "after/").items():
        torch.testing.assert_close(after[name], expected, atol=1e-5, rtol=1e-5)


def test_metadata_stays_outside():
    """What MONAI's loaders give is a MetaTensor; carrying it through the network would cost time at every operation."""
    net = MedMamba(**MICRO).eval()
    x = torch.randn(1, 3, 32, 32)
    logits = net(MetaTensor(x, meta={"filename_or_obj": "a.png"}))
    assert type(logits) is torch.Tensor
    assert torch.equal(logits, net(x))


@pytest.mark.parametrize(("spatial_dims", "size"), [(2, (40, 36)), (3, (32, 36, 33))])
def test_fused_computes_the_same(spatial_dims, size):
    net = MedMamba(spatial_dims, num_classes=3, depths=(1, 1), dims=(16, 32))
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.randn(4, 3, *size))  # statistics of its own
    net.eval()
    x = torch.randn(2, 3, *size)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    fused = net.fuse()
    torch.testing.assert_close(fused(x), net(x).detach(), atol=1e-5, rtol=1e-4)
    assert not any(parameter.requires_grad for parameter in fused.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    low = net.fuse(torch.bfloat16)
    logits = low(x)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), net(x).detach(), atol=0.1, rtol=0.1)
    assert low.stages[0].blocks[0].ssm.A_log.dtype == torch.float32


def small_on_gpu():
    torch.manual_seed(0)
    return MedMamba(num_classes=3, depths=(1, 1), dims=(16, 32), drop_path_rate=0.0, backend="cuda").cuda()


@pytest.mark.gpu
def test_exports_on_a_gpu():
    network, x = small_on_gpu().eval(), torch.randn(4, 3, 64, 64).cuda()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(network, (x[:2],), dynamic_shapes=({0: batch},))
    assert "cross_selective_scan" in str(program.graph)
    torch.testing.assert_close(program.module()(x), network(x))


@pytest.mark.gpu
def test_fused_in_a_cuda_graph():
    network, x = small_on_gpu().eval(), torch.randn(4, 3, 64, 64).cuda()
    with torch.no_grad():
        fused = network.fuse()
        fused(x)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            y = fused(x)
        x.copy_(torch.randn(x.shape))
        graph.replay()
        torch.testing.assert_close(y, network(x), rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
def test_distributed_data_parallel(tmp_path):
    networks, x = [small_on_gpu(), small_on_gpu()], torch.randn(4, 3, 64, 64).cuda()
    torch.distributed.init_process_group("nccl", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        for run in (networks[0], torch.nn.parallel.DistributedDataParallel(networks[1], device_ids=[0])):
            run(x).square().mean().backward()
    finally:
        torch.distributed.destroy_process_group()
    for (name, found), expected in zip(networks[1].named_parameters(), networks[0].parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-3, atol=1e-5, msg=name)
