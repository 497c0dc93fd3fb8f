import asyncio
import contextlib
import threading

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.serve import errors
from visualpoet.serve.batching import Batcher
from visualpoet.serve.metrics import Metrics


class Doubler:
    """A signature that doubles, refuses 13, and waits for its gate."""

    name = "double"

    def __init__(self):
        self.inputs = {"x": tf.TensorSpec(None, "int64", "x")}
        self.runs = []
        self.gate = threading.Event()
        self.gate.set()

    def run(self, inputs):
        self.runs.append(inputs["x"].tolist())
        assert self.gate.wait(30)
        if 13 in inputs["x"]:
            raise errors.invalid("13 is broken")
        return {"y": 2 * inputs["x"]}


@contextlib.asynccontextmanager
async def batching(threads=1, rows=4, seconds=0.0, queue=8):
    metrics = Metrics()
    batcher = Batcher(threads, rows, seconds, queue, metrics)
    batcher.metrics = metrics
    yield batcher
    await batcher.close()


def later(seconds=30.0):
    return asyncio.get_running_loop().time() + seconds


def start(batcher, signature, *values, deadline=None):
    """A request as a task that gives the doubled values."""
    array = np.array(values)

    async def ask():
        outputs = await batcher.run(
            signature, {"x": array}, deadline or later()
        )
        return outputs["y"].tolist()

    return asyncio.create_task(ask())


async def begin(batcher, signature):
    """A request that runs and is not done before the gate opens."""
    signature.gate.clear()
    task = start(batcher, signature, 0)
    while not signature.runs:
        await asyncio.sleep(0.001)
    return task


def test_one_request():
    async def scene():
        signature = Doubler()
        async with batching() as batcher:
            assert await start(batcher, signature, 1, 2) == [2, 4]
        assert signature.runs == [[1, 2]]

    asyncio.run(scene())


def test_rows_that_wait_are_merged_and_split():
    async def scene():
        signature = Doubler()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            tasks = [
                start(batcher, signature, *values)
                for values in [(1,), (2, 3), (4,), (5, 6)]
            ]
            await asyncio.sleep(0)
            assert batcher.queue_length() == 6
            signature.gate.set()
            assert await first == [0]
            assert await asyncio.gather(*tasks) == [[2], [4, 6], [8], [10, 12]]
            page = batcher.metrics.page().decode()
        assert signature.runs == [[0], [1, 2, 3, 4], [5, 6]]
        count = 'visualpoet_batch_rows_count{signature="double"} 3.0'
        assert count in page
        assert 'visualpoet_batch_rows_sum{signature="double"} 7.0' in page
        assert "visualpoet_queue_length 0.0" in page

    asyncio.run(scene())


def test_a_request_that_comes_alone_does_not_wait():
    async def scene():
        signature = Doubler()
        async with batching(rows=2, seconds=30.0) as batcher:
            for n in (1, 2):
                assert await start(batcher, signature, n) == [2 * n]

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_one_that_comes_while_another_runs_waits_for_company():
    async def scene():
        signature = Doubler()
        async with batching(threads=2, rows=2, seconds=30.0) as batcher:
            first = await begin(batcher, signature)
            second = start(batcher, signature, 1)
            await asyncio.sleep(0.05)
            assert signature.runs == [[0]]
            third = start(batcher, signature, 2)
            signature.gate.set()
            assert await asyncio.gather(first, second, third) == [[0], [2], [4]]
        assert signature.runs == [[0], [1, 2]]

    asyncio.run(scene())


def test_after_a_merged_run_one_waits_for_company():
    async def scene():
        signature = Doubler()
        async with batching(rows=2, seconds=30.0) as batcher:
            first = await begin(batcher, signature)
            others = [start(batcher, signature, n) for n in (1, 2)]
            await asyncio.sleep(0)
            signature.gate.set()
            await asyncio.gather(first, *others)
            third = start(batcher, signature, 3)
            await asyncio.sleep(0.05)
            assert len(signature.runs) == 2
            await asyncio.gather(third, start(batcher, signature, 4))
        assert signature.runs == [[0], [1, 2], [3, 4]]

    asyncio.run(scene())


def test_other_shapes_and_signatures_are_not_merged():
    async def scene():
        signature, other = Doubler(), Doubler()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            tasks = [
                start(batcher, signature, 1),
                start(batcher, signature, [2, 3]),
                start(batcher, other, 4),
                start(batcher, signature, 5),
            ]
            await asyncio.sleep(0)
            signature.gate.set()
            await first
            answers = await asyncio.gather(*tasks)
        assert answers == [[2], [[4, 6]], [8], [10]]
        assert signature.runs == [[0], [1, 5], [[2, 3]]]
        assert other.runs == [[4]]

    asyncio.run(scene())


def test_scalars_and_no_rows_run_alone():
    async def scene():
        signature = Doubler()
        async with batching() as batcher:
            outputs = await batcher.run(signature, {"x": np.array(3)}, later())
            assert outputs["y"] == 6
            assert await start(batcher, signature) == []

    asyncio.run(scene())


