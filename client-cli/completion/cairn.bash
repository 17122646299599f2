# bash completion for cairn(1). Commands and options come from the program's own help, so they
# are those of the version that is installed.

_cairn_words()
{
    LANGUAGE='' LC_ALL=C "$1" help ${2:+"$2"} 2>/dev/null
}

# The record types of the store that the line is about, retired ones left out; nothing where it
# cannot be read.
_cairn_types()
{
    local i
    local -a store=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == --store ]] && store=(--store "${COMP_WORDS[i + 1]}")
    done
    "$1" "${store[@]}" schema show --json 2>/dev/null </dev/null |
        sed -n '/"retired":false/s/^{"type":"\([^"]*\)".*/\1/p'
}

# The command on the line: the first word that is neither an option nor an option's value.
_cairn_command()
{
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --store | --passphrase-file) ((i++)) ;;
        -*) ;;
        *)
            echo "${COMP_WORDS[i]}"
            return
            ;;
        esac
    done
}

_cairn()
{
    local cairn=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command
    command=$(_cairn_command)
    COMPREPLY=()

    case $before in
    --role)
        mapfile -t COMPREPLY < <(compgen -W "prefecture county township station server auditor approver" -- "$word")
        return
        ;;
    --encoding)
        mapfile -t COMPREPLY < <(compgen -W "utf-8 gb18030" -- "$word")
        return
        ;;
    --format)
        mapfile -t COMPREPLY < <(compgen -W "csv jsonl xlsx" -- "$word")
        return
        ;;
    --by)
        mapfile -t COMPREPLY < <(compgen -W "village township county prefecture province band state" -- "$word")
        return
        ;;
    --map)
        return
        ;;
    --store)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    --passphrase-file | --out | --checkpoint | --save-checkpoint)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --root)
        # A file for audit, a code for init.
        [[ $command == audit ]] && mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    esac

    if [[ $word == -* ]]; then
        local options=''
        [[ -n $command ]] || options=--version
        options+=" $(_cairn_words "$cairn" "${command:-help}" | sed -n 's/^  \(--[a-z-]*\).*/\1/p')"
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    case $command in
    '' | help)
        mapfile -t COMPREPLY < <(compgen -W "$(_cairn_words "$cairn" |
            sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')" -- "$word")
        ;;
    put | list | count | import | export | delete)
        if [[ $before == "$command" ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_cairn_types "$cairn")" -- "$word")
        elif [[ $command == import || $command == export ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        ;;
    bundle)
        if [[ $before == bundle ]]; then
            mapfile -t COMPREPLY < <(compgen -W "read write" -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        ;;
    schema)
        if [[ $before == schema ]]; then
            mapfile -t COMPREPLY < <(compgen -W "show check publish export" -- "$word")
        elif [[ $before == show ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_cairn_types "$cairn")" -- "$word")
        elif [[ $before == check || $before == publish ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        ;;
    grant | join | audit)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    esac
}

complete -o filenames -F _cairn cairn
