import { printable } from '../common/printable.js';

const LINE_EVERY_MS = 2_000;
/** Of a terminal that doesn't say. */
const DEFAULT_COLUMNS = 80;
const MIN_BAR_WIDTH = 10;
const MAX_BAR_WIDTH = 30;
/** Of a terminal, for what stands beside the bar. */
const TEXT_COLUMNS = 58;

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is counted, such as `keys`. */
  readonly unit: string;
}

/** What of a terminal, file or pipe is needed. */
type Output = Pick<NodeJS.WriteStream, 'columns' | 'isTTY' | 'write'>;

/**
 * How far a command has come: on a terminal a bar in one line that is written over, elsewhere a line every two seconds,
 * and none for what takes less or is done: that is told by what the command prints then.
 */
export class ProgressLine {
  #lastMs: number;

  constructor(
    private readonly output: Output,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.#lastMs = nowMs();
  }

  update(progress: Progress): void {
    if (this.output.isTTY) {
      this.#overwrite(barOf(progress, this.output.columns || DEFAULT_COLUMNS));
    } else if (progress.done < progress.total && this.nowMs() - this.#lastMs >= LINE_EVERY_MS) {
      this.#lastMs = this.nowMs();
      this.output.write(`${figuresOf(progress)}\n`);
    }
  }

  /** Writes a line that stays, in place of the bar. */
  print(text: string): void {
    this.clear();
    this.output.write(`${printable(text)}\n`);
  }

  /** Takes the bar away, for what is printed elsewhere. */
  clear(): void {
    if (this.output.isTTY) this.#overwrite('');
  }

  #overwrite(text: string): void {
    this.output.write(`\r\u001B[2K${text}`);
  }
}

/** Shows how far `work` has come on standard output. Its error stands in a line of its own. */
export async function withProgress<T>(work: (line: ProgressLine) => Promise<T>): Promise<T> {
  const line = new ProgressLine(process.stdout);
  try {
    return await work(line);
  } catch (error) {
    line.clear();
    throw error;
  }
}

/** Such as `[####------] 45 %  12 300 of 27 000 keys`, one column short of the end: there a terminal starts a new line. */
function barOf(progress: Progress, columns: number): string {
  const width = Math.max(MIN_BAR_WIDTH, Math.min(MAX_BAR_WIDTH, columns - TEXT_COLUMNS));
  const bar = '#'.repeat(Math.floor(shareOf(progress) * width)).padEnd(width, '-');
  const line = `[${bar}] ${figuresOf(progress)}`;
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
}

function figuresOf(progress: Progress): string {
  const { done, total } = progress;
  const unit = printable(progress.unit);
  return `${Math.floor(shareOf(progress) * 100)} %  ${grouped(done)} of ${grouped(total)} ${unit}`;
}

/** Of a total that was counted before others changed it. */
function shareOf({ done, total }: Progress): number {
  return total === 0 ? 1 : Math.min(done / total, 1);
}

function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}
