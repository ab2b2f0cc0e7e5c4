import { type ProgressLine } from './progress-line.js';

const BAR_WIDTH = 30;
const TENTHS = 10;

/** How far a verification has come: a bar on a terminal, elsewhere a line for each tenth. */
export class VerificationProgress {
  #tenths = 0;

  constructor(private readonly line: ProgressLine) {}

  update(verified: number, total: number): void {
    const share = verified / total;
    this.line.update(`[${'#'.repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH)}] ${verified}/${total}`);
    const tenths = Math.floor(share * TENTHS);
    if (tenths > this.#tenths && !this.line.isOnTerminal) this.line.end(`${tenths * TENTHS} % of ${total}`);
    this.#tenths = tenths;
  }

  end(text: string): void {
    this.line.end(text);
  }
}
