import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildDataset } from "../../shared/data/buildDataset.ts";
import { DatasetError } from "../../shared/data/errors.ts";
import { toByteCharacters } from "../../shared/data/tokenizer/byteLevel.ts";
import { TokenizerError } from "../../shared/data/tokenizer/component.ts";
import { JsonTokenizer } from "../../shared/data/tokenizer/json.ts";
import { dataSection } from "../../shared/task/taskData.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";
import { Random } from "../helpers/random.ts";

type Json = Record<string, unknown>;

const numbered = (tokens: readonly string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token, number) => [token, number]));
const bytes = Array.from({ length: 256 }, (_, byte) => byteCharacter(byte));

/** The GPT-2 alphabet by its rule, apart from the product's: printable bytes of Latin-1 are themselves, others follow from U+0100. */
function byteCharacter(byte: number): string {
  const isItself = (code: number) => (code > 0x20 && code < 0x7f) || (code > 0xa0 && code !== 0xad);
  const before = Array.from({ length: byte }, (_, code) => code).filter((code) => !isItself(code)).length;
  return String.fromCharCode(isItself(byte) ? byte : 0x100 + before);
}

/** The pieces that a pre-tokenizer makes, by a model that knows every stretch of the text as a word. */
function piecesOf(preTokenizer: Json, text: string): string[] {
  const marked = [text, `▁${text.replaceAll(" ", "▁")}`, toByteCharacters(text), toByteCharacters(` ${text}`)];
  const words = new Set<string>();
  for (const whole of marked) {
    for (let from = 0; from < whole.length; from++) {
      for (let to = from + 1; to <= whole.length; to++) words.add(whole.slice(from, to));
    }
  }
  const list = ["[none]", ...words];
  const model = { type: "WordLevel", vocab: numbered(list), unk_token: "[none]" };
  const tokenizer = new JsonTokenizer(JSON.stringify({ model, pre_tokenizer: preTokenizer }));
  return Array.from(tokenizer.encode(text), (token) => list[token]!);
}

describe("pre-tokenizers", () => {
  const cases: readonly (readonly [string, Json, string, readonly string[]])[] = [
    [
      "ByteLevel",
      { type: "ByteLevel", add_prefix_space: false },
      "Hello  my friend, it's 2024!\n\n x",
      ["Hello", "Ġ", "Ġmy", "Ġfriend", ",", "Ġit", "'s", "Ġ2024", "!", "ĊĊ", "Ġx"],
    ],
    ["ByteLevel with a space before", { type: "ByteLevel", add_prefix_space: true }, "é à", ["ĠÃ©", "ĠÃł"]],
    ["ByteLevel without words", { type: "ByteLevel", add_prefix_space: false, use_regex: false }, "a b c", ["aĠbĠc"]],
    [
      "Metaspace",
      { type: "Metaspace", replacement: "▁", add_prefix_space: true },
      "Hey   friend!",
      ["▁Hey", "▁", "▁", "▁friend!"],
    ],
    [
      "Metaspace never before",
      { type: "Metaspace", replacement: "▁", prepend_scheme: "never" },
      "Hey you",
      ["Hey", "▁you"],
    ],
    [
      "Metaspace unsplit",
      { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
      "a b",
      ["▁a▁b"],
    ],
    ["Whitespace", { type: "Whitespace" }, "How are_you, 5€ né?!", ["How", "are_you", ",", "5", "€", "né", "?!"]],
    ["WhitespaceSplit", { type: "WhitespaceSplit" }, " a,b\t c\u{a0}d ", ["a,b", "c", "d"]],
    ["BertPreTokenizer", { type: "BertPreTokenizer" }, "Hey, $5—ok!", ["Hey", ",", "$", "5", "—", "ok", "!"]],
    ["Punctuation", { type: "Punctuation" }, "a, b", ["a", ",", " b"]],
    ["Punctuation before", { type: "Punctuation", behavior: "MergedWithPrevious" }, "a,, b!", ["a,", ",", " b!"]],
    ["Digits", { type: "Digits", individual_digits: false }, "Hey 123½x", ["Hey ", "123½", "x"]],
    ["Digits one by one", { type: "Digits", individual_digits: true }, "a12", ["a", "1", "2"]],
    ["CharDelimiterSplit", { type: "CharDelimiterSplit", delimiter: "-" }, "a-b--c", ["a", "b", "c"]],
    [
      "Split removed",
      { type: "Split", pattern: { String: "." }, behavior: "Removed", invert: false },
      "a.b..c",
      ["a", "b", "c"],
    ],
    [
      "Split isolated",
      { type: "Split", pattern: { Regex: "\\s+" }, behavior: "Isolated", invert: false },
      "a  b",
      ["a", "  ", "b"],
    ],
    [
      "Split joined to the next",
      { type: "Split", pattern: { String: "-" }, behavior: "MergedWithNext" },
      "the-final--x-",
      ["the", "-final", "-", "-x", "-"],
    ],
    [
      "Split joined to the one before",
      { type: "Split", pattern: { String: "-" }, behavior: "MergedWithPrevious" },
      "the-final--x-",
      ["the-", "final-", "-", "x-"],
    ],
    [
      "Split contiguous",
      { type: "Split", pattern: { String: "-" }, behavior: "Contiguous" },
      "the-final--x-",
      ["the", "-", "final", "--", "x", "-"],
    ],
    [
      "Split inverted",
      { type: "Split", pattern: { Regex: "[a-z]+" }, behavior: "Removed", invert: true },
      "ab1cd",
      ["ab", "cd"],
    ],
    [
      "Split by Llama 3's words",
      {
        type: "Split",
        pattern: {
          Regex:
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        },
        behavior: "Isolated",
      },
      "It'S 12345 km...\n\n  ok",
      ["It", "'S", " ", "123", "45", " km", "...\n\n", " ", " ok"],
    ],
    [
      "Sequence",
      { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, { type: "Digits", individual_digits: true }] },
      "ab 12",
      ["ab", "1", "2"],
    ],
  ];
  for (const [name, preTokenizer, text, pieces] of cases) {
    it(`${name} cuts ${JSON.stringify(text)}`, () => assert.deepEqual(piecesOf(preTokenizer, text), pieces));
  }
});

