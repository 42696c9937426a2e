from monai_medmamba.cli.export import EXAMPLES
from monai_medmamba.export import FORMATS


def test_each_format_has_a_name_of_its_own_and_stands_in_the_help():
    names = [kind.name for kind in FORMATS]
    assert len(set(names)) == len(names) == 4
    assert all(f"\n  {name} " in EXAMPLES for name in names)
    assert all(kind.suffix.startswith(".") for kind in FORMATS)
