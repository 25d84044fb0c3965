"""A Celery application for chords. Run as a program, it reads a number of members a line, and prints the seconds of each chord."""

import os
import sys
import time

from celery import Celery, chord

url = os.environ["BENCH_REDIS_URL"]
app = Celery("celery_chords", broker=url, backend=url)
app.conf.update(worker_disable_rate_limits=True, worker_prefetch_multiplier=64)


@app.task(name="member")
def member(payload):
    return {"ok": True}


@app.task(name="callback")
def callback(results):
    return {"ok": True}


if __name__ == "__main__":
    payload = {"note": "n" * (356 - len('{"note": ""}'))}
    for line in sys.stdin:
        start = time.monotonic()
        chord([member.s(payload) for _ in range(int(line))])(callback.s()).get(timeout=80)
        print(time.monotonic() - start, flush=True)
