#!/bin/sh
# Builds build/replay_csv (see main.cpp) from the repository root: g++ and the flags of what ships, glibc, whole
# standard library for this tool itself.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build
${CXX:-g++} -std=c++20 -O2 -ffp-contract=off -I. -Wall -Wextra detect/*.cpp tools/replay_csv/main.cpp -o "${OUT:-build/replay_csv}"
