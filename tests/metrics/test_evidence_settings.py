from monai_medmamba.metrics import EvidenceSettings


def test_each_has_targets_of_its_own():
    assert EvidenceSettings().targets == {"sensitivity": 0.95, "specificity": 0.95}
    assert EvidenceSettings().targets is not EvidenceSettings().targets
