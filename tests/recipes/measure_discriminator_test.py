import json

import pytest

from recipes import measure_discriminator
from visualpoet.corpus.prepared import load_corpus
from visualpoet.discriminators.tasks import MULTIMODAL
from visualpoet.generator.poem_generator import PoemGenerator


@pytest.fixture(scope="module")
def results(paths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    vocabulary = load_corpus(paths.corpus).vocabulary
    generator = PoemGenerator(len(vocabulary), 4, 5, 6, "first_state")
    generator.save(folder / "generator.keras")
    discriminator = MULTIMODAL.build(
        len(vocabulary), vocabulary.mark_ids(), 6, 4, 5, 0.0
    )
    # It goes by the poem alone: whatever the photograph, it sees ones.
    discriminator.get_layer("see_image").set_weights(
        [w * 0 + i for i, w in enumerate(see_image(discriminator))]
    )
    discriminator.save(folder / "multimodal.keras")
    measure_discriminator.main(
        measure_discriminator.Config(
            corpus_dir=paths.corpus,
            features_dir=paths.features,
            embedding_dir=paths.embedding,
            generator=folder / "generator.keras",
            discriminator=folder / "multimodal.keras",
            run_dir=folder / "run",
            max_tokens=40,
            max_unknown=1.0,
            num_samples=3,
        )
    )
    return json.loads((folder / "run" / "results.json").read_text())


def see_image(discriminator):
    return discriminator.get_layer("see_image").get_weights()


def test_who_is_blind_to_photographs_says_the_same_beside_another(results):
    for group in ("samples", "human"):
        found = results[group]
        assert found["pairing"] == pytest.approx(found["pairing_other"])
        assert found["generated"] == pytest.approx(found["generated_other"])


def test_poems_of_a_photograph_differ(results):
    assert results["photographs"] >= 2
    assert all(value > 0 for value in results["variance"].values())
