import pytest
from gate import is_green, run_tests


@pytest.mark.parametrize(
    ("body", "green", "counts"),
    [
        ("def test_a():\n    pass\n", True, (1, 0, 0)),
        ("def test_a():\n    assert 0\n\ndef test_b():\n    pass\n", False, (1, 1, 0)),
        ("import pytest\n\ndef test_a():\n    pytest.skip('no')\n", False, (0, 0, 1)),
        ("import nowhere_at_all\n", False, (0, 1, 0)),
    ],
    ids=["green", "red", "nothing ran", "not even collected"],
)
def test_outcome(tmp_path, body, green, counts):
    (tmp_path / "test_x.py").write_text(body)
    outcome = run_tests(str(tmp_path))
    assert is_green(outcome) is green
    assert (outcome["passed"], outcome["failed"], outcome["skipped"]) == counts


def test_names_the_backends_that_must_run(tmp_path):
    (tmp_path / "test_x.py").write_text(
        "import os\n\ndef test_a():\n    assert os.environ['MONAI_MEDMAMBA_TEST_BACKENDS'] == 'cuda,x'\n"
    )
    assert is_green(run_tests(str(tmp_path), required="cuda,x"))
