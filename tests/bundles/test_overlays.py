"""What each overlay changes, in every bundle."""

import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow

from monai_medmamba.bundle import find_overlay
from testing.bundles import ROOT, sample_training

# The other bundles of pictures are written from the same template, by test.
TEMPLATES = [ROOT / "bundles" / name for name in ("medmamba_endo", "medmamba_ct3d")]
pytestmark = pytest.mark.parametrize("bundle", TEMPLATES, ids=lambda path: path.name)


@pytest.fixture
def workflow(bundle, monkeypatch, tmp_path):
    """Makes a training under overlays, ready to run."""
    monkeypatch.chdir(ROOT)
    sample = sample_training(bundle, tmp_path / "images")

    def make(*names, **settings):
        overlays = [str(find_overlay(name).path) for name in names]
        made = ConfigWorkflow(
            config_file=[str(bundle / "configs" / "train.json"), *overlays],
            workflow_type="train",
            logging_file=False,
            **{"output_dir": f"{tmp_path}/output", "ckpt_dir": f"{tmp_path}/models", **sample, **settings},
        )
        made.initialize()
        return made

    return make


def part(workflow, name):
    return workflow.parser.get_parsed_content(name)


def test_amp_off(workflow):
    """As if on a GPU, where it is on by default."""
    assert part(workflow(on_gpu=True), "amp") is True
    off = workflow("amp_off", on_gpu=True)
    assert part(off, "amp") is False


def test_resume(workflow, tmp_path):
    workflow().run()
    began = torch.load(tmp_path / "models" / "last.pt", weights_only=True)["iteration"]
    resumed = workflow("resume", epochs=2)
    steps = []
    trainer = part(resumed, "train#trainer")
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: steps.append(engine.state.iteration))
    resumed.run()
    assert steps == list(range(began + 1, 2 * began + 1))  # the second epoch alone


def test_ema(workflow, tmp_path):
    """The average follows the weights by the formula, is what is judged and kept, and goes on after a resume."""
    made = workflow("ema", epochs=2, **{"train#trainer#max_epochs": 1})
    average, network = part(made, "average"), part(made, "network")
    name = "head.weight"
    expected, ema = average.state_dict()[name].clone(), part(made, "ema")

    def follow(engine):
        share = engine.state.ema_momentum
        expected.mul_(1 - share).add_(network.state_dict()[name], alpha=share)

    part(made, "train#trainer").add_event_handler(Events.ITERATION_COMPLETED, follow)
    made.run()
    assert ema.ema_model is average is part(made, "validate#evaluator").network
    torch.testing.assert_close(average.state_dict()[name], expected)
    best, last = (torch.load(tmp_path / "models" / f"{file}.pt", weights_only=True) for file in ("model", "last"))
    assert torch.equal(best["model"][name], average.state_dict()[name])
    assert torch.equal(last["average"][name], average.state_dict()[name])
    assert torch.equal(last["model"][name], network.state_dict()[name])
    assert not torch.equal(last["model"][name], best["model"][name])

    resumed = workflow("ema", "resume", epochs=2)
    seen = []
    trainer = part(resumed, "train#trainer")
    trainer.add_event_handler(
        Events.EPOCH_STARTED, lambda engine: seen.append(part(resumed, "average").state_dict()[name].clone())
    )
    resumed.run()
    assert len(seen) == 1
    assert torch.equal(seen[0], last["average"][name])


def test_fold(workflow):
    folds = [part(workflow("fold", fold=k, folds=3), "train#trainer") for k in range(3)]
    seen = [[item["image"] for item in trainer.data_loader.images.data] for trainer in folds]
    whole = part(workflow(), "data")
    pool = sorted(item["image"] for item in whole.training + whole.validation)
    assert [len(files) for files in seen] != [len(whole.training)] * 3
    assert sorted(file for files in seen for file in files) == sorted(pool * 2)  # each is left out once


def test_deterministic(workflow, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")  # the user's own choice holds
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(False)
        workflow("deterministic")
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
        with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
            torch.empty(2).put_(torch.tensor([0]), torch.tensor([1.0]), accumulate=False)
    finally:
        torch.use_deterministic_algorithms(before)
