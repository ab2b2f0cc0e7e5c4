import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { ValidationError } from '../common/app-error.js';
import { ApiParam } from '../common/openapi.js';

export const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

@Injectable()
class SecretNamePipe implements PipeTransform<string, string> {
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

/** The path segment `name`, which is the name of a secret. */
export function SecretName(): ParameterDecorator {
  return (target, method, index) => {
    Param('name', SecretNamePipe)(target, method, index);
    if (method === undefined) throw new TypeError('a name is a parameter of a route, not of a constructor');
    const handler = Object.getOwnPropertyDescriptor(target, method);
    const schema = { type: 'string', pattern: SECRET_NAME.source, example: 'db.main' };
    if (handler) ApiParam({ name: 'name', schema })(target, method, handler);
  };
}
