import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type PipeTransform,
} from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/internal';
import { APP_GUARD, DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { takesMergePatch } from './common/merge-patch.js';
import { refuseFields, validated } from './common/validation.js';

/** Where Nest's decorators note the parameters of a route, under `<type>:<index>`, and the path of a controller. */
const ARGUMENTS_METADATA = '__routeArguments__';
const PATH_METADATA = 'path';

/** Controllers of pages for people, which take what others add to their links. */
const PAGES: ReadonlySet<unknown> = new Set(['/', 's']);

const checkedTypes: ReadonlyMap<number, 'Body' | 'Query'> = new Map([
  [RouteParamtypes.BODY, 'Body'],
  [RouteParamtypes.QUERY, 'Query'],
]);

interface Input {
  readonly type: 'Body' | 'Query';
  readonly isValidated: boolean;
}

/**
 * Stops the start when a route takes a body or a query that nothing checks. A route that takes none refuses
 * every field of it, as a DTO refuses those that it doesn't know; only pages for people don't.
 */
@Injectable()
class InputChecks implements OnApplicationBootstrap, CanActivate {
  readonly #withoutBody = new WeakSet<object>();
  readonly #withoutQuery = new WeakSet<object>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onApplicationBootstrap(): void {
    const unchecked: string[] = [];
    for (const { metatype, instance, name } of this.discovery.getControllers()) {
      const prototype = Object.getPrototypeOf(instance) as Readonly<Record<string, object>>;
      const isPage = PAGES.has(Reflect.getMetadata(PATH_METADATA, metatype as object));
      for (const method of this.scanner.getAllMethodNames(prototype)) {
        const inputs = inputsOf(metatype, method);
        const handler = prototype[method];
        if (!isPage && handler) this.#note(handler, inputs);
        const faults = inputs.filter(({ isValidated }) => !isValidated);
        unchecked.push(...faults.map(({ type }) => `@${type} of ${name}.${method}`));
      }
    }
    if (unchecked.length > 0) {
      throw new Error(`give ${unchecked.join(', ')} the pipe \`validated\`, as in @Body(validated)`);
    }
  }

  /** @throws {ValidationError} for every field of a body or query that the route takes none of */
  canActivate(context: ExecutionContext): true {
    const handler = context.getHandler();
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (this.#withoutQuery.has(handler)) refuseFields(request.query);
    // `MergePatchOf` takes its body itself.
    const { body } = request;
    if (body !== undefined && this.#withoutBody.has(handler) && !takesMergePatch(request)) refuseFields(body);
    return true;
  }

  #note(handler: object, inputs: readonly Input[]): void {
    if (!inputs.some(({ type }) => type === 'Body')) this.#withoutBody.add(handler);
    if (!inputs.some(({ type }) => type === 'Query')) this.#withoutQuery.add(handler);
  }
}

/** Import it last: guards run in the order of their modules, and who may not call a route learns that first. */
@Module({ imports: [DiscoveryModule], providers: [{ provide: APP_GUARD, useClass: InputChecks }] })
export class InputsModule {}

function inputsOf(controller: unknown, method: string): Input[] {
  const found = Reflect.getMetadata(ARGUMENTS_METADATA, controller as object, method) as
    Readonly<Record<string, { readonly pipes?: readonly PipeTransform[] }>> | undefined;
  return Object.entries(found ?? {}).flatMap(([key, { pipes = [] }]) => {
    const type = checkedTypes.get(Number(key.split(':', 1)[0]));
    return type === undefined ? [] : [{ type, isValidated: pipes.includes(validated) }];
  });
}
