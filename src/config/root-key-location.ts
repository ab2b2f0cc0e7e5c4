import { SecretText } from '../common/secret-text.js';
import { type EnvironmentVariables } from './environment-variables.js';

/**
 * Where a root key is: a file that holds its 32 bytes, or a variable that names who holds it and how it is called
 * there. The provider `env` holds what it is called: the 32 bytes in base64url.
 */
export type RootKeyLocation =
  | { readonly file: string }
  | {
      readonly variable: 'ROOT_KEY' | 'ROOT_KEY_PREVIOUS';
      readonly provider: string;
      readonly reference: SecretText;
    };

/** @returns undefined where neither the variable nor its `_FILE` is set */
export function rootKeyIn(
  variables: EnvironmentVariables,
  variable: 'ROOT_KEY' | 'ROOT_KEY_PREVIOUS',
): RootKeyLocation | undefined {
  const value = variables[variable]?.reveal();
  if (value !== undefined) {
    const [provider, reference] = value.includes(':') ? splitAtColon(value) : ['env', value];
    return { variable, provider, reference: new SecretText(reference) };
  }
  const file = variables[`${variable}_FILE`];
  return file === undefined ? undefined : { file };
}

function splitAtColon(value: string): [string, string] {
  const at = value.indexOf(':');
  return [value.slice(0, at), value.slice(at + 1)];
}