describe("normalizers", () => {
  /** Characters after the normalizer, one token each. */
  const normalized = (normalizer: Json, text: string, alphabet: string): string => {
    const vocab = numbered([...new Set(alphabet), "?"]);
    const model = { type: "BPE", vocab, merges: [], unk_token: "?" };
    return new JsonTokenizer(JSON.stringify({ model, normalizer, decoder: { type: "Fuse" } })).decode(
      new JsonTokenizer(JSON.stringify({ model, normalizer })).encode(text),
    );
  };
  const cases: readonly (readonly [Json, string, string])[] = [
    [{ type: "NFC" }, "e\u0301", "é"],
    [{ type: "NFD" }, "é", "e\u0301"],
    [{ type: "NFKC" }, "ﬁ①", "fi1"],
    [{ type: "NFKD" }, "ﬁé", "fie\u0301"],
    [{ type: "Lowercase" }, "AÉΣ", "aéσ"],
    [{ type: "Sequence", normalizers: [{ type: "NFD" }, { type: "StripAccents" }] }, "Éà", "Ea"],
    [{ type: "Strip", strip_left: true, strip_right: false }, "  a ", "a "],
    [{ type: "Strip", strip_left: false, strip_right: true }, "  a ", "  a"],
    [{ type: "Replace", pattern: { String: "." }, content: "$&" }, "a.b", "a$&b"],
    [{ type: "Replace", pattern: { Regex: "\\d+" }, content: "0" }, "a12b3", "a0b0"],
    [{ type: "Prepend", prepend: "▁" }, "ab", "▁ab"],
    [{ type: "ByteLevel" }, "é ", "Ã©Ġ"],
    [{ type: "BertNormalizer" }, "\0H\u200bÉ\t中文\u{fffd}", "he  中  文 "],
    [{ type: "BertNormalizer", lowercase: false, handle_chinese_chars: false }, "É中", "É中"],
    [{ type: "BertNormalizer", lowercase: false, strip_accents: true, clean_text: false }, "É\t", "E\t"],
  ];
  for (const [normalizer, text, expected] of cases) {
    it(`${JSON.stringify(normalizer)} makes ${JSON.stringify(expected)}`, () => {
      assert.equal(normalized(normalizer, text, expected), expected);
    });
  }
});

