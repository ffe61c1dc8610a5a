#!/usr/bin/env bash
# Proves that the bench of consensus commits what it offers, leaves nothing behind, and says what is typed wrong.
# usage: bench_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
set -euo pipefail
fail() { echo "FAILED: $*"; exit 1; }
rm -rf "$scratch" && mkdir -p "$scratch"
"$draco" bench consensus --rate 400 --warm-up 1 --duration 2 --directory "$scratch" --json >"$scratch/report.json"
node -e '
  const report = JSON.parse(require("fs").readFileSync(process.argv[1]));
  if (report.dead !== 0 || report.committed_per_s < 100 || report.end_to_end.samples === 0 || report.rounds_per_s <= 0)
    { console.log(report); process.exit(1); }' "$scratch/report.json" || fail "the report"
! grep -E '[.][0-9]{4}' "$scratch/report.json" || fail "more digits than anybody reads"
[[ $(ls "$scratch") == report.json ]] || fail "left behind: $(ls "$scratch")"
status=0
"$draco" bench consensus --validators 4 --crashed 4 2>"$scratch/err" || status=$?
[[ $status != 0 ]] && grep -q -- "--crashed" "$scratch/err" || fail "$(cat "$scratch/err")"
echo "the bench commits what it offers"
