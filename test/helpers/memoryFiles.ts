/** Data files that exist only in a test: a glob is a name, or `*` and an ending. */
import { compareBytewise } from "../../shared/data/bytewise.ts";
import type { DataFiles } from "../../shared/data/dataset.ts";

export function memoryFiles(contents: Readonly<Record<string, string | Uint8Array>>): DataFiles {
  return {
    compressors: {},
    list: async (pattern) =>
      Object.keys(contents)
        .filter((name) => (pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : name === pattern))
        .sort(compareBytewise)
        .map((name) => {
          const content = contents[name]!;
          const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
          return { name, read: async () => bytes };
        }),
  };
}