describe("SentencePiece's compiled normalizer", () => {
  interface Node {
    readonly children: Map<number, Node>;
    value?: number;
  }

  /** A table of the replacements, its double array laid out by first fit. */
  function compile(replacements: Readonly<Record<string, string>>): string {
    const root: Node = { children: new Map() };
    const texts: number[] = [];
    for (const [from, to] of Object.entries(replacements)) {
      let node = root;
      for (const byte of Buffer.from(from)) {
        if (!node.children.has(byte)) node.children.set(byte, { children: new Map() });
        node = node.children.get(byte)!;
      }
      node.value = texts.length;
      texts.push(...Buffer.from(to), 0);
    }
    const units = new Map<number, number>();
    const taken = new Set([0]);
    const place = (node: Node, at: number, label: number): void => {
      const labels = [...node.children.keys(), ...(node.value === undefined ? [] : [0])];
      let offset = 1;
      while (labels.some((child) => taken.has(at ^ offset ^ child))) offset++;
      for (const child of labels) taken.add(at ^ offset ^ child);
      units.set(at, ((offset << 10) | (node.value === undefined ? 0 : 0x100) | label) >>> 0);
      if (node.value !== undefined) units.set(at ^ offset, (0x80000000 | node.value) >>> 0);
      for (const [byte, child] of node.children) place(child, at ^ offset ^ byte, byte);
    };
    place(root, 0, 0);
    const length = 1 + [...units.keys()].reduce((a, b) => Math.max(a, b));
    const file = Buffer.alloc(4 + 4 * length);
    file.writeUInt32LE(4 * length);
    for (const [at, unit] of units) file.writeUInt32LE(unit, 4 + 4 * at);
    return Buffer.concat([file, Buffer.from(texts)]).toString("base64");
  }

  it("replaces the longest entry at each place, and nothing inside a character", () => {
    const table = compile({ a: "1", ab: "22", abcd: "", é: "e", "e\u0301": "e", "\u{1f600}": "é", "\u0301": "?" });
    const root = { normalizer: { type: "Precompiled", precompiled_charsmap: table }, pre_tokenizer: null };
    const vocab = numbered(["1", "2", "b", "c", "x", "e", "é", "猫", "?"]);
    const model = { type: "BPE", vocab, merges: [] };
    const tokenizer = new JsonTokenizer(JSON.stringify({ ...root, model, decoder: { type: "Fuse" } }));
    assert.equal(tokenizer.decode(tokenizer.encode("aabcxabcdbé猫e\u0301😀")), "122cxbe猫eé");
  });
});

