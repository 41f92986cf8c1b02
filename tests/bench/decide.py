#!/usr/bin/python3
"""How fast the engine alone decides, on one core: what fits directly, and what needs others moved.

    tests/bench/decide.py [--bench build/tide-bench] [--slots 500,10000] [--seconds 3] [--seeds 10]

Direct: `tide-bench engine`, zones that are 80 % full, decisions a second; the best of some runs,
since whatever else runs on the machine only takes. Searched: an office's wishes at load 1.0 for the
smaller number of slots, `tide-bench allocate --policy online`; of those decisions alone that found
no slot directly, whether the search found a chain of moves or not. The last line is one JSON.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUNS = 3


def run(program, *words):
    out = subprocess.run([program, *words], stdout=subprocess.PIPE, check=True, timeout=600,
                         text=True).stdout
    return json.loads(out.splitlines()[-1])


def direct(program, slots, seconds):
    """The fastest of some runs."""
    runs = [run(program, "engine", "--slots", str(slots), "--fill", "0.8", "--horizon-days", "14",
                "--seconds", str(seconds)) for _ in range(RUNS)]
    return max(runs, key=lambda told: told["decisions_per_s"])


def searched(program, slots, seed, folder):
    paths = os.path.join(folder, "S.csv"), os.path.join(folder, "R.csv")
    run(program, "instance", "--kind", "office", "--slots", str(slots), "--load", "1.0", "--seed",
        str(seed), "--out-slots", paths[0], "--out-requests", paths[1])
    return run(program, "allocate", "--slots", paths[0], "--requests", paths[1], "--policy",
               "online")


def main():
    parser = argparse.ArgumentParser(description="how fast the engine decides")
    parser.add_argument("--bench", default=os.path.join(ROOT, "build", "tide-bench"))
    parser.add_argument("--slots", default="500,10000")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--seeds", type=int, default=10)
    args = parser.parse_args()
    sizes, figures = [int(size) for size in args.slots.split(",")], {"bench": "decide"}
    for slots in sizes:
        told = direct(args.bench, slots, args.seconds)
        figures["per_s_%d" % slots] = told["decisions_per_s"]
        print("%6d slots, direct    %9d decisions a second, p50 %.2f, p99 %.2f us"
              % (slots, told["decisions_per_s"], told["p50_us"], told["p99_us"]), flush=True)
    with tempfile.TemporaryDirectory(prefix="tide-decide-") as folder:
        made = [searched(args.bench, min(sizes), seed, folder)
                for seed in range(1, args.seeds + 1)]
    for key in ("search_p50_us", "search_p99_us", "search_max_us"):
        figures[key] = max(told[key] for told in made)
    figures["searches"] = sum(told["searches"] for told in made)
    print("%6d slots, searched  %9d decisions, worst of %d seeds: p50 %.1f, p99 %.1f, max %.1f us"
          % (min(sizes), figures["searches"], len(made), figures["search_p50_us"],
             figures["search_p99_us"], figures["search_max_us"]))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
