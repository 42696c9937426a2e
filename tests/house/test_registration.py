"""MONAI finds our components by bare name, and none of them hides one of MONAI's."""

import importlib
import json
import pkgutil
import subprocess
import sys

from monai.bundle import ComponentLocator

import monai_medmamba

NAMES = ("MedMamba", "medmamba_nano", "medmamba_tiny", "medmamba_small", "medmamba_base", "create_medmamba")


def test_bare_names_resolve_after_the_import_that_bundles_make():
    config = {
        "imports": ["$import monai_medmamba"],
        "network": {"_target_": "MedMamba", "num_classes": 2, "depths": [1], "dims": [8]},
        "nano": {"_target_": "medmamba_nano", "num_classes": 3},
    }
    code = (
        "import json, sys; from monai.bundle import ConfigParser; parser = ConfigParser(json.loads(sys.argv[1]));"
        "parser.parse(); parser.get_parsed_content('imports');"
        "print(*(type(parser.get_parsed_content(name)).__module__ for name in ('network', 'nano')))"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(config)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["monai_medmamba.networks.medmamba"] * 2


def test_every_name_leads_to_this_package():
    locator = ComponentLocator()
    for name in NAMES:
        modules = locator.get_component_module_name(name)
        modules = [modules] if isinstance(modules, str) else modules
        assert modules, name
        assert all(module.startswith("monai_medmamba.") for module in modules), (name, modules)
    assert set(NAMES) <= set(monai_medmamba.__all__)


def test_no_name_of_monai_is_hidden():
    """Whatever of the package is imported: MONAI looks through all that is."""
    for module in pkgutil.walk_packages(monai_medmamba.__path__, "monai_medmamba."):
        if not module.name.endswith(("__main__", "._scan")):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name != "monailabel":  # that has an environment of its own
                    raise
    locator = ComponentLocator()
    locator.get_component_module_name("MedMamba")  # fills the table
    table = locator._components_table
    shared = {
        name: modules
        for name, modules in table.items()
        if any(module.startswith("monai_medmamba") for module in modules)
        and any(not module.startswith("monai_medmamba") for module in modules)
    }
    assert shared == {}
