import type * as swagger from '@nestjs/swagger';

/*
 * The decorators of @nestjs/swagger, applied when the first reader asks for the document. The library
 * and what it brings along are a quarter of all modules: a server that nobody asks would load them to
 * keep descriptions that nobody reads.
 */

type Swagger = typeof swagger;
type DecoratorName =
  | 'ApiBearerAuth'
  | 'ApiBody'
  | 'ApiConsumes'
  | 'ApiCreatedResponse'
  | 'ApiExcludeController'
  | 'ApiExtraModels'
  | 'ApiHeader'
  | 'ApiNoContentResponse'
  | 'ApiOkResponse'
  | 'ApiParam'
  | 'ApiProperty'
  | 'ApiPropertyOptional'
  | 'ApiResponse'
  | 'ApiSecurity'
  | 'ApiTags';
type DecoratorFactory = (...options: unknown[]) => (...target: unknown[]) => void;

const waiting: ((library: Swagger) => void)[] = [];

export const ApiBearerAuth = deferred('ApiBearerAuth');
export const ApiCreatedResponse = deferred('ApiCreatedResponse');
export const ApiExcludeController = deferred('ApiExcludeController');
export const ApiHeader = deferred('ApiHeader');
export const ApiNoContentResponse = deferred('ApiNoContentResponse');
export const ApiOkResponse = deferred('ApiOkResponse');
export const ApiParam = deferred('ApiParam');
export const ApiProperty = deferred('ApiProperty');
export const ApiPropertyOptional = deferred('ApiPropertyOptional');
export const ApiTags = deferred('ApiTags');
export const ApiExtraModels = deferred('ApiExtraModels');
export const ApiResponse = deferred('ApiResponse');

const ApiSecurity = deferred('ApiSecurity');
const ApiBody = deferred('ApiBody');
const ApiConsumes = deferred('ApiConsumes');

/** Documents a route that anyone may call and that tells more to some. */
export function ApiOptionalBearerAuth(): MethodDecorator {
  const nothing = ApiSecurity({});
  const bearer = ApiBearerAuth();
  return (...target) => {
    nothing(...target);
    bearer(...target);
  };
}

/** Documents `If-Match` or `If-None-Match`. Without an example: the page would send it. */
export function ApiCondition(name: 'If-Match' | 'If-None-Match', description: string): MethodDecorator {
  return ApiHeader({ name, required: false, description, schema: { type: 'string' } });
}

/** Documents a body that `MergePatchOf` reads. */
export function ApiMergePatch(member: string): MethodDecorator {
  const consumes = ApiConsumes('application/merge-patch+json');
  const body = ApiBody({
    schema: {
      type: 'object',
      additionalProperties: { type: 'string', nullable: true },
      example: { team: 'payments' },
      description: `what changes in \`${member}\`: a string sets a member, null removes it`,
    },
  });
  return (...target) => {
    consumes(...target);
    body(...target);
  };
}

/** Loads @nestjs/swagger and applies every decorator that waits for it. */
export async function loadSwagger(): Promise<Swagger> {
  const library = await import('@nestjs/swagger');
  for (const apply of waiting.splice(0)) apply(library);
  return library;
}

function deferred<Name extends DecoratorName>(name: Name): Swagger[Name] {
  const factory: DecoratorFactory =
    (...options) =>
    (...target) => {
      waiting.push((library) => (library[name] as DecoratorFactory)(...options)(...target));
    };
  return factory as Swagger[Name];
}
