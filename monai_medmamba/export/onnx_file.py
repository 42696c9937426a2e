"""The network as an ONNX file of standard operators, for ONNX Runtime and whatever else reads ONNX."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..networks import MedMamba
from .file_format import FileFormat

__all__ = ["FORMAT"]

INPUT, OUTPUT = "image", "logits"
_AXES = ("height", "width", "depth")
_NEEDED = ("onnx", "onnxscript")
_TALKATIVE = ("torch.onnx", "onnxscript", "onnx_ir")


def _write(network: MedMamba, path: Path, sample: Tensor, dynamic_size: bool, texts: Mapping[str, str]) -> str:
    """Writes the file, checked by ONNX's own checker, with the texts as its metadata.

    Raises:
        ValueError: onnx or onnxscript is not installed.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"an ONNX file is written with {' and '.join(missing)}, not installed here: "
            "pip install 'monai-medmamba[onnx]'"
        )
    import onnx

    free = {0: "batch"}
    if dynamic_size:
        free |= dict(enumerate(_AXES[: sample.dim() - 2], start=2))
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            (sample,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=(free,),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program; it should with dynamo=True")
    _strip(program.model)
    program.model.metadata_props.update(texts)
    program.save(path, external_data=False)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return f"{sum(1 for _ in nodes(model.graph)):,} nodes, opset {model.opset_import[0].version}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's notes about its own work, a thousand lines, from the user."""
    levels = {name: logging.getLogger(name).level for name in _TALKATIVE}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name in _TALKATIVE:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _strip(model: Any) -> None:
    """Removes what torch noted for its own debugging: it holds file names of this machine."""
    model.doc_string = None
    for graph in (model.graph, *model.graph.subgraphs()):
        graph.metadata_props.clear()
        graph.doc_string = None
        for value in (*graph.inputs, *graph.initializers.values()):
            value.metadata_props.clear()
        for node in graph:
            node.metadata_props.clear()
            node.doc_string = None
            for value in node.outputs:
                value.metadata_props.clear()


def nodes(graph: Any) -> Iterator[Any]:
    """Yields the nodes of an ONNX graph and of the graphs inside them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from nodes(attribute.g)


def _load(path: Path) -> Callable[[Tensor], Tensor] | None:
    """Returns the file's network through ONNX Runtime; None where it is not installed."""
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run([OUTPUT], {INPUT: images.numpy()})[0])

    return run


FORMAT = FileFormat("onnx", ".onnx", _write, _load)
