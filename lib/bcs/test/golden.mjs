// Generates the golden vectors with @mysten/bcs and compares them with vectors/golden.txt; golden_test.cpp
// compares Draco's encodings with the same file.
//     npm ci --prefix lib/bcs/test
//     node lib/bcs/test/golden.mjs           exits 1 on any difference
//     node lib/bcs/test/golden.mjs --write   replaces the file

import { readFileSync, writeFileSync } from "node:fs";

const { bcs } = await import("@mysten/bcs").catch((error) => {
  console.error(`cannot load @mysten/bcs (${error.code}). Install the pinned peer with: npm ci --prefix lib/bcs/test`);
  process.exit(1);
});

const hash = bcs.bytes(4);
const kind = bcs.enum("Kind", { Payload: null, Parent: null, Vote: null });
const transfer = bcs.struct("Transfer", { to: hash, amount: bcs.u128() });
const vote = bcs.struct("Vote", { round: bcs.u64(), approve: bcs.bool(), reason: bcs.option(bcs.string()) });
const tree = bcs.struct("Tree", { value: bcs.u8(), children: bcs.lazy(() => bcs.vector(tree)) });
const action = bcs.enum("Action", { Nothing: null, Transfer: transfer, Vote: vote });
const richMessage = bcs.struct("RichMessage", {
  kind,
  round: bcs.u64(),
  actions: bcs.vector(action),
  parents: bcs.vector(hash),
  names: bcs.map(bcs.u16(), bcs.string()),
  tree: bcs.option(tree),
  pairs: bcs.fixedArray(2, bcs.tuple([bcs.u16(), bcs.bool()])), // two's complement: -2 is 65534
  numbers: bcs.vector(bcs.u32()),
  flags: bcs.vector(bcs.bool()),
  label: bcs.string(),
});

const leaf = (value) => ({ value, children: [] });
const bytes = (...values) => new Uint8Array(values);

const vectors = {
  u8_max: [bcs.u8(), 255],
  u16: [bcs.u16(), 0x0102],
  u32: [bcs.u32(), 0x01020304],
  u64: [bcs.u64(), 0x0102030405060708n],
  u64_max: [bcs.u64(), 2n ** 64n - 1n],
  u128: [bcs.u128(), 0x0102030405060708090a0b0c0d0e0f10n],
  bool_false: [bcs.bool(), false],
  bool_true: [bcs.bool(), true],
  string_empty: [bcs.string(), ""],
  string_utf8: [bcs.string(), "grüße, 龍 🐉"],
  string_127: [bcs.string(), "a".repeat(127)],
  string_128: [bcs.string(), "a".repeat(128)],
  bytes_300: [bcs.byteVector(), Uint8Array.from({ length: 300 }, (_, i) => i & 255)],
  bytes_16384: [bcs.byteVector(), new Uint8Array(16384)],
  vector_u16: [bcs.vector(bcs.u16()), [1, 2, 65535]],
  array_u32: [bcs.fixedArray(3, bcs.u32()), [1, 2, 3]],
  option_none: [bcs.option(bcs.u64()), null],
  option_some: [bcs.option(bcs.u64()), 7n],
  option_option_none: [bcs.option(bcs.vector(bcs.option(bcs.u8()))), [null, 1]],
  tuple: [bcs.tuple([bcs.u8(), bcs.string(), bcs.bool()]), [1, "x", true]],
  enumerator: [kind, { Vote: true }],
  variant_unit: [action, { Nothing: true }],
  variant_struct: [action, { Transfer: { to: bytes(1, 2, 3, 4), amount: 10n ** 30n } }],
  map_u16: [bcs.map(bcs.u16(), bcs.u8()), new Map([[1, 1], [2, 2], [256, 3], [513, 4]])],
  map_string: [bcs.map(bcs.string(), bcs.bool()), new Map([["aa", true], ["b", false], ["", true]])],
  tree: [tree, { value: 1, children: [leaf(2), { value: 3, children: [leaf(4)] }] }],
  rich_message: [
    richMessage,
    {
      kind: { Parent: true },
      round: 1n << 40n,
      actions: [
        { Nothing: true },
        { Transfer: { to: bytes(0xde, 0xad, 0xbe, 0xef), amount: 2n ** 128n - 1n } },
        { Vote: { round: 9n, approve: true, reason: "late" } },
        { Vote: { round: 10n, approve: false, reason: null } },
      ],
      parents: [bytes(1, 1, 1, 1), bytes(2, 2, 2, 2)],
      names: new Map([[7, "seven"], [258, "two"], [1, "one"]]),
      tree: { value: 5, children: [leaf(6)] },
      pairs: [[65534, true], [3, false]],
      numbers: [0, 1, 0xffffffff],
      flags: [true, false, true],
      label: "dragon",
    },
  ],
};

const hex = (data) => Buffer.from(data).toString("hex");
const lines = Object.entries(vectors).map(([name, [type, value]]) => {
  const encoded = type.serialize(value, { maxSize: 1 << 20 }).toBytes();
  const again = type.serialize(type.parse(encoded), { maxSize: 1 << 20 }).toBytes();
  if (hex(again) !== hex(encoded)) throw new Error(`${name} does not survive its own peer`);
  return `${name} ${hex(encoded)}`;
});
const generated = `# <name> <hex>, written by test/golden.mjs with @mysten/bcs 2.1.2\n${lines.join("\n")}\n`;

const file = new URL("../vectors/golden.txt", import.meta.url);
if (process.argv.includes("--write")) writeFileSync(file, generated);
const committed = readFileSync(file, "utf8").split("\n");
const fresh = generated.split("\n");
let differences = 0;
for (let i = 0; i < Math.max(fresh.length, committed.length); ++i) {
  if (fresh[i] === committed[i]) continue;
  ++differences;
  console.error(`line ${i + 1}\n  vectors/golden.txt: ${committed[i]}\n  @mysten/bcs:        ${fresh[i]}`);
}
console.log(`${lines.length} vectors, ${differences} differences`);
process.exit(differences === 0 ? 0 : 1);
