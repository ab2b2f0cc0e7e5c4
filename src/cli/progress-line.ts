/** One line of text that is written over as work goes on; in a file or pipe only its last state. */
export class ProgressLine {
  constructor(private readonly output: NodeJS.WriteStream) {}

  get isOnTerminal(): boolean {
    return this.output.isTTY;
  }

  update(text: string): void {
    if (this.output.isTTY) this.output.write(`\r\u001B[2K${text}`);
  }

  end(text: string): void {
    this.update('');
    this.output.write(`${text}\n`);
  }
}
