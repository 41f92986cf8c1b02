#!/usr/bin/python3
"""The exact optimum of an instance: which wishes, on which slots, serve the most minutes.

    tests/bench/optimum.py S.csv R.csv [--seconds 60]

An integer programme by HiGHS (python3-scipy): a variable for each wish and slot that is open for
it; on a slot, at the start of each wish, at most one runs. Prints one JSON object; "exact" is false
when the time was up, and "served_min" is then what was found, "limit_min" what cannot be exceeded.
For measurements only: nothing of Tide needs it.
"""
import csv
import json
import sys

import numpy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

GRAIN_MIN = 5


def read(path):
    with open(path, encoding="utf-8") as file:
        return [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file)]


def windows_of(rows):
    """slot -> (zone, [(from, until)]) in whole grains inside the window."""
    slots = {}
    for row in rows:
        span = (-(-row["from_min"] // GRAIN_MIN), row["until_min"] // GRAIN_MIN)
        slots.setdefault(row["slot"], (row["zone"], []))[1].append(span)
    return slots


def spans_of(rows):
    return [(row["zone"], row["from_min"] // GRAIN_MIN, -(-row["until_min"] // GRAIN_MIN),
             row["until_min"] - row["from_min"]) for row in rows]


def programme(slots, spans):
    variables, rows, columns, gains = [], [], [], []
    for number, (zone, start, end, minutes) in enumerate(spans):
        for slot, (of_zone, windows) in slots.items():
            if of_zone == zone and any(a <= start and end <= b for a, b in windows):
                variables.append((number, slot))
                gains.append(-minutes)
    row, by_slot = 0, {}
    for column, (number, slot) in enumerate(variables):
        by_slot.setdefault(slot, []).append((column, number))
    for number in range(len(spans)):
        here = [column for column, (of, _slot) in enumerate(variables) if of == number]
        rows += [row] * len(here)
        columns += here
        row += 1
    for entries in by_slot.values():
        for at in sorted({spans[number][1] for _column, number in entries}):
            running = [column for column, number in entries
                       if spans[number][1] <= at < spans[number][2]]
            if len(running) > 1:
                rows += [row] * len(running)
                columns += running
                row += 1
    matrix = csr_matrix((numpy.ones(len(rows)), (rows, columns)), shape=(row, len(variables)))
    return numpy.array(gains, dtype=float), matrix


def main():
    args = sys.argv[1:]
    seconds = 60.0
    if "--seconds" in args:
        at = args.index("--seconds")
        seconds = float(args[at + 1])
        del args[at:at + 2]
    gains, matrix = programme(windows_of(read(args[0])), spans_of(read(args[1])))
    found = milp(gains, constraints=LinearConstraint(matrix, -numpy.inf, 1),
                 integrality=numpy.ones(len(gains)), bounds=Bounds(0, 1),
                 options={"time_limit": seconds})
    limit = found.mip_dual_bound if found.mip_dual_bound is not None else found.fun
    print(json.dumps({"bench": "optimum", "served_min": round(-found.fun),
                      "limit_min": round(-limit), "exact": found.status == 0}))


if __name__ == "__main__":
    main()
