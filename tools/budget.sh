#!/bin/bash
# budget.sh - how long the code is, beside what it may be.
#
# Lines are counted without blank lines and comments (cloc), those of headers only
# for information: they are declarations and help texts.  A lesson is what
# "make lesson-05" shows: lines taken out plus lines put in.  Where a limit isn't the
# one that was planned, docs/architecture.md gives the reason.  Ends with 1 if
# something is over its limit.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
over=0

# What was planned for a directory, and what may be.
declare -A planned=([common]=400 [step01]=300 [step02]=300 [step03]=300 [step04]=700 [step05]=900
    [step06]=2400 [step07]=900 [step08]=800 [step09]=700)
declare -A limits=([common]=400 [step01]=370 [step02]=300 [step03]=300 [step04]=850 [step05]=1370
    [step06]=2100 [step07]=850 [step08]=770 [step09]=670)
main_limit=100 module_limit=400 lesson_limit=40
median_limit=16 ninetieth_limit=39 longest_limit=69 # "median near 12, p90 under 40, longest under 70"

judge() { # WHAT VALUE LIMIT [NOTE]
    local verdict=''
    if (($2 > $3)); then verdict=OVER over=1; fi
    printf '%-44s %6d %6d  %s\n' "$1" "$2" "$3" "$verdict${4:+ $4}"
}

# lines LANGUAGES FILE...: of code, all together.
lines() { cloc --quiet --csv --include-lang="$1" "${@:2}" | awk -F, '/^[0-9]/ && $2 != "SUM" {sum += $5} END {print sum + 0}'; }

# The longest file of a directory: "LINES FILE".
longest_module() {
    cloc --quiet --csv --by-file --include-lang=C,"C/C++ Header" "$1" |
        awk -F, '$1 ~ /^C/ && $5 > most {most = $5; file = $2} END {print most + 0, file}'
}

# "LENGTH FILE:FUNCTION" of every function, from its first line to its closing brace.
functions() {
    ctags -f - --languages=C --kinds-C=f --fields=ne --excmd=number "$@" | tr -d '"' |
        awk -F'\t' '{line = end = 0
            for (i = 4; i <= NF; i++) {if ($i ~ /^line:/) line = substr($i, 6); if ($i ~ /^end:/) end = substr($i, 5)}
            if (end) print end - line + 1, $2 ":" $1}' | sort -n
}

# What tells the story: neither blank lines nor comments on lines of their own.
story() { grep -v -e '^$' -e '^ *\/\*.*\*\/$' "$1"; }

printf '%-44s %6s %6s\n' 'lines of C' is 'may be'
before='' total=0
for directory in common step*-*; do
    [ -d "$directory" ] || continue
    count=$(lines C "$directory")
    total=$((total + count))
    judge "$directory" "$count" "${limits[${directory%%-*}]}" \
        "planned ${planned[${directory%%-*}]}; and $(lines "C/C++ Header" "$directory") of headers"
done
judge 'total, of the nine steps' "$total" 8000

echo
printf '%-44s %6s %6s\n' 'lines of a main.c, of the longest module' is 'may be'
for main in step*/main.c; do judge "$main" "$(lines C "$main")" $main_limit; done
for directory in common step*-*; do
    read -r count file <<<"$(longest_module "$directory")"
    [ "$count" = 0 ] || judge "$file" "$count" $module_limit
done

echo
printf '%-44s %6s %6s\n' 'changed lines of a lesson' is 'may be'
for main in step*/main.c; do
    if [ -n "$before" ]; then
        changed=$(diff <(story "$before") <(story "$main") | grep -c '^[<>]') || true
        judge "${before%%-*} to ${main%%-*}" "$changed" $lesson_limit
    fi
    before=$main
done

echo
printf '%-44s %6s %6s\n' 'lines of a function' is 'may be'
mapfile -t all < <(functions common/*.c step*/*.c)
n=${#all[@]}
judge "median of $n" "${all[n / 2]%% *}" $median_limit '(12 is the aim)'
judge '90th percentile' "${all[n * 9 / 10]%% *}" $ninetieth_limit
judge 'longest' "${all[n - 1]%% *}" $longest_limit "${all[n - 1]#* }"

[ "$over" = 0 ]
