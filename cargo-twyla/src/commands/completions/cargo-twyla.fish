# Completes `cargo twyla` and `cargo-twyla`: cargo twyla completions fish

function __cargo_twyla
    set -l words (commandline -opc)
    CARGO_TWYLA_COMPLETE=(count $words) cargo-twyla -- $words (commandline -ct) 2>/dev/null
end

function __cargo_twyla_is_meant
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = twyla
end

complete -c cargo -n 'test (count (commandline -opc)) -eq 1' -a twyla -d "Twyla's command line"
complete -c cargo -n __cargo_twyla_is_meant -f -a '(__cargo_twyla)'
complete -c cargo-twyla -f -a '(__cargo_twyla)'
