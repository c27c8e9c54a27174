#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the page together from web/ and from what was compiled.

    assemble.py FOLDER_WITHOUT_THREADS FOLDER_WITH_THREADS TARGET_FOLDER
"""

import base64
import hashlib
import json
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ADAPTER = ROOT / "models" / "smollm2-135m-text"


def raw_strings(path, delimiter):
    """What stands in the raw strings of a C++ file, joined."""
    pattern = rf'R"{delimiter}\((.*?)\){delimiter}"'
    return "".join(re.findall(pattern, path.read_text(), re.DOTALL))


def csp_hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "'sha256-" + base64.b64encode(digest).decode() + "'"


def base64_of(path):
    return base64.b64encode(path.read_bytes()).decode()


def main():
    single, threaded, target = map(pathlib.Path, sys.argv[1:])
    web = ROOT / "web"
    shutil.rmtree(target, ignore_errors=True)
    (target / "threads").mkdir(parents=True)

    # The page of `llma inspect` is shown in a frame that inherits the policy.
    inspect = ROOT / "src" / "cli" / "inspect"
    script = "\n" + raw_strings(inspect / "inspection_script.cc", "js")
    style = "\n" + raw_strings(inspect / "inspection_style.cc", "css")
    page = (web / "index.html").read_text()
    page = page.replace("@SCRIPT_HASHES@", csp_hash(script))
    page = page.replace("@STYLE_HASHES@", csp_hash(style))
    (target / "index.html").write_text(page)
    for name in ("page.css", "page.js", "service_worker.js"):
        shutil.copy(web / name, target)

    # Without threads all of it is in one script, so that it works from the disk.
    worker = (web / "worker.js").read_text()
    source = {"script": (single / "page_engine.js").read_text() + worker,
              "wasm": base64_of(single / "page_engine.wasm")}
    (target / "engine_source.js").write_text(
        "'use strict';\nconst llmaEngineSource = " + json.dumps(source) +
        ";\n")
    for name in ("page_engine.js", "page_engine.wasm", "page_engine.worker.js"):
        shutil.copy(threaded / name, target / "threads")
    shutil.copy(web / "cancel_worker.js", target / "threads")
    (target / "threads" / "worker.js").write_text(
        "importScripts('page_engine.js');\n" + worker)

    adapter = {"config": base64_of(ADAPTER / "adapter_config.json"),
               "weights": base64_of(ADAPTER / "adapter_model.safetensors")}
    (target / "adapter.js").write_text(
        "'use strict';\nconst llmaAdapter = " + json.dumps(adapter) + ";\n")


if __name__ == "__main__":
    main()
