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
rm -r copy/css && ln -s "$scratch" copy/css && echo mine >victim && ln -s "$scratch/victim" copy/film.bin.part
status=0; "$draco" get "$hash" --home net -o copy 2>err || status=$?
[[ $status == 1 && ! -e site.css ]] && grep -q "symbolic link" err || fail "get goes through a link: $(cat err)"
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
