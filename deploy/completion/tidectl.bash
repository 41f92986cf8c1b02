# bash completion for tidectl; the words come from the program itself (tidectl __words).
_tidectl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i line
    local globals='--uri --domain --user --secret-file --ca-file --mqtt --timeout --conf-file
        --json --ascii --quiet --help'
    local -a words=()
    COMPREPLY=()

    # The words of the command so far, without options and their values.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --uri|--domain|--user|--secret-file|--ca-file|--mqtt|--timeout|--conf-file) ((i++)) ;;
        -*) ;;
        *) words+=("${COMP_WORDS[i]}") ;;
        esac
    done

    case $prev in
    --secret-file|--ca-file|--conf-file|--secrets|--secret-out|--tided|--conf)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --mqtt)
        mapfile -t COMPREPLY < <(compgen -W '3 5' -- "$cur")
        return
        ;;
    esac

    if ((${#words[@]} == 0)); then
        mapfile -t COMPREPLY < <(compgen -W "$globals $("$1" __words | cut -d' ' -f1 | sort -u)" \
            -- "$cur")
        return
    fi
    local all=''
    while IFS= read -r line; do
        if [[ $prev == "${line%% *}" && $line == *' '* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "${line#* }" -- "$cur")
            return
        fi
        case $line in
        FILE|DATABASE) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        COMMAND) all+=" $("$1" __words | cut -d' ' -f1 | sort -u)" ;;
        -*|[a-z]*) all+=" ${line%% *}" ;;
        esac
    done < <("$1" __words "${words[@]:0:2}")
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$all $globals" -- "$cur")
}
complete -o filenames -F _tidectl tidectl
