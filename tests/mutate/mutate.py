#!/usr/bin/python3
"""Breaks the core on purpose, one small fault a time, and looks whether a test notices.

    tests/mutate/mutate.py --sample 150 --seed 1     draws so many of all mutants there are
    tests/mutate/mutate.py --only seat.c             all of the files named like this
    tests/mutate/mutate.py --list                    counts them, runs nothing

The core is linked as one shared library, so that a mutant costs the compiling of one file and the
killers are never linked again:

    mutant.c ─ cc ─► mutant.o ┐
    the other files' objects ─┴─► libcore.so ◄── test_scenarios, test_rules_*, ..., tide-sim

First the killers run once over a library that counts lines: a mutant is tried only by the killers
that reach its line, quickest first, and stops at the first kill. A killer that fails, dies by an
assertion or outlives its time has killed. A line that no killer reaches is counted apart. What
survives is printed with its line; survivors.md tells why those that remain do.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = "build-mutate"
SIM = ["--store", "memory", "--quiet", "--clients", "12"]
UNITS = ["test_calendar", "test_naive_windows", "test_naive_seats", "test_order", "test_rules_*",
         "test_scenarios*", "test_golden", "test_auditor", "test_codec*", "test_reseat",
         "test_draw_*", "test_limits*", "test_sound*"]
SEEDS = [["--seed", "3", "--days", "3"], ["--seed", "8", "--days", "4"],
         ["--seed", "21", "--days", "6", "--clients", "30"],
         ["--seed", "34", "--days", "5", "--clients", "24"]]
FLAGS = "-O1 -g0 -fPIC -w -Wno-error"

# ---- the mutants --------------------------------------------------------------------------------

RELATIONS = {"<": ["<=", ">="], ">": [">=", "<="], "<=": ["<", ">"], ">=": [">", "<"],
             "==": ["!="], "!=": ["=="]}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&"}
CHANGES = {"++": "--", "--": "++", "+=": "-=", "-=": "+=", "|=": "&=", "&=": "|="}
SKIP = re.compile(r"^\s*(#|CHECK\b|trace\(|_Static_assert|static_assert|case\b|\*|//|static const|"
                  r"enum\b)")
CALL = re.compile(r"^(\s+)(?:\(void\))?[a-z_]\w*\(.*\);\s*$")


def blank(text):
    """The text with comments and strings blanked; every character keeps its place."""
    def dots(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", dots, text, flags=re.S)


def closing(line, at):
    """Index of the parenthesis that closes the one at `at`; -1 when it is not in this line."""
    depth = 0
    for i in range(at, len(line)):
        depth += (line[i] == "(") - (line[i] == ")")
        if depth == 0:
            return i
    return -1


def edits_of(line):
    """(operator's name, begin, end, new text) of every mutant of one line of code."""
    for m in re.finditer(r"(?<=[\w)\]] )(<=|>=|==|!=|<|>)(?= )", line):
        for other in RELATIONS[m.group(1)]:
            yield "relation", m.start(), m.end(), other
    for m in re.finditer(r"(?<=[\w)\]] )([-+*/%&|])(?= )", line):
        yield "arithmetic", m.start(), m.end(), ARITHMETIC[m.group(1)]
    for m in re.finditer(r"\+\+|--|\+=|-=|\|=|&=", line):
        yield "change", m.start(), m.end(), CHANGES[m.group(0)]
    for m in re.finditer(r"(?<![\w.])(\d+)(?=[uU]?(?:LL)?\b)", line):
        yield "constant", m.start(), m.end(), str(int(m.group(1)) + 1)
        if int(m.group(1)) > 1:
            yield "constant", m.start(), m.end(), str(int(m.group(1)) - 1)
    for m in re.finditer(r"&&|\|\|", line):
        yield "logic", m.start(), m.end(), "||" if m.group(0) == "&&" else "&&"
    for m in re.finditer(r"\bif \(", line):
        end = closing(line, m.end() - 1)
        if end > 0:
            inner = line[m.end():end]
            yield "negated", m.end(), end, "!(%s)" % inner
    m = CALL.match(line)
    if m:
        yield "no call", len(m.group(1)), len(line.rstrip()), ";"
    m = re.match(r"^\s+return ([^;]+);", line)
    if m and m.group(1) not in ("0", "NULL"):
        other = {"true": "false", "false": "true"}.get(m.group(1), "0")
        yield "return", m.start(1), m.end(1), other


class Mutant:
    """One edit: of a file, in a line, from a column to a column."""

    def __init__(self, path, number, edit, line):
        self.path, self.number = path, number
        self.operator, self.begin, self.end, self.new = edit
        self.line = line

    def text(self, lines):
        broken = self.line[:self.begin] + self.new + self.line[self.end:]
        return "\n".join(lines[:self.number - 1] + [broken] + lines[self.number:])

    def __str__(self):
        broken = self.line[:self.begin] + "«" + self.new + "»" + self.line[self.end:]
        return "%s:%d: %s: %s" % (self.path, self.number, self.operator, broken.strip())


def mutants_of(path):
    with open(path, encoding="utf-8") as source:
        text = source.read()
    lines = text.split("\n")
    depth = 0
    for number, code in enumerate(blank(text).split("\n"), 1):
        inside = depth > 0
        depth += code.count("{") - code.count("}")
        if not inside or SKIP.match(code):
            continue
        for edit in edits_of(code):
            yield Mutant(path, number, edit, lines[number - 1])


# ---- building -----------------------------------------------------------------------------------


def must(argv, **more):
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)
    if done.returncode != 0:
        sys.exit("%s:\n%s" % (" ".join(argv), done.stdout[-3000:]))
    return done.stdout


