import json

import pytest
import torch
from monai.data import MetaTensor

from monai_medmamba.networks import GraphedTraining, MedMamba, from_published, published_sizes, to_published
from testing.backends import require_on_cpu
from testing.golden import below, golden_arrays, relative_rms
from testing.model_tester import ModelTester

MICRO = {"num_classes": 3, "depths": (1, 1, 1), "dims": (8, 16, 32), "d_state": 4}
VOLUME = {**MICRO, "spatial_dims": 3, "in_channels": 1}
IN_PLANE = [(1, 2, 2), (1, 2, 2)]
THIN = {**VOLUME, "patch_size": (1, 4, 4), "merge_strides": IN_PLANE}
OVERLAPPING = {**VOLUME, "patch_size": (4, 4, 2), "patch_stride": (4, 4, 1), "merge_strides": [(2, 2, 1), 2]}
CASES = [
    ModelTester(MICRO, (2, 3, 32, 40), ((4, 4), (8, 8), (16, 16))),
    ModelTester({**MICRO, "in_channels": 1, "num_classes": 1}, (1, 1, 47, 65), ((4, 4), (8, 8), (16, 16))),
    ModelTester({**MICRO, "patch_size": (4, 6), "patch_stride": (2, 4)}, (2, 3, 33, 40), ((2, 4), (4, 8), (8, 16))),
    ModelTester(VOLUME, (2, 1, 32, 33, 34), ((4,) * 3, (8,) * 3, (16,) * 3)),
    ModelTester(THIN, (2, 1, 3, 37, 40), ((1, 4, 4), (1, 8, 8), (1, 16, 16))),
    ModelTester(OVERLAPPING, (2, 1, 33, 35, 5), ((4, 4, 1), (8, 8, 1), (16, 16, 2))),
]
forms = pytest.mark.parametrize("tester", CASES, ids=str)


@forms
def test_shape(tester):
    tester.check_shape()


def test_an_empty_batch():
    assert MedMamba(**{**MICRO, "depths": (1,), "dims": (8,)}).eval()(torch.zeros(0, 3, 32, 32)).shape == (0, 3)


@pytest.mark.parametrize("tester", CASES[4:], ids=str)  # few tokens: the reference walks them one by one
def test_matches_reference_backend(tester):
    require_on_cpu("cpu")
    tester.check_backends("chunked", "cpu")


@forms
def test_compiles(tester):
    tester.check_compiles()


@forms
def test_exports(tester):
    tester.check_exports()


@pytest.mark.parametrize("tester", [CASES[0], CASES[5]], ids=str)
@pytest.mark.parametrize("stages", [True, (True, False, False)], ids=str)
def test_checkpointing_changes_nothing_but_memory(tester, stages):
    tester.check_checkpointing(stages)


@pytest.mark.parametrize("tester", [CASES[0], CASES[4]], ids=str)
def test_checkpointing_compiles(tester):
    tester.check_checkpointing(True, compiled=True)


@pytest.mark.parametrize("arguments", [MICRO, VOLUME], ids=["2d", "3d"])
def test_checkpointing_keeps_less(arguments):
    kept = []
    for use_checkpoint in (False, (False, True, True), True):
        net, total = MedMamba(**arguments, use_checkpoint=use_checkpoint, backend="chunked"), []
        x = torch.randn(1, net.in_channels, *[32] * net.spatial_dims)
        with torch.autograd.graph.saved_tensors_hooks(lambda t, total=total: total.append(t.numel()), lambda t: t):
            net(x)
        kept.append(sum(total))
    assert kept[0] > kept[1] > kept[2]


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


def test_an_axis_that_is_not_divided_may_be_short():
    assert MedMamba(**VOLUME).smallest_edges == (32, 32, 32)
    net = MedMamba(**THIN)
    assert net.smallest_edges == (2, 32, 32)  # of three stages; 1 of four
    with pytest.raises(ValueError, match="at least 2 x 32 x 32 pixels"):
        net(torch.zeros(1, 1, 2, 32, 31))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": (1, 1)}, "one depth for each dim"),
        ({"dims": (8, 16, 24)}, "twice as wide"),
        ({"num_classes": 0}, "num_classes"),
        ({"spatial_dims": 1}, "expected 2 or 3, got 1"),
        ({"patch_size": (4, 4, 4)}, r"patch_size: .* 2 of them, one an axis, got \(4, 4, 4\)"),
        ({"patch_size": 2.5}, "patch_size"),
        ({"patch_size": 0}, "patch_size: expected a whole number of at least 1"),
        ({"patch_stride": 5}, r"patch_stride: expected at most the patch size \(4, 4\)"),
        ({"merge_strides": (2, 2, 2)}, "merge_strides: .* 2, one for each step between stages"),
        ({"merge_strides": ((2, 1), 3)}, "merge_strides: expected 2 along an axis that is halved"),
        ({"merge_strides": (2, 1)}, "with at least one 2, got 1"),
        ({"use_checkpoint": (True,)}, "use_checkpoint: .* 3, one for each stage"),
    ],
    ids=str,
)
def test_invalid_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        MedMamba(**{**MICRO, **changes})


def test_settings_build_the_same_form_and_say_only_what_is_not_the_published_one():
    assert not {"patch_size", "patch_stride", "merge_strides"} & set(MedMamba(**MICRO).settings)
    assert "patch_size" not in MedMamba(**VOLUME, patch_size=[4, 4, 4], merge_strides=[[2, 2, 2], 2]).settings
    for tester in CASES:
        first = tester.network().settings
        assert MedMamba(**json.loads(json.dumps(first))).settings == first
    assert MedMamba(**OVERLAPPING).settings["merge_strides"] == [[2, 2, 1], [2, 2, 2]]


def test_stochastic_depth_rises_linearly():
    net = MedMamba(**{**MICRO, "depths": (1, 2, 1)}, drop_path_rate=0.3)
    rates = [block.drop_path.drop_prob for stage in net.stages for block in stage.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3])


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
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_checkpointing_in_a_cuda_graph(spatial_dims):
    found = []
    for again in (False, True):
        torch.manual_seed(0)
        sizes = {"num_classes": 3, "depths": (1, 1), "dims": (16, 32), "drop_path_rate": 0.0}
        network = MedMamba(spatial_dims, **sizes, use_checkpoint=again, backend="cuda").cuda().train()
        x = torch.randn(4, 3, *[32] * spatial_dims, device="cuda")
        (GraphedTraining(network) if again else network)(x).square().sum().backward()
        found.append((dict(network.named_buffers()), {name: p.grad for name, p in network.named_parameters()}))
    for plain, graphed in zip(*found, strict=True):
        for name, expected in plain.items():
            torch.testing.assert_close(graphed[name], expected, rtol=1e-3, atol=1e-4, msg=name)


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
