import { applyDecorators } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { ApiExtraModels, ApiResponse } from './openapi.js';
import { PROBLEM_MEDIA_TYPE, ProblemDetails } from './problem-details.js';

/** Documents the refusals of a route beside those that any request can meet. */
export function ApiProblems(...statuses: number[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiExtraModels(ProblemDetails),
    ...statuses.map((status) => ApiResponse({ status, ...problemResponse(status) })),
  );
}

/** The OpenAPI response object of a refusal. */
export function problemResponse(status: number) {
  const schema = { $ref: `#/components/schemas/${ProblemDetails.name}` };
  return {
    description: STATUS_CODES[status] ?? 'Error',
    content: { [PROBLEM_MEDIA_TYPE]: { schema } },
  };
}
