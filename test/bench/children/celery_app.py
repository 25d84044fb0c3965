"""A Celery application with one task that does nothing. Run as a program with a number, it adds that many of them."""

import os
import sys

from celery import Celery

app = Celery("celery_app", broker=os.environ["BENCH_REDIS_URL"])
# What makes it fastest: no results, no rate limits, many messages fetched at a time.
app.conf.update(
    task_ignore_result=True,
    worker_disable_rate_limits=True,
    worker_prefetch_multiplier=64,
)


@app.task(name="bench")
def bench(payload):
    pass


if __name__ == "__main__":
    payload = {"note": "n" * (356 - len('{"note": ""}'))}
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(int(sys.argv[1])):
            bench.apply_async(args=(payload,), producer=producer)
