import json

import evidence_tables
import pytest


def test_the_page_shows_the_newest_records():
    page = evidence_tables.PAGE.read_text(encoding="utf-8")
    assert page == evidence_tables.with_tables(page), "run: python benchmarks/evidence_tables.py --write"


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="expected a mark"):
        evidence_tables.with_tables("words")


def test_an_explanation_s_distance_to_random_maps_and_its_interval():
    def row(method, over, interval):
        areas = {"deletion": 0.5, "insertion": 0.75, "insertion_less_deletion": 0.25}
        return {"method": method, **areas, "over_the_better_random_map": over, "interval": interval}

    rows = [row("scan", 0.2, [0.1, 0.3]), row("random pixels", 0.0, None)]
    run = {"moved_by_the_state": 0.025, "groups": {"all": {"n": 9, "rows": rows}}}
    made = evidence_tables.explanations({"images": 9, "runs": [run, run]})
    assert "| scan | 0.500 | 0.750 | 0.250 | +0.20 (+0.10 to +0.30) | +0.20 (+0.10 to +0.30) |" in made
    assert "| random pixels | 0.500 | 0.750 | 0.250 | - | - |" in made
    assert "move 2.5%, 2.5%" in made


def test_foreign_sets_and_familiar_images():
    kind = {"auroc": 0.9, "familiar_refused": 0.05, "foreign_refused": 0.7}
    run = {
        "familiar": 20,
        "rows": [{"foreign": "ultrasound", "n": 30, "distance": kind, "energy": {**kind, "auroc": 0.6}}],
    }
    made = evidence_tables.foreign({"runs": [run, run]})
    assert "| ultrasound | 30 | 0.900, 0.900 | 0.600, 0.600 | 70%, 70% |" in made
    assert "| *familiar test images* | 20 | - | - | 5%, 5% |" in made


def test_accuracy_by_severity():
    rows = [
        {"corruption": "noise", "strength": s, "accuracy": a, "low": 0.8, "high": 1, "confidence": 0.91}
        for s, a in zip((None, 0.03, 0.06, 0.1, 0.15, 0.22), (0.95, 0.94, 0.93, 0.92, 0.91, 0.9), strict=True)
    ]
    made = evidence_tables.corruptions({"runs": [{"images": 7, "rows": rows}]})
    assert "| 94.0 | 93.0 | 92.0 | 91.0 | 90.0 | 91 |" in made
    assert "Clean: 95.0% (80.0% to 100.0%), 7 images." in made


def test_the_newest_record_is_taken(tmp_path):
    for day in ("02", "01"):
        (tmp_path / f"2026-01-{day}-foreign-kvasir-seg-patches.json").write_text(json.dumps({}))
    assert evidence_tables.newest_record("foreign", tmp_path).name.startswith("2026-01-02")
