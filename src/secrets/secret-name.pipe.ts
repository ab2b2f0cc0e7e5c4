import { Injectable, type PipeTransform } from '@nestjs/common';
import { ValidationError } from '../common/app-error.js';

export const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A path segment that is the name of a secret. */
@Injectable()
export class SecretNamePipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!SECRET_NAME.test(value)) {
      throw new ValidationError([
        {
          pointer: '/name',
          detail: 'must be 1 to 128 letters, digits, dots, underscores or hyphens, a letter or digit first',
        },
      ]);
    }
    return value;
  }
}