describe("byte pair encoding", () => {
  const tokensOf = (model: Json, text: string, more: Json = {}) => {
    const tokenizer = new JsonTokenizer(JSON.stringify({ model: { type: "BPE", ...model }, ...more }));
    const texts = new Map(
      Object.entries(model.vocab as Record<string, number>).map(([token, number]) => [number, token]),
    );
    return Array.from(tokenizer.encode(text), (token) => texts.get(token));
  };

  it("merges the pair that comes first in the list, the leftmost of equals", () => {
    const vocab = numbered(["a", "b", "c", "ab", "bc", "abc", "aa", "aaa"]);
    assert.deepEqual(tokensOf({ vocab, merges: ["b c", "a b", "ab c"] }, "abc"), ["a", "bc"]);
    assert.deepEqual(tokensOf({ vocab, merges: ["a b", "b c", "ab c"] }, "abc"), ["abc"]);
    assert.deepEqual(
      tokensOf(
        {
          vocab,
          merges: [
            ["a", "a"],
            ["aa", "a"],
          ],
        },
        "aaaaa",
      ),
      ["aa", "aaa"],
    );
  });

  it("treats unknown characters as it is told", () => {
    const vocab = numbered(["a", "?", "<0xC3>", "<0xA9>"]);
    assert.deepEqual(tokensOf({ vocab, merges: [] }, "xaxx"), ["a"]);
    assert.deepEqual(tokensOf({ vocab, merges: [], unk_token: "?" }, "xaxx"), ["?", "a", "?", "?"]);
    assert.deepEqual(tokensOf({ vocab, merges: [], unk_token: "?", fuse_unk: true }, "xaxx"), ["?", "a", "?"]);
    assert.deepEqual(tokensOf({ vocab, merges: [], unk_token: "?", byte_fallback: true }, "éax"), [
      "<0xC3>",
      "<0xA9>",
      "a",
      "?",
    ]);
  });

  it("knows prefixes of continuing pieces and suffixes of words", () => {
    const prefixed = numbered(["a", "##b", "##c", "##bc", "abc"]);
    const merges = ["##b ##c", "a ##bc"];
    assert.deepEqual(tokensOf({ vocab: prefixed, merges, continuing_subword_prefix: "##" }, "abc"), ["abc"]);
    const suffixed = numbered(["a", "b</w>", "ab</w>", "a</w>"]);
    const words = { pre_tokenizer: { type: "Whitespace" } };
    const model = { vocab: suffixed, merges: ["a b</w>"], end_of_word_suffix: "</w>" };
    assert.deepEqual(tokensOf(model, "ab a", words), ["ab</w>", "a</w>"]);
  });

  it("takes whole pieces first where merges are ignored for them", () => {
    const vocab = numbered(["a", "b", "c", "ab", "abc"]);
    assert.deepEqual(tokensOf({ vocab, merges: ["a b"], ignore_merges: true }, "abc"), ["abc"]);
    assert.deepEqual(tokensOf({ vocab, merges: ["a b"] }, "abc"), ["ab", "c"]);
  });

  it("agrees with merging by hand on random vocabularies and texts", () => {
    const random = new Random(3);
    for (let round = 0; round < 200; round++) {
      const tokens = ["a", "b", "c"];
      const merges: [string, string][] = [];
      for (let merge = random.between(0, 12); merge > 0; merge--) {
        const pair: [string, string] = [random.pick(tokens), random.pick(tokens)];
        if (tokens.includes(pair.join(""))) continue;
        merges.push(pair);
        tokens.push(pair.join(""));
      }
      const text = Array.from({ length: random.between(1, 40) }, () => random.pick(["a", "b", "c"]));
      const byHand = [...text];
      for (;;) {
        const ranks = byHand.slice(1).map((right, at) => {
          return merges.findIndex(([a, b]) => a === byHand[at] && b === right);
        });
        const best = ranks.filter((rank) => rank >= 0).reduce((a, b) => Math.min(a, b), merges.length);
        if (best === merges.length) break;
        byHand.splice(ranks.indexOf(best), 2, merges[best]!.join(""));
      }
      assert.deepEqual(tokensOf({ vocab: numbered(tokens), merges }, text.join("")), byHand, `${round}`);
    }
  });

  it("takes a long text that nothing splits", () => {
    const vocab = numbered(["a", "aa", "aaaa"]);
    const tokenizer = new JsonTokenizer(JSON.stringify({ model: { type: "BPE", vocab, merges: ["a a", "aa aa"] } }));
    assert.equal(tokenizer.encode("a".repeat(200_000)).length, 50_000);
  });
});

