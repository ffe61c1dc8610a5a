#!/usr/bin/env bash
# Proves that a site that was put on one node is read from the others, byte for byte, with ranges and conditions; that a
# browser shows it; that a block damaged on a disk is never served; that pins and lists say what is so.
# usage: content_test.sh DRACO SCRATCH_DIR
set -euo pipefail
draco=$1 scratch=$2
site=$(cd "$(dirname "$0")/../../../examples/site" && pwd)
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
export DRACO_HOME=$scratch/net
fail() { echo "FAILED: $*"; exit 1; }
field() { node -e 'let v=JSON.parse(require("fs").readFileSync(0));for(const k of process.argv[1].split("."))v=v[k];console.log(v)' "$1"; }
trap '"$draco" devnet down --home net >/dev/null 2>&1 || true' EXIT

cp -r "$site" site && rm -f site/film.bin site/.gitignore
head -c 20000000 /dev/urandom >site/film.bin
: >site/empty
mkdir -p "site/Größe & mehr"
printf 'hello' >"site/Größe & mehr/ünïcode.txt"
ln -s ../about.html "site/Größe & mehr/about"
printf 'odd' >$'site/odd\e[31m\xe2\x80\xaename.txt'

"$draco" devnet up --home net --nodes 4 --epoch 20 --port-base 0 --detach >up.out
"$draco" devnet status --home net --json >status.json
"$draco" put site --home net --json >put.json
hash=$(field hash <put.json)
[[ $(field files <put.json) == "$(find site -type f | wc -l)" ]] || fail "put counts the files: $(cat put.json)"
[[ $(field urls.length <put.json) == 4 ]] || fail "put prints a URL for each node: $(cat put.json)"

