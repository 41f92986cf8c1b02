"""sizes.py - what fits into a head: functions, lines, files; and calls that nobody makes."""
import re

from sources import c_files, code_only, functions, is_text, read, walk

FUNCTION_LINES = 70
COLUMNS = 100
FILE_LINES = 600
WIDE = (".c", ".h", ".def", ".py", ".sh", ".mk", "Makefile", "tests/run", "tests/soak", ".ci/run")

BANNED = {
    "strcpy": "snprintf or memcpy", "strcat": "snprintf", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "gets": "fgets", "strtok": "strchr, strspn", "atoi": "strtoll",
    "atol": "strtoll", "atof": "strtod", "rand": "getrandom, or a seed of its own",
    "srand": "a seed of its own", "tmpnam": "mkstemp", "mktemp": "mkstemp", "alloca": "a limit",
}
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))


def check_functions(root):
    return ["%s:%d: %s has %d lines, %d are allowed" % (path, first, name, last - first + 1,
                                                        FUNCTION_LINES)
            for path in c_files(root)
            for first, last, name in functions(read(root, path))
            if last - first + 1 > FUNCTION_LINES]


def check_columns(root):
    found = []
    for path in walk(root):
        if not path.endswith(WIDE):
            continue
        for number, line in enumerate(read(root, path).split("\n"), 1):
            if len(line) > COLUMNS:
                found.append("%s:%d: %d columns, %d are allowed"
                             % (path, number, len(line), COLUMNS))
    return found


def check_files(root):
    found = []
    for path in c_files(root, ".c"):
        lines = read(root, path).count("\n")
        if lines > FILE_LINES:
            found.append("%s:1: %d lines, %d are allowed" % (path, lines, FILE_LINES))
    return found


def check_banned(root):
    found = []
    for path in c_files(root):
        for number, line in enumerate(code_only(read(root, path)).split("\n"), 1):
            for match in CALL.finditer(line):
                name = match.group(1)
                if name in ("rand", "srand") and path.startswith("tests/"):
                    continue
                found.append("%s:%d: %s: use %s" % (path, number, name, BANNED[name]))
    return found


def check_blanks(root):
    """No blanks at the end of a line, no tab inside C, a newline at the end of each file."""
    found = []
    for path in walk(root):
        if not path.endswith((".c", ".h", ".py", ".sh", ".mk", ".md", ".json", ".yaml", ".def")):
            continue
        if path.startswith("protocol/vectors/") or not is_text(root, path):
            continue
        text = read(root, path)
        if text and not text.endswith("\n"):
            found.append("%s: no newline at the end" % path)
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip() and not path.endswith(".md"):
                found.append("%s:%d: blanks at the end" % (path, number))
    return found
