"""purity.py - the core asks for nothing: no clock, no memory, no file, no floating point.

The core is compiled as in the plain build, with gcc and with clang; `nm` then tells what its
objects want from outside. A second compilation without floating-point registers proves the rest,
and the words are looked for as well. (bcmp is what clang makes of memcmp() == 0;
__popcountdi2 counts bits where the processor may not.)
"""
import glob
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from sources import code_only, read

FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-I.", "-Iinclude", "-O2", "-fPIE", "-fno-common",
         "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"]
ALLOWED = re.compile(r"^((__)?(mem|str)[a-z]+(_chk)?|bcmp|__popcountdi2|__stack_chk_fail|"
                     r"engine_check_failed|_GLOBAL_OFFSET_TABLE_)$")
FLOATS = re.compile(r"\b(float|double|_Complex|_Float\d+)\b")


def sources(root):
    found = glob.glob(os.path.join(root, "daemon/core/**/*.c"), recursive=True)
    return sorted(os.path.relpath(path, root) for path in found)


def compile_all(root, compiler, extra, folder, files):
    """Compiles; returns (objects, findings)."""
    def one(path):
        out = os.path.join(folder, path.replace("/", "-")[:-2] + ".o")
        run = subprocess.run([compiler] + FLAGS + extra + ["-c", "-o", out, path], cwd=root,
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             check=False)
        return out if run.returncode == 0 else None, run.stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, files))
    failed = ["%s %s: %s" % (compiler, path, words.split("\n")[0])
              for path, (out, words) in zip(files, results) if out is None]
    return [out for out, _ in results if out], failed


def symbols(objects):
    """(wanted by object, defined by any)."""
    wanted, defined = {}, set()
    for path in objects:
        out = subprocess.run(["nm", "-f", "posix", path], text=True, stdout=subprocess.PIPE,
                             check=True).stdout
        for line in out.splitlines():
            name, kind = line.split()[:2]
            if kind in "Uwv":
                wanted.setdefault(name, path)
            else:
                defined.add(name)
    return wanted, defined


def check_symbols(root, files=None):
    found = []
    for compiler in ("gcc", "clang"):
        with tempfile.TemporaryDirectory(prefix="tide-tidy-") as folder:
            objects, failed = compile_all(root, compiler, [], folder, files or sources(root))
            found += failed
            wanted, defined = symbols(objects)
            found += ["%s: %s wants %s" % (compiler, os.path.basename(path), name)
                      for name, path in sorted(wanted.items())
                      if name not in defined and not ALLOWED.match(name)]
    return found


def check_integers(root, files=None):
    files = files or sources(root)
    with tempfile.TemporaryDirectory(prefix="tide-tidy-") as folder:
        _, found = compile_all(root, "gcc", ["-mgeneral-regs-only"], folder, files)
    for path in files:
        for number, line in enumerate(code_only(read(root, path)).split("\n"), 1):
            if FLOATS.search(line):
                found.append("%s:%d: floating point in the core" % (path, number))
    return found
