"""linters.py - clang-format, clang-tidy, cppcheck, shellcheck, and Python's own compiler."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from sources import c_files, read, walk

FLAGS = ["-std=c17", "-D_GNU_SOURCE", '-DTIDE_VERSION="0"', "-I.", "-Iinclude"]
EASED = "-clang-analyzer-*,-cert-err34-c,-bugprone-signal-handler,-cert-sig30-c"
PROGRAMS = ("tests/run", "tests/soak")  # Python by another name
FINDING = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*)$", re.M)


def run(argv, root):
    done = subprocess.run(argv, cwd=root, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def relative(root, path):
    return os.path.relpath(os.path.join(root, path), root)


def findings(root, out):
    """Findings inside the tree, each once, however many files include its header."""
    found = []
    for path, line, words in FINDING.findall(out):
        one = "%s:%s: %s" % (relative(root, path), line, words)
        if not one.startswith("..") and one not in found:
            found.append(one)
    return found


def check_format(root, files=None):
    files = files or c_files(root)
    _, out = run(["clang-format", "--dry-run", "-Werror"] + files, root)
    return findings(root, out)


def heavy_first(root, files):
    return sorted(files, key=lambda path: -len(read(root, path)))


def tidy_argv(path):
    """With TIDE_ANALYZER_NODES (`make check` sets it) the analyser walks what runs in production,
    so many states of a function. Without it, and for tests, there are the other checks."""
    nodes = os.environ.get("TIDE_ANALYZER_NODES")
    tests = path.startswith(("tests/", "deploy/"))
    if tests or not nodes:
        checks = EASED if tests else "-clang-analyzer-*"
        return ["clang-tidy", "--quiet", "--checks=" + checks, path, "--"] + FLAGS
    words = ["-Xclang", "-analyzer-config", "-Xclang", "max-nodes=" + nodes]
    return ["clang-tidy", "--quiet"] + ["--extra-arg=" + w for w in words] + [path, "--"] + FLAGS


def check_clang_tidy(root, files=None):
    files = heavy_first(root, files or [p for p in c_files(root, ".c")])

    def one(path):
        return run(tidy_argv(path), root)

    found = []
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for path, (code, out) in zip(files, pool.map(one, files)):
            these = findings(root, out)
            found += [words for words in these if words not in found]
            if code != 0 and not these:
                found.append("%s: clang-tidy ended with %d: %s" % (path, code, out[-300:]))
    return found


def check_cppcheck(root, files=None):
    files = files or [p for p in c_files(root, ".c") if not p.startswith("tests/")]
    argv = ["cppcheck", "--quiet", "-j%d" % (os.cpu_count() or 2), "--std=c11", "--inline-suppr",
            "--enable=warning,performance,portability", "--max-configs=1",
            "--suppressions-list=tests/tidy/cppcheck.txt", "--error-exitcode=1",
            "--template={file}:{line}:{column}: warning: {message} [{id}]", "-I.", "-Iinclude",
            "-D_GNU_SOURCE", '-DTIDE_VERSION="0"',
            "--include=tests/tidy/cppcheck_macros.txt"]
    code, out = run(argv + files, root)
    found = findings(root, out)
    if code != 0 and not found:
        found.append("cppcheck ended with %d: %s" % (code, out[-300:]))
    return found


def check_shell(root, files=None):
    """Shell scripts parse, and shellcheck (where there is one) has nothing to say."""
    if files is None:
        files = [p for p in walk(root) if p.endswith(".sh") or p == ".ci/run"]
    found = []
    for path in files:
        shell = "bash" if "bash" in read(root, path).split("\n")[0] else "sh"
        code, out = run([shell, "-n", path], root)
        if code != 0:
            found.append("%s: %s" % (path, out.strip()))
    if shutil.which("shellcheck") and files:
        _, out = run(["shellcheck", "--format=gcc", "--severity=warning"] + files, root)
        found += findings(root, out)
    return found


def check_python(root, files=None):
    """Python files compile without a warning."""
    found = []
    for path in files or [p for p in walk(root) if p.endswith(".py") or p in PROGRAMS]:
        argv = ["/usr/bin/python3", "-W", "error", "-c",
                "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')", path]
        code, out = run(argv, root)
        if code != 0:
            found.append("%s: %s" % (path, out.strip().split("\n")[-1]))
    return found
