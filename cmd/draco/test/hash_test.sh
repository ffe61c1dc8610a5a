#!/usr/bin/env bash
# Proves that `draco hash` prints what Debian's b3sum prints, for files, standard input, odd names and many sizes, and
# that its errors and exit statuses are those the README promises.
# usage: hash_test.sh DRACO SCRATCH_DIR
set -euo pipefail
draco=$1 scratch=$2
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
fail() { echo "FAILED: $*"; exit 1; }

mkdir files
for size in 0 1 1023 1024 1025 262144 262145 5000000 40000000; do
  seq 6000000 | head -c "$size" >"files/file $size" || true
done
ln -s "file 1025" files/link
echo x >$'files/new\nline'
b3sum files/* >expected
"$draco" hash files/* >actual
cmp expected actual || fail "the hashes of b3sum and draco differ: $(diff expected actual)"
cd files

"$draco" hash --threads 1 "file 5000000" >../one && "$draco" hash "file 5000000" >../many && cmp ../one ../many ||
  fail "the number of threads changes the hash"
[[ $("$draco" hash - <"file 1025") == "$(b3sum --no-names "file 1025")  -" ]] || fail "standard input"
[[ $(seq 100000 | "$draco" hash -) == "$(seq 100000 | b3sum --no-names)  -" ]] || fail "a pipe"
mkfifo ../fifo; seq 100000 >../fifo & [[ $("$draco" hash ../fifo) == "$(seq 100000 | b3sum --no-names)  ../fifo" ]] || fail "a named pipe"

status=0; "$draco" hash missing "file 1" >../out 2>../err || status=$?
[[ $status == 1 ]] || fail "a missing file exits with 1, not $status"
grep -q "file 1$" ../out || fail "the file after a missing one is still hashed"
grep -q "missing.*No such file" ../err || fail "the error names the file and the reason: $(cat ../err)"
status=0; "$draco" hash . 2>../err || status=$?
[[ $status == 1 ]] && grep -q "is a directory" ../err || fail "a directory is refused: $(cat ../err)"
status=0; "$draco" hash 2>../err || status=$?
[[ $status == 2 ]] || fail "no file is a usage error"
status=0; "$draco" hsah x 2>../err || status=$?
[[ $status == 2 ]] || fail "an unknown command is a usage error"

"$draco" hash --json "file 1" "file 0" >../json
expected_json='[{"path":"file 1","hash":"'$(b3sum --no-names "file 1")'","bytes":1},{"path":"file 0","hash":"'$(b3sum --no-names "file 0")'","bytes":0}]'
[[ $(cat ../json) == "$expected_json" ]] || fail "json: $(cat ../json)"
echo "draco hash agrees with b3sum"