for i in 3 1 2 0; do
  url=$(field urls.$i <put.json)
  curl -sf --max-time 60 "${url}film.bin" -o got || fail "node $i serves the film"
  cmp got site/film.bin || fail "node $i: the film is another one"
  curl -sf --max-time 20 "$url" -o got && cmp got site/index.html || fail "node $i: the index"
  curl -sf --max-time 20 "${url}css/site.css" -o got && cmp got site/css/site.css || fail "node $i: the style"
  curl -sf --max-time 20 "${url}img/sky.png" -o got && cmp got site/img/sky.png || fail "node $i: the image"
  curl -sf --max-time 20 "${url}empty" -o got && [[ ! -s got ]] || fail "node $i: the empty file"
  [[ $(curl -sf --max-time 20 "${url}Gr%C3%B6%C3%9Fe%20%26%20mehr/%C3%BCn%C3%AFcode.txt") == hello ]] || fail "node $i: unicode"
  curl -sf --max-time 20 "${url}Gr%C3%B6%C3%9Fe%20%26%20mehr/about" -o got && cmp got site/about.html || fail "node $i: a link"
  [[ $(curl -s -r 1000000-1000015 -w ' %{http_code}' "${url}film.bin" -o part) == " 206" ]] || fail "node $i: a range is 206"
  cmp part <(tail -c +1000001 site/film.bin | head -c 16) || fail "node $i: the range"
  [[ $(curl -s -o /dev/null -w '%{http_code}' -r 20000000- "${url}film.bin") == 416 ]] || fail "node $i: beyond the end is 416"
  etag=$(curl -sfI "${url}index.html" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
  [[ $(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "${url}index.html") == 304 ]] || fail "node $i: not modified"
  [[ $(curl -s -o /dev/null -w '%{content_type}' "${url}css/site.css") == text/css* ]] || fail "node $i: the type of a style"
  [[ $(curl -s -o /dev/null -w '%{http_code}' --path-as-is "${url}../../etc/passwd") == 400 ]] || fail "node $i: a path out of the content"
  [[ $(curl -s -o /dev/null -w '%{http_code}' "${url}none") == 404 ]] || fail "node $i: a name that is not there"
done

# A block of the film changes on the disk of node 2: what is served stays right, because it is fetched again.
film=$("$draco" hash site/film.bin | cut -c1-64)
stored=$(find net/node2 -name "*${film:4:20}*" -type f | head -1)
[[ -n $stored ]] || stored=$(find net/node2/data/blockstore -type f -size +19M | head -1)
[[ -n $stored ]] || fail "node 2 stores the film it has served"
printf 'X' | dd of="$stored" bs=1 seek=5000000 conv=notrunc status=none
curl -sf --max-time 60 "$(field urls.2 <put.json)film.bin" -o got || fail "node 2 serves the film although a block is damaged"
cmp got site/film.bin || fail "node 2 serves a damaged block"

# What an earlier content may have left does not lead writing out of the folder.
"$draco" get "$hash" --home net -o copy 2>/dev/null || fail "get of the folder"
diff -r --no-dereference site copy || fail "get wrote another folder"
[[ -z $(find . -maxdepth 1 -name '*.part') ]] || fail "get left a part: $(ls)"
rm -r copy/css && ln -s "$scratch" copy/css && echo mine >victim && ln -s "$scratch/victim" copy/film.bin.part
status=0; "$draco" get "$hash" --home net -o copy --force 2>err || status=$?
[[ $status == 1 && ! -e site.css ]] && grep -q "symbolic link" err || fail "get goes through a link: $(cat err)"
rm copy/film.bin
"$draco" get "$hash/film.bin" --home net -o copy/film.bin 2>/dev/null || fail "get of one file"
[[ $(cat victim) == mine ]] || fail "get wrote through a link"
status=0; "$draco" get "$hash" --home net 2>err >/dev/null || status=$?
[[ $status == 1 ]] && grep -q "is a folder" err || fail "a folder to standard output: $(cat err)"

# What it would make is bounded, and what is beyond is said before anything is written.
status=0; "$draco" get "$hash" --home net -o many --max-entries 3 2>err || status=$?
[[ $status == 1 && ! -e many ]] && grep -q "nothing was written.*--max-entries" err || fail "too many entries: $(cat err)"
status=0; "$draco" get "$hash" --home net -o deep --max-depth 1 2>err || status=$?
[[ $status == 1 && ! -e deep ]] && grep -q "nothing was written.*--max-depth" err || fail "too deep: $(cat err)"
status=0; "$draco" get "$hash/film.bin" --home net -o large --max-bytes 1000000 2>err || status=$?
[[ $status == 1 && ! -e large ]] && grep -q "20000000 bytes.*--max-bytes" err || fail "too large: $(cat err)"
# Names from elsewhere do not move the cursor, and JSON stays JSON.
"$draco" ls "$hash" --home net >ls.txt
grep -qF 'odd\x1b[31m\u{202e}name.txt' ls.txt && ! grep -q $'\e' ls.txt || fail "a name is shown: $(cat -v ls.txt)"
"$draco" ls "$hash" --home net --json | node -e 'const v=JSON.parse(require("fs").readFileSync(0));
  process.exit(v.entries.some(e=>e.name==="odd\u001b[31m\u202ename.txt")?0:1)' || fail "JSON has the name as it is"
"$draco" get "$hash/index.html" --home net -o $'odd\xff' --json | node -e 'new TextDecoder("utf-8",{fatal:true}).decode(require("fs").readFileSync(0))' ||
  fail "JSON is UTF-8 whatever the name of a file here"

# What is there is replaced only when that is asked for; a refusal leaves everything as it was.
refused() { # TEXT ARGUMENT...
  local text=$1 status=0
  shift
  "$draco" get "$@" --home net 2>err >/dev/null || status=$?
  [[ $status == 1 ]] && grep -q -- "$text" err || fail "get $*: '$text' is not in: $(cat err)"
  [[ -z $(find . -maxdepth 1 -name '*.part') ]] || fail "get $* left a part"
}
echo mine >file && mkdir -p full empty && echo mine >full/keep && ln -s file link && ln -s nothing dangling
refused "--force" "$hash/index.html" -o file
refused "--force" "$hash/index.html" -o link
refused "leads nowhere" "$hash/index.html" -o dangling
refused "names a folder" "$hash/index.html" -o empty
refused "names a folder" "$hash/index.html" -o none/
refused "--force" "$hash" -o full
refused "is a file, and the content is a folder" "$hash" -o file --force
[[ $(cat file) == mine && -L link && ! -e none && -z $(ls empty) && $(ls full) == keep ]] || fail "a refusal changed something"
"$draco" get "$hash/index.html" --home net -o link --force 2>/dev/null && [[ -L link ]] && cmp file site/index.html || fail "a link with --force"
echo mine >full/index.html
"$draco" get "$hash" --home net -o full --force 2>/dev/null && cmp full/index.html site/index.html && [[ $(cat full/keep) == mine ]] ||
  fail "a folder with --force"
"$draco" get "$hash/css" --home net -o empty 2>/dev/null && diff -r site/css empty || fail "an empty folder is filled"
# Devices and FIFOs are written to, not replaced.
mkfifo fifo
cat fifo >got & reader=$!
"$draco" get "$hash/film.bin" --home net -o fifo 2>/dev/null || fail "get into a FIFO"
wait $reader; [[ -p fifo ]] && cmp got site/film.bin || fail "the FIFO was replaced, or had other bytes"
if mknod full_device c 1 7 2>/dev/null && mknod null_device c 1 3; then
  status=0; "$draco" get "$hash/index.html" --home net -o full_device 2>err || status=$?
  [[ $status == 1 && -c full_device ]] && grep -q "No space left" err || fail "a full device: $(cat err)"
  "$draco" get "$hash/index.html" --home net -o null_device 2>/dev/null && [[ -c null_device ]] || fail "a device was replaced"
fi
# What an interrupted get has left is checked, and the rest is fetched; a byte that is wrong in it is fetched again.
head -c 12000000 site/film.bin >film.part && printf 'XXXXXXXX' | dd of=film.part bs=1 seek=11000000 conv=notrunc status=none
"$draco" get "$hash/film.bin" --home net -o film --json >got.json && cmp film site/film.bin || fail "get goes on"
kept=$(field bytes_kept <got.json)
((kept > 10500000 && kept < 11000001)) || fail "get took $kept bytes of a part of 11000000 that are right"
# Names that are missing, and how people write an address.
refused 'no "nope.md" in the folder .*/css' "$hash/css/nope.md" -o none
refused "is a file, so there is no" "$hash/index.html/x" -o none
refused "no node has 00.*check the address" "$(printf '0%.0s' $(seq 64))" -o none
[[ $(wc -l <err) == 1 && $(grep -o "no node" err | wc -l) == 1 ]] || fail "one sentence: $(cat err)"
"$draco" get "$(field urls.2 <put.json)Gr%C3%B6%C3%9Fe%20%26%20mehr/%C3%BCn%C3%AFcode.txt" --home net -o by_url 2>/dev/null || fail "get of a URL"
[[ $(cat by_url) == hello ]] || fail "get of a URL: $(cat by_url)"

# What was put has its name, and the rest is folded; sizes stand beside names, in columns for wide characters too.
mkdir -p other/日本語 && echo one >other/日本語/ein && cp site/about.html other/shared && mkdir other/leer
ln -s /etc/hosts other/absolute && ln -s ../.. other/out && ln -s nowhere other/dead
"$draco" put other --home net >put.txt 2>put.err || fail "put of another folder"
grep -q "2 files, 2 folders, 1 of them empty, 3 links" put.txt || fail "put says what it took: $(cat put.txt)"
grep -q '"other/absolute".*is absolute' put.err && grep -q '"other/out".*leads out' put.err && grep -q '"other/dead".*leads to nothing' put.err ||
  fail "put warns of links: $(cat put.err)"
other=$(grep -oE '^[0-9a-f]{64}$' put.txt)
"$draco" ls --home net >ls.txt
[[ $(sed -n 2p ls.txt) == other\ * && $(sed -n 3p ls.txt) == site\ * ]] && grep -q "objects in them; --all lists them" ls.txt || fail "ls: $(cat ls.txt)"
"$draco" ls --all --home net | grep -q "$("$draco" hash site/about.html | cut -c1-64)" || fail "ls --all"
"$draco" ls "$other" --home net >ls.txt
[[ $(grep 日本語 ls.txt) == "日本語    directory  1 entry"* && $(grep shared ls.txt) == "shared    file"* ]] || fail "ls aligns: $(cat ls.txt)"
"$draco" ls "$other/日本語" --home net | grep -q "ein .*file .*4 B" || fail "ls HASH/PATH"
"$draco" pin "$other/日本語" --home net | grep -qx "pinned 2 objects" || fail "pin HASH/PATH"
# rm of a folder takes what is in it, except what others here have.
status=0; "$draco" rm "$(printf '0%.0s' $(seq 64))" --home net 2>err || status=$?
[[ $status == 1 ]] && grep -q "is not on the node" err && ! grep -q "/" <<<"$(sed 's|http://[^;]*||' err)" || fail "rm of what is not there: $(cat err)"
"$draco" rm "$other" --home net >rm.txt || fail "rm"
grep -q "Other nodes may keep copies" rm.txt || fail "rm: $(cat rm.txt)"
"$draco" ls --all --home net >ls.txt
grep -q "$("$draco" hash site/about.html | cut -c1-64)" ls.txt || fail "rm removed what the site has"
grep -q "$("$draco" hash other/日本語/ein | cut -c1-64)" ls.txt || fail "rm removed what was pinned by itself"
! grep -q "$other" ls.txt || fail "rm left the folder"

"$draco" ls --home net --json >ls.json
[[ $(field objects.length <ls.json) -ge 10 ]] || fail "ls: $(cat ls.json)"
"$draco" ls "$hash" --home net | grep -q "film.bin" || fail "ls of the folder"
node3=$(field nodes.3.rpc <status.json)
"$draco" pin "$hash" --home net --node "$node3" --json >pin.json || fail "pin on node 3"
[[ $(field pinned <pin.json) -ge 10 ]] || fail "pin counts: $(cat pin.json)"
"$draco" unpin "$hash" --home net --node "$node3" --json >unpin.json || fail "unpin on node 3"
[[ $(field unpinned <unpin.json) == "$(field pinned <pin.json)" ]] || fail "unpin counts: $(cat unpin.json)"
status=0; "$draco" put /nowhere --home net 2>err || status=$?
[[ $status == 1 ]] && grep -q "/nowhere" err || fail "a path that is not there: $(cat err)"
status=0; "$draco" pin 12 --home net 2>err || status=$?
[[ $status != 0 ]] && grep -q "64 hex digits" err || fail "an address that is none: $(cat err)"

if command -v chromium >/dev/null; then
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$scratch/profile" --window-size=900,1000 \
    --virtual-time-budget=8000 --screenshot="$scratch/site.png" --dump-dom "$(field urls.1 <put.json)" >dom.html 2>chromium.err ||
    fail "chromium shows the site: $(tail -3 chromium.err)"
  grep -q "$hash" dom.html || fail "the page's script ran and shows its address"
else
  echo "no chromium: the page was not opened in a browser"
fi
echo "passed"
