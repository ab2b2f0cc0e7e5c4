import { Injectable, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from './app-error.js';
import { isId } from './id.js';

/** A path segment that is an id. What isn't one names nothing: 404, as for an unknown id. */
@Injectable()
export class IdParamPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isId(value)) throw new NotFoundError();
    return value;
  }
}
