#!/usr/bin/env bash
# Checks the contracts: annotations on standard output, a comment in $COMMENT, and SARIF in $SARIF if that is set.
# Exits as `cargo twyla check` does.
set -uo pipefail

# a part of a file's name and of a comment's first line
if ! [[ ${KEY:=Contracts} =~ ^[A-Za-z0-9._-]{1,60}$ ]]; then
    echo "::error title=Contracts::the action's key has letters, digits, '-', '_' and '.', at most 60"
    printf 'verdict=error\ncomment=\n' >>"${GITHUB_OUTPUT:-/dev/null}"
    exit 2
fi

# what an earlier use of the action has written
rm -f "$COMMENT"
[ -z "${SARIF:-}" ] || rm -f "$SARIF"

args=(twyla check)
if [ -n "${AGAINST:-}" ]; then
    # a shallow clone lacks the revision, and has no branch but its own
    if ! git cat-file -e "$AGAINST^{commit}" 2>/dev/null; then
        if ! git fetch --quiet --no-tags --depth=1 -- origin "${AGAINST#origin/}"; then
            echo "::error title=Contracts::the revision of the input 'against' is not in this clone, and can't be fetched from 'origin': the log has git's error"
            printf 'verdict=error\ncomment=%s\n' "$COMMENT" >>"${GITHUB_OUTPUT:-/dev/null}"
            exit 2
        fi
        AGAINST=$(git rev-parse FETCH_HEAD)
    fi
    args+=(--against "$AGAINST")
fi
if [ -n "${SCHEMAS:-}" ]; then
    args+=(--schemas "$SCHEMAS")
fi
while IFS= read -r manifests; do
    [ -z "$manifests" ] || args+=(--manifests "$manifests")
done <<<"${MANIFESTS:-}"

# the runner also reads commands in the errors, which have names and texts of schemas
cargo-twyla "${args[@]}" --format github 2> >(sed -e 's/^[[:space:]]*::/: :/' -e 's/##\[/## [/g' >&2)
code=$?
# the first run has already printed the error, if there was one
cargo-twyla "${args[@]}" --format markdown --out "$COMMENT" 2>/dev/null
if [ -n "${SARIF:-}" ]; then
    cargo-twyla "${args[@]}" --format sarif --out "$SARIF" 2>/dev/null
fi
if [ -f "$COMMENT" ]; then
    cat "$COMMENT" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
case $code in
    0) verdict=fits ;;
    1) verdict=breaks ;;
    3) verdict=undecided ;;
    *) verdict=error ;;
esac
printf 'verdict=%s\ncomment=%s\n' "$verdict" "$COMMENT" >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
