/**
 * What a service must remember across interruptions and cannot read from the chain, in one SQLite file: written before it is acted
 * on, so that whatever was done has its record.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TouchstoneError } from "../errors.ts";

const FORMAT = 1;

export class JournalError extends TouchstoneError {
  readonly code = "JOURNAL";
  constructor(file: string, detail: string, cause?: unknown) {
    super(`The journal ${file} cannot be used: ${detail}.`, {
      cause,
      remedy: "Use another --data-dir, or restore the file from a copy.",
    });
  }
}

export class Journal {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * @param identity chain, market and account: a journal belongs to one of each.
   * @throws JournalError when the file is damaged or belongs to another account, market or chain.
   */
  static open(folder: string, identity: string): Journal {
    const file = path.join(folder, "journal.sqlite");
    let journal: Journal;
    try {
      mkdirSync(folder, { recursive: true });
      const database = new DatabaseSync(file);
      // Exclusive: two programs with one journal would do everything twice. FULL: a commit is on the disk before the
      // transaction that it precedes is sent.
      database.exec("PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL");
      database.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT");
      journal = new Journal(database);
      journal.get("format");
    } catch (cause) {
      throw new JournalError(file, "it is not a journal, cannot be written, or another program has it open", cause);
    }
    const owner = journal.get<string>("identity");
    if (owner === undefined) {
      journal.set("format", FORMAT);
      journal.set("identity", identity);
    } else if (owner !== identity || journal.get("format") !== FORMAT) {
      journal.close();
      throw new JournalError(file, `it belongs to ${owner}, this is ${identity}`);
    }
    return journal;
  }

  /** The value under a key, or undefined. */
  get<value>(key: string): value | undefined {
    const row = this.#database.prepare("SELECT value FROM entries WHERE key = ?").get(key);
    return row === undefined ? undefined : (JSON.parse(row.value as string) as value);
  }

  /** @param value anything that JSON holds. */
  set(key: string, value: unknown): void {
    this.#database
      .prepare("INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .run(key, JSON.stringify(value));
  }

  /** Keys that begin with a prefix, and their values. */
  entries<value>(prefix: string): [key: string, value: value][] {
    return this.#database
      .prepare("SELECT key, value FROM entries WHERE substr(key, 1, ?) = ? ORDER BY key")
      .all(prefix.length, prefix)
      .map((row) => [row.key as string, JSON.parse(row.value as string) as value]);
  }

  close(): void {
    this.#database.close();
  }
}
