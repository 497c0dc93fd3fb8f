"""How much memory a process holds."""

import contextlib
import ctypes
import pathlib
import re

# Of `mallopt`: arenas at most, from how many bytes on a block is the system's
# own, and how many may lie free at the end of the heap.
_KEEP_LITTLE = ((-8, 2), (-3, 4 << 20), (-1, 32 << 20))


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def memory_megabytes(process_id: int, name: str) -> float:
    """Reads the memory of a process.

    Args:
        process_id: Its number.
        name: VmRSS (resident now), VmHWM (the most so far), or another of
            its values.

    Returns:
        MB.
    """
    status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    return int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024


def tree_megabytes(process_id: int) -> float:
    """Adds up the memory of a process and of all that it started.

    What processes share counts once: files as the first one maps them, all
    else by proportion.

    Args:
        process_id: Its number.

    Returns:
        MB that are resident.
    """
    files = memory_megabytes(process_id, "RssFile")
    return files + _anonymous_megabytes(pathlib.Path(f"/proc/{process_id}"))


def _anonymous_megabytes(process: pathlib.Path) -> float:
    megabytes = 0.0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended
        rollup = (process / "smaps_rollup").read_text()
        megabytes = int(re.findall(r"Pss_Anon:\s+(\d+)", rollup)[0]) / 1024
        for children in process.glob("task/*/children"):
            for number in children.read_text().split():
                megabytes += _anonymous_megabytes(process.parent / number)
    return megabytes


def keep_little() -> bool:
    """Has glibc give freed memory back, for a process that runs for long.

    It keeps an arena for each thread otherwise, and more of each the larger
    the blocks were: a server that is attacked grows for an hour.

    Returns:
        Whether it does; not where the C library is another one.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return all(library.mallopt(*pair) for pair in _KEEP_LITTLE)


def allocated_megabytes() -> float:
    """Returns what this process has allocated and not freed, by glibc 2.33.

    Resident memory is more: it swings with what glibc keeps for later.

    Returns:
        MB, without the small objects of Python.
    """
    function = ctypes.CDLL(None).mallinfo2
    function.restype = _MallocInfo
    info = function()
    return (info.uordblks + info.hblkhd) / 2**20
