#!/usr/bin/python3
"""Breaks the core on purpose, one small fault a time, and looks whether a test notices.

    tests/mutate/mutate.py --sample 150 --seed 1     draws so many of all mutants there are
    tests/mutate/mutate.py --area allocation         of the files that decide who gets which place
    tests/mutate/mutate.py --only seat.c reseat      of the files named like these
    tests/mutate/mutate.py --again FILE              those that survived, as FILE printed them
    tests/mutate/mutate.py --list                    counts them, runs nothing

The core is linked as one shared library, so that a mutant costs the compiling of one file and the
killers are never linked again:

    mutant.c ─ cc ─► mutant.o ┐
    the other files' objects ─┴─► libcore.so ◄── test_scenarios, test_rules_*, ..., tide-sim

First the killers run once over a library that counts lines: a mutant is tried only by the killers
that reach its line, quickest first, and stops at the first kill. A killer that fails, dies by an
assertion or outlives its time has killed. What they leave alive is compiled once more with the
sanitizers, as the suite `sanitized` runs it, and tried again. A mutant of an inline function of a
header is compiled into every file that includes it.

Counted apart: mutants on lines that no killer reaches; and those of equivalent.txt, which nothing
can notice, as is told there. What survives is printed with its line; survivors.md tells why those
that remain do.
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
UNITS = ["test_calendar", "test_naive_*", "test_order", "test_rules_*",
         "test_scenarios*", "test_golden", "test_auditor", "test_codec*", "test_reseat",
         "test_draw_*", "test_limits*", "test_sound*", "test_enumeration"]
SEEDS = [["--seed", "3", "--days", "3"], ["--seed", "8", "--days", "4"],
         ["--seed", "21", "--days", "6", "--clients", "30"],
         ["--seed", "34", "--days", "5", "--clients", "24"]]
FLAGS = "-O1 -g0 -fPIC -w -Wno-error"
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize=alignment",
             "-fno-sanitize-recover=all"]
EQUIVALENT = os.path.join(ROOT, "tests", "mutate", "equivalent.txt")
AREAS = {"core": None,
         "allocation": ["freemap", "slices", "seat", "reseat", "order", "board", "offer", "wish",
                        "draw", "draw_proof", "draw_solve", "booking", "window", "waiting",
                        "promote", "chance", "forecast", "overrun", "share"]}

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

    def shown(self):
        return (self.line[:self.begin] + "«" + self.new + "»" + self.line[self.end:]).strip()

    def key(self):
        """What a line of equivalent.txt must say to mean this one: it is void when the line is
        another, and a second edit of the same kind in the line is another as well."""
        return os.path.basename(self.path), self.line.strip(), self.shown()

    def __str__(self):
        return "%s:%d: %s: %s" % (self.path, self.number, self.operator, self.shown())


def equivalents():
    """{key of a mutant: why nothing can notice it}: blocks of file, line, fault, reason."""
    found = {}
    with open(EQUIVALENT, encoding="utf-8") as text:
        lines = [line.strip() for line in text if not line.startswith("#")]
    while lines:
        block, lines = lines[:4], lines[5:]
        if len(block) != 4 or not all(block):
            sys.exit("%s: not a block of four lines: %s" % (EQUIVALENT, block))
        found[tuple(block[:3])] = block[3]
    return found


def mutants_of(path):
    with open(path, encoding="utf-8") as source:
        text = source.read()
    lines = text.split("\n")
    depth, function = 0, False
    for number, code in enumerate(blank(text).split("\n"), 1):
        inside = depth > 0
        function = function if inside else code == "{"
        depth += code.count("{") - code.count("}")
        if not inside or SKIP.match(code) or (path.endswith(".h") and not function):
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


def core_headers():
    return sorted(glob.glob("daemon/core/*.h") + glob.glob("daemon/core/*/*.h"))


def units():
    return sorted(path for pattern in UNITS for path in glob.glob("tests/unit/%s.c" % pattern))


class Bench:
    """What was built: objects of the core, the killers."""

    def __init__(self):
        must(["make", "-s", "-j2", "BUILD=" + WORK, "CFLAGS=" + FLAGS, WORK + "/libtideparts.a",
              WORK + "/tide-sim"] + ["%s/obj/%s.o" % (WORK, path[:-2]) for path in units()])
        told = must(["make", "-s", "BUILD=" + WORK, "CFLAGS=" + FLAGS, "tell-flags"]).split("\n")
        self.cflags, self.libs = told[0].split(), told[1].split()
        self.cflags = [flag.replace("'", "") for flag in self.cflags if flag != "-Werror"]
        self.sources = core_sources()
        self.preload = must(["gcc", "-print-file-name=libasan.so"]).strip()
        self.killers = {}

    def object(self, path):
        return "%s/obj/%s.o" % (WORK, path[:-2])

    def compile(self, path, out, source=None, more=()):
        argv = ["gcc"] + self.cflags + list(more) + ["-c", "-o", out, source or path]
        return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False)

    def users(self, header):
        """The sources that include a header."""
        found = []
        for path in self.sources:
            with open(self.object(path)[:-2] + ".d", encoding="utf-8") as text:
                if header in text.read().split():
                    found.append(path)
        return found

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
        for path in units():
            o = "%s/obj/%s.o" % (WORK, path[:-2])
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

    def run(self, name, library, limit, sanitized=False):
        """Whether the killer is content with this library."""
        env = dict(os.environ, LD_LIBRARY_PATH=os.path.abspath(library),
                   TIDE_ENUMERATION_STRIDE="200")
        if sanitized:
            env.update(LD_PRELOAD=self.preload, ASAN_OPTIONS="detect_leaks=0")
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
        self.sanitize(found)
        return found

    def sanitize(self, reach):
        """The core as it is must please everybody under the sanitizers as well."""
        os.makedirs(WORK + "/san", exist_ok=True)
        objects = []
        for path in self.sources:
            objects.append("%s/san/%s.o" % (WORK, path[:-2].replace("/", "-")))
            if self.compile(path, objects[-1], None, SANITIZED).returncode != 0:
                sys.exit("%s does not compile" % path)
        self.library(WORK + "/san/libcore.so", objects, SANITIZED)
        for name in reach:
            if not self.run(name, WORK + "/san", 300, sanitized=True):
                sys.exit("%s fails under the sanitizers" % name)


# ---- trying -------------------------------------------------------------------------------------

PLACES = threading.local()
NUMBERS = iter(range(1000))


def place_of():
    """A folder of this worker's own."""
    if not hasattr(PLACES, "path"):
        PLACES.path = "%s/worker-%d" % (WORK, next(NUMBERS))
        os.makedirs(PLACES.path, exist_ok=True)
    return PLACES.path


