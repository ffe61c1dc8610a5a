#!/usr/bin/env bash
# Proves that docs/known-failures.md names nothing that is not there: each test, scenario, planted bug and file in its
# tables exists, and each row names one. Then plants names that do not exist, and rows without any, which must be found.
# usage: known_failures_test.sh SOURCE_DIR SCRATCH_DIR
set -euo pipefail
source_dir=$1 scratch=$2
mkdir -p "$scratch"
cd "$source_dir"

exists() {
  local name=$1
  case $name in
    campaign.mutant.*) grep -qE "^plant\(${name#campaign.mutant.} " sim/campaign/mutants/mutants.cmake ;;
    consensus/*) grep -q "\"$name\"" sim/campaign/src/catalogue.cpp && grep -q "\"$name\"" sim/campaign/test/campaign_test.cpp ;;
    *.cpp | *.hpp) [[ -n $(find core lib -name "$name" -print -quit) ]] ;;
    [A-Z]*.[A-Z]*) grep -rqE "TEST(_F|_P)?\(${name%.*}, ${name#*.}\)" --include='*_test.cpp' core lib sim ;;
    # A function or a value of the code.
    *) grep -rqwF --include='*.cpp' --include='*.hpp' -e "${name##*::}" core ;;
  esac
}

# Complains about each name in the tables of a page that does not exist, and each row that names nothing here.
check() {
  local page=$1 status=0 row names name
  while IFS= read -r row; do
    # What others call their parts stands in the first column; what is ours in the last one.
    row=${row% |} names=$(grep -oE '`[^`]+`' <<<"${row##* | }" | tr -d '`' | sort -u) || true
    [[ -n $names ]] || { echo "$page: this row names neither code nor a test: $row"; status=1; }
    for name in $names; do
      exists "$name" || { echo "$page names $name, which does not exist: say what shows that claim now"; status=1; }
    done
  done < <(grep -E '^\|' "$page" | grep -vE '^\|(-|---| there \|| what happened \|)' )
  return "$status"
}

check docs/known-failures.md || { echo "FAILED: docs/known-failures.md claims what is not there"; exit 1; }
rows=$(grep -cE '^\| (narwhal|sui|telcoin|research|snarkOS|ZKS)' docs/known-failures.md)
((rows >= 30)) || { echo "FAILED: the page has lost rows: $rows are left"; exit 1; }

for planted in '`Network.IsNeverWrong`' '`consensus/nothing`' '`campaign.mutant.none`' '`no_such_file.cpp`' \
               '`Dag::no_such_function`' 'it cannot occur'; do
  printf '| sui#1 | something | %s |\n' "$planted" >"$scratch/planted.md"
  if check "$scratch/planted.md" >/dev/null; then
    echo "FAILED: a row with $planted is accepted"
    exit 1
  fi
done