def core_sources():
    return sorted(glob.glob("daemon/core/*.c") + glob.glob("daemon/core/*/*.c"))


class Bench:
    """What was built: objects of the core, the killers."""

    def __init__(self):
        must(["make", "-s", "-j2", "BUILD=" + WORK, "CFLAGS=" + FLAGS, "units", WORK + "/tide-sim"])
        told = must(["make", "-s", "BUILD=" + WORK, "CFLAGS=" + FLAGS, "tell-flags"]).split("\n")
        self.cflags, self.libs = told[0].split(), told[1].split()
        self.cflags = [flag.replace("'", "") for flag in self.cflags if flag != "-Werror"]
        self.sources = core_sources()
        self.killers = {}

    def object(self, path):
        return "%s/obj/%s.o" % (WORK, path[:-2])

    def compile(self, path, out, source=None, more=()):
        argv = ["gcc"] + self.cflags + list(more) + ["-c", "-o", out, source or path]
        return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False)

    def library(self, out, objects, more=()):
        return must(["gcc", "-shared", "-Wl,-soname,libcore.so", "-o", out] + list(more) + objects)

    def link_killers(self):
        """Each killer against libcore.so; the archive's own core is never pulled in."""
        os.makedirs(WORK + "/killers", exist_ok=True)
        base = WORK + "/base"
        os.makedirs(base, exist_ok=True)
        self.library(base + "/libcore.so", [self.object(path) for path in self.sources])
        extra = [o for folder in ("clients/tidectl", "clients/gateway", "tests/sim", "daemon")
                 for o in glob.glob("%s/obj/%s/*.o" % (WORK, folder)) if not o.endswith("/main.o")]
        tail = ["-Wl,--start-group"] + extra + [WORK + "/libtideall.a", "-Wl,--end-group"]
        for pattern in UNITS:
            for o in sorted(glob.glob("%s/obj/tests/unit/%s.o" % (WORK, pattern))):
                self.link(os.path.basename(o)[:-2], [o, base + "/libcore.so"] + tail, [])
        sim = glob.glob(WORK + "/obj/tests/sim/*.o")
        self.link("tide-sim", sim + [base + "/libcore.so", WORK + "/libtideall.a"], None)
        for number, seed in enumerate(SEEDS, 1):
            argv = self.killers["tide-sim"] + SIM + seed
            self.killers["sim-%d" % number] = argv
        del self.killers["tide-sim"]

    def link(self, name, parts, argv):
        out = os.path.join(WORK, "killers", name)
        must(["gcc", "-rdynamic", "-o", out] + parts + self.libs + ["-lcmocka"])
        self.killers[name] = [out] + (argv or [])

    def run(self, name, library, limit):
        """Whether the killer is content with this library."""
        env = dict(os.environ, LD_LIBRARY_PATH=os.path.abspath(library))
        program = subprocess.Popen(self.killers[name], stdin=subprocess.DEVNULL, env=env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            return program.wait(limit) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(program.pid, signal.SIGKILL)
            except OSError:
                pass
            program.wait()

    def reach(self):
        """How long each killer takes and what it reaches: {name: (seconds, {path: lines})}."""
        found = {}
        for name in self.killers:
            began = time.monotonic()
            if not self.run(name, WORK + "/base", 300):
                sys.exit("%s fails on the core as it is" % name)
            found[name] = [time.monotonic() - began, {}]
        shutil.rmtree(WORK + "/cov", ignore_errors=True)
        os.makedirs(WORK + "/cov")
        objects = []
        for path in self.sources:
            objects.append("%s/cov/%s.o" % (WORK, path[:-2].replace("/", "-")))
            if self.compile(path, objects[-1], None, ["--coverage", "-O0"]).returncode != 0:
                sys.exit("%s does not compile" % path)
        self.library(WORK + "/cov/libcore.so", objects, ["--coverage"])
        for name in self.killers:
            for old in glob.glob(WORK + "/cov/*.gcda"):
                os.unlink(old)
            self.run(name, WORK + "/cov", 600)
            for data in glob.glob(WORK + "/cov/*.gcda"):
                told = json.loads(must(["gcov", "--json-format", "--stdout", data]).split("\n")[0])
                for file in told["files"]:
                    lines = {line["line_number"] for line in file["lines"] if line["count"] > 0}
                    found[name][1].setdefault(file["file"], set()).update(lines)
        return found


# ---- trying -------------------------------------------------------------------------------------

PLACES = threading.local()
NUMBERS = iter(range(1000))


def place_of():
    """A folder of this worker's own."""
    if not hasattr(PLACES, "path"):
        PLACES.path = "%s/worker-%d" % (WORK, next(NUMBERS))
        os.makedirs(PLACES.path, exist_ok=True)
    return PLACES.path


def attempt(bench, reach, mutant):
    """"stillborn", the name of the killer, or None: it survived."""
    place = place_of()
    with open(mutant.path, encoding="utf-8") as source:
        lines = source.read().split("\n")
    with open(place + "/mutant.c", "w", encoding="utf-8") as out:
        out.write(mutant.text(lines))
    here = ["-I" + os.path.dirname(mutant.path)]
    if bench.compile(mutant.path, place + "/mutant.o", place + "/mutant.c", here).returncode != 0:
        return "stillborn"
    objects = [bench.object(path) for path in bench.sources if path != mutant.path]
    bench.library(place + "/libcore.so", objects + [place + "/mutant.o"])
    for name in sorted(reach, key=lambda name: reach[name][0]):
        seconds, lines = reach[name]
        if mutant.number not in lines.get(mutant.path, ()):
            continue
        if not bench.run(name, place, 5 + 6 * seconds):
            return name
    return None


def tell(results, uncovered):
    killed = [m for m, verdict in results if verdict not in (None, "stillborn")]
    survivors = [m for m, verdict in results if verdict is None]
    stillborn = len(results) - len(killed) - len(survivors)
    print("\nsurvivors:")
    for mutant in sorted(survivors, key=lambda m: (m.path, m.number)):
        print("  %s" % mutant)
    for path in sorted({m.path for m, _ in results}):
        here = [verdict for m, verdict in results if m.path == path and verdict != "stillborn"]
        dead = sum(1 for verdict in here if verdict is not None)
        print("%4d of %4d  %s" % (dead, len(here), path))
    tried = len(killed) + len(survivors)
    print("%d mutants on lines that no killer reaches, not drawn" % uncovered)
    print("%d mutants tried, %d killed, %d survived, %d stillborn: %.1f %% killed"
          % (tried, len(killed), len(survivors), stillborn, 100.0 * len(killed) / max(1, tried)))


def draw(args, reach):
    """The mutants to try, and how many stand on lines that nobody reaches."""
    reached = {}
    for _, lines in reach.values():
        for path, numbers in lines.items():
            reached.setdefault(path, set()).update(numbers)
    every = [m for path in core_sources() if args.only is None or args.only in path
             for m in mutants_of(path)]
    live = [m for m in every if m.number in reached.get(m.path, ())]
    chosen = live
    if args.sample is not None and args.sample < len(live):
        chosen = random.Random(args.seed).sample(live, args.sample)
    return chosen, len(every) - len(live)


def main():
    parser = argparse.ArgumentParser(description="mutation of the core")
    parser.add_argument("--sample", type=int, help="draw so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="files with this in their path")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="count, run nothing")
    args = parser.parse_args()
    os.chdir(ROOT)
    if args.list:
        for path in core_sources():
            print("%5d %s" % (sum(1 for _ in mutants_of(path)), path))
        return 0
    bench = Bench()
    bench.link_killers()
    reach = bench.reach()
    for name in sorted(reach, key=lambda name: reach[name][0]):
        print("%6.2f s %s" % (reach[name][0], name))
    chosen, uncovered = draw(args, reach)
    print("%d mutants" % len(chosen))
    results = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        tries = {pool.submit(attempt, bench, reach, mutant): mutant for mutant in chosen}
        for future in concurrent.futures.as_completed(tries):
            mutant, verdict = tries[future], future.result()
            results.append((mutant, verdict))
            print("%-16s %s" % (verdict or "SURVIVED", mutant))
            sys.stdout.flush()
    tell(results, uncovered)
    return 0


if __name__ == "__main__":
    sys.exit(main())
