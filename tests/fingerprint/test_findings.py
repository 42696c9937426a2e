from pathlib import Path

import monai_medmamba.fingerprint
from monai_medmamba.fingerprint.findings import FINDINGS, WEIGHTS, gather
from monai_medmamba.fingerprint.item import Remark

ROOM = Path(monai_medmamba.fingerprint.__file__).parent
DOCUMENT = Path(__file__).parents[2] / "docs" / "concepts" / "fingerprint.md"


def test_gather():
    found = gather([Remark("tiny", "b.png", "9 x 9"), Remark("unreadable", "c.png"), Remark("tiny", "a.png")])
    assert [(f["code"], f["weight"], f["count"]) for f in found] == [
        ("unreadable", "problem", 1),
        ("tiny", "warning", 2),
    ]
    assert found[1]["files"] == [{"path": "b.png", "detail": "9 x 9"}, {"path": "a.png"}]
    assert gather([]) == []


def test_every_kind_has_a_weight_and_is_found_somewhere():
    sources = "".join(path.read_text() for path in ROOM.glob("*.py") if path.name != "findings.py")
    likeness = {
        f"{how}_{where}" for how in ("same", "near") for where in ("across_splits", "across_labels", "in_split")
    }
    for code, kind in FINDINGS.items():
        assert kind.weight in WEIGHTS, code
        assert f'"{code}' in sources or code in likeness, code


def test_every_kind_is_documented():
    text = DOCUMENT.read_text(encoding="utf-8")
    for code, kind in FINDINGS.items():
        assert f"| `{code}` | {kind.weight} |" in text, code
