"""The peer of the compute floor, in a process of its own: dask.distributed's tasks per second, and single ones.

Prints ``{"rate": tasks per second, "times": [seconds of single tasks, sorted]}``.
"""

import asyncio
import json
import sys
import time

import distributed


def nothing(number: int) -> None:
    """A task that does nothing."""


async def main(many: int, few: int) -> None:
    cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, asynchronous=True, dashboard_address=None, silence_logs=40
    )
    async with cluster, distributed.Client(cluster, asynchronous=True) as client:  # type: ignore[no-untyped-call]
        await client.gather(client.map(nothing, range(100), pure=False))
        begun = time.perf_counter()
        await client.gather(client.map(nothing, range(many), pure=False))
        rate = many / (time.perf_counter() - begun)
        times = []
        for _ in range(few):
            begun = time.perf_counter()
            await client.submit(nothing, 0, pure=False)
            times.append(time.perf_counter() - begun)
        print(json.dumps({"rate": rate, "times": sorted(times)}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
