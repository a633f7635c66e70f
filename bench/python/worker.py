"""The Python side of every job: one line of JSON when ready, then for every line with a number n the milliseconds of a step.

It speaks exactly as bench/workers/protocol.mjs does. A job is a module of this folder with `prepare(job) -> step`.
"""

import gc
import importlib
import json
import re
import resource
import sys
import time

KINDS = {
    "attention": "attention",
    "decoding": "decoding",
    "head": "head",
    "matmul": "matmul",
    "openblas": "openblas",
    "recurrent": "recurrent",
    "training": "gpt",
}


def memory_status(field):
    """A field of /proc/self/status in MiB; None where the system has no such file."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return int(re.search(rf"^{field}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) / 1024
    except (OSError, TypeError):
        return None


def peak_memory():
    return memory_status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reset_peak():
    """Forgets the peak so far, where the system can (Linux)."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


class MemoryMeter:
    """The peak of the process, and how far it rose over what was there before the first step."""

    def __init__(self):
        gc.collect()
        self.start_peak = peak_memory()
        self.before = memory_status("VmRSS") or self.start_peak
        reset_peak()

    def read(self):
        now = peak_memory()
        return {"peakMemoryMiB": max(self.start_peak, now), "extraMemoryMiB": max(0, now - self.before)}


def say(line):
    print(json.dumps(line), flush=True)


def milliseconds_of(step, count):
    start = time.perf_counter()
    for _ in range(count):
        step()
    return 1000 * (time.perf_counter() - start) / count


def warm_up(step, fewest, seconds):
    """As the other workers do (protocol.mjs): at least so many steps, and for so long."""
    end = time.perf_counter() + seconds
    done = 0
    while done < fewest or time.perf_counter() < end:
        step()
        done += 1


def main():
    job = json.loads(sys.argv[1])
    step = importlib.import_module(KINDS[job["kind"]]).prepare(job)
    memory = MemoryMeter()
    warm_up(step, job.get("warmup", 3), job["warmSeconds"])
    say({"ready": True, "description": job["kind"]})
    for line in sys.stdin:
        milliseconds = milliseconds_of(step, int(line))
        say({"milliseconds": milliseconds, **memory.read()})


if __name__ == "__main__":
    main()
