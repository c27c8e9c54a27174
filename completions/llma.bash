# SPDX-License-Identifier: Apache-2.0
# Completion for bash; needs nothing but bash itself.

_llma_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_llma_folders() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

# Compressed files and folders.
_llma_compressed() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(
    compgen -d -- "$cur"; compgen -f -X '!*.llma' -- "$cur")
}

_llma_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_llma_models() {
  _llma_words "$("$program" model list 2>/dev/null | cut -d ' ' -f 1) $*"
}

# The value of option $1; fails if it takes none.
_llma_value() {
  case $1 in
    --model) _llma_models auto ;;
    -o | --output | --files0 | -D | --reference) _llma_files ;;
    --output-dir) _llma_folders ;;
    -T | --threads) _llma_words "$(seq 0 "$(nproc)")" ;;
    --engine) _llma_words 'cpu opencl auto' ;;
    --lanes) _llma_words '1 2 4 8 16 32 64' ;;
    --window) _llma_words '256 512 768 1024 2048 4096' ;;
    --frame-size) _llma_words '64K 256K 1M 2M 8M 32M' ;;
    -M | --memlimit) _llma_words '512M 1G 2G 4G 8G' ;;
    --max-size) _llma_words '1M 100M 1G' ;;
    -S | --suffix) _llma_words '.llma' ;;
    --range | --levels | --start-token | --sha256) COMPREPLY=() ;;
    --help) _llma_words 'long' ;;
    *) return 1 ;;
  esac
}

_llma() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local program=$1 what=${COMP_WORDS[1]} word decodes=false
  COMPREPLY=()
  # bash makes "=" a word of its own.
  if [[ $cur == = ]]; then
    cur=
    _llma_value "$prev"
    return
  elif [[ $prev == = ]]; then
    _llma_value "${COMP_WORDS[COMP_CWORD - 2]}"
    return
  fi
  # These take a value only behind "=".
  case $prev in
    --files0 | --help) ;;
    *) if [[ $what != model ]] && _llma_value "$prev"; then return; fi ;;
  esac

  if [[ $what == model && $COMP_CWORD -ge 2 ]]; then
    local verb=${COMP_WORDS[2]}
    if [[ $COMP_CWORD -eq 2 ]]; then
      _llma_words 'pull import list info verify check rm export'
    elif [[ $prev == --name || $prev == --start-token || $prev == --sha256 ]]; then
      return
    elif [[ $cur == -* ]]; then
      _llma_words '--name --start-token --adapter --sha256 --keep-source -o --output
                   -f --force --robot --json -v --verbose -q --quiet -h --help'
    elif [[ $verb == check && $COMP_CWORD -eq 3 ]]; then
      local -a files
      _llma_files
      files=("${COMPREPLY[@]}")
      _llma_models
      COMPREPLY=("${files[@]}" "${COMPREPLY[@]}")
    elif [[ $verb == import || $verb == check ]]; then
      _llma_files
    elif [[ $verb == export && $COMP_CWORD -gt 3 ]]; then
      _llma_files
    elif [[ $verb == info || $verb == verify || $verb == rm ||
            $verb == export ]]; then
      _llma_models
    fi
    return
  fi
  if [[ $what == bench && $COMP_CWORD -ge 2 ]]; then
    if [[ $cur == -* ]]; then
      _llma_words '-1 -2 -3 -4 -5 -6 -7 -8 -9 --fast --best --levels -T
                   --threads --engine --lanes --window --learn --no-learn
                   --model -h --help'
    else
      _llma_files
    fi
    return
  fi

  if [[ $what == tune && $COMP_CWORD -ge 2 ]]; then
    _llma_files
    return
  fi

  if [[ $what == inspect && $COMP_CWORD -ge 2 ]]; then
    if [[ $cur == -* ]]; then
      _llma_words '-o --output -f --force --json -1 -2 -3 -4 -5 -6 -7 -8 -9
                   --fast --best -T --threads --engine --lanes --window
                   --learn --no-learn --model -v --verbose -q --quiet -h --help'
    else
      _llma_files
    fi
    return
  fi

  if [[ $cur == -* ]]; then
    _llma_words '-z --compress -d --decompress --uncompress -t --test -l --list
                 -c --stdout --to-stdout -o --output --output-dir
                 -f --force -k --keep --rm
                 --no-sync -r --recursive --files0 -S --suffix -N --name
                 -1 -2 -3 -4 -5 -6 -7 -8 -9 --fast --best --model --lanes
                 --window --learn --no-learn --frame-size -D --reference --verify --resume
                 --flush --short
                 --embed-model
                 --no-check --range --salvage --max-size -T --threads -M --memlimit
                 --no-adjust --engine
                 --robot --json -v --verbose -q --quiet -h --help -V --version
                 --info-memory'
    return
  fi
  [[ ${program##*/} == unllma || ${program##*/} == llmacat ]] && decodes=true
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      --decompress | --uncompress | --test | --list) decodes=true ;;
      --*) ;;
      -*[dtl]*) decodes=true ;;
    esac
  done
  if $decodes; then _llma_compressed; else _llma_files; fi
  if [[ $COMP_CWORD -eq 1 && $decodes == false ]]; then
    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(
      compgen -W 'model bench inspect tune' -- "$cur")
  fi
}

complete -F _llma llma unllma llmacat
