"""How much memory a process holds."""

import pathlib
import re


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
