import json
import shutil

import targets


def test_the_list_agrees_with_the_records(tmp_path):
    for path in targets.RESULTS.glob("*.json"):
        shutil.copy(path, tmp_path)
    kept = (targets.RESULTS / "targets.json").read_text()
    assert targets.write_targets(tmp_path).read_text() == kept, "run: python benchmarks/targets.py"


def test_names_are_unique():
    names = [target.name for target in targets.TARGETS]
    assert len(set(names)) == len(names)


def test_a_record_that_lacks_a_figure_leaves_it_to_an_older_one(tmp_path, gpu_record):
    (tmp_path / "2026-01-02-speed-nvidia-test.json").write_text(json.dumps(gpu_record))
    newer = {**gpu_record, "date": "2026-01-03", "rows": [r for r in gpu_record["rows"] if r["what"] == "scaling"]}
    (tmp_path / "2026-01-03-speed-nvidia-test.json").write_text(json.dumps(newer))
    listed = {entry["name"]: entry for entry in json.loads(targets.write_targets(tmp_path).read_text())}
    assert listed["gpu_scaling"]["date"] == "2026-01-03"
    assert listed["gpu_inference"]["source"] == "2026-01-02-speed-nvidia-test.json"
    assert listed["gpu_inference"]["value"] == 8
    fields = ["name", "what", "value", "unit", "better", "must", "aim", "device", "date", "commit", "source"]
    assert list(listed["gpu_inference"]) == fields


def test_prints_both_figures(capsys, gpu_record):
    targets.print_targets(gpu_record, "2026-01-02-speed-nvidia-test.json")
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(targets.GPU_TARGETS)
    assert "published 8 ms (eager, bfloat16), ours 1 ms" in printed[0]
    assert "must 6, aim 8" in printed[0]


def test_prints_what_was_not_measured(capsys, gpu_record):
    targets.print_targets({**gpu_record, "rows": []}, "2026-01-02-speed-nvidia-test.json")
    assert capsys.readouterr().out.count("not measured") == len(targets.GPU_TARGETS)
