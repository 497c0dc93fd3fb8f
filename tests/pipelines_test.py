import collections

from visualpoet import pipelines


def test_one_process_does_a_piece_after_the_other(capsys):
    def work(piece):
        print(f"at {piece}")
        return collections.Counter({"poems": len(piece), "dead letters": 1})

    counts = pipelines.run(work, ["ab", "c"])
    assert counts == {"poems": 3, "dead letters": 2}
    assert capsys.readouterr().out == (
        "at ab\nab: 2 poems, 1 dead letters\nat c\nc: 1 poems, 1 dead letters\n"
    )


def test_nothing_to_do():
    assert pipelines.run(lambda piece: collections.Counter(), []) == {}


def test_options_of_beam_stand_after_two_dashes():
    assert pipelines.split_options(["--resume"]) == (["--resume"], [])
    assert pipelines.split_options(["--a", "--", "--b", "--", "c"]) == (
        ["--a"],
        ["--b", "--", "c"],
    )
