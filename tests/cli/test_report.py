import json

import pytest

from monai_medmamba.cli import main
from testing.runs import make_run


def test_a_folder_without_a_run(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "predictions.csv is missing; evaluate the run first" in capsys.readouterr().err


def test_evidence_and_page_are_written_as_asked(tmp_path, capsys):
    run = make_run(tmp_path)
    (tmp_path / "scanners.csv").write_text("path,scanner\n" + "\n".join(f"Doe^Jane/test_{i}.png,x" for i in range(40)))
    words = ["--resamples", "120", "--table", str(tmp_path / "scanners.csv"), "--columns", "scanner", "--ordinal"]
    assert main(["report", str(run), "--title", "Ours", "--sensitivity", "0.8", *words]) == 0
    assert capsys.readouterr().out.strip() == str(run / "report.html")
    content = json.loads((run / "report.json").read_text())
    evidence = content["evidence"]
    assert (content["title"], evidence["bootstrap"]["resamples"], evidence["ordinal"]) == ("Ours", 120, True)
    assert evidence["operating_points"][0]["target"] == 0.8
    assert [(row["value"], row["images"]) for row in evidence["subgroups"][0]["rows"]] == [("x", 40), ("not given", 50)]
    assert "quadratic" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"), [(["--resamples", "0"], "resample"), (["--columns", "age"], "no column age")]
)
def test_what_cannot_be_done_is_said(tmp_path, capsys, words, message):
    assert main(["report", str(make_run(tmp_path, images=30, resamples=20)), *words]) == 1
    assert message in capsys.readouterr().err
