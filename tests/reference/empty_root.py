# SPDX-License-Identifier: Apache-2.0
"""A root folder that has Python and numpy, and nothing else."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

LEFT_OUT = ("test", "tests", "site-packages", "dist-packages", "__pycache__",
            "idlelib", "tkinter", "ensurepip", "lib2to3", "config-*")


def link(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def put(root, path):
    """A file or folder, under its own name."""
    target = root / path.relative_to("/")
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, copy_function=link,
                        ignore=shutil.ignore_patterns(*LEFT_OUT))
    else:
        link(path, target)


def mapped_files(folder):
    """What an interpreter that has imported all of a folder has in memory."""
    code = ("import pathlib, sys\n"
            "sys.path.insert(0, sys.argv[1])\n"
            "for path in pathlib.Path(sys.argv[1]).glob('*.py'):\n"
            "    __import__(path.stem)\n"
            "print(open('/proc/self/maps').read())")
    maps = subprocess.run([sys.executable, "-B", "-c", code, str(folder)],
                          capture_output=True, check=True, text=True).stdout
    return {pathlib.Path(line[line.index("/"):]) for line in maps.splitlines()
            if "/" in line and "(deleted)" not in line}


def make(root, folder):
    """For modules of a folder, which import numpy and what is Python's own. Returns
    the interpreter and its environment."""
    import numpy
    packages = pathlib.Path(numpy.__file__).resolve().parent.parent
    interpreter = pathlib.Path(sys.executable).resolve()
    for name in ("lib", "lib64"):  # links into /usr on most systems
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), root / name)
    put(root, interpreter)
    put(root, pathlib.Path(sysconfig.get_path("stdlib")).resolve())
    for path in packages.glob("numpy*"):
        put(root, path)
    for path in mapped_files(folder):
        if not path.is_file():
            continue
        put(root, path)
        # And by the names that programs load it by.
        for other in path.parent.glob(path.name.split(".so")[0] + ".so*"):
            target = root / other.relative_to("/")
            if other.is_symlink() and not os.path.lexists(target):
                os.symlink(path.name, target)
    loader = pathlib.Path("/lib64/ld-linux-x86-64.so.2")
    if loader.exists():
        name = root / "lib64" / loader.name
        name.resolve().parent.mkdir(parents=True, exist_ok=True)
        if not name.exists():
            link(loader.resolve(), name)
    return interpreter, {"PYTHONPATH": str(packages)}


def run(root, folder, arguments, environment):
    """Runs a program in the root; nothing if this process may not."""
    def enter():
        os.chroot(root)
        os.chdir(folder)
    try:
        return subprocess.run(arguments, env=environment, preexec_fn=enter,
                              capture_output=True)
    except (PermissionError, subprocess.SubprocessError):
        return None
