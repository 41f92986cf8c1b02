#!/usr/bin/python3
"""A short run of one measurement: smoke.py TIDE-BENCH WHAT.

It must end, and its last line must be one JSON object with the keys that are promised. No figure is
judged here: the machine is shared with other tests. What must never happen in any run (an answer
lost, a request done twice) is.
"""
import json
import os
import subprocess
import sys

# what -> (options that make it short, keys of its last line)
SHORT = {
    "peak": (["--quick"],
             "bookings_per_s echo_per_s ratio p50_ms p99_ms alone_p50_ms lost twice"),
    "journal": (["--seconds", "2", "--households", "2000", "--zones", "8", "--slots", "50",
                 "--peer", "postgres", "--peer-seconds", "1"],
                "bookings_per_s peak_per_s postgres_per_s ratio peak_ratio fsync_us"),
    "recover": (["--bookings", "20000", "--live", "1000"], "bookings seconds"),
    "memory": (["--slots", "500", "--households", "500"], "slots households rss_mib"),
    "forecast": ([], "bench"),
    "lateness": ([], "bench"),
    "verify": (["--events", "20000"], "events seconds"),
}


def main():
    program, what = sys.argv[1:3]
    options, keys = SHORT[what]
    env = dict(os.environ, TIDE_BUILD=os.path.dirname(os.path.abspath(program)))
    done = subprocess.run([program, what] + options, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, check=False)
    print(done.stdout)
    why = None
    try:
        figures = json.loads(done.stdout.strip().splitlines()[-1])
        missing = [key for key in keys.split() if key not in figures]
        if done.returncode != 0:
            why = "exit code %d" % done.returncode
        elif missing:
            why = "its last line lacks " + ", ".join(missing)
        elif figures.get("lost") or figures.get("twice"):
            why = "%s lost, %s twice" % (figures["lost"], figures["twice"])
    except (IndexError, ValueError) as error:
        why = "its last line is no JSON: %s, exit code %d" % (error, done.returncode)
    print("not ok bench_%s: %s" % (what, why) if why else "ok bench_" + what)
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
