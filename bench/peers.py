#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engine's speed beside llama.cpp's, on the same model and prompt.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers_requirements.txt
    cmake --build --preset release --target engine_speed
    build/peers/bin/python bench/peers.py MODEL.gguf MODEL.llmm

MODEL.llmm is the import of MODEL.gguf. llama.cpp also gets the same weights as
Q8_0, which are made here, because that is nearest to what llma computes with.

All engines run in turn, so that other work on the machine meets each of them,
and the best of all rounds counts; a round takes about 90 seconds on a quiet
machine. With more threads than idle cores llama.cpp's speed collapses: use
--rounds, or --threads 1.

llama.cpp computes logits of a prompt's last token only, so the prompt's speed of
llma is that without logits. The wheel of llama.cpp is built for AVX2, whatever
the processor, so llma runs with its AVX2 kernels as well as with its best.
Behind a long prompt llama.cpp makes new tokens faster with --no-flash-attention,
but reads the prompt more slowly.
"""

import argparse
import collections
import os
import pathlib
import subprocess
import tempfile

import gguf
import xllamacpp

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRIES = 3  # of new tokens within a round, as in engine_speed
MEASURES = {
    "prompt": "prompt of {prompt} tokens",
    "new_at_start": "{new} new tokens, empty context",
    "new_after_prompt": "{new} new tokens after {prompt}",
}


def requantize(source, target):
    """Writes the GGUF `source` with every quantised matrix as Q8_0."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        value_type, *element_types = field.types
        value = field.contents()
        if field.name == "general.file_type":
            value = int(gguf.LlamaFileType.MOSTLY_Q8_0)
        writer.add_key_value(
            field.name,
            value,
            value_type,
            sub_type=element_types[-1] if element_types else None,
        )
    q8_0 = gguf.GGMLQuantizationType.Q8_0
    plain = (gguf.GGMLQuantizationType.F32, q8_0)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind not in plain:
            data, kind = gguf.quantize(gguf.dequantize(data, kind), q8_0), q8_0
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def run_llama_cpp(args, model, text, threads):
    """Tokens a second by measure."""
    prompt_tokens, new_tokens = args.prompt, args.new
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = prompt_tokens + new_tokens + 64
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.verbosity = 0
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    if args.no_flash_attention:
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(params)

    def complete(text):
        """The timings of reading `text` and then making new tokens."""
        answer = server.handle_completions(
            {
                "prompt": text,
                "max_tokens": new_tokens + 1,
                "temperature": 0,
                "ignore_eos": True,
                "cache_prompt": True,
            }
        )
        timings = answer["timings"]
        assert timings["predicted_n"] == new_tokens + 1, timings
        return timings

    def new_tokens_per_second(runs):
        """The best of some; the first new token comes with the prompt."""
        return max(1000 * new_tokens / run["predicted_ms"] for run in runs)

    short_runs = [complete("\n") for _ in range(TRIES)]
    # All but the first find the prompt in the cache.
    long_runs = [complete(text) for _ in range(TRIES)]
    prompt = long_runs[0]
    if abs(prompt["prompt_n"] - prompt_tokens) > 2:
        raise SystemExit(
            f"llama.cpp cut the prompt into {prompt['prompt_n']} tokens, "
            f"llma into {prompt_tokens}"
        )
    return {
        "prompt": prompt["prompt_per_second"],
        "new_at_start": new_tokens_per_second(short_runs),
        "new_after_prompt": new_tokens_per_second(long_runs),
    }


def run_llma(args, new_tokens, threads, kernels):
    """What bench/engine_speed prints, by name."""
    command = [args.engine_speed, args.llmm, args.text, args.prompt]
    command += [new_tokens, threads]
    lines = subprocess.run(
        [str(word) for word in command],
        env=os.environ | {"LLMA_KERNELS": kernels},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return dict(line.split() for line in lines.splitlines())


def measure(args, files, text, kernels):
    """Best tokens a second: {(threads, engine): {measure: speed}}."""
    best = collections.defaultdict(lambda: collections.defaultdict(float))
    for _ in range(args.rounds):
        for threads in args.threads:
            runs = {}
            for name, path in files.items():
                runs[f"llama.cpp {name}"] = run_llama_cpp(args, path, text, threads)
            for name in kernels:
                runs[f"llma {name}"] = run_llma(args, args.new, threads, name)
            for engine, speeds in runs.items():
                for key in MEASURES:
                    kept = best[threads, engine]
                    kept[key] = max(kept[key], float(speeds[key]))
    return best


def print_table(args, best):
    """A row for each measure and engine of llma, with ratios to llama.cpp."""
    theirs = [name for _, name in best if name.startswith("llama.cpp")]
    theirs = list(dict.fromkeys(theirs))
    print("| tokens/s | threads | " + " | ".join(theirs) + " | llma | ratio |")
    print("| --- " + "| ---: " * (len(theirs) + 1) + "| ---: | ---: |")
    for key, label in MEASURES.items():
        what = label.format(prompt=args.prompt, new=args.new)
        for threads, engine in best:
            if engine in theirs:
                continue
            ours = best[threads, engine][key]
            others = [best[threads, name][key] for name in theirs]
            ratios = ", ".join(f"{ours / other:.2f}" for other in others)
            print(
                f"| {what} | {threads} | "
                + " | ".join(f"{other:.0f}" for other in others)
                + f" | {ours:.0f} ({engine.removeprefix('llma ')}) | {ratios} |"
            )


def main():
    parser = argparse.ArgumentParser(description="llma's speed beside llama.cpp's")
    parser.add_argument("gguf")
    parser.add_argument("llmm")
    parser.add_argument("--text", default=ROOT / "samples/alice.txt")
    parser.add_argument("--prompt", type=int, default=2048, help="tokens")
    parser.add_argument("--new", type=int, default=32, help="tokens")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-flash-attention", action="store_true")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--engine-speed", default=ROOT / "build/release/bench/engine_speed"
    )
    args = parser.parse_args()

    # The best kernels by their name, then AVX2.
    first = run_llma(args, 1, 0, "")
    kernels = list(dict.fromkeys([first["kernels"], "avx2"]))
    if int(first["prompt_tokens"]) != args.prompt:
        raise SystemExit(f"{args.text} is shorter than {args.prompt} tokens")
    prompt = pathlib.Path(args.text).read_bytes()[: int(first["prompt_bytes"])]

    with tempfile.TemporaryDirectory() as folder:
        q8_0 = pathlib.Path(folder) / "q8_0.gguf"
        requantize(args.gguf, q8_0)
        files = {pathlib.Path(args.gguf).suffixes[-2][1:]: args.gguf, "Q8_0": q8_0}
        best = measure(args, files, prompt.decode(), kernels)
    print(f"llama.cpp in xllamacpp {xllamacpp.__version__}:", end=" ")
    print(xllamacpp.get_system_info())
    print(f"load averages: {os.getloadavg()}\n")
    print_table(args, best)


if __name__ == "__main__":
    main()
