"""The published code, from a checkout that the user supplies: nothing of it is in this repository.

Its ``MedMamba.py`` builds three networks on the GPU and runs one when it is imported, and asks for all of
``mamba_ssm``, whose import wants packages that the scan does not need. So only its definitions are run, beside a
``mamba_ssm`` that is a package without an ``__init__``.

On a CPU it runs with mamba-ssm's reference recurrence, which is plain PyTorch, in the place of the CUDA kernel.
"""

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import torch
from monai.networks.layers import DropPath
from torch import Tensor, nn

from monai_medmamba.networks import VARIANTS

FILE, MODULE = "MedMamba.py", "published_medmamba"
SCAN = "mamba_ssm.ops.selective_scan_interface"
GPU_PARTS = {
    "selective_scan_cuda": (),
    "mamba_ssm.ops.triton.layer_norm": ("_layer_norm_fwd",),
}  # and what is taken of them
KEPT = (ast.Import, ast.ImportFrom, ast.Try, ast.ClassDef, ast.FunctionDef)


class PublishedError(RuntimeError):
    """The checkout cannot be used."""


def definitions(source: str, filename: str) -> ast.Module:
    """Return the imports, classes, functions and constants of a module, without what it does when it is imported."""

    tree = ast.parse(source, filename)
    tree.body = [node for node in tree.body if isinstance(node, KEPT) or _is_constant(node)]
    return tree


def _is_constant(node: ast.stmt) -> bool:
    if not (isinstance(node, ast.Assign) and all(isinstance(name, ast.Name) for name in node.targets)):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


def provide_scan(device: torch.device) -> None:
    """Make mamba-ssm's scan importable without the rest of that package; on a CPU without its GPU parts."""
    if "mamba_ssm" not in sys.modules:
        spec = importlib.util.find_spec("mamba_ssm")
        if spec is None or spec.submodule_search_locations is None:
            raise PublishedError(
                "the published code needs mamba-ssm's scan: MAMBA_FORCE_BUILD=TRUE pip install --no-build-isolation "
                "--no-deps mamba-ssm==2.3.2.post1"
            )
        stub = ModuleType("mamba_ssm")
        stub.__path__ = list(spec.submodule_search_locations)
        sys.modules["mamba_ssm"] = stub
    if device.type != "cuda":
        for name, parts in GPU_PARTS.items():
            sys.modules.setdefault(name, ModuleType(name)).__dict__.update(dict.fromkeys(parts))
    try:
        importlib.import_module(SCAN)
    except ImportError as error:
        raise PublishedError(f"mamba-ssm's {SCAN} cannot be imported: {error}") from error


def provide_timm() -> None:
    """Give the published code what it takes of timm under the name it knows: MONAI's and PyTorch's without timm."""
    try:
        importlib.import_module("timm.models.layers")
    except ImportError:
        name = "timm.models.layers"
        try:
            sys.modules[name] = importlib.import_module("timm.layers")
        except ImportError:
            sys.modules[name] = layers = ModuleType(name)
            for package in ("timm", "timm.models"):
                sys.modules.setdefault(package, ModuleType(package))
            layers.__dict__.update(DropPath=DropPath, trunc_normal_=nn.init.trunc_normal_, to_2tuple=lambda x: (x, x))


def load(checkout: Path, device: torch.device) -> type[nn.Module]:
    """Return the published network's class, ``VSSM``, from a checkout, for a kind of device."""
    path = checkout / FILE
    if not path.is_file():
        raise PublishedError(f"{checkout} holds no {FILE}: give --published the folder of a checkout")
    provide_scan(device)
    provide_timm()
    module = ModuleType(MODULE)
    module.__file__ = str(path)
    sys.modules[MODULE] = module
    try:
        exec(compile(definitions(path.read_text(encoding="utf-8"), str(path)), str(path), "exec"), module.__dict__)
    except ImportError as error:
        raise PublishedError(f"{path} cannot be imported: {error}") from error
    missing = [name for name in ("VSSM", "SS2D", "selective_scan_fn") if not hasattr(module, name)]
    if missing:
        raise PublishedError(f"{path} defines no {', '.join(missing)}: not the published MedMamba, or an import failed")
    if device.type != "cuda":
        module.selective_scan_fn = sys.modules[SCAN].selective_scan_ref
    return module.VSSM


def build(network: type[nn.Module], name: str, num_classes: int) -> nn.Module:
    """Return a published network of the paper's depths and widths: those in the published file's names are others."""
    depths, dims, states = VARIANTS[name.removeprefix("medmamba_")]
    return network(depths=list(depths), dims=list(dims), num_classes=num_classes, d_state=states)


def revision(checkout: Path) -> str | None:
    """Return the commit of a checkout, or None if it is no git repository of its own."""
    command = ["git", "-C", str(checkout), "rev-parse", "--show-toplevel", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    top, _, commit = done.stdout.strip().partition("\n")
    return commit if done.returncode == 0 and Path(top) == checkout.resolve() else None


def core(layer: nn.Module, x: Tensor) -> Tensor:
    """Return what a published ``SS2D`` makes, before its norm, of a map (B, D, H, W): (B, H, W, D)."""
    batch, channels, height, width = x.shape
    first, second, third, fourth = layer.forward_core(x)
    y = first + second + third + fourth  # (B, D, L)
    return y.transpose(1, 2).contiguous().view(batch, height, width, channels)


def layer_like(network: type[nn.Module], ours: nn.Module) -> nn.Module:
    """Return a published ``SS2D`` with the parameters of one of ours."""
    theirs = sys.modules[network.__module__].SS2D(ours.in_proj.in_features, d_state=ours.A_log.shape[-1])
    pairs = {"x_proj_weight": "x_proj_weight", "dt_projs_weight": "dt_weight", "dt_projs_bias": "dt_bias"}
    with torch.no_grad():
        for name, own in pairs.items():
            getattr(theirs, name).copy_(getattr(ours, own))
        theirs.A_logs.copy_(ours.A_log.flatten(0, 1))
        theirs.Ds.copy_(ours.D.flatten(0, 1))
    return theirs.to(ours.A_log.device)
