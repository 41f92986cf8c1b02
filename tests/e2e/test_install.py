#!/usr/bin/python3
"""What `make install` and `make dist` leave: programs that start, a library that others can link,
an uninstall that takes everything away again, a tarball of what is committed."""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

from harness import BUILD, ROOT, Skip, check, equal, run_tests, test

FOLDER = []
SAMPLE = """
#include <stdio.h>
#include <tide/client.h>
int main(void)
{
    struct tide_client *client = NULL;
    struct tide_client_conf conf = {.uri = "tcp://127.0.0.1:1", .domain = "home", .user = "a/b"};
    puts(tide_client_strerror(tide_client_open(&client, &conf)));
    return client != NULL;
}
"""


def folder():
    if not FOLDER:
        FOLDER.append(tempfile.mkdtemp(prefix="tide-install-"))
    return FOLDER[0]


def run(*argv, **more):
    done = subprocess.run(argv, cwd=more.pop("cwd", ROOT), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=120, check=False,
                          **more)
    equal(done.returncode, 0, "%s\n%s" % (" ".join(argv), done.stdout[-2000:]))
    return done.stdout


def make(target, prefix="/opt/tide"):
    return run("make", "--no-print-directory", target, "BUILD=" + BUILD, "PREFIX=" + prefix,
               "DESTDIR=" + os.path.join(folder(), "root"))


def installed(*path):
    return os.path.join(folder(), "root", "opt", "tide", *path)


@test
def programs_are_installed_and_start():
    if not os.path.exists(os.path.join(BUILD, "tided")):
        raise Skip("nothing is built in " + BUILD)
    make("install")
    for program in ("tided", "tidectl", "tide-gateway"):
        check("sage" in run(installed("bin", program), "--help"), "%s says no usage", program)
    conf = installed("etc", "tide", "tided.conf")
    run(installed("bin", "tided"), "-c", conf, "--check-config")
    with open(installed("lib", "systemd", "system", "tided.service"), encoding="utf-8") as unit:
        check("/opt/tide/bin/tided" in unit.read(), "the unit names another path")


@test
def a_configuration_that_is_there_stays():
    conf = installed("etc", "tide", "tided.conf")
    with open(conf, "a", encoding="utf-8") as file:
        file.write("\n# ours\n")
    make("install")
    with open(conf, encoding="utf-8") as file:
        check("# ours" in file.read(), "it was overwritten")


@test
def others_can_link_the_library():
    source = os.path.join(folder(), "sample.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SAMPLE)
    path = dict(os.environ, PKG_CONFIG_PATH=installed("lib", "pkgconfig"),
                PKG_CONFIG_SYSROOT_DIR=os.path.join(folder(), "root"))
    flags = run("pkg-config", "--static", "--cflags", "--libs", "tide", env=path).split()
    program = os.path.join(folder(), "sample")
    built_with = os.environ.get("LDFLAGS", "").split()  # --coverage wants its own library
    run(os.environ.get("CC", "gcc"), "-o", program, source, *flags, *built_with)
    check(run(program).strip(), "it says nothing")


@test
def uninstall_takes_everything_but_the_configuration():
    make("uninstall")
    left = [os.path.join(where, name) for where, _, names in os.walk(os.path.join(folder(), "root"))
            for name in names]
    left = [path for path in left if "/etc/tide/" not in path]
    equal(left, [], "files that stay")


@test
def the_tarball_holds_what_is_committed():
    if not os.path.isdir(os.path.join(ROOT, ".git")):
        raise Skip("no git here")
    name = run("make", "--no-print-directory", "dist", "BUILD=" + folder()).split()[-1]
    with tarfile.open(name) as ball:
        names = ball.getnames()
    top = os.path.basename(name)[:-len(".tar.gz")]
    for path in ("Makefile", "daemon/main.c", "deploy/demo/run.sh", "LICENSE"):
        check("%s/%s" % (top, path) in names, "%s is missing", path)
    check(not any("/build/" in path for path in names), "it holds what was built")


if __name__ == "__main__":
    RESULT = run_tests()
    if FOLDER and "TIDE_KEEP" not in os.environ:
        shutil.rmtree(FOLDER[0])
    sys.exit(RESULT)