def test_a_request_larger_than_a_batch_runs_alone():
    async def scene():
        signature = Doubler()
        async with batching(rows=2) as batcher:
            tasks = [start(batcher, signature, *n) for n in [(1, 2, 3), (4,)]]
            assert await asyncio.gather(*tasks) == [[2, 4, 6], [8]]
        assert signature.runs == [[1, 2, 3], [4]]

    asyncio.run(scene())


def test_a_broken_row_does_not_fail_its_neighbours():
    async def scene():
        signature = Doubler()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            tasks = [start(batcher, signature, n) for n in (1, 13, 2)]
            await asyncio.sleep(0)
            signature.gate.set()
            await first
            one, broken, two = await asyncio.gather(
                *tasks, return_exceptions=True
            )
        assert (one, two) == ([2], [4])
        assert broken.message == "13 is broken"
        assert signature.runs == [[0], [1, 13, 2], [1], [13], [2]]

    asyncio.run(scene())


@pytest.mark.parametrize("values", [(1,), (1, 2)], ids=["alone", "merged"])
def test_an_unforeseen_error_ends_its_run_only(values):
    class Forgetful(Doubler):
        def run(self, inputs):
            outputs = super().run(inputs)
            if len(self.runs) > 1 and 1 in inputs["x"]:
                raise MemoryError
            return outputs

    async def scene():
        signature = Forgetful()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            tasks = [start(batcher, signature, n) for n in values]
            await asyncio.sleep(0)
            signature.gate.set()
            await first
            broken, *well = await asyncio.gather(*tasks, return_exceptions=True)
            assert (broken.code.name, broken.message) == (
                "INTERNAL",
                "MemoryError",
            )
            assert well == [[2 * n] for n in values[1:]]
            assert await start(batcher, signature, 3) == [6]
            assert batcher._running == 0

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_full_queue_refuses():
    async def scene():
        signature = Doubler()
        async with batching(queue=3) as batcher:
            first = await begin(batcher, signature)
            waiting = start(batcher, signature, 1, 2)
            await asyncio.sleep(0)
            with pytest.raises(errors.ServeError) as caught:
                await start(batcher, signature, 3, 4)
            assert caught.value.http_status == 429
            assert caught.value.message == (
                "the queue is full: 2 rows wait, at most 3 may. Try again later"
            )
            fits = start(batcher, signature, 5)
            await asyncio.sleep(0)
            signature.gate.set()
            assert await asyncio.gather(first, waiting, fits) == [
                [0],
                [2, 4],
                [10],
            ]
            page = batcher.metrics.page().decode()
        assert "visualpoet_refused_rows_total 2.0" in page

    asyncio.run(scene())


def test_work_past_its_deadline_is_not_run():
    async def scene():
        signature = Doubler()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            with pytest.raises(errors.ServeError) as caught:
                await start(batcher, signature, 1, deadline=later(0.01))
            assert caught.value.http_status == 504
            signature.gate.set()
            await first
            assert await start(batcher, signature, 2) == [4]
        assert signature.runs == [[0], [2]]

    asyncio.run(scene())


def test_the_deadline_counts_while_the_graph_runs():
    async def scene():
        signature = Doubler()
        signature.gate.clear()
        async with batching() as batcher:
            with pytest.raises(errors.ServeError) as caught:
                await start(batcher, signature, 1, deadline=later(0.01))
            assert caught.value.code.name == "DEADLINE_EXCEEDED"
            signature.gate.set()
            assert await start(batcher, signature, 2) == [4]

    asyncio.run(scene())


def test_cancelled_work_is_not_run_and_leaves_the_queue():
    async def scene():
        signature = Doubler()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            gone = start(batcher, signature, 1, 2)
            stays = start(batcher, signature, 3)
            await asyncio.sleep(0)
            assert batcher.queue_length() == 3
            gone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gone
            assert batcher.queue_length() == 1
            signature.gate.set()
            assert await asyncio.gather(first, stays) == [[0], [6]]
        assert signature.runs == [[0], [3]]

    asyncio.run(scene())


def test_threads_run_side_by_side():
    async def scene():
        slow, quick = Doubler(), Doubler()
        async with batching(threads=2) as batcher:
            first = await begin(batcher, slow)
            assert await start(batcher, quick, 1) == [2]
            assert not first.done()
            slow.gate.set()
            assert await first == [0]

    asyncio.run(scene())


def test_outputs_without_rows_are_not_split():
    class Adder(Doubler):
        def run(self, inputs):
            self.runs.append(inputs["x"].tolist())
            assert self.gate.wait(30)
            return {"y": inputs["x"].sum()}

    async def scene():
        signature = Adder()
        async with batching() as batcher:
            first = await begin(batcher, signature)
            tasks = [start(batcher, signature, n, n) for n in (1, 2)]
            await asyncio.sleep(0)
            signature.gate.set()
            assert await asyncio.gather(first, *tasks) == [0, 2, 4]

    asyncio.run(scene())
