"""Runs that are killed, or copied as a kill would have left them."""

from visualpoet import runs


class Killed(BaseException):
    """As `kill -9`: nothing catches it."""


def kill():
    raise Killed


def act_before(patched, owner, name, number, act):
    """Acts before a call of a function of `owner`; the first is number 0."""
    original = getattr(owner, name)
    calls = []

    def acting(*arguments, **options):
        calls.append(1)
        if len(calls) == number + 1:
            act()
        return original(*arguments, **options)

    patched.setattr(owner, name, acting)


def watch_steps(patched, number=None, act=None):
    """Counts train steps, saves after each; acts before one of them."""
    train = runs.train
    done = []

    def watched(run, *, train_step, **rest):
        def step(batch):
            if len(done) == number:
                act()
            done.append(train_step(batch))
            return done[-1]

        train(run, train_step=step, **rest | {"checkpoint_minutes": 0.0})

    patched.setattr(runs, "train", watched)
    return done