describe("byte-level tokenizers", () => {
  /** Learned from a text, one merge after the other. */
  function learned(text: string, count: number): Json {
    const words = text.match(/ ?\S+|\s+/g)!.map((word) => [...toByteCharacters(word)]);
    const merges: string[][] = [];
    while (merges.length < count) {
      const counts = new Map<string, number>();
      for (const word of words) {
        for (let at = 1; at < word.length; at++) {
          const pair = `${word[at - 1]} ${word[at]}`;
          counts.set(pair, (counts.get(pair) ?? 0) + 1);
        }
      }
      const best = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
      const [left, right] = best[0].split(" ") as [string, string];
      merges.push([left, right]);
      for (const word of words) {
        for (let at = 1; at < word.length; at++)
          if (word[at - 1] === left && word[at] === right) word.splice(at - 1, 2, left + right);
      }
    }
    const vocab = numbered([...bytes, ...merges.map((pair) => pair.join(""))]);
    return {
      added_tokens: [{ id: Object.keys(vocab).length, content: "<|end|>", special: true }],
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab, merges },
    };
  }
  const text =
    "the cat sat on the mat, and the cat that sat there sat still; naïve café 猫 😀 then there was the end. ";
  const json = learned(text, 40);

  it("use the alphabet of bytes", () => {
    for (let byte = 0; byte < 128; byte++) assert.equal(toByteCharacters(String.fromCharCode(byte)), bytes[byte]);
    assert.equal(toByteCharacters("ÿ\u{ad}"), bytes[0xc3]! + bytes[0xbf]! + bytes[0xc2]! + bytes[0xad]!);
    assert.equal(new Set(bytes).size, 256);
  });

  it("give every text back, whatever it is", () => {
    const tokenizer = new JsonTokenizer(JSON.stringify(json));
    assert.equal(tokenizer.size, 297);
    const random = new Random(9);
    const alphabet = [..."abct he\n\t'sdé猫😀\u{0}\u{feff}\u{301}\u{85}\u{a0}0½<|end>", "<|end|>", "the ", "  "];
    for (let round = 0; round < 300; round++) {
      const sample = Array.from({ length: random.below(60) }, () => random.pick(alphabet)).join("");
      const tokens = tokenizer.encode(sample);
      assert.equal(tokenizer.decode(tokens), sample);
      assert.ok(tokens.every((token) => token < tokenizer.size));
    }
    assert.ok(tokenizer.encode(text).length < 0.7 * text.length);
    assert.deepEqual([...tokenizer.encode("<|end|>")], [296]);
  });

  it("become text datasets", async () => {
    const files = memoryFiles({ "a.txt": text.repeat(4), "b.txt": text, "tokenizer.json": JSON.stringify(json) });
    const section = {
      kind: "text",
      files: "*.txt",
      holdOutEvery: 2,
      tokenizer: "tokenizer.json",
      context: 8,
      stride: 8,
    };
    const data = await buildDataset(dataSection.parse({ ...section, targets: "every" }), files);
    assert.equal(data.layout.fields[1]!.maximum, 296);
    const first = data.text!.tokenizer.decode(data.training.subarray(0, 8));
    assert.ok(first.length >= 8 && text.startsWith(first), first);
    assert.deepEqual(data.training.subarray(1, 8), data.training.subarray(8, 15));
    await assert.rejects(buildDataset(dataSection.parse({ ...section, minimumCount: 2 }), files), DatasetError);
    assert.throws(() => dataSection.parse({ ...section, tokenizer: "tokenizer.model" }));
  });
});

describe("WordPiece", () => {
  const vocab = numbered(["[UNK]", "un", "##aff", "##able", "##a", "want", "##ed", "run", "."]);
  const tokenizer = new JsonTokenizer(
    JSON.stringify({
      normalizer: { type: "BertNormalizer" },
      pre_tokenizer: { type: "BertPreTokenizer" },
      model: { type: "WordPiece", vocab, unk_token: "[UNK]", max_input_chars_per_word: 10 },
      decoder: { type: "WordPiece", prefix: "##" },
    }),
  );

  it("takes the longest beginning each time, and one unknown token for a word that does not come out", () => {
    assert.deepEqual([...tokenizer.encode("UNaffable wanted.")], [1, 2, 3, 5, 6, 8]);
    assert.deepEqual([...tokenizer.encode("unwanted runs run")], [0, 0, 7]);
    assert.deepEqual([...tokenizer.encode("unaaaaaaaa unaaaaaaaaa")], [1, 4, 4, 4, 4, 4, 4, 4, 4, 0]);
  });

  it("writes words with spaces between, close to their punctuation", () => {
    assert.equal(tokenizer.decode(tokenizer.encode("unaffable wanted.")), "unaffable wanted.");
  });
});

