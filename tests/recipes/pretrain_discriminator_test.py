"""Discriminators before the adversarial training, on 20 small pictures."""

import json

import numpy as np
import pytest

from recipes import pretrain_discriminator

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "discriminator, classes",
    [("multimodal", 3), ("poem_style", 4), ("real_or_generated", 2)],
)
def test_the_run_directory_of_a_discriminator(
    pretrained, discriminator, classes
):
    folder = pretrained / "discriminators" / discriminator
    confusion = json.loads((folder / "confusion.json").read_text())
    assert confusion.keys() == {discriminator}
    counts = np.array(confusion[discriminator])
    assert counts.shape == (classes, classes)
    assert (counts.sum(axis=1) == counts[0].sum()).all()
    results = json.loads((folder / "results.json").read_text())
    if discriminator == "multimodal":
        assert 0 <= results.pop("by the cosine of the joint space") <= 1
    human = counts[:-1]
    assert results["human texts, of all classes"] == (
        pytest.approx(human.trace() / human.sum())
    )
    by_human = results["human texts, of human classes"]
    assert by_human >= results["human texts, of all classes"]
    if discriminator == "real_or_generated":  # there is one human class only
        assert by_human == 1


def test_an_unknown_discriminator_is_refused():
    with pytest.raises(
        ValueError, match="--discriminator of .*Received: 'style'"
    ):
        pretrain_discriminator.Config(discriminator="style")
    with pytest.raises(ValueError, match="multimodal only.*: poem_style"):
        pretrain_discriminator.Config(
            discriminator="poem_style", caption_share=0.5
        )
    with pytest.raises(ValueError, match="multimodal only.*: poem_style"):
        pretrain_discriminator.Config(
            discriminator="poem_style", hard_negatives=2
        )
    with pytest.raises(ValueError, match="of 1 or more. Received: 0"):
        pretrain_discriminator.Config(
            discriminator="multimodal", hard_negatives=0
        )
