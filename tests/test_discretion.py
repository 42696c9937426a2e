import logging
import warnings

import pytest

from monai_medmamba.discretion import discreet


def test_logs_and_warnings_of_the_libraries(caplog):
    caplog.set_level(logging.DEBUG)
    level = logging.getLogger("pydicom").level
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with discreet():
            for name in ("pydicom", "highdicom.base", "dicomweb_client.web", "retrying"):
                logging.getLogger(name).error("Doe^Jane")
                warnings.warn_explicit("Doe^Jane", UserWarning, "x.py", 1, module=name)
            logging.getLogger("monai_medmamba").warning("ours")
            warnings.warn_explicit("ours", UserWarning, "x.py", 1, module="monai_medmamba.dicom")
    assert caplog.messages == ["ours"]
    assert [str(one.message) for one in shown] == ["ours"]
    assert logging.getLogger("pydicom").level == level


def test_what_pydicom_quotes():
    """Without it, pydicom does say the value."""
    valuerep = pytest.importorskip("pydicom.valuerep", reason="quotes a date that is none")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        valuerep.validate_value("DA", "19470229x", 1)
        assert "19470229x" in str(shown[0].message)
        with discreet():
            valuerep.validate_value("DA", "19470229x", 1)
    assert len(shown) == 1


def test_levels_come_back_after_an_error():
    level = logging.getLogger("pydicom").level
    with pytest.raises(KeyError), discreet():
        raise KeyError
    assert logging.getLogger("pydicom").level == level
