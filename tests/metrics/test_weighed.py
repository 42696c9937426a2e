import numpy as np

from monai_medmamba.metrics.weighed import means_over_classes, number


def test_a_mean_leaves_out_what_the_images_do_not_define_but_not_what_a_resample_lacks():
    point = {"sensitivity": np.array([[0.5, np.nan, 1.0]])}
    drawn = {"sensitivity": np.array([[0.4, np.nan, 0.8], [np.nan, np.nan, 0.9]])}
    means = means_over_classes(drawn, point)
    assert means["sensitivity"][0] == np.mean([0.4, 0.8])
    assert np.isnan(means["sensitivity"][1])
    assert means["balanced_accuracy"] is means["sensitivity"]


def test_a_mean_over_no_class_is_undefined():
    nothing = {"sensitivity": np.full((2, 2), np.nan)}
    assert np.isnan(means_over_classes(nothing, {"sensitivity": np.full((1, 2), np.nan)})["sensitivity"]).all()


def test_undefined_is_none():
    assert (number(np.nan), number(np.float64(0.5))) == (None, 0.5)
