"""Fine-tune an exported poet on a corpus: one more voice.

    python recipes/fine_tune.py POEMS --out out/voice

`visualpoet fine-tune` is the same. The steps, one after the other, stand in
`visualpoet/finetuning/tuning.py: fine_tune`; docs/fine-tuning.md explains them.
"""

from visualpoet import run_options
from visualpoet.finetuning.options import Options


def main(config: Options) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    config.prepare_environment()
    from visualpoet.finetuning import tuning

    tuning.fine_tune(config)


if __name__ == "__main__":
    main(run_options.parse_config(Options))
