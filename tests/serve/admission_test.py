import asyncio

import pytest

from visualpoet.serve import errors
from visualpoet.serve.admission import Admission


def play(scene, requests, seconds=60.0):
    asyncio.run(scene(Admission(requests, seconds)))


async def send(admission, address, done):
    async with admission.receiving(address):
        await done.wait()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_the_oldest_of_the_address_with_most_makes_room():
    async def scene(admission):
        done = asyncio.Event()
        senders = []
        for address in ("good", "bad", "bad", "other", "bad"):
            sending = send(admission, address, done)
            senders.append(asyncio.create_task(sending))
            await settle()
        assert [task.done() for task in senders] == [
            *(False, True, True, False, False)
        ]
        done.set()
        ends = await asyncio.gather(*senders, return_exceptions=True)
        assert [type(end) for end in ends] == [
            *(type(None), TimeoutError, TimeoutError),
            *(type(None), type(None)),
        ]

    play(scene, 3)


def test_whoever_sends_slowly_is_not_waited_for():
    async def scene(admission):
        with pytest.raises(TimeoutError):
            await send(admission, None, asyncio.Event())

    play(scene, 1, 0.001)


def test_as_many_work_as_may():
    async def scene(admission):
        for _ in range(2):
            with admission.working(), admission.working():
                with pytest.raises(errors.ServeError) as caught:
                    with admission.working():
                        pass
                assert caught.value.http_status == 429

    play(scene, 2)
