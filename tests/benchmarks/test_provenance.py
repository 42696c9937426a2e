import json
import re
from pathlib import Path

import pytest

RECORDS = sorted((Path(__file__).parents[2] / "benchmarks" / "results").glob("20*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_says_where_it_comes_from_and_names_no_machine_s_folder(path):
    text = path.read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["date"] == path.name[:10]
    assert record.get("device") or record.get("devices")
    assert "commit" in record
    assert not re.search(r'"(/|~/|[A-Z]:\\\\)[^"]*"', text)
