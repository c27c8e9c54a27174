# SPDX-License-Identifier: Apache-2.0
# Completion for fish.

function __llma_models
    llma model list 2>/dev/null | string replace -r ' .*' ''
end

# Compressed files and folders.
function __llma_compressed
    set -l start (commandline -ct)
    set -l found $start*.llma $start*/
    test (count $found) -gt 0; and printf '%s\n' $found
end

# The line is about compressed files.
function __llma_decodes
    set -l words (commandline -opc)
    string match -qr '(^|/)(unllma|llmacat)$' -- $words[1]
    and return
    string match -qr '^(-[^-]*[dtl].*|--decompress|--uncompress|--test|--list)$' -- $words[2..]
end

function __llma_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

function __llma_is_first
    test (count (commandline -opc)) -eq 1
end

function __llma_verb
    set -l words (commandline -opc)
    __llma_is model; and test (count $words) -ge 3; and test $words[3] = $argv[1]
end

set -l files 'not __llma_is model; and not __llma_is bench; and not __llma_is inspect; and not __llma_is tune'
set -l codes 'not __llma_is model; and not __llma_is tune'

for program in llma unllma llmacat
    complete -c $program -n __llma_decodes -xa '(__llma_compressed)'
    complete -c $program -n $files -s z -l compress -d 'compress'
    complete -c $program -n $files -s d -l decompress -d 'decompress'
    complete -c $program -n $files -l uncompress -d 'decompress'
    complete -c $program -n $files -s t -l test -d 'check, write nothing'
    complete -c $program -n $files -s l -l list -d 'say what is in files'
    complete -c $program -n $files -s c -l stdout -d 'write to standard output'
    complete -c $program -n $files -l to-stdout -d 'write to standard output'
    complete -c $program -s o -l output -rF -d 'write to this file'
    complete -c $program -n $files -l output-dir -xa '(__fish_complete_directories)' -d 'write the results there'
    complete -c $program -s f -l force -d 'overwrite; use terminals'
    complete -c $program -n $files -s k -l keep -d 'keep the input'
    complete -c $program -n $files -l rm -d 'verify, then remove the input'
    complete -c $program -n $files -l no-sync -d 'do not wait for the storage device'
    complete -c $program -n $files -s r -l recursive -d 'files below folders'
    complete -c $program -n $files -l files0 -d 'more names, each ended by NUL'
    complete -c $program -n $files -s S -l suffix -x -d 'instead of .llma'
    complete -c $program -n $files -s N -l name -d 'keep or use name, mode and time'
    for level in (seq 9)
        complete -c $program -n $codes -s $level -d "level $level"
    end
    complete -c $program -n $codes -l fast -d 'level 1'
    complete -c $program -n $codes -l best -d 'level 9'
    complete -c $program -n $codes -l model -xa '(__llma_models) auto' -d 'model'
    complete -c $program -n $codes -l lanes -xa '1 2 4 8 16 32 64' -d 'streams side by side'
    complete -c $program -n $codes -l learn -d 'let the model learn from what it reads'
    complete -c $program -n $codes -l no-learn -d 'do not let it learn'
    complete -c $program -n $codes -l window -xa '256 512 768 1024 2048 4096' -d 'tokens that the model looks back'
    complete -c $program -n $files -l frame-size -xa '64K 256K 1M 2M 8M 32M' -d 'content of a frame'
    complete -c $program -n $files -s D -l reference -r -d 'text to read first'
    complete -c $program -n $files -l verify -d 'decode what was written'
    complete -c $program -n $files -l resume -d 'go on with an interrupted run'
    complete -c $program -n $files -l flush -d 'write a frame when no more input waits'
    complete -c $program -n $files -l embed-model -d 'the model goes into the file'
    complete -c $program -n $files -l short -d 'a message of tens of bytes'
    complete -c $program -n $files -l no-check -d 'no checksums'
    complete -c $program -n $files -l range -x -d 'a part of the content'
    complete -c $program -n $files -l salvage -d 'what is intact of a damaged file'
    complete -c $program -n $files -l max-size -xa '1M 100M 1G' -d 'refuse files with more content'
    complete -c $program -n $codes -s T -l threads -x -d 'processors to use'
    complete -c $program -n $codes -l engine -xa 'cpu opencl auto' -d 'what computes'
    complete -c $program -n $files -l no-adjust -d 'no lower settings than asked for'
    complete -c $program -n $files -s M -l memlimit -xa '512M 1G 2G 4G 8G' -d 'memory to use'
    complete -c $program -n $files -l robot -d 'list for programs'
    complete -c $program -n $files -l json -d 'list as JSON'
    complete -c $program -s v -l verbose -d 'say more'
    complete -c $program -s q -l quiet -d 'say less'
    complete -c $program -s h -l help -d 'show a summary'
    complete -c $program -s V -l version -d 'show the version'
    complete -c $program -l info-memory -d 'show the memory that levels need'
end

complete -c llma -n __llma_is_first -a model -d 'import and show models'
complete -c llma -n __llma_is_first -a bench -d 'measure this machine'
complete -c llma -n __llma_is_first -a inspect -d 'show what was hard to predict'
complete -c llma -n __llma_is_first -a tune -d 'make a model for a kind of text'
complete -c llma -n '__llma_is inspect' -l json -d 'JSON instead of a page'
complete -c llma -n '__llma_is bench' -l levels -x -d 'levels to measure'
complete -c llma -n '__llma_is model; and test (count (commandline -opc)) -eq 2' -xa 'pull import list info verify check rm export'
for verb in info verify check rm export
    complete -c llma -n "__llma_verb $verb" -a '(__llma_models)'
end
for verb in info verify rm pull list
    complete -c llma -n "__llma_verb $verb" -f
end
complete -c llma -n '__llma_verb pull' -l sha256 -x -d 'what the file must have'
complete -c llma -n '__llma_verb pull' -l keep-source -d 'keep what was fetched'
for verb in pull import
    complete -c llma -n "__llma_verb $verb" -l name -x -d 'name of the model'
    complete -c llma -n "__llma_verb $verb" -l start-token -x -d 'token that stands before each text'
end
for verb in pull import check
    complete -c llma -n "__llma_verb $verb" -l adapter -r -d 'adapter that is merged in'
end