describe("Unigram", () => {
  const encode = (vocab: (readonly [string, number])[], text: string, more: Json = {}) =>
    [...new JsonTokenizer(JSON.stringify({ model: { type: "Unigram", vocab, unk_id: 0, ...more } })).encode(text)].map(
      (token) => vocab[token]![0],
    );

  it("finds the cut with the greatest score", () => {
    const vocab: [string, number][] = [
      ["<unk>", 0],
      ["a", 0],
      ["b", 0],
      ["c", 0],
      ["d", 0],
      ["cd", 1],
      ["ab", 2],
      ["abc", 5],
      ["abcd", 10],
    ];
    assert.deepEqual(encode(vocab, "abcd"), ["abcd"]);
    assert.deepEqual(encode(vocab, "abcdcd"), ["abcd", "cd"]);
    assert.deepEqual(encode(vocab.with(8, ["abcd", 5.5]), "abcd"), ["abcd"]);
    assert.deepEqual(encode(vocab.with(8, ["abcd", 4]), "abcd"), ["abc", "d"]);
  });

  it("agrees with trying every cut", () => {
    const random = new Random(21);
    for (let round = 0; round < 100; round++) {
      const words = new Set(["a", "b"]);
      while (words.size < 8)
        words.add(Array.from({ length: random.between(1, 4) }, () => random.pick(["a", "b"])).join(""));
      const vocab = [
        ["<unk>", -50] as const,
        ...[...words].map((word) => [word, -random.between(1, 1000) / 64] as const),
      ];
      const scores = new Map(vocab);
      const text = Array.from({ length: random.between(1, 10) }, () => random.pick(["a", "b"])).join("");
      const score = (cut: readonly string[]) => cut.reduce((sum, word) => sum + scores.get(word)!, 0);
      const cuts = (rest: string): string[][] =>
        rest === ""
          ? [[]]
          : [...words]
              .filter((word) => rest.startsWith(word))
              .flatMap((word) => cuts(rest.slice(word.length)).map((cut) => [word, ...cut]));
      const best = cuts(text)
        .map(score)
        .reduce((a, b) => Math.max(a, b));
      const found = encode(vocab, text);
      assert.equal(found.join(""), text);
      assert.equal(score(found), best);
    }
  });

  it("takes one unknown token for a run of unknown characters, or their bytes", () => {
    const vocab: [string, number][] = [
      ["<unk>", 0],
      ["a", -1],
      ["<0xC3>", -9],
      ["<0xA9>", -9],
    ];
    assert.deepEqual(encode(vocab, "xya😀"), ["<unk>", "a", "<unk>"]);
    assert.deepEqual(encode(vocab, "éa", { byte_fallback: true }), ["<0xC3>", "<0xA9>", "a"]);
    const strict = new JsonTokenizer(JSON.stringify({ model: { type: "Unigram", vocab } }));
    assert.throws(() => strict.encode("x"), TokenizerError);
  });
});

describe("added tokens", () => {
  const vocab = numbered(["a", "b", " ", "B"]);
  const encode = (tokens: Json[], text: string, normalizer: Json | null = null) => [
    ...new JsonTokenizer(
      JSON.stringify({ added_tokens: tokens, normalizer, model: { type: "BPE", vocab, merges: [] } }),
    ).encode(text),
  ];

  it("are found before the model sees the text, the longest first", () => {
    const tokens = [
      { id: 4, content: "<x>", special: true },
      { id: 5, content: "<x><y>", special: true },
    ];
    assert.deepEqual(encode(tokens, "a<x><y><x>b"), [0, 5, 4, 1]);
  });

  it("take the spaces beside them, or stand only alone, where they say so", () => {
    assert.deepEqual(encode([{ id: 4, content: "x", lstrip: true, rstrip: true, special: true }], "a  x b"), [0, 4, 1]);
    assert.deepEqual(
      encode([{ id: 4, content: "ab", single_word: true, special: true }], "ab aab ab"),
      [4, 2, 0, 0, 1, 2, 4],
    );
  });

  it("are looked for in the raw or in the normalised text", () => {
    const lowercase = { type: "Lowercase" };
    assert.deepEqual(encode([{ id: 4, content: "AB", special: false, normalized: true }], "abAB", lowercase), [4, 4]);
    assert.deepEqual(
      encode([{ id: 4, content: "AB", special: true, normalized: false }], "abAB", lowercase),
      [0, 1, 4],
    );
  });

  it("must not contradict the vocabulary", () => {
    assert.throws(() => encode([{ id: 3, content: "a" }], "a"), TokenizerError);
    assert.throws(() => encode([{ id: 4, content: "" }], "a"), TokenizerError);
  });
});

