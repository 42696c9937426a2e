"""Time ways to write the scan in ONNX's standard operators: ``python benchmarks/onnx_formulations.py``.

The recurrence alone, at the sizes of MedMamba-T's stages, batch 1, in ONNX Runtime on the CPU: from steps, inputs, B
and C of every token to its result. Tensors are (tokens, K, ..., D), channels last. The record is
``benchmarks/results/<date>-onnx-formulations-<device>.json``.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from cpu_rows import DIRECTIONS, STAGES, STATES
from onnx import TensorProto, checker, helper, numpy_helper
from record import Record
from targets import RESULTS
from timing import milliseconds

from monai_medmamba.ops.cross_selective_scan import cpu

INPUTS = ("dt", "entering", "B", "C")
Sizes = tuple[int, int, int, int]  # tokens, directions, states, channels


class Graph:
    """Nodes and constants as they are added; each call adds a node and returns the names of its results."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix, self.nodes, self.constants = prefix, [], []

    def __call__(self, kind: str, *inputs: str, results: int = 1, **attributes: object) -> str | list[str]:
        names = [f"{self.prefix}{kind}{len(self.nodes)}_{i}" for i in range(results)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if results == 1 else names

    def constant(self, value: object) -> str:
        array = np.asarray(value)
        name = f"{self.prefix}constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def body(self, inputs: tuple[str, ...], results: tuple[str, ...]) -> object:
        """Return the graph as the body of a Scan."""
        values = [
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in some] for some in (inputs, results)
        ]
        return helper.make_graph(self.nodes, self.prefix or "body", *values, self.constants)


def step(body: Graph, h: str, rate: str) -> str:
    """Add one token's update of the state, and return the new state."""
    decay = body("Exp", body("Mul", "dt_t", rate))
    return body("Add", body("Mul", decay, h), body("Mul", "entering_t", "B_t"))


IN_STEP = ("h", "dt_t", "entering_t", "B_t", "C_t")


def tokens_one_by_one(g: Graph, sizes: Sizes, rate: str) -> str:
    """A Scan with one token a step."""
    _length, k, n, d = sizes
    body = Graph("body_")
    h = step(body, "h", rate)
    y = body("MatMul", "C_t", h)
    zero = g.constant(np.zeros((k, n, d), np.float32))
    return g("Scan", zero, *INPUTS, results=2, body=body.body(IN_STEP, (h, y)), num_scan_inputs=4)[1]


