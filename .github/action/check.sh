#!/usr/bin/env bash
# Checks the contracts: annotations on standard output, a comment in $COMMENT, and SARIF in $SARIF if that is set.
# Exits as `cargo twyla check` does.
set -uo pipefail

args=(twyla check)
if [ -n "${AGAINST:-}" ]; then
    # a shallow clone lacks the revision
    git cat-file -e "$AGAINST^{commit}" 2>/dev/null || git fetch --quiet --no-tags --depth=1 origin "$AGAINST" || exit 2
    args+=(--against "$AGAINST")
fi
if [ -n "${SCHEMAS:-}" ]; then
    args+=(--schemas "$SCHEMAS")
fi
while IFS= read -r manifests; do
    [ -z "$manifests" ] || args+=(--manifests "$manifests")
done <<<"${MANIFESTS:-}"

cargo-twyla "${args[@]}" --format github
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
