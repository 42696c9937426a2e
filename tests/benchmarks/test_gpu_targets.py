import pytest
from gpu_targets import GPU_TARGETS

EXPECTED = {
    "gpu_inference": 8,
    "gpu_training": 8,
    "gpu_training_fp32": 8,
    "gpu_memory": 1 / 8,
    "gpu_memory_fp32": 1 / 8,
    "gpu_latency_graph": 8,
    "gpu_latency_eager": 8,
    "gpu_core_forward": 8,
    "gpu_core_backward": 8,
    "gpu_core_forward_fp32": 8,
    "gpu_core_backward_fp32": 8,
    "gpu_scaling": 1.1,
    "gpu_scaling_training": 1.1,
    "gpu_feeding": 0.75,
    "gpu_repeatable": 3 / 4,
}


def test_every_target_is_read(gpu_record):
    assert {target.name: pytest.approx(target.read(gpu_record).value) for target in GPU_TARGETS} == EXPECTED


def test_both_figures_are_named(gpu_record):
    parts = {target.name: target.read(gpu_record).parts for target in GPU_TARGETS}
    assert parts["gpu_memory"] == ("ours 1 GiB (eager, bfloat16)", "published 8 GiB (eager, bfloat16)")
    assert parts["gpu_latency_graph"][1] == "ours 0.01562 ms (fused+graph, bfloat16)"
    assert parts["gpu_core_forward"] == ("published 8 ms (forward, float32)", "ours 1 ms (forward, bfloat16)")


def test_the_published_code_runs_in_its_best_mode(gpu_record):
    for row in gpu_record["rows"]:
        if row["what"] == "inference" and row["code"] == "published" and row["mode"] == "graph":
            row["ms"] /= 2
    target = GPU_TARGETS[0]
    assert target.name == "gpu_inference"
    assert target.read(gpu_record).value == pytest.approx(4)


@pytest.mark.parametrize("target", GPU_TARGETS, ids=lambda target: target.name)
def test_a_failed_row_is_no_figure(target, gpu_record):
    failed = [
        {k: v for k, v in row.items() if k not in ("ms", "peak_gib", "ns_per_pixel", "images_per_second")}
        for row in gpu_record["rows"]
    ]
    failed = [{k: v for k, v in row.items() if k != "repeats_bitwise"} for row in failed]
    with pytest.raises(LookupError):
        target.read({**gpu_record, "rows": failed})
