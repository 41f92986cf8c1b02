#!/usr/bin/python3
"""Fuzzes one target for some seconds: smoke.py TARGET SECONDS.

Starts from tests/fuzz/corpus/<name>/ and from the cases of earlier crashes in
tests/fuzz/regression/<name>/ (each must pass first). What it finds goes to a temporary folder; an
input that breaks the target is kept beside it and its name printed: add it to the regressions
together with the mend.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    target, seconds = sys.argv[1], int(sys.argv[2])
    name = os.path.basename(target)[len("fuzz_"):]
    env = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
    env["ASAN_OPTIONS"] = "detect_leaks=1"
    old = os.path.join(HERE, "regression", name)
    names = sorted(os.listdir(old)) if os.path.isdir(old) else []
    cases = [os.path.join(old, case) for case in names]
    if cases:
        code = subprocess.call([target] + cases, env=env)
        print("%s fuzz_%s_regressions" % ("ok" if code == 0 else "not ok", name))
        if code != 0:
            return 1
    with tempfile.TemporaryDirectory(prefix="tide-fuzz-") as found:
        argv = [target, "-max_total_time=%d" % seconds, "-timeout=5", "-rss_limit_mb=1024",
                "-max_len=4096", "-print_final_stats=1", "-verbosity=0",
                "-artifact_prefix=" + os.path.dirname(target) + "/"]
        dictionary = os.path.join(HERE, name + ".dict")
        if os.path.exists(dictionary):
            argv.append("-dict=" + dictionary)
        code = subprocess.call(argv + [found, os.path.join(HERE, "corpus", name)], env=env)
        print("%d inputs kept" % len(os.listdir(found)))
    print("ok fuzz_" + name if code == 0 else "not ok fuzz_%s: exit code %d" % (name, code))
    return 0 if code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
