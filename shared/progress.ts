/** A progress bar on standard error: redrawn in place on a terminal, a line at each tenth elsewhere. */

const BAR_CHARACTERS = 24;
const REDRAW_MILLISECONDS = 100;

export interface Progress {
  /** @param done of the total, in the same unit. @param detail short text behind the bar. */
  update(done: number, detail?: string): void;
  finish(): void;
}

/** @param silent for `--json` and tests. */
export function createProgress(label: string, total: number, silent = false): Progress {
  if (silent) return { update() {}, finish() {} };
  const stream = process.stderr;
  let drawnAt = 0;
  let tenth = -1;
  let text = "";
  return {
    update(done, detail = "") {
      const share = total === 0 ? 1 : Math.min(done / total, 1);
      const filled = Math.round(share * BAR_CHARACTERS);
      text = `${label} ${"█".repeat(filled)}${"░".repeat(BAR_CHARACTERS - filled)} ${done}/${total} ${detail}`;
      if (stream.isTTY) {
        if (share < 1 && Date.now() - drawnAt < REDRAW_MILLISECONDS) return;
        drawnAt = Date.now();
        stream.write(`\r\x1b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`);
      } else if (Math.floor(share * 10) > tenth) {
        tenth = Math.floor(share * 10);
        stream.write(`${text}\n`);
      }
    },
    finish() {
      if (stream.isTTY && text !== "") stream.write("\n");
    },
  };
}
