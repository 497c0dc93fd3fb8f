"""How a generator is trained against its discriminators."""

import dataclasses

from visualpoet.run_options import expect
from visualpoet.run_options import option

BASELINES = ("none", "running_mean", "greedy", "value")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a generator is trained against its discriminators."""

    baseline: str = option(
        "greedy", "none, running_mean, greedy (self-critical) or value"
    )
    rollouts: int = option(0, "completions of each prefix; 0: whole poems only")
    rollout_interval: int = option(12, "tokens between prefixes")
    normalize_returns: bool = option(True, "standardise over the batch")
    entropy_weight: float = option(0.0, "of the entropy of the next token")
    kl_weight: float = option(
        0.05, "of the divergence from the pre-trained generator [nats a poem]"
    )
    teacher_weight: float = option(
        0.1, "of the teacher-forced loss on paired poems [nats a poem]"
    )
    need_end: bool = option(False, "reward 0 for a poem without END")
    max_tokens: int = option(
        48, "tokens of a poem, START and END included; no longer one is read"
    )
    batch_size: int = option(64, "photographs a step")
    num_steps: int = option(300, "adversarial steps")
    learning_rate: float = option(1e-4, "Adam, of the generator; liu18 5e-6")
    clip_norm: float = option(1.0, "largest norm of the gradient")
    discriminator_learning_rate: float = option(
        2e-4, "Adam, of the discriminators"
    )
    min_entropy: float = option(0.5, "stop below it [nats per token]")
    min_distinct: float = option(0.05, "stop below it, distinct-2 of samples")
    log_interval: int = option(25, "steps between rows, samples, checkpoints")
    seed: int = option(0, "of Python, NumPy and TensorFlow")

    def __post_init__(self) -> None:
        baseline, interval = self.baseline, self.rollout_interval
        expect(baseline in BASELINES, f"a --baseline of {BASELINES}", baseline)
        expect(
            baseline != "running_mean" or not self.normalize_returns,
            "--no-normalize-returns with running_mean: the mean of "
            "standardised returns is taken off already",
            "--normalize-returns",
        )
        expect(
            baseline == "none" or not self.rollouts,
            "--baseline none with --rollouts: the values of prefixes are one",
            baseline,
        )
        expect(interval >= 1, "a --rollout-interval of 1 or more", interval)
