#!/usr/bin/python3
"""Holds the rules of the house: one line a rule, and one for its self-test.

A self-test plants a violation into a copy of the tree and demands that the rule sees it, so that no
rule goes blind unnoticed. `tidy.py WORD` runs the rules whose name contains WORD, `tidy.py --but
WORD` all others.
"""
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import dead  # noqa: E402
import includes  # noqa: E402
import linters  # noqa: E402
import purity  # noqa: E402
import sizes  # noqa: E402
import sources  # noqa: E402
import words  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OPEN, CLOSE = "int planted(int a)\n{\n", "    return a;\n}\n"
HEAD = "int planted(int a);\n"


def tree(check):
    """A rule over the whole tree."""
    return lambda root, path: check(root)


def one(check):
    """A slow rule: its self-test looks at the planted file alone."""
    return lambda root, path: check(root, [path] if path else None)


# rule -> (check, [(planted file, its text)]): each planted file alone must be found.
RULES = {
    "format": (one(linters.check_format), [
        ("daemon/core/planted.c", "int  planted( int a ){ return a; }\n")]),
    "includes": (tree(includes.check), [
        ("include/tide/planted.h", "#include <stdio.h>\n"),
        ("daemon/core/planted.c", "#include <time.h>\n"),
        ("daemon/core/planted.c", '#include "tide/client.h"\n'),
        ("daemon/store/planted.c", '#include "daemon/core/base.h"\n'),
        ("daemon/store/planted.c", '#include "daemon/net/mqtt.h"\n'),
        ("daemon/net/planted.c", '#include "daemon/store/store.h"\n'),
        ("daemon/net/planted.c", "#include <cjson/cJSON.h>\n"),
        ("daemon/planted.c", "#include <cjson/cJSON.h>\n"),
        ("protocol/planted.c", '#include "daemon/ops/ops.h"\n'),
        ("tests/sim/audit_planted.c", '#include "daemon/core/base.h"\n'),
        ("daemon/planted.c", '#include "daemon/store/store.h"\n#include "daemon/net/mqtt.h"\n'
                             '#include "protocol/codec.h"\n')]),
    "pure_symbols": (one(purity.check_symbols), [
        ("daemon/core/planted.c", "long time(long *);\nlong planted(void);\n"
                                  "long planted(void)\n{\n    return time(0);\n}\n")]),
    "pure_integers": (one(purity.check_integers), [
        ("daemon/core/planted.c", "int planted(int a);\nint planted(int a)\n{\n"
                                  "    return (int)(a * 1.5);\n}\n")]),
    "function_lines": (tree(sizes.check_functions), [
        ("daemon/core/planted.c", OPEN + "    a++;\n" * 67 + CLOSE)]),
    "columns": (tree(sizes.check_columns), [
        ("daemon/core/planted.c", "/* " + "潮" * 98 + " */\n")]),
    "file_lines": (tree(sizes.check_files), [
        ("daemon/core/planted.c", "int planted;\n" * 601)]),
    "banned_calls": (tree(sizes.check_banned), [
        ("daemon/core/planted.c", OPEN + "    a = atoi (\"1\");\n" + CLOSE),
        ("daemon/ops/planted.c", OPEN + "    a = rand();\n" + CLOSE)]),
    "blanks": (tree(sizes.check_blanks), [
        ("daemon/core/planted.c", "int planted; \n"),
        ("protocol/planted.def", "int planted;")]),
    "built_sources": (tree(dead.check_sources), [
        ("daemon/attic/planted.c", "int planted;\n")]),
    "used_headers": (tree(dead.check_headers), [
        ("daemon/core/planted.h", "int planted;\n")]),
    "named_scripts": (tree(dead.check_scripts), [
        ("deploy/lone" "some.sh", "#!/bin/sh\n"), ("tests/e2e/lone" "some.py", "pass\n")]),
    "later": (tree(words.check_later), [
        ("daemon/core/planted.c", "/* FIX" "ME: planted */\n")]),
    "places": (tree(words.check_places), [
        ("deploy/planted.md", "see /wo" "rk/x\n"),
        ("deploy/planted.md", "from deb.deb" "ian.org\n")]),
    "typist": (tree(words.check_typist), [
        ("deploy/planted.md", "Co-Auth" "ored-By: planted\n")]),
    "shell": (one(linters.check_shell), [
        ("deploy/planted.sh", "#!/bin/sh\nif then\n")]),
    "python": (one(linters.check_python), [
        ("tests/planted.py", "def planted(:\n")]),
    "cppcheck": (one(linters.check_cppcheck), [
        ("daemon/core/planted.c", "void planted(void)\n{\n    int a[2];\n    a[2] = 0;\n}\n")]),
    "clang_tidy": (one(linters.check_clang_tidy), [
        ("daemon/core/planted.c", HEAD + OPEN + "    if (a == a)\n        return;\n"
                                  + CLOSE)]),
}


def copy_tree(folder):
    """A copy of the tree without what was built; links to nothing of the original."""
    for path in sources.walk(ROOT):
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(ROOT, path), target)


def self_test(name, folder):
    """Whether the rule sees each of its planted violations, by the path of the planted file."""
    check, planted = RULES[name]
    for path, text in planted:
        full = os.path.join(folder, path)
        made = os.path.dirname(full)
        new_folder = not os.path.isdir(made)
        os.makedirs(made, exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        found = check(folder, path)
        os.remove(full)
        if new_folder:
            os.rmdir(made)
        if not any(os.path.basename(path).split(".")[0] in words_ for words_ in found):
            return "did not see %r in %s" % (text[:60], path)
    return None


def main():
    words = sys.argv[1:]
    all_but = words[:1] == ["--but"]
    wanted = [name for name in RULES if not words or (words[-1] in name) != all_but]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="tide-tidy-") as folder:
        copy_tree(folder)
        for name in wanted:
            began = time.monotonic()
            found = RULES[name][0](ROOT, None)
            for words_ in found:
                print(words_)
            if found:
                print("not ok tidy_%s: %d findings" % (name, len(found)))
            else:
                print("ok tidy_%s" % name)
            blind = self_test(name, folder)
            print("not ok tidy_%s_sees: %s" % (name, blind) if blind else "ok tidy_%s_sees" % name)
            print("# %s: %.1f s" % (name, time.monotonic() - began), flush=True)
            failed += bool(found) + bool(blind)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