def make_library(bench, mutant, sanitizers=()):
    """libcore.so with the mutant in this worker's folder; whether it compiles."""
    place = place_of()
    with open(mutant.path, encoding="utf-8") as source:
        lines = source.read().split("\n")
    broken = "%s/tree/%s" % (place, mutant.path)
    shutil.rmtree(place + "/tree", ignore_errors=True)
    os.makedirs(os.path.dirname(broken))
    with open(broken, "w", encoding="utf-8") as out:
        out.write(mutant.text(lines))
    users = bench.users(mutant.path) if mutant.path.endswith(".h") else [mutant.path]
    objects = [bench.object(path) for path in bench.sources if path not in users]
    for number, path in enumerate(users):
        source = path if mutant.path.endswith(".h") else broken
        objects.append("%s/%d.o" % (place, number))
        here = ["-I" + place + "/tree", "-I" + os.path.dirname(mutant.path)] + list(sanitizers)
        if bench.compile(path, objects[-1], source, here).returncode != 0:
            return False
    bench.library(place + "/libcore.so", objects, sanitizers)
    return True


def attempt(bench, reach, mutant):
    """"stillborn", the name of the killer, or None: it survived."""
    if not make_library(bench, mutant):
        return "stillborn"
    killers = [name for name in sorted(reach, key=lambda name: reach[name][0])
               if mutant.number in reach[name][1].get(mutant.path, ())]
    for name in killers:
        if not bench.run(name, place_of(), 5 + 6 * reach[name][0]):
            return name
    if make_library(bench, mutant, SANITIZED):
        for name in killers:
            if not name.startswith("test_"): # the suite runs the unit tests alone
                continue
            if not bench.run(name, place_of(), 20 + 30 * reach[name][0], sanitized=True):
                return name + " (sanitized)"
    return None


