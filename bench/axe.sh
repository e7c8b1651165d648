#!/usr/bin/env bash
# Fetch axe-core from npm into .cache/axe, where the browser tests look for it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=4.14.1
if [ ! -f .cache/axe/package/axe.min.js ]; then
    mkdir -p .cache/axe
    (cd .cache/axe && npm pack --silent "axe-core@$version" >/dev/null && tar xzf "axe-core-$version.tgz")
fi
echo "axe-core $version is in .cache/axe"
