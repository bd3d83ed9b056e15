/** The one family of errors: what was wrong, where, and what to do. Every error thrown on purpose extends it. */
export abstract class TouchstoneError extends Error {
  /** Stable identifier for programs (`--json` prints it). */
  abstract readonly code: string;
  /** What the reader can do about it. */
  readonly remedy: string | undefined;

  constructor(message: string, options: { cause?: unknown; remedy?: string } = {}) {
    super(options.remedy === undefined ? message : `${message} ${options.remedy}`, { cause: options.cause });
    this.name = new.target.name;
    this.remedy = options.remedy;
  }
}
