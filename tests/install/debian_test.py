#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the Debian packages, installs them into a scratch root, uses and
removes them. Needs no network, and not to be root.

    debian_test.py CPACK BUILD_FOLDER SOURCE_FOLDER C_COMPILER
"""

import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from installed_tree import check_round_trip, environment, only, run

PACKAGES = ["libllma-dev", "libllma1", "llma"]


class ScratchRoot:
    """A root folder for dpkg. Dependencies count as met if this machine has
    the packages."""

    def __init__(self, folder):
        self.path = folder
        self.admin = folder / "var/lib/dpkg"
        (self.admin / "info").mkdir(parents=True)
        (self.admin / "updates").mkdir()
        shutil.copy("/var/lib/dpkg/status", self.admin / "status")
        # The files of other packages are not here, and dpkg
        # would say so for each.
        for name in self.installed():
            (self.admin / "info" / f"{name}.list").touch()
        # The packages' scripts run outside of the root: no real ldconfig.
        tools = folder.parent / "tools"
        tools.mkdir()
        self.renewals = tools / "renewals"
        (tools / "ldconfig").write_text(
            f"#!/bin/sh\necho ldconfig >>'{self.renewals}'\n")
        (tools / "ldconfig").chmod(0o755)
        self.env = environment(
            PATH=f"{tools}:{os.environ['PATH']}:/usr/sbin:/sbin", LC_ALL="C")

    def dpkg(self, *options):
        forced = [] if os.getuid() == 0 else ["--force-not-root"]
        return run("dpkg", f"--root={self.path}", "--force-script-chrootless",
                   "--log=/dev/null", *forced, *options, env=self.env)

    def installed(self):
        """The names that lists of files have."""
        return run("dpkg-query", f"--admindir={self.admin}", "-W",
                   "-f", "${binary:Package}\n").split()

    def files(self):
        return sorted(p for p in self.path.rglob("*")
                      if self.admin not in p.parents and not p.is_dir())


def check_without_dpkg_dev(cpack, build, folder):
    """cpack without dpkg-shlibdeps, which would make packages that depend on
    nothing."""
    tools = folder / "without"
    tools.mkdir()
    for place in ("/usr/bin", "/bin"):
        for path in pathlib.Path(place).iterdir():
            link = tools / path.name
            if path.name != "dpkg-shlibdeps" and not link.is_symlink():
                link.symlink_to(path)
    done = subprocess.run(
        [cpack, "-G", "DEB", "--config", f"{build}/CPackConfig.cmake",
         "-D", "CMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF",  # PATH alone counts
         "-B", folder / "none"], env=environment(PATH=tools),
        capture_output=True, text=True, check=False)
    if done.returncode == 0 or list((folder / "none").rglob("*.deb")):
        sys.exit("packages are made without their dependencies")
    if "install dpkg-dev" not in done.stderr:
        sys.exit(f"without dpkg-dev, cpack says: {done.stderr}")


def main():
    cpack, build, source, cc = sys.argv[1:]
    source = pathlib.Path(source)
    if not shutil.which("dpkg-shlibdeps"):
        print("skipped: dpkg-dev is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_without_dpkg_dev(cpack, build, folder)
        run(cpack, "-G", "DEB", "--config", f"{build}/CPackConfig.cmake",
            "-B", folder / "packages",
            env=environment(DEBFULLNAME="A Packager", DEBEMAIL="a@example.org"))
        packages = sorted((folder / "packages").glob("*.deb"))
        names = [p.name.split("_")[0] for p in packages]
        if names != PACKAGES:
            sys.exit(f"packages were made: {names}")
        for package in packages:
            maintainer = run("dpkg-deb", "-f", package, "Maintainer").strip()
            if maintainer != "A Packager <a@example.org>":
                sys.exit(f"{package} is maintained by {maintainer}")
        if "llma model pull" not in run("dpkg-deb", "-f", packages[2],
                                        "Description"):
            sys.exit("the package of the program does not speak of a model")
        depends = run("dpkg-deb", "-f", packages[1], "Depends")
        for library in ("libc6", "libstdc++6"):
            if library not in depends:
                sys.exit(f"libllma1 depends on: {depends}")

        root = ScratchRoot(folder / "root")
        before = root.files()
        root.dpkg("-i", *packages)
        prefix = root.path / "usr"
        program = prefix / "bin/llma"
        content = b"a text, and the text again\n" * 50
        (folder / "text").write_bytes(content)
        run(program, "-1", folder / "text", env=root.env)
        (folder / "text").unlink()
        run(prefix / "bin/unllma", folder / "text.llma", env=root.env)
        if (folder / "text").read_bytes() != content:
            sys.exit("the program does not restore the content")
        for package in PACKAGES:
            if not (prefix / "share/doc" / package / "copyright").is_file():
                sys.exit(f"{package} does not say its licence")
            changes = gzip.decompress(
                (prefix / "share/doc" / package / "changelog.gz").read_bytes())
            if b"-- A Packager <a@example.org>" not in changes:
                sys.exit(f"the changelog of {package} says {changes}")
        for page, title in (
                ("llma", "LLMA"), ("unllma", "LLMA"), ("llmacat", "LLMA"),
                ("llmagrep", "LLMAGREP"), ("llmadiff", "LLMAGREP"),
                ("llmaless", "LLMAGREP")):  # four of them are links
            path = prefix / f"share/man/man1/{page}.1.gz"
            if f".Dt {title} 1" not in gzip.decompress(
                    path.read_bytes()).decode():
                sys.exit(f"{path.name} is not the manual page")

        if not (prefix / "share/doc/llma/README.Debian").is_file():
            sys.exit("llma has no README.Debian")

        pc_file = only(prefix, "llma.pc")
        env = {**root.env, "PKG_CONFIG_PATH": str(pc_file.parent),
               "LD_LIBRARY_PATH": str(pc_file.parent.parent)}
        flags = run("pkg-config", "--cflags", "--libs", "llma", env=env)
        run(cc, source / "examples/compress_buffer.c", "-o", folder / "example",
            *flags.split(), env=env)
        check_round_trip(run(folder / "example",
                             source / "tests/data/tiny.llmm", env=env))

        root.dpkg("--purge", *PACKAGES)
        if root.files() != before or prefix.exists():
            sys.exit(f"left behind: {set(root.files()) - set(before)}")
        if set(PACKAGES) & set(root.installed()):
            sys.exit("dpkg still knows a package")
        if root.renewals.read_text().count("ldconfig") < 2:
            sys.exit("the linker is not told of the library")
    print(f"{', '.join(PACKAGES)}: installed, used and removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
