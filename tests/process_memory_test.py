import os
import subprocess
import sys

from visualpoet.process_memory import allocated_megabytes
from visualpoet.process_memory import memory_megabytes
from visualpoet.process_memory import tree_megabytes

HOLDING = "held = b'x' * (64 << 20); print(); input()"
# Large blocks that are freed, and small ones between them.
FREEING = """
import os
from visualpoet import process_memory
{keep}
freed = b"x" * (20 << 20)
del freed
pairs = [(b"x" * (8 << 20), b"x" * 100_000) for _ in range(8)]
held = [small for _, small in pairs]
del pairs
print(process_memory.memory_megabytes(os.getpid(), "VmRSS"))
"""


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


def measure_rest(keep):
    command = [sys.executable, "-c", FREEING.format(keep=keep)]
    return float(subprocess.check_output(command))


def test_what_is_freed_is_given_back():
    kept = measure_rest("")
    given_back = measure_rest("assert process_memory.keep_little()")
    assert kept - given_back > 16
