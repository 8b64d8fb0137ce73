#compdef cargo-twyla
# Completes `cargo twyla`, for which cargo's own completion asks, and `cargo-twyla`: cargo twyla completions zsh

_cargo-twyla() {
    local line
    local -a names
    for line in ${(f)"$(CARGO_TWYLA_COMPLETE=$((CURRENT - 1)) cargo-twyla -- "${(@)words}" 2> /dev/null)"}; do
        names+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe 'cargo twyla' names
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _cargo-twyla "$@"
else
    compdef _cargo-twyla cargo-twyla
fi
