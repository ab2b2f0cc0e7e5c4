import { closeSync, openSync } from 'node:fs';

/**
 * SIGHUP reads the TLS files again. A terminal that closes sends it too: a server that stayed then would
 * hold its port with nobody to stop it.
 */
export class Hangups {
  /** Nothing until the server listens: its first look at the files finds what has changed since it read them. */
  #reload = () => {};

  /** From now on SIGHUP doesn't end the process: to be called before anything that takes time. */
  static take(): Hangups {
    const hangups = new Hangups();
    // On Windows a listener would keep a closed console from ending the process.
    if (process.platform === 'win32') return hangups;
    const hadTerminal = hasTerminal();
    process.on('SIGHUP', () => {
      if (hadTerminal && !hasTerminal()) process.kill(process.pid, 'SIGTERM');
      else hangups.#reload();
    });
    return hangups;
  }

  reloadBy(reload: () => Promise<void>): void {
    this.#reload = () => void reload();
  }
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
