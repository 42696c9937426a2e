"""The targets of exported files, from records of ``exports.py``."""

from target import Reading, Target, row, rows

EXPORTS = "*-exports-cpu-*.json"


def onnx_nodes(record: dict) -> Reading:
    """Return the nodes of MedMamba-T's ONNX file."""
    (found,) = rows(record, "remark", name="onnx") or [{}]
    if "remark" not in found or record["variant"] != "tiny":
        raise LookupError("no row of MedMamba-T as ONNX")
    return Reading(float(found["remark"].split(" nodes")[0].replace(",", "")))


def onnx_time(record: dict) -> Reading:
    """Return the time of one image through ONNX Runtime over that through PyTorch."""
    took, eager = (row(record, field, name="onnx") for field in ("ms", "eager_ms"))
    return Reading(took / eager, (f"{took:.4g} ms", f"{eager:.4g} ms"))


def most_off(record: dict) -> Reading:
    """Return the largest difference of a probability in any file."""
    found = {r["name"]: r["probability_off"] for r in rows(record, "probability_off")}
    if not found:
        raise LookupError("no row with probabilities")
    worst = max(found, key=lambda name: found[name])
    return Reading(found[worst], (worst,))


EXPORT_TARGETS = (
    Target(
        name="onnx_time",
        what="T, batch 1, 224 px: ONNX Runtime on the CPU against PyTorch with the backend cpu",
        unit="x",
        better="lower",
        must=4,
        aim=None,
        records=EXPORTS,
        read=onnx_time,
    ),
    Target(
        name="onnx_nodes",
        what="T: nodes of the ONNX file",
        unit="",
        better="lower",
        must=5000,
        aim=None,
        records=EXPORTS,
        read=onnx_nodes,
    ),
    Target(
        name="export_probability_off",
        what="every exported file: largest difference of a probability from PyTorch's, float32",
        unit="",
        better="lower",
        must=1e-4,
        aim=None,
        records=EXPORTS,
        read=most_off,
    ),
)
