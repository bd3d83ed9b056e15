/** Why a file cannot be read or written, in words: the system's own message repeats the path. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such folder",
  EISDIR: "it is a folder",
  EACCES: "this account may not",
  EPERM: "this account may not",
  EROFS: "its disk is read-only",
  ENOSPC: "its disk is full",
};

/** @param cause what the system threw. */
export function fileProblem(cause: unknown): string {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  if (typeof code === "string" && code in WORDS) return WORDS[code]!;
  return cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
}
