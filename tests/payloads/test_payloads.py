#!/usr/bin/python3
"""Bad payloads through the real decoders: test_payloads.py [JUDGE]. One verdict a case, by rule.

    protocol   requests and facts: from the schemas and the page (cases.py, rules.py)
    devices    the makers' own messages, spoilt (devices.py); skipped without TIDE_SHARED
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import cases  # noqa: E402
import devices  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOWN_MAX = 25


def judge(program, batch):
    """The verdict on each case, by the decoders."""
    lines = ["%s %s %s" % (way, name, raw.hex() or "-") for way, name, raw, _ in batch]
    env = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1", ASAN_OPTIONS="detect_leaks=1")
    done = subprocess.run([program], input="\n".join(lines) + "\n", text=True, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=250, check=False)
    verdicts = done.stdout.splitlines()
    if done.returncode != 0 or len(verdicts) != len(batch):
        print("the judge ended with %d after %d of %d cases, at %r\n%s" % (
            done.returncode, len(verdicts), len(batch), lines[min(len(verdicts), len(lines) - 1)],
            done.stderr[-3000:]))
        return None
    return verdicts


def agrees(verdict, expected):
    if callable(expected):
        return expected(verdict)
    code, _, place = verdict.partition(" ")
    places = expected[1]
    return code == expected[0] and (places is None or place.replace("-", "", 1) in places
                                    or place in places)


def run(name, program, batch):
    """One line for a group of cases; returns how many are wrong."""
    verdicts = judge(program, batch)
    if verdicts is None:
        print("not ok payloads_%s: the judge died" % name)
        return 1
    wrong = 0
    for (way, what, raw, expected), verdict in zip(batch, verdicts):
        if agrees(verdict, expected):
            continue
        wrong += 1
        if wrong <= SHOWN_MAX:
            say = getattr(expected, "__doc__", None) if callable(expected) else expected
            print("%s %s %r: expected %s, seen %s" % (way, what, raw[:300], say, verdict))
    result = "ok" if wrong == 0 else "not ok"
    print("%s payloads_%s: %d cases, %d wrong" % (result, name, len(batch), wrong))
    return wrong


def main():
    build = os.path.join(ROOT, os.environ.get("TIDE_BUILD", "build"))
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(build, "payloads-judge")
    protocol = list(cases.protocol_cases())
    wrong = run("protocol", program, protocol)
    spoilt = list(devices.device_cases())
    if spoilt:
        wrong += run("devices", program, spoilt)
    else:
        print("skip payloads_devices: no messages of devices below TIDE_SHARED")
    print("%d bad payloads judged, %d wrong" % (len(protocol) + len(spoilt), wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
