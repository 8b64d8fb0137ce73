# Completes `cargo twyla` and `cargo-twyla`: cargo twyla completions bash

_cargo_twyla() {
    local IFS=$'\n' line
    COMPREPLY=()
    while read -r line; do
        # as a word: a file's name may have anything in it
        printf -v line %q "${line%%$'\t'*}"
        COMPREPLY+=("$line")
    done < <(CARGO_TWYLA_COMPLETE="$COMP_CWORD" cargo-twyla -- "${COMP_WORDS[@]}" 2> /dev/null)
    # the way to a file goes on
    [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == */ ]] && compopt -o nospace 2> /dev/null
    return 0
}

# everything else of cargo is completed as it was
_cargo_twyla_or_cargo() {
    if [[ "$COMP_CWORD" -gt 1 && "${COMP_WORDS[1]}" == twyla ]]; then
        _cargo_twyla
    elif [[ -n "$_cargo_twyla_before" ]]; then
        "$_cargo_twyla_before" "$@"
    elif declare -F _completion_loader > /dev/null && _completion_loader cargo; [[ $? -eq 124 || $? -eq 0 ]] && declare -F _cargo > /dev/null; then
        _cargo_twyla_before=_cargo
        complete -F _cargo_twyla_or_cargo cargo
        _cargo "$@"
    fi
}

_cargo_twyla_before=$(complete -p cargo 2> /dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
[[ "$_cargo_twyla_before" == _cargo_twyla_or_cargo ]] && _cargo_twyla_before=
complete -F _cargo_twyla_or_cargo cargo
complete -F _cargo_twyla cargo-twyla
