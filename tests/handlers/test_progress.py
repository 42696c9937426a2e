import pytest
from ignite.engine import Events

from monai_medmamba.handlers import FiniteLoss, Progress
from testing.training import Toy


def test_one_bar_over_all_epochs_with_loss_and_metric(capsys):
    toy = Toy(epochs=3)
    Progress("training", toy.evaluator).attach(toy.trainer)
    toy.trainer.run()
    shown = capsys.readouterr().err
    assert "training epoch 3/3: 100%" in shown
    assert "6/6" in shown
    assert "loss=" in shown
    assert "val_auc=" in shown


@pytest.mark.parametrize(("interval", "looks"), [(1, 6), (2, 3), (4, 3), (100, 3)])
def test_looks_at_the_loss_at_intervals_and_at_an_epoch_s_end(interval, looks, monkeypatch):
    toy = Toy(epochs=3)
    progress = Progress("training", toy.evaluator, interval=interval)
    progress.attach(toy.trainer)
    read = []
    toy.trainer.add_event_handler(Events.EPOCH_STARTED(once=1), lambda engine: note(progress._bar))

    def note(bar):
        shown = bar.set_postfix
        monkeypatch.setattr(bar, "set_postfix", lambda *words, **more: (read.append(1), shown(*words, **more)))

    toy.trainer.run()
    assert len(read) == looks


def test_invalid_interval():
    with pytest.raises(ValueError, match="interval of 1 iteration or more, got 0"):
        Progress("training", interval=0)


def test_an_evaluator_counts_its_batches(capsys):
    toy = Toy()
    Progress("evaluating").attach(toy.evaluator)
    toy.evaluator.run()
    assert "evaluating: 100%" in capsys.readouterr().err


def test_disabled_shows_nothing(capsys):
    toy = Toy()
    Progress("training", toy.evaluator, disable=True).attach(toy.trainer)
    toy.trainer.run()
    assert "training" not in capsys.readouterr().err


def test_an_error_closes_the_bar_and_goes_on():
    toy = Toy(handlers=[FiniteLoss()])
    progress = Progress("training", toy.evaluator, disable=True)
    progress.attach(toy.trainer)
    toy.network.head.bias.data.fill_(float("nan"))
    with pytest.raises(FloatingPointError):
        toy.trainer.run()
    assert progress._bar is None