describe("decoders", () => {
  const vocab = numbered(["▁a", "b", "<0xC3>", "<0xA9>", "c</w>", "<0xFF>"]);
  const decode = (decoder: Json, tokens: number[]) =>
    new JsonTokenizer(JSON.stringify({ model: { type: "BPE", vocab, merges: [] }, decoder })).decode(tokens);
  const cases: readonly (readonly [Json, number[], string])[] = [
    [{ type: "Metaspace", replacement: "▁", prepend_scheme: "always" }, [0, 1, 0], "ab a"],
    [{ type: "Metaspace", replacement: "▁", prepend_scheme: "never" }, [0, 1], " ab"],
    [{ type: "BPEDecoder", suffix: "</w>" }, [4, 1, 4], "c bc"],
    [
      {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      [0, 2, 3, 0, 5, 2],
      "aé a\u{fffd}\u{fffd}",
    ],
  ];
  for (const [decoder, tokens, text] of cases) {
    it(`${decoder.type} writes ${JSON.stringify(text)}`, () => assert.equal(decode(decoder, tokens), text));
  }
});

describe("tokenizer.json files", () => {
  const model = { type: "BPE", vocab: numbered(["a", "b", "ab"]), merges: ["a b"] };
  const refused = (json: unknown, path: string, problem: RegExp) =>
    assert.throws(
      () => new JsonTokenizer(typeof json === "string" ? json : JSON.stringify(json)),
      (error: TokenizerError) => {
        assert.ok(error instanceof TokenizerError, String(error));
        assert.equal(error.path, path, error.message);
        assert.match(error.message, problem);
        return true;
      },
    );

  it("may leave out which model they have, as old ones do", () => {
    const encode = (model: Json) => [...new JsonTokenizer(JSON.stringify({ model })).encode("ab")];
    const vocab = numbered(["?", "a", "##b", "b", "ab"]);
    assert.deepEqual(encode({ vocab, merges: [["a", "b"]] }), [4]);
    assert.deepEqual(
      encode({ vocab: numbered(["?", "a", "##b"]), unk_token: "?", max_input_chars_per_word: 9 }),
      [1, 2],
    );
    assert.deepEqual(encode({ vocab: numbered(["?", "a", "##b"]), unk_token: "?" }), [0]);
    assert.deepEqual(
      encode({
        vocab: [
          ["?", 0],
          ["a", -1],
          ["b", -1],
        ],
        unk_id: 0,
      }),
      [1, 2],
    );
  });

  it("are refused with the component that is not supported", () => {
    refused({ model, normalizer: { type: "Nmt" } }, "$.normalizer", /Nmt/);
    const second = { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Nmt" }] };
    refused({ model, normalizer: second }, "$.normalizer.normalizers.1", /Nmt/);
    refused({ model, pre_tokenizer: { type: "UnicodeScripts" } }, "$.pre_tokenizer", /UnicodeScripts/);
    refused({ model, decoder: { type: "CTC" } }, "$.decoder", /CTC/);
    refused({ model: { ...model, type: "New" } }, "$.model", /New/);
    refused({ model: { ...model, dropout: 0.1 } }, "$.model", /dropout/);
    for (const pattern of [
      "a++",
      "(?>a)",
      "\\G",
      "[[:alpha:]]",
      "[a&&b]",
      "[\\W]",
      "(?x)a",
      "\\p{^L}",
      "(",
      "\\p{Nothing}",
    ]) {
      const split = { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated" };
      refused({ model, pre_tokenizer: split }, "$.pre_tokenizer", /in the pattern/);
    }
    refused(
      { model, pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Odd" } },
      "$.pre_tokenizer",
      /Odd/,
    );
  });

  it("are refused when they are malformed", () => {
    refused("{", "$", /no JSON/);
    refused([], "$", /no object/);
    refused({}, "$.model", /no object/);
    refused({ model: { type: "BPE", vocab: {}, merges: [] } }, "$.model.vocab", /empty/);
    refused({ model: { ...model, vocab: { a: -1 } } }, "$.model.vocab", /-1/);
    refused({ model: { ...model, vocab: { a: 0, b: 0 } } }, "$.model.vocab", /two tokens/);
    refused({ model: { ...model, merges: ["a c"] } }, "$.model", /merge 0, a c/);
    refused({ model: { ...model, merges: ["a"] } }, "$.model", /no pair/);
    refused({ model: { ...model, unk_token: "?" } }, "$.model", /unk_token/);
    refused({ model: { type: "WordPiece", vocab: { a: 0 }, unk_token: "?" } }, "$.model", /unk_token/);
    refused({ model: { type: "Unigram", vocab: [["a", 0]], unk_id: 1 } }, "$.model", /unk_id/);
    refused({ model: { type: "Unigram", vocab: [["a"]] } }, "$.model", /token 0/);
    for (const table of ["", "AAAA", "BAAAAA==", "?"]) {
      const normalizer = { type: "Precompiled", precompiled_charsmap: table };
      refused({ model, normalizer }, "$.normalizer", /precompiled_charsmap/);
    }
    refused({ model, normalizer: { type: "Strip", strip_left: 1 } }, "$.normalizer", /strip_left/);
    refused({ model, pre_tokenizer: { type: "Split", behavior: "Isolated" } }, "$.pre_tokenizer.pattern", /no object/);
  });
});
