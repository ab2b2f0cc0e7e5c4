/**
 * A reason not to start that the operator can mend. The message is the one line they see: what is
 * wrong, with which file or variable, and what to do. It never holds a secret value.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}
