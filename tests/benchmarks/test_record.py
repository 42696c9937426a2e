import json

import pytest
from record import Record


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path / "record.json", "a device", 100, {"quick": True})


def kept(record):
    return json.loads(record.path.read_text())


def fail():
    raise ValueError("no | such\nthing")


def test_a_row_that_fails_does_not_stop_the_others(record):
    def section():
        record.row({"what": "first", "batch": 2}, fail)
        record.row({"what": "second"}, lambda: {"ms": 1.5})

    record.run_section("s", section)
    first, second = kept(record)["rows"]
    assert first == {"section": "s", "what": "first", "batch": 2, "failed": "ValueError: no | such thing"}
    assert second == {"section": "s", "what": "second", "ms": 1.5}
    assert "Traceback" in record.path.with_suffix(".log").read_text()


def test_a_section_that_breaks_off_keeps_its_rows(record):
    def section():
        record.row({"what": "first"}, lambda: {"ms": 1})
        fail()

    record.run_section("s", section)
    record.run_section("t", lambda: record.row({"what": "second"}, dict))
    assert [row["what"] for row in kept(record)["rows"]] == ["first", "second"]
    assert kept(record)["sections"]["s"]["failed"].startswith("ValueError")


def test_every_row_is_written_at_once(record):
    record.row({"what": "first"}, lambda: {"ms": 1})
    assert kept(record)["rows"][0]["ms"] == 1


def test_what_begins_too_late_is_left_out_and_says_so(record):
    record.seconds = -1
    record.row({"what": "late"}, fail)
    assert "time was used up" in kept(record)["rows"][0]["failed"]


def test_prints_short_lines(record, capsys):
    record.row({"what": "x", "batch": 2, "tf32": False, "autocast": True}, lambda: {"ms": 1.5, "losses": [1, 2]})
    assert capsys.readouterr().out.split(maxsplit=1)[1] == "x batch-2 autocast ms=1.5\n"


def test_other_sections_are_taken_over(record):
    for name in ("s", "t"):
        record.run_section(name, lambda name=name: record.row({"what": name}, dict))
    again = Record(record.path, "a device", 100, {})
    again.keep_other_sections(["t"])
    assert [row["what"] for row in again.rows] == ["s"]
    assert list(again.content["sections"]) == ["s"]


def test_another_commit_is_not_mixed_in(record):
    record.content["commit"] = "another"
    record.save()
    with pytest.raises(SystemExit, match=r"another commit.*--out"):
        Record(record.path, "a device", 100, {}).keep_other_sections(["t"])