def tell(results, uncovered, equal):
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
    sanitized = sum(1 for _, verdict in results if verdict and verdict.endswith("(sanitized)"))
    print("%d of the killed needed a sanitizer" % sanitized)
    print("%d mutants on lines that no killer reaches, not drawn" % uncovered)
    print("%d mutants that nothing can notice (equivalent.txt), not drawn" % equal)
    print("%d mutants tried, %d killed, %d survived, %d stillborn: %.1f %% killed"
          % (tried, len(killed), len(survivors), stillborn, 100.0 * len(killed) / max(1, tried)))
    share = len(killed) / max(1, tried)
    print("+- %.1f at 95 %%" % (196 * (share * (1 - share) / max(1, tried)) ** 0.5))


def wanted(args):
    """The paths whose mutants are meant."""
    paths = core_sources() + core_headers()
    area = AREAS[args.area]
    if area is not None:
        paths = [path for path in paths if os.path.basename(path)[:-2] in area]
    if args.only is not None:
        paths = [path for path in paths if any(word in path for word in args.only)]
    return paths


def again(path):
    """What an earlier run printed of its survivors."""
    with open(path, encoding="utf-8") as text:
        return set(re.findall(r"^(?:SURVIVED +| {2})(daemon/\S+?):\d+: [a-z ]+: (.*)$",
                              text.read(), re.M))


def draw(args, reach):
    """The mutants to try, how many stand on lines that nobody reaches, how many are equivalent."""
    reached = {}
    for _, lines in reach.values():
        for path, numbers in lines.items():
            reached.setdefault(path, set()).update(numbers)
    every = [m for path in wanted(args) for m in mutants_of(path)]
    if args.again is not None:
        before = again(args.again)
        every = [m for m in every if (m.path, m.shown()) in before]
    live = [m for m in every if m.number in reached.get(m.path, ())]
    if args.unreached:
        for path, number in sorted({(m.path, m.number) for m in every} -
                                   {(m.path, m.number) for m in live}):
            with open(path, encoding="utf-8") as text:
                print("unreached %s:%d: %s" % (path, number, text.read().split("\n")[number - 1]))
    equal = equivalents()
    chosen = [m for m in live if m.key() not in equal]
    alike = len(live) - len(chosen)
    if args.sample is not None and args.sample < len(chosen):
        chosen = random.Random(args.seed).sample(chosen, args.sample)
    return chosen, len(every) - len(live), alike


def tell_void():
    """Lines of equivalent.txt that mean no mutant any more: a promise about other code."""
    keys = {m.key() for path in core_sources() + core_headers() for m in mutants_of(path)}
    void = [key for key in equivalents() if key not in keys]
    for key in void:
        print("void in equivalent.txt: %s: %s" % (key[0], key[2]))
    return void


def options():
    parser = argparse.ArgumentParser(description="mutation of the core")
    parser.add_argument("--sample", type=int, help="draw so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--area", choices=sorted(AREAS), default="core")
    parser.add_argument("--only", nargs="+", help="files with one of these in their path")
    parser.add_argument("--again", metavar="FILE", help="the survivors of an earlier run's output")
    parser.add_argument("--unreached", action="store_true", help="print the lines nobody reaches")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="count, run nothing")
    return parser.parse_args()


def try_all(bench, reach, chosen, jobs):
    """[(mutant, verdict)], printed as they come."""
    results = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        tries = {pool.submit(attempt, bench, reach, mutant): mutant for mutant in chosen}
        for future in concurrent.futures.as_completed(tries):
            mutant, verdict = tries[future], future.result()
            results.append((mutant, verdict))
            print("%-16s %s" % (verdict or "SURVIVED", mutant))
            sys.stdout.flush()
    return results


def main():
    args = options()
    os.chdir(ROOT)
    if tell_void():
        return 1
    if args.list:
        for path in wanted(args):
            print("%5d %s" % (sum(1 for _ in mutants_of(path)), path))
        return 0
    bench = Bench()
    bench.link_killers()
    reach = bench.reach()
    for name in sorted(reach, key=lambda name: reach[name][0]):
        print("%6.2f s %s" % (reach[name][0], name))
    chosen, uncovered, equal = draw(args, reach)
    print("%d mutants" % len(chosen))
    sys.stdout.flush()
    tell(try_all(bench, reach, chosen, args.jobs), uncovered, equal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