def groups(g: Graph, sizes: Sizes, rate: str, *, size: int) -> str:
    """A Scan with a group of tokens a step: their decays at once, their updates one after the other."""
    length, k, n, d = sizes
    body = Graph("body_")
    decay, entering = body("Exp", body("Mul", "dt_t", rate)), body("Mul", "entering_t", "B_t")
    parts = [body("Split", name, results=size, axis=0, num_outputs=size) for name in (decay, entering)]
    h, states = "h", []
    for one, more in zip(*parts, strict=True):
        h = body("Add", body("Mul", one, h), more)
        states.append(h)
    y = body("MatMul", "C_t", body("Concat", *states, axis=0))
    zero = g.constant(np.zeros((1, k, n, d), np.float32))
    ends = ((1, d), (1, d), (n, 1), (1, n))
    cut = [g("Reshape", i, g.constant([length // size, size, k, *e])) for i, e in zip(INPUTS, ends, strict=True)]
    _last, y = g("Scan", zero, *cut, results=2, body=body.body(IN_STEP, (h, y)), num_scan_inputs=4)
    return g("Reshape", y, g.constant([length, k, 1, d]))


def chunks(g: Graph, sizes: Sizes, rate: str, *, tokens: int, again: bool) -> str:
    """All chunks together, one token of each a step; then the carries; then the chunks again, or a correction."""
    length, k, n, d = sizes
    count = length // tokens
    ends = ((1, d), (1, d), (n, 1), (1, n))
    cut = []
    for name, end in zip(INPUTS, ends, strict=True):
        whole = g("Reshape", name, g.constant([count, tokens, k, *end]))
        cut.append(g("Transpose", whole, perm=[1, 0, 2, 3, 4]))
    zero = g.constant(np.zeros((count, k, n, d), np.float32))

    def sweep(prefix: str, start: str) -> list[str]:
        body = Graph(prefix)
        h = step(body, "h", rate)
        y = body("MatMul", "C_t", h)
        return g("Scan", start, *cut, results=2, body=body.body(IN_STEP, (h, y)), num_scan_inputs=4)

    own, y = sweep("first_", zero)
    decay = g("Exp", g("Mul", g("ReduceSum", cut[0], g.constant([0]), keepdims=0), rate))
    carry = Graph("carry_")
    given, left = carry("Identity", "h"), carry("Add", carry("Mul", "decay_c", "h"), "own_c")
    body = carry.body(("h", "decay_c", "own_c"), (left, given))
    entering = g(
        "Scan", g.constant(np.zeros((k, n, d), np.float32)), decay, own, results=2, body=body, num_scan_inputs=2
    )[1]
    if again:
        y = sweep("second_", entering)[1]
    else:
        correct = Graph("correct_")
        faded = correct("Mul", correct("Exp", correct("Mul", "elapsed", rate)), entering)
        total = correct("Add", "y_t", correct("MatMul", "C_t", faded))
        elapsed = g("CumSum", cut[0], g.constant(np.int64(0)))
        body = correct.body(("elapsed", "C_t", "y_t"), (total,))
        y = g("Scan", elapsed, cut[3], y, body=body, num_scan_inputs=3)
    return g("Reshape", g("Transpose", y, perm=[1, 0, 2, 3, 4]), g.constant([length, k, 1, d]))


def tree(g: Graph, sizes: Sizes, rate: str, *, base: int) -> str:
    """No Scan: groups of groups of tokens, written out to logarithmic depth."""
    length, k, n, d = sizes

    def solve(dt: str, entering: str, length: int) -> str:
        size = min(base, length)
        count = -(-length // size)
        if pad := count * size - length:
            dt, entering = (g("Pad", t, g.constant([0, 0, 0, 0, pad, 0, 0, 0])) for t in (dt, entering))
        dt = g("Reshape", dt, g.constant([count, size, k, 1, d]))
        entering = g("Reshape", entering, g.constant([count, size, k, n, d]))
        decay = g("Exp", g("Mul", dt, rate))
        if size == 1:
            states, h = entering, entering
        else:
            one, more = (g("Split", t, results=size, axis=1, num_outputs=size) for t in (decay, entering))
            h, found = more[0], [more[0]]
            for i in range(1, size):
                h = g("Add", g("Mul", one[i], h), more[i])
                found.append(h)
            states = g("Concat", *found, axis=1)
        if count > 1:
            total = g("ReduceSum", dt, g.constant([1]), keepdims=0)
            ends = solve(total, g("Reshape", h, g.constant([count, k, n, d])), count)
            shifted = g("Pad", ends, g.constant([1, 0, 0, 0, 0, 0, 0, 0]))
            before = g("Slice", shifted, g.constant([0]), g.constant([count]), g.constant([0]))
            faded = g("Exp", g("Mul", g("CumSum", dt, g.constant(np.int64(1))), rate))
            before = g("Reshape", before, g.constant([count, 1, k, n, d]))
            states = g("Add", states, g("Mul", faded, before))
        states = g("Reshape", states, g.constant([count * size, k, n, d]))
        return g("Slice", states, g.constant([0]), g.constant([length]), g.constant([0])) if pad else states

    return g("MatMul", "C", solve("dt", g("Mul", "entering", "B"), length))


def formulations(length: int) -> dict[str, Callable[[Graph, Sizes, str], str]]:
    """Return every way to be timed at a length, by its name."""
    found: dict[str, Callable[[Graph, Sizes, str], str]] = {"token": tokens_one_by_one}
    for size in (s for s in (4, 7, 14, 28) if length % s == 0):
        found[f"group of {size}"] = lambda *a, size=size: groups(*a, size=size)
    for tokens in (t for t in (7, 14, 28, 56, 112) if length % t == 0 and t < length):
        for again in (False, True):
            name = f"chunks of {tokens}, {'again' if again else 'corrected'}"
            found[name] = lambda *a, tokens=tokens, again=again: chunks(*a, tokens=tokens, again=again)
    for base in (4, 8, 16):
        found[f"tree of {base}"] = lambda *a, base=base: tree(*a, base=base)
    return found


def build(write: Callable[[Graph, Sizes, str], str], sizes: Sizes, rate: np.ndarray) -> bytes:
    """Return the checked model of a formulation."""
    length, k, n, d = sizes
    g = Graph()
    y = write(g, sizes, g.constant(rate))
    ends = ((1, d), (1, d), (n, 1), (1, n))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (length, k, *end))
        for name, end in zip(INPUTS, ends, strict=True)
    ]
    output = helper.make_tensor_value_info(y, TensorProto.FLOAT, (length, k, 1, d))
    graph = helper.make_graph(g.nodes, "scan", inputs, [output], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def tensors(sizes: Sizes) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return random inputs, the state matrix, and the result, token by token in float64."""
    length, k, n, d = sizes
    rng = np.random.default_rng(0)
    dt = np.exp(rng.uniform(np.log(0.001), np.log(0.1), (length, k, 1, d)))
    entering, B, C = dt * rng.standard_normal(dt.shape), *(rng.standard_normal((2, length, k, n)))
    rate = -np.arange(1.0, n + 1)[None, :, None].repeat(k, 0).repeat(d, 2)
    h, y = np.zeros((k, n, d)), []
    for t in range(length):
        h = np.exp(dt[t] * rate) * h + entering[t] * B[t][..., None]
        y.append(C[t][:, None, :] @ h)
    inputs = {"dt": dt, "entering": entering, "B": B[..., None], "C": C[:, :, None]}
    return {name: t.astype(np.float32) for name, t in inputs.items()}, rate.astype(np.float32), np.stack(y)


def time_one(write: Callable[[Graph, Sizes, str], str], sizes: Sizes, threads: int, repeats: int, known: tuple) -> dict:
    """Return time and error of one formulation."""
    inputs, rate, exact = known
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(build(write, sizes, rate), options, providers=["CPUExecutionProvider"])
    y = session.run(None, inputs)[0]
    took = milliseconds(lambda: session.run(None, inputs), torch.device("cpu"), repeats=repeats)
    error = np.sqrt(np.mean((y - exact) ** 2) / np.mean(exact**2))
    return {"ms": took, "error": float(f"{error:.2g}")}


def main() -> None:
    """Time every formulation at every stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--stages", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    device = f"cpu-{cpu.ISA_NAMES[cpu.best_isa()]}"
    path = arguments.out / f"{Record.today()}-onnx-formulations-{device.lower()}.json"
    record = Record(path, device, float("inf"), {"threads": arguments.threads})

    def measure() -> None:
        for stage in arguments.stages:
            space, channels, _rank = STAGES[stage - 1]
            sizes = (space[0] * space[1], DIRECTIONS, STATES, channels)
            known = tensors(sizes)
            for name, write in formulations(sizes[0]).items():
                what = {"what": "scan in ONNX", "stage": stage, "name": name}
                record.row(
                    what, lambda w=write, s=sizes, k=known: time_one(w, s, arguments.threads, arguments.repeats, k)
                )

    record.run_section("formulations", measure)
    print(path)


if __name__ == "__main__":
    sys.exit(main())
