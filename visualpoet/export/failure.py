"""How a point of a check says that it is not kept."""


class Failure(Exception):
    """A point that is not kept; the message is the reason."""


def require(condition: bool, reason: str) -> None:
    """Checks a condition.

    Args:
        condition: What must hold.
        reason: What is said otherwise.

    Raises:
        Failure: If it does not hold.
    """
    if not condition:
        raise Failure(reason)
