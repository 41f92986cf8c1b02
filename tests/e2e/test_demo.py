#!/usr/bin/python3
"""The demonstration itself: a shortened day through real brokers, gateway and clients; its table
and verdict; nothing left running; twice in a row; interrupted; the neighbourhood in real time."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import BUILD, ROOT, check, equal, run_tests, start, stop, test, wait_for

SCRIPT = os.path.join(ROOT, "deploy", "demo", "run.sh")
FOLDER = []
OUTPUT = []


def folder():
    if not FOLDER:
        FOLDER.append(tempfile.mkdtemp(prefix="tide-demo-"))
    return FOLDER[0]


def environment(name, **more):
    values = dict(os.environ, BUILD=BUILD, DIR=os.path.join(folder(), name), PYTHON=sys.executable)
    values.update(more)
    return values


def still_running(name):
    """Processes that have the demo's folder on their command line."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as line:
                words = line.read()
        except OSError:
            continue
        if os.path.join(folder(), name).encode() in words:
            left.append((pid, words.replace(b"\0", b" ").decode()))
    return left


def play(name, **more):
    done = subprocess.run([SCRIPT, "demo"], env=environment(name, **more), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=100, check=False)
    equal(still_running(name), [], "processes that the demo left")
    return done.returncode, done.stdout


def figure(text, label):
    """The number behind a row of the table."""
    found = re.search(r"^ *%s +(\d+)" % re.escape(label), text, re.MULTILINE)
    check(found, "no row %r in:\n%s", label, text[-4000:])
    return int(found.group(1))


@test
def a_morning_is_played_to_its_verdict():
    code, text = play("day", FROM="07:30", UNTIL="09:00", SCALE="300", SEED="3")
    OUTPUT.append(text)
    equal(code, 0, "exit code; it said:\n" + text[-4000:])
    check(re.search(r"^08:00  supply +\d+  promised +\d+  parked +\d+", text, re.MULTILINE),
          "no hour of the tide in:\n%s", text)
    for label in ("asked for a place", "promised", "kept", "no-shows", "broken", "overstays",
                  "strangers on a slot", "owners found their slot taken", "refusals"):
        figure(text, label)
    check(figure(text, "promised") > 50, "hardly a promise:\n%s", text)
    check(figure(text, "plates read at the gates") > 100, "hardly a car:\n%s", text)
    check(figure(text, "arms lifted") > figure(text, "stayed down"), "more denied than let in")
    found = re.search(r"p50 ([\d.]+) ms, p99 ([\d.]+) ms", text)
    check(found and 0 < float(found.group(1)) <= float(found.group(2)), "no gate answers")
    check(re.search(r"^ tided --verify +\S", text, re.MULTILINE), "no verify in:\n%s", text)
    check(re.search(r"^ auditor +\S", text, re.MULTILINE), "no auditor in:\n%s", text)
    check("FAILED" not in text, "a verdict failed:\n%s", text[-3000:])


@test
def every_promise_that_was_told_is_in_the_database():
    found = re.search(r"told to people (\d+), in the database (\d+): none", OUTPUT[0])
    check(found, "it does not say so:\n%s", OUTPUT[0][-3000:])
    check(int(found.group(2)) >= int(found.group(1)) > 50, "promises: %s", found.group(0))


@test
def no_secret_and_no_plate_is_in_the_daemons_log():
    base = os.path.join(folder(), "day")
    with open(os.path.join(base, "tided.log"), encoding="utf-8") as log:
        text = log.read()
    check(text, "tided logged nothing")
    with open(os.path.join(base, "secrets"), encoding="utf-8") as secrets:
        for line in secrets:
            check(line.split()[1] not in text, "a secret is in the log")
    with open(os.path.join(base, "example", "vehicles.csv"), encoding="utf-8") as vehicles:
        for line in list(vehicles)[1:]:
            check(line.split(",")[0] not in text, "a plate is in the log")


@test
def it_plays_again_in_the_same_folder_and_ends_when_told_to():
    process = start([SCRIPT, "demo"], env=environment("day", FROM="06:30", UNTIL="20:00"),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    tally = os.path.join(folder(), "day", "gw-park.log")
    wait_for(lambda: os.path.exists(tally) and os.path.getmtime(tally) > time.time() - 5,
             "the gateways of the second run", 40, 0.1)
    time.sleep(1.5)
    second = subprocess.run([SCRIPT, "demo"], env=environment("day"), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, encoding="utf-8", timeout=20, check=False)
    check(second.returncode != 0 and "already" in second.stdout,
          "a second demo in the same folder: %r", second.stdout)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    stop(process)
    wait_for(lambda: not still_running("day"), "the end of what the demo started", 5, 0.1)


@test
def the_neighbourhood_runs_in_real_time_and_answers():
    out = os.path.join(folder(), "run.txt")
    with open(out, "w", encoding="utf-8") as sink:
        process = start([SCRIPT, "run"], env=environment("real"), stdout=sink,
                        stderr=subprocess.STDOUT, start_new_session=True)

    def told():
        check(process.poll() is None, "it ended: %s", read(out))
        return "Three lines" in read(out) and " status" in read(out)

    wait_for(told, "what to try", 60, 0.2)
    text = read(out)
    for who in ("resident", "owner", "clerk", "guard", "gateway"):
        check(re.search(r"^ +%s +\S+ +\S{20,}" % who, text, re.MULTILINE), "no %s:\n%s", who, text)
    lines = [line.strip() for line in text.splitlines() if "--conf-file" in line]
    equal(len(lines), 3, "lines to try")
    for line in lines:
        done = subprocess.run(line.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=ROOT, encoding="utf-8", timeout=20, check=False)
        equal(done.returncode, 0, "%s\n%s" % (line, done.stdout))
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    stop(process)
    wait_for(lambda: not still_running("real"), "the end of what run started", 5, 0.1)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    RESULT = run_tests()
    if FOLDER and "TIDE_KEEP" not in os.environ:
        shutil.rmtree(FOLDER[0])
    sys.exit(RESULT)
