import pytest

from monai_medmamba.visualize.checklists import CHECKLISTS
from monai_medmamba.visualize.report_content import report_content
from monai_medmamba.visualize.report_facts import report_facts
from testing.runs import make_run


@pytest.mark.parametrize(("name", "numbers"), [("claim_2024", 44), ("tripod_ai", 27)])
def test_every_item_once(name, numbers):
    items = [item.number for part in CHECKLISTS[name].sections.values() for item in part]
    assert len(set(items)) == len(items)
    assert sorted({int(number.rstrip("abcdefg")) for number in items}) == list(range(1, numbers + 1))


def test_every_topic_is_one_that_a_run_can_tell(tmp_path):
    facts = report_facts(report_content(make_run(tmp_path), "title", [], 5))
    topics = {item.topic for c in CHECKLISTS.values() for part in c.sections.values() for item in part}
    assert topics - {None} <= facts.keys()
