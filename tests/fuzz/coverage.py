#!/usr/bin/python3
"""Lines of the decoders that corpora, bad payloads and unit tests reach: coverage.py BUILD.

BUILD was made by clang with -fprofile-instr-generate -fcoverage-mapping (make fuzz-coverage). Every
fuzz target runs its corpus and its regressions once, without fuzzing. Ends with 1 when a file has
less than 95 % of its lines.
"""
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TESTS = ("codec codec_encode codec_time json topic decoder decoder_json plate import gateway_conf "
         "gateway_passes gateway_slot gateway_whitelist").split()
FILES = ["protocol/" + name for name in (
    "decode.c decode_rows.c json_check.c members.c message.c messages.c plate.c time.c topic.c"
).split()] + ["clients/gateway/" + name for name in (
    "bosch_tps110.c chirpstack.c json.c listfile.c milesight_em400.c models.c netvox_r719a.c "
    "passes.c slot.c vz.c").split()] + ["clients/tidectl/csv.c"]
BAR = 95.0


def runs(build):
    """(program, its arguments) of everything that counts."""
    for test in TESTS:
        program = os.path.join(build, "unit", "test_" + test)
        if os.path.exists(program):
            yield program, []
    for program in sorted(glob.glob(os.path.join(build, "cover", "fuzz_*"))):
        name = os.path.basename(program)[len("fuzz_"):]
        cases = [case for folder in ("corpus", "regression")
                 for case in sorted(glob.glob(os.path.join(HERE, folder, name, "*")))]
        yield program, cases


def main():
    build = sys.argv[1]
    env = dict(os.environ, TIDE_BUILD=build)
    profiles = os.path.join(build, "profiles")
    os.makedirs(profiles, exist_ok=True)
    programs = []
    for program, cases in runs(build):
        programs.append(program)
        env["LLVM_PROFILE_FILE"] = os.path.join(profiles, os.path.basename(program) + ".profraw")
        subprocess.run([program] + cases, env=env, cwd=ROOT, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=120, check=False)
    judge = os.path.join(build, "payloads-judge")
    env["LLVM_PROFILE_FILE"] = os.path.join(profiles, "judge-%p.profraw")
    subprocess.run([sys.executable, "tests/payloads/test_payloads.py", judge], env=env, cwd=ROOT,
                   stdout=subprocess.DEVNULL, timeout=200, check=False)
    merged = os.path.join(profiles, "all.profdata")
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged]
                   + glob.glob(os.path.join(profiles, "*.profraw")), check=True)
    objects = [word for program in programs[1:] + [judge] for word in ("-object", program)]
    done = subprocess.run(["llvm-cov", "export", "-summary-only", "-instr-profile", merged,
                           programs[0]] + objects + FILES, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True)
    low = lines = covered = 0
    for entry in json.loads(done.stdout)["data"][0]["files"]:
        name = os.path.relpath(entry["filename"], ROOT)
        if name not in FILES:
            continue
        part = entry["summary"]["lines"]
        lines, covered = lines + part["count"], covered + part["covered"]
        low += part["percent"] < BAR
        print("%6.1f %%  %4d of %4d  %s" % (part["percent"], part["covered"], part["count"], name))
    share = 100.0 * covered / max(1, lines)
    print(json.dumps({"decoder_lines_pct": round(share, 1), "lines": lines, "files_below": low}))
    return 1 if share < BAR or lines == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
