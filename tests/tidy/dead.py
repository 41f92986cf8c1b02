"""dead.py - files that nothing uses: sources not built, headers not included, scripts not named."""
import os
import re
import subprocess

from sources import c_files, includes, is_text, read, walk

BUILT = re.compile(r"-c -o \S+ (\S+\.c)\b")


def built_files(root):
    """What `make` would compile, by its own word."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    out = subprocess.run(["make", "-nkB", "all", "units", "fuzzers", "crash"], cwd=root, text=True,
                         env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False).stdout
    return set(BUILT.findall(out.replace("\\\n", " ")))


def check_sources(root):
    built = built_files(root)
    return ["%s: no target builds it" % path for path in c_files(root, ".c") if path not in built]


def check_headers(root):
    used = set()
    for path in c_files(root, ".c", ".h", ".def"):
        used |= {os.path.basename(name) for _, name, _ in includes(read(root, path))}
    return ["%s: nothing includes it" % path for path in c_files(root, ".h", ".def")
            if os.path.basename(path) not in used]


def is_script(root, path):
    if path.endswith((".sh", ".py")):
        return True
    if not os.access(os.path.join(root, path), os.X_OK) or not is_text(root, path):
        return False
    return read(root, path).startswith("#!")


def check_scripts(root):
    """A script is a test found by its name, or something names it (with or without its ending)."""
    files = [path for path in walk(root) if is_text(root, path)]
    texts = {path: read(root, path) for path in files}
    found = []
    for path in files:
        if not is_script(root, path) or path.startswith(".ci/"):
            continue
        if re.match(r"tests/(e2e|chaos)/test_\w+\.py$", path):
            continue
        name = os.path.basename(path)
        stem = name[:-3] if name.endswith(".py") else name
        word = re.compile(r"(?<![\w.-])%s(?![\w-])" % re.escape(stem))
        if not any(other != path and word.search(text) for other, text in texts.items()):
            found.append("%s: nothing names it" % path)
    return found
