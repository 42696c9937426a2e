"""The benchmarks are scripts beside each other, not a package; and a record as a run on a GPU leaves it."""

import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from cases import (  # noqa: E402
    PRECISIONS,
    Scale,
    compiled_cases,
    compiled_peer_cases,
    inference_cases,
    training_cases,
)
from suite import Suite  # noqa: E402

FACTOR = {"published": 8.0, "ours": 1.0, "timm": 0.5}


def core_rows() -> list[dict]:
    """Rows of the core at every stage, as the section writes them."""
    names = [{"code": "published"}, {"code": "ours", "backend": "cuda"}, {"code": "ours", "backend": "chunked"}]
    found = []
    for named in names:
        for stage in (1, 2, 3, 4):
            for kind in ("fp32", "tf32", "bf16"):
                what = {"section": "core", **named, "stage": stage}
                fields = {key: PRECISIONS[kind].fields[key] for key in ("dtype", "tf32")}
                ms = FACTOR[named["code"]] / stage
                timed = {**what, "what": "core", "batch": 64, **fields}
                found.append({**timed, "pass": "forward", "ms": ms})
                found.append({**timed, "pass": "forward+backward", "ms": 3 * ms, "repeats_bitwise": stage != 3})
            gradients = dict.fromkeys(("x", "x_proj_weight", "dt_weight", "dt_bias", "A_log", "D"), 2e-6)
            error = {"error_y": stage * 1e-6, "error_gradients": gradients}
            found.append({**what, "what": "core error", "batch": 1, "dtype": "float32", "tf32": False, **error})
    return found


@pytest.fixture
def gpu_record() -> dict:
    """A record in which the published code takes 8 ms where ours takes 1, and one row failed."""
    suite = Suite(None, torch.device("cpu"), Scale(), ("cuda", "mamba_ssm", "chunked"))
    rows = core_rows()
    cases = [("inference", case) for case in inference_cases(Scale(), published=True)]
    cases += [("training step", case) for case in training_cases(Scale(), published=True)]
    compiled = [*compiled_cases(Scale()), *compiled_peer_cases(Scale())]
    cases += [("training step" if kind == "training" else kind, case) for kind, case in compiled]
    for what, case in cases:
        figures = {"ms": FACTOR[case.code] * case.batch / 64}
        if what == "training step":
            figures["peak_gib"] = FACTOR[case.code]
        rows.append({"section": "s", **suite.fields(what, case, size=224), **figures})
    for what in ("inference", "training step"):
        for size, pixel in ((224, 1.0), (448, 1.05), (896, 1.1)):
            shown = {"size": size, "batch": 64 * 224**2 // size**2, "ms": 3.2, "ns_per_pixel": pixel}
            mode = "graph" if what == "training step" else "fused+graph"
            rows.append({"section": "scaling", "what": "scaling", "of": what, "mode": mode, **shown})
    fed = {
        "section": "feeding",
        "what": "feeding",
        "code": "ours",
        "network": "medmamba_tiny",
        "batch": 64,
        "size": 224,
    }
    fed |= {"backend": "cuda", "dtype": "bfloat16", "tf32": False, "autocast": True}
    spent = {"waiting_ms": 0.2, "step_ms": 50.0, "rest_seconds": 0.1, "validation_seconds": 0.5}
    spent |= {"check_seconds": 5.0, "cache_seconds": 9.0, "threads": 16, "epochs": {"1": 600.0, "2": 900.0}}
    rows.append({**fed, "of": "bundle", "images": 4096, "images_per_second": 900.0, **spent})
    for benchmark in (False, True):
        timed = {"cudnn_benchmark": benchmark, "ms": 53.3, "images_per_second": 1200.0 + 10 * benchmark}
        rows.append({**fed, "of": "step", **timed})
    network = {"section": "logits", "what": "logits", "network": "medmamba_tiny", "mode": "eager", "dtype": "float32"}
    rows += [{**network, "code": "published", "error_logits": 1e-6}]
    rows += [{**network, "code": "ours", "error_logits": 1e-6, "from_published": 2e-6}]
    for name, last in (("cuda", 0.5), ("reference", 0.51)):
        curve = {"ms": 3.0, "first": 2.0, "last": last, "losses": [2.0, 1.0, last]}
        rows.append({"section": "losses", "what": "losses", "backend": name, **curve})
    rows.append({"section": "losses", "what": "losses apart", "backend": "cuda", "largest": 0.01, "mean": 0.005})
    rows.append(
        {"section": "s", "what": "inference", "network": "swin_tiny", "code": "timm", "mode": "x", "failed": "a|b"}
    )
    return {
        "date": "2026-01-02",
        "commit": "0123456789",
        "device": "NVIDIA Test",
        "versions": {"torch": "2.11.0", "timm": None},
        "backends": ["cuda", "mamba_ssm", "chunked"],
        "gate": {"passed": 12},
        "sections": {"core": {"seconds": 1.0}},
        "rows": rows,
    }
