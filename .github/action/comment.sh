#!/usr/bin/env bash
# Writes $COMMENT into the pull request $NUMBER, in place of the last comment with the same $KEY.
set -uo pipefail

[ -f "$COMMENT" ] || exit 0
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
mark="<!-- cargo-twyla: ${KEY:=Contracts} -->"
sed -i "1s/.*/$mark/" "$COMMENT"
# a person could begin a comment with the same line
ours='.[] | select(.user.type == "Bot" and (.body | startswith("'$mark'"))) | .id'
last=$(gh api --paginate "$comments" --jq "$ours" | head -n 1)
if [ -n "$last" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$last" --field "body=@$COMMENT"
elif grep -q '^| ' "$COMMENT"; then
    # without findings, a comment is written only to replace one that has some
    gh api --silent --method POST "$comments" --field "body=@$COMMENT"
fi || echo "::warning title=Contracts::the comment can't be written: the workflow needs the permission pull-requests: write, which pull requests from forks don't get"
