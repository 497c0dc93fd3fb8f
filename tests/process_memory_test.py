import os
import subprocess
import sys

from visualpoet.process_memory import allocated_megabytes
from visualpoet.process_memory import memory_megabytes
from visualpoet.process_memory import tree_megabytes

HOLDING = "held = b'x' * (64 << 20); print(); input()"


def test_what_is_allocated_counts_until_it_is_freed():
    before = allocated_megabytes()
    held = bytearray(64 << 20)
    assert 63 < allocated_megabytes() - before < 66
    del held
    assert -2 < allocated_megabytes() - before < 2


def test_what_a_process_started_counts():
    before = tree_megabytes(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        child.stdout.readline()
        assert memory_megabytes(child.pid, "VmRSS") > 64
        assert 60 < tree_megabytes(os.getpid()) - before < 90
        child.communicate(b"\n")
    assert tree_megabytes(os.getpid()) - before < 10
