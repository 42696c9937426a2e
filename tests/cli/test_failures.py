from monai_medmamba.cli.failures import list_failures, shown
from monai_medmamba.inference import Failure


def test_control_characters_do_not_reach_the_terminal():
    assert shown("a\x1b[31m größe\n.png") == "a?[31m größe?.png"


def test_failures_are_listed_with_their_reasons(capsys):
    assert list_failures([Failure("a\n.png", "it is empty.")], 3, "read") == 2
    assert capsys.readouterr().err == "1 of 3 could not be read:\n  a?.png: it is empty.\n"


def test_nothing_is_said_of_no_failures(capsys):
    assert list_failures([], 3, "read") == 0
    assert capsys.readouterr().err == ""
