import re

from recipes import attack_serving
from tests import tiny

READABLE = ("pictures with changed bytes", "pictures that lie about their size")


def test_every_reply_is_clean(capsys):
    model = str(tiny.cold().parent)
    config = attack_serving.Config(model=model, requests=150)
    attack_serving.main(config)
    printed = capsys.readouterr().out
    rows = re.findall(r"^\| (.+) \| (\d+) \| (.+) \|$", printed, re.MULTILINE)
    replies = {
        kind: dict(pair.split(": ") for pair in said.split(", "))
        for kind, _, said in rows
    }
    assert sum(int(number) for _, number, _ in rows) == 152
    assert replies.pop("good requests in between") == {"200": "2"}
    assert set(attack_serving.BODIES) < set(replies)
    for kind, counts in replies.items():
        clean = {"400", "413", "431", "closed", "INVALID_ARGUMENT"}
        clean |= {"200"} if kind in READABLE else set()
        assert set(counts) <= clean, kind
    assert "exit code 0" in printed
