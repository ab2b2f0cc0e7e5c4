import { applyDecorators } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { ApiExtraModels, ApiResponse } from './openapi.js';
import { PROBLEM_MEDIA_TYPE, ProblemDetails } from './problem-details.js';

/** Documents the refusals of a route. */
export function ApiProblems(...statuses: number[]): MethodDecorator & ClassDecorator {
  const schema = { $ref: `#/components/schemas/${ProblemDetails.name}` };
  return applyDecorators(
    ApiExtraModels(ProblemDetails),
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: STATUS_CODES[status] ?? 'Error',
        content: { [PROBLEM_MEDIA_TYPE]: { schema } },
      }),
    ),
  );
}
